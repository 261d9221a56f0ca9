#include "rest_snapshot.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>
#include <string.h>

/* A catalogue with its own pool; destroyed when the last reference goes. */
typedef struct {
    struct source_t *source;
    apr_pool_t *pool;
    const rest_catalogue_t *catalogue;
    apr_uint64_t generation;
    int references; /* guarded by source->lock; one is the source's own */
    int is_true;    /* a statement that did not fit it fails with a newer one, too; guarded by source->loading */
} snapshot_t;

typedef struct source_t {
    const void *key;
    const char *schema;
    apr_thread_mutex_t *lock;    /* guards current and references; never held while loading */
    apr_thread_mutex_t *loading; /* held by the one that loads */
    snapshot_t *current;         /* NULL before the first load */
    apr_time_t forced;           /* when a stale catalogue was last loaded anew; guarded by loading */
    struct source_t *next;
} source_t;

/* Sources are few and only added, so requests walk the list without the lock. */
static source_t *volatile sources;
static volatile int ended; /* 1: the child's pools are being destroyed, and everything here with them */
static apr_thread_mutex_t *sources_lock;
static apr_pool_t *sources_pool; /* own allocator; guarded by sources_lock */
static apr_pool_t *child_pool;   /* parent of the snapshots' pools, nothing else */

/* Runs before the child's pools go, in no order that requests still being sent could rely on. */
static apr_status_t end(void *unused)
{
    (void)unused;
    ended = 1;
    sources = NULL;
    return APR_SUCCESS;
}

/* A pool under the child's with an allocator of its own, so that it shares no memory with other threads. */
static apr_status_t make_pool(apr_pool_t **pool)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS)
        return rv;
    if ((rv = apr_pool_create_ex(pool, child_pool, NULL, allocator)) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, *pool);
    return APR_SUCCESS;
}

apr_status_t rest_snapshot_init(apr_pool_t *pchild)
{
    apr_status_t rv;

    sources = NULL;
    ended = 0;
    child_pool = pchild;
    if ((rv = make_pool(&sources_pool)) != APR_SUCCESS)
        return rv;
    apr_pool_pre_cleanup_register(pchild, NULL, end);
    return apr_thread_mutex_create(&sources_lock, APR_THREAD_MUTEX_DEFAULT, sources_pool);
}

static source_t *find(const void *key, const char *schema)
{
    for (source_t *source = __atomic_load_n(&sources, __ATOMIC_ACQUIRE); source; source = source->next)
        if (source->key == key && !strcmp(source->schema, schema))
            return source;
    return NULL;
}

static source_t *find_or_add(const void *key, const char *schema)
{
    source_t *source = find(key, schema);

    if (source)
        return source;
    apr_thread_mutex_lock(sources_lock);
    if (!(source = find(key, schema))) {
        source = apr_pcalloc(sources_pool, sizeof(*source));
        source->key = key;
        source->schema = apr_pstrdup(sources_pool, schema);
        if (apr_thread_mutex_create(&source->lock, APR_THREAD_MUTEX_DEFAULT, sources_pool) != APR_SUCCESS
            || apr_thread_mutex_create(&source->loading, APR_THREAD_MUTEX_DEFAULT, sources_pool) != APR_SUCCESS) {
            source = NULL;
        } else {
            source->next = sources;
            __atomic_store_n(&sources, source, __ATOMIC_RELEASE);
        }
    }
    apr_thread_mutex_unlock(sources_lock);
    return source;
}

/* Drops one reference; the last one destroys. */
static apr_status_t release(void *data)
{
    snapshot_t *snapshot = data;
    int last;

    if (ended)
        return APR_SUCCESS;
    apr_thread_mutex_lock(snapshot->source->lock);
    last = --snapshot->references == 0;
    apr_thread_mutex_unlock(snapshot->source->lock);
    if (last)
        apr_pool_destroy(snapshot->pool);
    return APR_SUCCESS;
}

/* Takes a reference to the current snapshot; NULL if there is none. */
static snapshot_t *take(source_t *source)
{
    snapshot_t *snapshot;

    apr_thread_mutex_lock(source->lock);
    if ((snapshot = source->current))
        snapshot->references++;
    apr_thread_mutex_unlock(source->lock);
    return snapshot;
}

/* Loads a new snapshot and puts it in place of the current one. The caller holds source->loading. */
static void replace(source_t *source, apr_uint64_t generation, rest_snapshot_load_fn *load, void *baton)
{
    snapshot_t *snapshot, *old;
    apr_pool_t *pool;
    const rest_catalogue_t *catalogue;

    if (make_pool(&pool) != APR_SUCCESS)
        return;
    if (!(catalogue = load(baton, pool, source->schema))) {
        apr_pool_destroy(pool);
        return;
    }
    snapshot = apr_pcalloc(pool, sizeof(*snapshot));
    *snapshot = (snapshot_t){ source, pool, catalogue, generation, 1, 0 };
    apr_thread_mutex_lock(source->lock);
    old = source->current;
    source->current = snapshot;
    apr_thread_mutex_unlock(source->lock);
    if (old)
        release(old);
}

/* Where the fault was found to be the schema's own, the catalogue is loaded anew at most once a second. */
static void replace_stale(source_t *source, const rest_catalogue_t *stale, apr_uint64_t generation,
                          rest_snapshot_load_fn *load, void *baton)
{
    apr_thread_mutex_lock(source->loading);
    if (source->current->catalogue == stale
        && (!source->current->is_true || source->current->generation != generation
            || apr_time_now() - source->forced > apr_time_from_sec(1))) {
        replace(source, generation, load, baton);
        source->forced = apr_time_now();
    }
    apr_thread_mutex_unlock(source->loading);
}

void rest_snapshot_confirm(const void *key, const rest_catalogue_t *catalogue)
{
    source_t *source = find(key, catalogue->schema);

    if (!source)
        return;
    apr_thread_mutex_lock(source->loading);
    if (source->current->catalogue == catalogue)
        source->current->is_true = 1;
    apr_thread_mutex_unlock(source->loading);
}

const rest_catalogue_t *rest_snapshot_get(const void *key, const char *schema, apr_uint64_t generation,
                                          const rest_catalogue_t *stale, rest_snapshot_load_fn *load, void *baton,
                                          apr_pool_t *request_pool)
{
    source_t *source = find_or_add(key, schema);
    snapshot_t *snapshot = source ? take(source) : NULL;

    if (!source)
        return NULL;
    if (!snapshot) {
        apr_thread_mutex_lock(source->loading);
        if (!source->current)
            replace(source, generation, load, baton);
        apr_thread_mutex_unlock(source->loading);
        snapshot = take(source);
    } else if (snapshot->catalogue == stale) {
        replace_stale(source, stale, generation, load, baton);
        release(snapshot);
        snapshot = take(source);
    } else if (snapshot->generation != generation && apr_thread_mutex_trylock(source->loading) == APR_SUCCESS) {
        if (source->current->generation != generation)
            replace(source, generation, load, baton);
        apr_thread_mutex_unlock(source->loading);
        release(snapshot);
        snapshot = take(source);
    }
    if (!snapshot)
        return NULL;
    apr_pool_cleanup_register(request_pool, snapshot, release, apr_pool_cleanup_null);
    return snapshot->catalogue;
}
