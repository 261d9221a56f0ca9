/*
 * Dialect pages: /things/ is a page of a table's or view's rows, /things/{key}/ one row. Routes to tables use the same
 * rules.
 */
#ifndef REST_PAGES_H
#define REST_PAGES_H

#include "rest_fault.h"
#include "rest_plan.h"
#include "rest_query.h"

enum { REST_PAGE_SIZE = 20 }; /* rows of a page unless page_size says otherwise */

/*
 * The relation that a decoded path behind the location's prefix means ("things/", "things/7"), and *key, the text of
 * its second segment in pool, NULL if there is none. NULL: no such thing.
 */
const rest_relation_t *rest_pages_target(apr_pool_t *pool, const rest_catalogue_t *catalogue, const char *path,
                                         const char **key);

/* Adds the key to given as a path value for the relation's key column. 0 and a 404 if it has no single key column. */
int rest_pages_key(const rest_relation_t *relation, const char *key, apr_array_header_t *given, rest_fault_t *fault);

/*
 * Plans the reading of relation: given values from the path are conditions on the columns of their names; those from
 * the query are page (from 1) and page_size (1 to rows_max), where a page is wanted (one_row 0). 1 and *plan; or 0 and
 * fault: 404 for a path value that cannot be the column's, 400 for a parameter.
 */
int rest_pages_plan(apr_pool_t *pool, const rest_relation_t *relation, int one_row, const apr_array_header_t *given,
                    apr_int64_t rows_max, rest_plan_t *plan, rest_fault_t *fault);

/*
 * The address of page number page: base (origin and path, already percent-encoded) with page, and page_size where the
 * client gave one.
 */
const char *rest_pages_link(apr_pool_t *pool, const char *base, apr_int64_t page, apr_int64_t page_size);

#endif
