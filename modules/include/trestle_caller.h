/*
 * Who makes a request, refusing a token after all, and the signing of tokens. Offered by mod_auth_jwt; everyone else only
 * reads.
 */
#ifndef TRESTLE_CALLER_H
#define TRESTLE_CALLER_H

#include "httpd.h"
#include "apr_optional.h"
#include "apr_tables.h"

/* Filled once by the module that authenticated; immutable from then on; lives in the initial request's pool. */
typedef struct {
    const char *subject; /* "sub"; NULL for an anonymous caller */
    const char *role;    /* database role, checked against the allow-list; "" where none is configured, never NULL */
    const apr_array_header_t *roles; /* const char *: application roles, for Require role; may be empty, never NULL */
    const char *claims;              /* all claims as one JSON object text; "{}" for an anonymous caller */
    const char *session;             /* "sid" of the token; NULL if it has none */
    const char *proof;               /* how it was proved: "bearer", "cookie", "header", "mapped", "anonymous" */
} trestle_caller_t;

/*
 * The caller of r. Looks upwards through internal redirects and subrequests. NULL where nobody was authenticated for us
 * (a location with neither AuthType JWT nor AuthJWTCallerFrom): treat it as "no role known" and refuse what needs one.
 */
APR_DECLARE_OPTIONAL_FN(const trestle_caller_t *, trestle_caller, (request_rec * r));

/*
 * For 401 because the caller's token, good in itself, counts no longer: its session has ended, its account is gone. Call
 * it before answering: sets the challenge with error="invalid_token" (RFC 6750 section 3.1), and clears the cookie that
 * the token came in if AuthJWTClearCookie says so. Does nothing for a caller without token.
 */
APR_DECLARE_OPTIONAL_FN(void, trestle_token_refused, (request_rec * r));

/*
 * 1 if an AuthJWTSigningKey stands anywhere in the virtual host s, or in what it inherits; without one
 * trestle_sign_claims is APR_ENOTIMPL in all of it. For hook check_config, which runs when all directives are known; fetch
 * it there, because optional functions are retrieved only later.
 */
APR_DECLARE_OPTIONAL_FN(int, trestle_has_signing_key, (server_rec * s));

/*
 * Judges a token (NUL-terminated; NULL: the credential that r carries) by the settings of r's location, whatever AuthType
 * is there, and refuses nothing. APR_SUCCESS: *caller is whom it proves; APR_NOTFOUND: r carries none; APR_EINVAL: it is
 * not good, the cause has been logged at level info; APR_ENOTIMPL: the location has no AuthJWTKey.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, trestle_verify_token,
                        (request_rec * r, const char *token, const trestle_caller_t **caller));

/*
 * Signs a token with the signing key of r's location (directive AuthJWTSigningKey).
 *   claims   JSON object text with every claim of the token, exp and iat included (NumericDate, seconds)
 *   token    receives the compact JWS (RFC 7515 section 7.1), allocated in r->pool
 * APR_SUCCESS; APR_ENOTIMPL where no signing key is configured; APR_EINVAL for claims that are no JSON object;
 * APR_EGENERAL when the library refused (logged). Thread-safe: keys are immutable after configuration.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, trestle_sign_claims, (request_rec * r, const char *claims, const char **token));

#endif
