/*
 * What a batch becomes on the wire: the statements that carry role and settings, and which texts a batch may hold.
 */
#ifndef PG_PIPELINE_H
#define PG_PIPELINE_H

#include <apr_pools.h>

#define PG_SETTINGS_MAX 64 /* of one batch, role and our own included: a function takes at most 100 arguments */

/*
 * The statement that sets n settings (at least one) for the transaction: names and values are its parameters $1…$2n, so
 * that its text depends on n alone. It answers one row, 0, whatever the values are: they do not travel back.
 */
const char *pg_settings_statement(apr_pool_t *pool, int n);

/*
 * 1 if the statement begins or ends a transaction, may do so inside (CALL, DO), or starts a COPY: what follows it would
 * run outside of the batch's role and settings. Looks at the first word behind blanks, comments and parentheses.
 */
int pg_statement_is_forbidden(const char *sql);

#endif
