#include "timestamp.h"

#include <apr_strings.h>

char *trestle_timestamp(apr_pool_t *pool, apr_time_t time)
{
    char milliseconds[8] = "";
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, time);
    if (t.tm_usec >= 1000)
        apr_snprintf(milliseconds, sizeof(milliseconds), ".%03d", t.tm_usec / 1000);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                        t.tm_min, t.tm_sec, milliseconds);
}
