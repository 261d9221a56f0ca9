#include "setting.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The digits at the start of arg as a number; *rest points behind them. 0 if there are none or too many. */
static int digits(const char *arg, apr_int64_t *value, const char **rest)
{
    char *end;

    if (*arg < '0' || *arg > '9')
        return 0;
    errno = 0;
    *value = apr_strtoi64(arg, &end, 10);
    *rest = end;
    return errno == 0;
}

const char *trestle_setting_number(apr_pool_t *pool, const char *arg, apr_int64_t least, apr_int64_t most,
                                   apr_int64_t *value)
{
    const char *rest;

    if (!digits(arg, value, &rest) || *rest || *value < least || *value > most)
        return apr_psprintf(pool,
                            "'%s' is not a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            "; write for example %" APR_INT64_T_FMT,
                            arg, least, most, least);
    return NULL;
}

/* A duration for a person, in the largest unit that divides it. */
static const char *duration_text(apr_pool_t *pool, apr_interval_time_t t)
{
    static const struct {
        apr_interval_time_t unit;
        const char *name;
    } units[] = { { APR_USEC_PER_SEC * 3600LL, "h" },
                  { APR_USEC_PER_SEC * 60LL, "min" },
                  { APR_USEC_PER_SEC, "s" },
                  { 1000, "ms" } };

    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (t && t % units[i].unit == 0)
            return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", (apr_int64_t)(t / units[i].unit), units[i].name);
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "ms", (apr_int64_t)(t / 1000));
}

/* A duration from least to most that people would choose. */
static apr_interval_time_t example(apr_interval_time_t least, apr_interval_time_t most)
{
    static const int seconds[] = { 30, 300, 7200, 5, 1 };

    for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        if (apr_time_from_sec(seconds[i]) >= least && apr_time_from_sec(seconds[i]) <= most)
            return apr_time_from_sec(seconds[i]);
    return least;
}

const char *trestle_setting_duration(apr_pool_t *pool, const char *arg, apr_interval_time_t least,
                                     apr_interval_time_t most, apr_interval_time_t *value)
{
    static const struct {
        const char *name;
        apr_int64_t unit;
    } units[] = {
        { "", APR_USEC_PER_SEC },           { "ms", 1000 },
        { "s", APR_USEC_PER_SEC },          { "min", APR_USEC_PER_SEC * 60LL },
        { "h", APR_USEC_PER_SEC * 3600LL },
    };
    const char *rest;
    apr_int64_t n;

    if (digits(arg, &n, &rest))
        for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
            if (!strcmp(rest, units[i].name) && n <= APR_INT64_MAX / units[i].unit) {
                *value = n * units[i].unit;
                if (*value >= least && *value <= most)
                    return NULL;
            }
    return apr_psprintf(pool, "'%s' is not a duration from %s to %s; write for example %s", arg,
                        duration_text(pool, least), duration_text(pool, most),
                        duration_text(pool, example(least, most)));
}

const char *trestle_setting_size(apr_pool_t *pool, const char *arg, apr_int64_t least, apr_int64_t most,
                                 apr_int64_t *value)
{
    const char *rest;

    if (digits(arg, value, &rest)) {
        int shift = !*rest ? 0 : !strcmp(rest, "K") ? 10 : !strcmp(rest, "M") ? 20 : !strcmp(rest, "G") ? 30 : -1;

        if (shift >= 0 && *value <= APR_INT64_MAX >> shift) {
            *value <<= shift;
            if (*value >= least && *value <= most)
                return NULL;
        }
    }
    return apr_psprintf(pool,
                        "'%s' is not a size from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                        " bytes; write for example 65536, 64K or 1M",
                        arg, least, most);
}

int trestle_setting_is_identifier(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");

    return n > 0 && n < 64 && !name[n] && !(name[0] >= '0' && name[0] <= '9');
}
