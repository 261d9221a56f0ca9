#include "pg.h"

#include "pg_config.h"
#include "trestle_health.h"

#include "http_core.h"
#include "http_protocol.h"
#include "mod_status.h"

#include <apr_strings.h>

#define COUNT(name) ((apr_uint64_t)atomic_load(&pool->shared->counters.name))

/* A pool as server-status shows it. */
typedef struct {
    const char *label;
    apr_uint64_t value;
} figure_t;

static int collect(trestle_pg_pool_t *pool, figure_t *figures)
{
    pg_usage_t usage;
    int n = 0;

#define ADD(text, number) (figures[n].label = (text), figures[n++].value = (apr_uint64_t)(number))
    pg_shared_usage(pool->shared, &usage);
    ADD("Max", pool->shared->max);
    ADD("Open", usage.used);
    ADD("Busy", usage.busy);
    ADD("Idle", usage.idle);
    ADD("Connecting", usage.connecting);
    ADD("Closing", usage.closing);
    ADD("Listening", usage.listening);
    ADD("Children", usage.children);
    ADD("Waiting", usage.waiting);
    ADD("Batches", COUNT(batches));
    ADD("Multiplexed", COUNT(multiplexed));
    ADD("Waited", COUNT(waited));
    ADD("WaitMilliseconds", COUNT(wait_time) / 1000);
    ADD("Refused", COUNT(refused));
    ADD("Timeouts", COUNT(timeouts));
    ADD("ClientsGone", COUNT(gone));
    ADD("Unavailable", COUNT(unavailable));
    ADD("Repeated", COUNT(repeated));
    ADD("Lost", COUNT(lost));
    ADD("Connects", COUNT(connects));
    ADD("ConnectFailures", COUNT(connect_failures));
#undef ADD
    return n;
}

static const char *label_of(request_rec *r, trestle_pg_pool_t *pool)
{
    return ap_escape_html(r->pool, pool->key);
}

static void print_plain(request_rec *r, trestle_pg_pool_t *pool, const figure_t *figures, int n)
{
    for (int i = 0; i < n; i++)
        ap_rprintf(r, "PgPool[%s]%s: %" APR_UINT64_T_FMT "\n", label_of(r, pool), figures[i].label, figures[i].value);
    for (uint32_t i = 0; i < atomic_load(&pool->shared->nchannels); i++)
        ap_rprintf(r, "PgPool[%s]Generation[%s]: %" APR_UINT64_T_FMT "\n", label_of(r, pool),
                   ap_escape_html(r->pool, pool->shared->channels[i].name),
                   (apr_uint64_t)atomic_load(&pool->shared->channels[i].generation));
}

static void print_html(request_rec *r, trestle_pg_pool_t *pool, const figure_t *figures, int n)
{
    uint32_t channels = atomic_load(&pool->shared->nchannels);

    ap_rprintf(r, "<h3>Pool %s</h3>\n<table border=\"0\">\n", label_of(r, pool));
    for (int i = 0; i < n; i++)
        ap_rprintf(r, "<tr><td>%s</td><td>%" APR_UINT64_T_FMT "</td></tr>\n", figures[i].label, figures[i].value);
    for (uint32_t i = 0; i < channels; i++)
        ap_rprintf(r, "<tr><td>Generation of %s</td><td>%" APR_UINT64_T_FMT "</td></tr>\n",
                   ap_escape_html(r->pool, pool->shared->channels[i].name),
                   (apr_uint64_t)atomic_load(&pool->shared->channels[i].generation));
    ap_rputs("</table>\n", r);
}

int pg_status_section(request_rec *r, int flags)
{
    const apr_array_header_t *pools = pg_config_pools();

    if (!(flags & AP_STATUS_SHORT) && pools->nelts)
        ap_rputs("<hr>\n<h2>PostgreSQL pools, all children together</h2>\n", r);
    for (int i = 0; i < pools->nelts; i++) {
        trestle_pg_pool_t *pool = APR_ARRAY_IDX(pools, i, trestle_pg_pool_t *);
        figure_t figures[24];
        int n;

        if (!pool->shared)
            continue;
        n = collect(pool, figures);
        (flags & AP_STATUS_SHORT ? print_plain : print_html)(r, pool, figures, n);
    }
    return OK;
}

/* One part "database" for all pools of the virtual host: the worst of them. */
int pg_health_check(request_rec *r, apr_time_t deadline, apr_array_header_t *checks)
{
    const trestle_pg_statement_t statement = { .sql = "SELECT 1" };
    const apr_array_header_t *pools = pg_config_used(r);
    apr_time_t began = apr_time_now();
    trestle_health_t *check;
    int failed = 0;

    if (!pools->nelts)
        return DECLINED;
    for (int i = 0; i < pools->nelts; i++) {
        apr_interval_time_t left = deadline - apr_time_now();
        trestle_pg_batch_t batch = { .statements = &statement, .nstatements = 1, .read_only = 1 };
        trestle_pg_reply_t reply;

        if (left < 1000) {
            failed = 1;
            break;
        }
        batch.timeout = left;
        pg_batch_run(r, APR_ARRAY_IDX(pools, i, trestle_pg_pool_t *), &batch, left, &reply);
        failed |= reply.outcome != TRESTLE_PG_OK;
    }
    check = apr_array_push(checks);
    check->name = "database";
    check->state = failed ? TRESTLE_UNHEALTHY : TRESTLE_HEALTHY;
    check->message = failed ? "The database does not answer." : "The database answers.";
    check->took = apr_time_now() - began;
    return OK;
}
