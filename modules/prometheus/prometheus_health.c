#include "prometheus_health.h"

#include "timestamp.h"

#include <apr_strings.h>

enum { VALUE_STATUS, VALUE_TIMESTAMP, VALUE_SERVICE, VALUE_VERSION, VALUE_UPTIME, VALUE_CHECKS, VALUES };

enum { COLUMN_NAME, COLUMN_STATUS, COLUMN_MESSAGE, COLUMN_SUMMARY, COLUMN_MILLISECONDS, COLUMNS };

static const char *const columns[] = { "name", "status", "message", "summary", "milliseconds", NULL };

/* In the order of the VALUE_ numbers. */
const trestle_template_name_t prometheus_health_vocabulary[] = {
    { "status", NULL }, { "timestamp", NULL }, { "service", NULL }, { "version", NULL },
    { "uptime", NULL }, { "checks", columns }, { NULL, NULL },
};

const char prometheus_health_template[] =
    "{\"status\": \"{status}\", \"timestamp\": \"{timestamp}\", \"service?\": \"{service}\","
    " \"version?\": \"{version}\", \"uptime\": \"{uptime}\","
    " \"checks?\": {\"{each checks as .name}\": {\"status\": \"{.status}\", \"message\": \"{.message}\"}}}";

const char *prometheus_health_word(trestle_health_e state)
{
    return state == TRESTLE_HEALTHY ? "healthy" : state == TRESTLE_DEGRADED ? "degraded" : "unhealthy";
}

trestle_health_e prometheus_health_worst(const apr_array_header_t *checks)
{
    trestle_health_e worst = TRESTLE_HEALTHY;

    for (int i = 0; i < checks->nelts; i++)
        if (APR_ARRAY_IDX(checks, i, trestle_health_t).state > worst)
            worst = APR_ARRAY_IDX(checks, i, trestle_health_t).state;
    return worst;
}

/* A check in one word, or with its reason if it is not healthy. */
static const char *summary_of(apr_pool_t *pool, const trestle_health_t *check)
{
    const char *word = prometheus_health_word(check->state);

    return check->state == TRESTLE_HEALTHY || !check->message ? word
                                                              : apr_pstrcat(pool, word, ": ", check->message, NULL);
}

void prometheus_health_write(const apr_array_header_t *checks, const prometheus_report_t *report,
                             const trestle_template_t *compiled, trestle_text_t *out)
{
    trestle_template_value_t values[VALUES] = { { 0 } };
    trestle_template_value_t *cells =
        apr_pcalloc(out->pool, ((apr_size_t)checks->nelts * COLUMNS + 1) * sizeof(*cells));

    values[VALUE_STATUS] = trestle_template_text(prometheus_health_word(prometheus_health_worst(checks)));
    values[VALUE_TIMESTAMP] = trestle_template_text(trestle_timestamp(out->pool, report->time));
    values[VALUE_SERVICE] = trestle_template_text(report->service);
    values[VALUE_VERSION] = trestle_template_text(report->version);
    values[VALUE_UPTIME] = trestle_template_number(apr_time_sec(report->uptime));
    values[VALUE_CHECKS].kind = TRESTLE_VALUE_LIST;
    values[VALUE_CHECKS].rows = checks->nelts;
    values[VALUE_CHECKS].cells = cells;
    for (int i = 0; i < checks->nelts; i++, cells += COLUMNS) {
        const trestle_health_t *check = &APR_ARRAY_IDX(checks, i, trestle_health_t);

        cells[COLUMN_NAME] = trestle_template_text(check->name);
        cells[COLUMN_STATUS] = trestle_template_text(prometheus_health_word(check->state));
        cells[COLUMN_MESSAGE] = trestle_template_text(check->message);
        cells[COLUMN_SUMMARY] = trestle_template_text(summary_of(out->pool, check));
        cells[COLUMN_MILLISECONDS] = trestle_template_number(apr_time_as_msec(check->took));
    }
    trestle_template_render(compiled, values, out);
}
