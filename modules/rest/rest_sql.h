/*
 * From plan to SQL.
 */
#ifndef REST_SQL_H
#define REST_SQL_H

#include "rest_plan.h"

/* A statement with its parameters, all in text form. */
typedef struct {
    const char *sql;
    int nparams;
    const char **values; /* NULL element: SQL NULL */
    const char **fields; /* the client's name of each parameter, NULL for our own */
    int *in_path;        /* 1 where the parameter stood in the path */
    int nrows;           /* parameters that are rows, or arrays of them, as JSON */
    const char *row;     /* the client's name of the last of them */
    const char *pattern; /* the client's name of the last regular expression; NULL: none */
} rest_statement_t;

/*
 * Writes the statement of a plan into pool. Its text depends on the shape of the plan only: names come from the
 * catalogue, in quotes; values become parameters with a cast to their type. It gives
 *   REST_READ_ROW   rows of one column: the row as JSON; two rows if the conditions do not name one row
 *   REST_READ_PAGE  rows: the row as JSON; the number of all rows, if it is wanted; with a cursor, or where the number is
 *                   not wanted, there may be one row more than the page has; with a cursor, the values of the order's
 *                   terms
 *   REST_CALL       one row: the body (NULL for NULL), response.status, response.headers as the function left them
 *   REST_INSERT_ROW     one row: the row as JSON, the values of its identity; no row if the plan hides it, or
 *                       if a trigger dropped it
 *   REST_UPDATE_ROW     one row: the row as JSON, NULL if none was changed; if none was, whether there is one (t or f)
 *   REST_DELETE_ROW     one row: 1, NULL if no row went; if none did, whether there is one (t or f)
 */
void rest_sql_build(apr_pool_t *pool, const rest_plan_t *plan, rest_statement_t *statement);

#endif
