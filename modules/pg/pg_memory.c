#include "pg.h"

#include "http_config.h"
#include "http_log.h"

#include <apr_shm.h>
#include <apr_strings.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

#define RETAINED "trestle-pg-memory"

/* The segments of all pools that ever were, found again after a restart. Everything here lives in the process pool. */
typedef struct segment_t {
    struct segment_t *next;
    const char *key;
    pg_shared_t *shared;
} segment_t;

static segment_t **segments(void)
{
    segment_t **first = ap_retained_data_get(RETAINED);

    return first ? first : ap_retained_data_create(RETAINED, sizeof(*first));
}

static pg_shared_t *make(server_rec *s, apr_status_t *rv)
{
    apr_shm_t *shm;
    pg_shared_t *shared;

    if ((*rv = apr_shm_create(&shm, sizeof(pg_shared_t), NULL, s->process->pool)) != APR_SUCCESS)
        return NULL;
    shared = apr_shm_baseaddr_get(shm);
    memset(shared, 0, sizeof(*shared));
    pg_shared_init(shared);
    return shared;
}

apr_status_t pg_memory_attach(trestle_pg_pool_t *pool)
{
    apr_pool_t *process = pool->server->process->pool;
    apr_status_t rv = APR_SUCCESS;
    segment_t *at;

    if (pool->shared)
        return APR_SUCCESS;
    for (at = *segments(); at && strcmp(at->key, pool->key); at = at->next)
        ;
    if (!at) {
        at = apr_pcalloc(process, sizeof(*at));
        at->key = apr_pstrdup(process, pool->key);
        at->next = *segments();
        *segments() = at;
    } else if (at->shared && (at->shared->version != PG_SHARED_VERSION || at->shared->size != sizeof(pg_shared_t))) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, pool->server,
                     "TRSPG20: pool %s: the layout of its shared memory has changed; counts start afresh", pool->name);
        at->shared = NULL;
    }
    if (!at->shared && !(at->shared = make(pool->server, &rv)))
        return rv;
    pool->shared = at->shared;
    atomic_store(&pool->shared->max, (uint32_t)pool->max);
    return APR_SUCCESS;
}

void pg_memory_forget(pid_t pid)
{
    for (segment_t *at = *segments(); at; at = at->next)
        if (at->shared && at->shared->version == PG_SHARED_VERSION && at->shared->size == sizeof(pg_shared_t))
            pg_shared_forget(at->shared, (uint32_t)pid);
}
