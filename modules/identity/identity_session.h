/*
 * Sessions: the tokens that stand for one, and the answer that hands them over.
 */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include "identity_database.h"

/* A session and its tokens. Strings live in r->pool. */
typedef struct {
    const char *account;               /* the account's id */
    const char *id;                    /* UUID, "sid" of its tokens */
    const char *token_id;              /* UUID, "jti" of token */
    const char *token;                 /* the signed token */
    const char *refresh_token;         /* NULL: none */
    const identity_refresh_key_t *key; /* that made it */
    apr_time_t issued, expires;        /* of the token */
    apr_time_t idle_expires, ends;     /* of the session */
} identity_session_t;

/* Fetches other modules' functions, in optional_fn_retrieve. */
void identity_session_retrieve(void);

/* A new session of the account, with a refresh token where IdentityRefreshKey is set. */
const trestle_problem_t *identity_session_make(request_rec *r, const char *account, identity_session_t *session);

/*
 * Signs the token of session, whose id, account and end are set. more: JSON text of the application's claims, or NULL.
 * It does not outlive the session.
 */
const trestle_problem_t *identity_session_sign(request_rec *r, identity_session_t *session, const char *more);

/*
 * Writes the session that identity_session_make made and, in the same transaction, asks the answer function for the
 * body. not_before: as trestle.login_begin gave it. old_hash is replaced by new_hash unless that is NULL.
 */
const trestle_problem_t *identity_session_open(request_rec *r, const identity_session_t *session,
                                               const char *not_before, const char *old_hash, const char *new_hash,
                                               const char **body);

/* The body as of RFC 6749 section 5.1; without the refresh token where a cookie carries it. */
const char *identity_session_body(request_rec *r, const identity_session_t *session);

/* Answers with body and the cookies. status: where IdentityStatus is not set. */
int identity_session_answer(request_rec *r, const identity_session_t *session, const char *body, int status);

/* Adds IdentityAnswerFunction(account, body) to a batch; -1 where none is configured. values: two, kept by the caller. */
int identity_answer_add(identity_batch_t *batch, const char **values, const char *account, const char *body);

/* The body that the function gave, or the default where statement is -1. A problem if it gave none. */
const trestle_problem_t *identity_answer_take(const identity_batch_t *batch, int statement, const char **body);

/* The cookies of a session, cleared. */
void identity_session_clear_cookies(request_rec *r);

#endif
