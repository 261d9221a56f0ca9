/*
 * Health checks. mod_prometheus asks, modules answer: a hook, run for each report.
 */
#ifndef TRESTLE_HEALTH_H
#define TRESTLE_HEALTH_H

#include "httpd.h"
#include "apr_hooks.h"
#include "apr_optional_hooks.h"
#include "apr_tables.h"

typedef enum { TRESTLE_HEALTHY, TRESTLE_DEGRADED, TRESTLE_UNHEALTHY } trestle_health_e;

/* One part's state, pushed by the hook's functions. Strings live in r->pool. */
typedef struct {
    const char *name; /* "database", "migrations": one word, lower-case */
    trestle_health_e state;
    const char *message;      /* one sentence, no addresses, no secrets: the report may be public */
    apr_interval_time_t took; /* microseconds */
} trestle_health_t;

/*
 * Optional hook trestle_health_check: push the state of the parts that r's virtual host uses onto checks
 * (trestle_health_t). Must come back within deadline (absolute apr_time). Return OK or DECLINED; all functions run.
 * Register with APR_OPTIONAL_HOOK(trestle, health_check, fn, NULL, NULL, APR_HOOK_MIDDLE).
 */
APR_DECLARE_EXTERNAL_HOOK(trestle, AP, int, health_check,
                          (request_rec * r, apr_time_t deadline, apr_array_header_t *checks))

#endif
