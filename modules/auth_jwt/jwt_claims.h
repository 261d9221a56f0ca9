/*
 * The rules for a token's claims (RFC 7519 section 4.1).
 */
#ifndef JWT_CLAIMS_H
#define JWT_CLAIMS_H

#include "jwt_json.h"

#include <apr_tables.h>
#include <apr_time.h>

/* What a verifier demands. Built while configuring; immutable. */
typedef struct {
    const char *issuer;              /* "iss" must be exactly this; NULL: not checked */
    const char *audience;            /* "aud" must be or contain this; NULL: tokens for an audience are refused */
    const apr_array_header_t *types; /* const char *: accepted values of claim "token_type"; NULL: not checked */
    apr_interval_time_t leeway;      /* microseconds that clocks may differ */
    apr_interval_time_t lifetime;    /* microseconds from iat to exp at most; 0: not checked */
} jwt_rules_t;

/*
 * NULL if the claims of an object obey the rules at the time now, else the reason. "exp" and a "sub" of 1-255 bytes
 * without control characters are always demanded.
 */
const char *jwt_claims_check(const jwt_json_t *claims, const jwt_rules_t *rules, apr_time_t now);

/* As jwt_claims_check, for what a token of type at+jwt has beside that (RFC 9068 section 2.2): iat, jti, client_id. */
const char *jwt_claims_check_access(const jwt_json_t *claims);

/* 1 if value is a string of 1-255 bytes without control characters: a name that can stand in logs and headers. */
int jwt_claims_is_subject(const jwt_json_t *value);

#endif
