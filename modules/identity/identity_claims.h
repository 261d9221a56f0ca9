/*
 * The claims of the tokens that sign-ins are answered with.
 */
#ifndef IDENTITY_CLAIMS_H
#define IDENTITY_CLAIMS_H

#include <apr_pools.h>
#include <apr_time.h>

/* What we say in a token. Strings are never NULL unless it is said. */
typedef struct {
    const char *subject;  /* sub: the account's id */
    const char *session;  /* sid */
    const char *id;       /* jti */
    const char *issuer;   /* iss; NULL: left out */
    const char *audience; /* aud */
    apr_time_t issued;    /* iat, in whole seconds */
    apr_time_t expires;   /* exp, in whole seconds */
} identity_claims_t;

/*
 * The JSON text of the claims together with those of the application, more (text of a JSON object; NULL: none), in
 * pool. Ours win where names are the same. NULL if more is no JSON object.
 */
const char *identity_claims_text(apr_pool_t *pool, const identity_claims_t *claims, const char *more);

#endif
