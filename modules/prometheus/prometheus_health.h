/*
 * The report of a server's health: its words and its document.
 */
#ifndef PROMETHEUS_HEALTH_H
#define PROMETHEUS_HEALTH_H

#include "template.h"
#include "trestle_health.h"

/* What a report says beside its checks. */
typedef struct {
    const char *service; /* NULL: not told */
    const char *version; /* NULL: not told */
    apr_time_t time;
    apr_interval_time_t uptime;
} prometheus_report_t;

/* The names that templates of health may use, and the template where none is configured. */
extern const trestle_template_name_t prometheus_health_vocabulary[];
extern const char prometheus_health_template[];

/* "healthy", "degraded", "unhealthy". */
const char *prometheus_health_word(trestle_health_e state);

/* The worst state among checks (trestle_health_t); healthy if there is none. */
trestle_health_e prometheus_health_worst(const apr_array_header_t *checks);

/* Appends the report of checks (trestle_health_t) to out, in the shape of the template. */
void prometheus_health_write(const apr_array_header_t *checks, const prometheus_report_t *report,
                             const trestle_template_t *compiled, trestle_text_t *out);

#endif
