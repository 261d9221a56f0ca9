/*
 * The order of rows, and the cursors that continue it.
 */
#ifndef REST_ORDERING_H
#define REST_ORDERING_H

#include "rest_pages.h"

/*
 * The terms (rest_order_t) of ordering=-created,owner__name, or of the relation's own order if ordering is NULL or empty,
 * made total by the relation's identity. 1 and *orders, which may be empty; or 0 and a 400.
 */
int rest_ordering_plan(apr_pool_t *pool, const rest_pages_t *pages, const char *ordering, apr_array_header_t **orders,
                       rest_fault_t *fault);

/* The order of a relation's rows where none is asked for, in an embedded list. */
apr_array_header_t *rest_ordering_natural(apr_pool_t *pool, const rest_pages_t *pages, const rest_relation_t *relation);

/* 1 if the terms tell any two rows of pages apart, so that a cursor can stand between them. */
int rest_ordering_is_total(const rest_pages_t *pages, const apr_array_header_t *orders);

/*
 * A cursor as clients carry it: opaque, base64url. It holds the values of the order's terms (each may be NULL) and which
 * way to go; read refuses one that was made for another order or that is none. NULL in the latter case.
 */
const char *rest_cursor_write(apr_pool_t *pool, const apr_array_header_t *orders, const char *const *values,
                              int backward);
const rest_cursor_t *rest_cursor_read(apr_pool_t *pool, const apr_array_header_t *orders, const char *text);

#endif
