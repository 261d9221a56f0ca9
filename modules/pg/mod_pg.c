/*
 * mod_pg: named pools of PostgreSQL connections for other modules, batches that cost one round trip, and generations
 * of LISTEN channels.
 */
#include "pg.h"
#include "pg_config.h"

#include "trestle_health.h"

#include "ap_mpm.h"
#include "http_core.h"
#include "http_log.h"
#include "mod_status.h"
#include "mpm_common.h"

#include <apr_strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

static pg_child_t *child; /* NULL in the parent */

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp TRESTLE_UNUSED)
{
    pg_config_begin(pconf);
    return OK;
}

static int is_rehearsal(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

static int post_config(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                       apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *s TRESTLE_UNUSED)
{
    const apr_array_header_t *pools = pg_config_pools();

    if (is_rehearsal())
        return OK;
    for (int i = 0; i < pools->nelts; i++) {
        trestle_pg_pool_t *pool = APR_ARRAY_IDX(pools, i, trestle_pg_pool_t *);
        apr_status_t rv = pg_memory_attach(pool);

        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, rv, pool->server, "TRSPG21: pool %s: no shared memory", pool->name);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

static void stop_now(pg_child_t *stopping)
{
    const apr_uint64_t one = 1;

    stopping->stop = PG_STOPPED;
    if (write(stopping->stop_fd, &one, sizeof(one)) < 0)
        stopping->quit = 1;
}

static apr_status_t stop_child(void *data)
{
    pg_child_t *stopping = data;

    stopping->quit = 1;
    stop_now(stopping);
    for (int i = 0; i < stopping->pools->nelts; i++)
        pg_maintain_stop(APR_ARRAY_IDX(stopping->pools, i, trestle_pg_pool_t *));
    child = NULL;
    return APR_SUCCESS;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    const apr_array_header_t *pools = pg_config_pools();
    pg_child_t *starting = apr_pcalloc(pchild, sizeof(*starting));

    if (!pools->nelts)
        return;
    starting->pid = (uint32_t)getpid();
    starting->pools = apr_array_copy(pchild, pools);
    starting->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (starting->stop_fd < 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, apr_get_os_error(), s,
                     "TRSPG22: no descriptor left, pools are not available in this child: raise the limit of open "
                     "files");
        return;
    }
    ap_mpm_query(AP_MPMQ_IS_THREADED, &starting->threaded);
    child = starting;
    for (int i = 0; i < pools->nelts; i++) {
        trestle_pg_pool_t *pool = APR_ARRAY_IDX(pools, i, trestle_pg_pool_t *);
        apr_status_t rv = pg_maintain_start(pool, child);

        if (rv != APR_SUCCESS)
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, pool->server,
                         "TRSPG23: pool %s: no thread for its maintenance: raise the limit of processes", pool->name);
    }
    apr_pool_pre_cleanup_register(pchild, child, stop_child);
}

/* May run in a signal handler: only atomic stores, write, sem_post and PQcancel, which are made for it. */
static void child_stopping(apr_pool_t *pchild TRESTLE_UNUSED, int graceful)
{
    char message[256];

    if (!child)
        return;
    if (graceful) {
        child->stop = PG_ENDING;
    } else {
        stop_now(child);
        if (!child->threaded && pg_running_cancel)
            PQcancel(pg_running_cancel, message, sizeof(message));
    }
    for (int i = 0; i < child->pools->nelts; i++)
        pg_maintain_wake(APR_ARRAY_IDX(child->pools, i, trestle_pg_pool_t *));
}

/* In the parent: a child has ended, however it ended. */
static void child_status(server_rec *s TRESTLE_UNUSED, pid_t pid, ap_generation_t generation TRESTLE_UNUSED,
                         int slot TRESTLE_UNUSED, mpm_child_status state)
{
    if (state == MPM_CHILD_EXITED)
        pg_memory_forget(pid);
}

static trestle_pg_pool_t *trestle_pg_pool(request_rec *r)
{
    return pg_config_pool(r);
}

static void trestle_pg_run(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch,
                           trestle_pg_reply_t *reply)
{
    int hurried = batch->timeout && batch->timeout < pool->wait;

    pg_batch_run(r, pool, batch, hurried ? batch->timeout : pool->wait, reply);
}

static void listen_to(server_rec *s, trestle_pg_pool_t *pool, const char *name, const char *channel)
{
    if (is_rehearsal())
        return;
    if (!pool || pg_memory_attach(pool) != APR_SUCCESS || pg_channel_add(pool->shared, channel) < 0)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "TRSPG24: cannot listen to channel %s of pool %s: %s", channel, name,
                     pool ? "a pool has at most 32 channels with names of 1 to 63 bytes" : "there is no such pool");
}

static void trestle_pg_listen(server_rec *s, const char *name, const char *channel)
{
    listen_to(s, pg_config_find(s, name), name, channel);
}

static void trestle_pg_listen_all(server_rec *s, const char *channel)
{
    const apr_array_header_t *pools = pg_config_pools();

    for (int i = 0; i < pools->nelts; i++) {
        trestle_pg_pool_t *pool = APR_ARRAY_IDX(pools, i, trestle_pg_pool_t *);

        listen_to(s, pool, pool->name, channel);
    }
}

static apr_uint64_t trestle_pg_generation(trestle_pg_pool_t *pool, const char *channel)
{
    int at = pool->shared ? pg_channel_find(pool->shared, channel) : -1;

    return at < 0 ? 0 : atomic_load_explicit(&pool->shared->channels[at].generation, memory_order_acquire);
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    APR_REGISTER_OPTIONAL_FN(trestle_pg_pool);
    APR_REGISTER_OPTIONAL_FN(trestle_pg_run);
    APR_REGISTER_OPTIONAL_FN(trestle_pg_listen);
    APR_REGISTER_OPTIONAL_FN(trestle_pg_listen_all);
    APR_REGISTER_OPTIONAL_FN(trestle_pg_generation);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(pg_config_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(child_status, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, pg_status_section, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(trestle, health_check, pg_health_check, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA pg_module = { STANDARD20_MODULE_STUFF, pg_config_create_dir,
                                            pg_config_merge_dir,     pg_config_create_server,
                                            pg_config_merge_server,  pg_commands,
                                            register_hooks,          0 };
