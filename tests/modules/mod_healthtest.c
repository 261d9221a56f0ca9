/* Two checks of health: what the query names (degraded, unhealthy, both; else healthy), and one that is always well. */
#include "trestle.h"
#include "trestle_health.h"

#include "http_config.h"

#include <string.h>

module AP_MODULE_DECLARE_DATA healthtest_module;

static int check(request_rec *r, apr_time_t deadline TRESTLE_UNUSED, apr_array_header_t *checks)
{
    trestle_health_t first = { "first", TRESTLE_HEALTHY, "All is \"well\".", 2500 };
    trestle_health_t second = { "second", TRESTLE_HEALTHY, NULL, 0 };

    if (r->args && strstr(r->args, "degraded"))
        first.state = TRESTLE_DEGRADED;
    if (r->args && strstr(r->args, "unhealthy"))
        second.state = TRESTLE_UNHEALTHY;
    APR_ARRAY_PUSH(checks, trestle_health_t) = first;
    APR_ARRAY_PUSH(checks, trestle_health_t) = second;
    return OK;
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    APR_OPTIONAL_HOOK(trestle, health_check, check, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA healthtest_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                    register_hooks,          0 };
