/*
 * What operations on accounts ask of the database: the SQL functions of schema trestle and of the application.
 *
 * Functions return NULL when the database did it, else the problem to answer with; everything lives in r->pool.
 */
#ifndef IDENTITY_DATABASE_H
#define IDENTITY_DATABASE_H

#include "identity_config.h"
#include "trestle_problem.h"

/* An account as trestle.login_begin tells it. */
typedef struct {
    const char *id;            /* a bigint as text; NULL: there is no such account */
    const char *password_hash; /* NULL: it has none */
} identity_account_t;

/* A session to be written. */
typedef struct {
    const char *account; /* the account's id */
    const char *id;      /* UUID, "sid" of its tokens */
    const char *token;   /* UUID, "jti" of the first token */
    apr_time_t expires;
    const char *text; /* the token itself, for the application's answer */
} identity_session_t;

/* Fetches other modules' functions, in optional_fn_retrieve. */
void identity_database_retrieve(void);

/* Finds the account of an address. */
const trestle_problem_t *identity_database_begin(request_rec *r, const char *email, identity_account_t *account);

/*
 * Asks the application's claims function for more claims of the account with that id, as JSON text; *claims is NULL
 * where none is configured. Its refusal tells that the account exists: call it once the caller has proved to be it.
 */
const trestle_problem_t *identity_database_claims(request_rec *r, const char *account, const char **claims);

/*
 * Writes the session and, in the same transaction, asks the application's answer function for the body; *body is NULL
 * where none is configured. When it returns NULL the session is committed.
 */
const trestle_problem_t *identity_database_complete(request_rec *r, const identity_session_t *session,
                                                    const char **body);

#endif
