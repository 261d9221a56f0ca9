/*
 * The catalogues that a child holds: one for each pool and schema, counted while requests read it, replaced as a whole.
 */
#ifndef REST_SNAPSHOT_H
#define REST_SNAPSHOT_H

#include "rest_catalogue.h"

/*
 * Loads the catalogue of schema into pool. baton is the caller's. NULL: it could not be loaded (the caller knows why).
 */
typedef rest_catalogue_t *rest_snapshot_load_fn(void *baton, apr_pool_t *pool, const char *schema);

/* Prepares this child. Call once, in child_init. */
apr_status_t rest_snapshot_init(apr_pool_t *pchild);

/*
 * The catalogue of (key, schema), held until request_pool is cleared. key tells databases apart: the address of a
 * connection pool.
 *   generation  number of the schema's state, read before this call: a snapshot of another one is replaced
 *   stale       a catalogue that was found not to fit the database; NULL at first
 *   load        runs in the calling thread, outside the locks that other requests take
 * The first caller of a new generation loads; meanwhile the others get the old snapshot. They wait only where there
 * is none, or where the only one is stale. If loading fails the old snapshot stays. NULL if there is none at all.
 */
const rest_catalogue_t *rest_snapshot_get(const void *key, const char *schema, apr_uint64_t generation,
                                          const rest_catalogue_t *stale, rest_snapshot_load_fn *load, void *baton,
                                          apr_pool_t *request_pool);

/*
 * Says that a statement that did not fit the database fails with this catalogue as well, though it is newer: the fault
 * is the schema's own. It is then not loaded anew for each such request.
 */
void rest_snapshot_confirm(const void *key, const rest_catalogue_t *catalogue);

#endif
