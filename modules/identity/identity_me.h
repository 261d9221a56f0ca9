/*
 * Who the caller is, and whether a token is good.
 */
#ifndef IDENTITY_ME_H
#define IDENTITY_ME_H

#include "trestle_caller.h"

#include "httpd.h"

/* Fetches other modules' functions, in optional_fn_retrieve. */
void identity_me_retrieve(void);

/* Handler identity-me: the caller's account. */
int identity_me(request_rec *r);

/* Handler identity-check: whether the token in the body, or else the request's own, is good. */
int identity_check(request_rec *r);

/*
 * Whom a token proves (NULL: the request's own credential), without a look at the database. APR_SUCCESS; APR_NOTFOUND
 * where there is none; APR_EINVAL for one that is not good; APR_ENOTIMPL where no token can be verified, with the mend
 * in the log.
 */
apr_status_t identity_caller_find(request_rec *r, const char *token, const trestle_caller_t **caller);

/* The caller's account id, if its subject is one; its session, if it is a UUID. NULL otherwise. */
const char *identity_caller_account(const trestle_caller_t *caller);
const char *identity_caller_session(const trestle_caller_t *caller);

#endif
