/*
 * What a refusal of the database means to the client.
 */
#ifndef REST_ERROR_H
#define REST_ERROR_H

#include "rest_fault.h"
#include "rest_query.h"
#include "rest_sql.h"

#include "trestle_pg.h"

/* What was tried. */
typedef struct {
    const rest_statement_t *statement;
    const rest_function_t *function; /* that was called; NULL: none */
    const rest_relation_t *relation; /* whose rows were meant; NULL: none */
    int role;                        /* the caller's, of rest_catalogue_role() */
    const apr_array_header_t *given; /* rest_given_t: what the request had */
    apr_hash_t *constraints;         /* of rest_constraint.h; NULL: not known */
    int anonymous;                   /* 1: the caller is not signed in; what a right lacks is then 401, not 403 */
} rest_attempt_t;

/*
 * Translates the error of a refused batch. A field is named only if it is a column of the relation that the role may
 * read or write or, where a function is called, the request's or the function's: what else there is, is nobody's
 * business. fault's strings live in pool, in error or in attempt. Its cause is set where the operator must act.
 */
void rest_error_translate(apr_pool_t *pool, const trestle_pg_error_t *error, const rest_attempt_t *attempt,
                          rest_fault_t *fault);

/* 1 if the error may come from a catalogue that is older than the schema: something that the statement
 * itself names (not a function's body) is gone. */
int rest_error_is_stale(const trestle_pg_error_t *error);

#endif
