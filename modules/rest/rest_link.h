/*
 * Addresses that lead on from an answer.
 */
#ifndef REST_LINK_H
#define REST_LINK_H

#include <apr_pools.h>

/*
 * base (origin and path, percent-encoded) with the query args (as the client sent it; NULL: none), where parameter name
 * has value in the place it had, or at the end. name and value are plain letters, digits, "-" and "_".
 */
const char *rest_link_with(apr_pool_t *pool, const char *base, const char *args, const char *name, const char *value);

/* The path of one of a list's rows: the list's percent-encoded path, and each key as an encoded segment with a slash. */
const char *rest_link_row(apr_pool_t *pool, const char *list, const char *const *keys, int nkeys);

#endif
