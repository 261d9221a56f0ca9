/*
 * Dialect pages: /things/ is a page of the rows of a table, view or function, /things/{key}/ one row. Routes to tables
 * use the same rules. docs/mod_rest_pages.md has them for clients.
 */
#ifndef REST_PAGES_H
#define REST_PAGES_H

#include "rest_fault.h"
#include "rest_plan.h"
#include "rest_query.h"
#include "rest_route.h"

enum { REST_KEYS_MAX = REST_VARIABLES_MAX }; /* columns of a key in a path */

/* What a location allows. */
typedef struct {
    apr_int64_t rows_max;     /* rows of a page */
    apr_int64_t page_size;    /* rows of a page unless page_size says otherwise, at most rows_max */
    apr_int64_t filters_max;  /* conditions of a request */
    apr_int64_t expand_depth; /* relationships behind each other in expand, filters and ordering; 0: none */
    apr_int64_t expand_rows;  /* rows of an embedded list */
    int count;                /* a rest_count_e */
    int refuse_unknown;       /* 1: an unknown parameter is a 400 */
} rest_limits_t;

/* When the rows of a list are counted: unless count=none; with count=exact only; never. */
typedef enum { REST_COUNT_EXACT, REST_COUNT_ASKED, REST_COUNT_NONE } rest_count_e;

/* A request for rows. */
typedef struct {
    const rest_catalogue_t *catalogue;
    const rest_relation_t *relation; /* the rows; with function: what it returns, NULL for mere values */
    const rest_function_t *function; /* the first of its overloads; NULL: relation */
    int role;                        /* as rest_catalogue_role has it */
    int one_row;                     /* the path names one */
    const apr_array_header_t *given; /* rest_given_t: values of the path for columns of their names, and the query's */
    const rest_limits_t *limits;
} rest_pages_t;

/* What a path means. */
typedef struct {
    const rest_relation_t *relation;
    const rest_function_t *function; /* NULL: relation */
    int nkeys;                       /* 0: the list */
    const char *keys[REST_KEYS_MAX]; /* in pool */
} rest_target_t;

/*
 * The relation or set-returning function, and the key, that a decoded path behind the location's prefix means
 * ("things/", "things/7", "things/7/ko/"). 0: no such thing.
 */
int rest_pages_target(apr_pool_t *pool, const rest_catalogue_t *catalogue, const char *path, rest_target_t *target);

/* The methods (REST_GET …) that the target has: what its kind allows at all, for whomever. */
unsigned rest_pages_methods(const rest_target_t *target);

/* Adds the keys to given as path values for the columns of the relation's identity. 0 and a 404 if they do not fit. */
int rest_pages_keys(const rest_target_t *target, apr_array_header_t *given, rest_fault_t *fault);

/*
 * 1 if the caller's role has the right on the relation or any of its columns, or may execute the function. 0 and fault:
 * 403, or 401 for an anonymous caller.
 */
int rest_pages_may(const rest_pages_t *pages, rest_right_e right, int anonymous, rest_fault_t *fault);

/*
 * Plans the reading of rows. 1 and *plan; or 0 and fault: 404 for a path value that cannot be the column's, 400 for a
 * parameter.
 */
int rest_pages_read(apr_pool_t *pool, const rest_pages_t *pages, rest_plan_t *plan, rest_fault_t *fault);

/*
 * Plans a write, from values of the path (conditions; of an INSERT values of columns), the body's fields (columns), and
 * fields and expand of the query, which shape the row in the answer.
 *   operation  REST_INSERT_ROW, REST_UPDATE_ROW or REST_DELETE_ROW
 *   whole      1: what must be given must be there (POST, PUT); 0: what is not given stays (PATCH)
 * 1 and *plan: an update that changes nothing becomes a REST_READ_ROW; or 0 and fault, which names all fields at fault.
 */
int rest_pages_write(apr_pool_t *pool, const rest_pages_t *pages, rest_operation_e operation, int whole,
                     rest_plan_t *plan, rest_fault_t *fault);

/* Adds the condition column = value for a value of the path. 0 and fault: 404, or the operator's mistake. */
int rest_pages_condition(apr_pool_t *pool, const rest_relation_t *relation, const rest_given_t *item,
                         apr_array_header_t *filters, rest_fault_t *fault);

#endif
