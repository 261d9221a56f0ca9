/*
 * What a refusal of the database means to the client.
 */
#ifndef REST_ERROR_H
#define REST_ERROR_H

#include "rest_fault.h"
#include "rest_sql.h"

#include "trestle_pg.h"

/*
 * Translates the error of a refused batch.
 *   statement  the statement that ran, for the names of its parameters
 *   anonymous  1 if the caller is not signed in: what a right lacks is then 401, not 403
 * fault's strings live in pool or in error. Its cause is set where the operator must act.
 */
void rest_error_translate(apr_pool_t *pool, const trestle_pg_error_t *error, const rest_statement_t *statement,
                          int anonymous, rest_fault_t *fault);

/* 1 if the error may come from a catalogue that is older than the schema: something that the statement
 * itself names (not a function's body) is gone. */
int rest_error_is_stale(const trestle_pg_error_t *error);

#endif
