/*
 * Batches for operations on accounts: they run as the pool's login role, and what goes wrong becomes the problem to
 * answer with. Everything lives in r->pool.
 */
#ifndef IDENTITY_DATABASE_H
#define IDENTITY_DATABASE_H

#include "identity_config.h"
#include "trestle_pg.h"
#include "trestle_problem.h"

/* A batch under construction. */
typedef struct {
    request_rec *r;
    const char *claims; /* for SQL's request.jwt.claims; "{}" where nobody is signed in */
    int read_only;
    int n;
    trestle_pg_statement_t statements[4];
    PGresult **results; /* of the statements, once it has run */
} identity_batch_t;

/* Fetches other modules' functions, in optional_fn_retrieve. */
void identity_database_retrieve(void);

/* An empty batch. */
identity_batch_t identity_batch(request_rec *r, const char *claims, int read_only);

/*
 * Adds a statement with text parameters (NULL: SQL NULL); its place among the results. values must live until the batch
 * has run.
 */
int identity_batch_add(identity_batch_t *batch, const char *sql, const char *const *values, int count);

/* NULL when everything is committed, else the problem to answer with. */
const trestle_problem_t *identity_batch_run(identity_batch_t *batch);

/* A column of a result's only row; NULL for SQL's NULL and where there is no row. */
const char *identity_batch_value(const identity_batch_t *batch, int statement, int column);

/* The function as SQL has it: "schema"."name". */
const char *identity_function_text(apr_pool_t *pool, const identity_function_t *function);

/* 500, without a word: the cause stands in the log. */
const trestle_problem_t *identity_internal_error(request_rec *r);

#endif
