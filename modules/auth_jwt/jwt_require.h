/*
 * Require role, Require claim and Require scope: what a line demands, and whether a caller has it.
 */
#ifndef JWT_REQUIRE_H
#define JWT_REQUIRE_H

#include "jwt_path.h"

#include "trestle_caller.h"

/* A line. Made while configuring; immutable. */
typedef struct {
    const apr_array_header_t *names; /* const char *: of roles or scopes; NULL for claims */
    jwt_path_t claim;
    const apr_array_header_t *values; /* const jwt_json_t *: what the claim may be; empty: it must only be there */
    int is_unwanted;                  /* 1: who meets the line is refused, so that it is no hint what would help */
} jwt_require_t;

/*
 * Read the words (const char *) of a line into *require, in pool. NULL, or a whole message that names the mend.
 *   names   of what: "role" or "scope"
 *   claim   its name (see jwt_path.h), then values: JSON numbers, true, false, strings in JSON's quotes; any other word
 *           is the string as it stands
 */
const char *jwt_require_parse_names(apr_pool_t *pool, const char *what, const apr_array_header_t *words,
                                    jwt_require_t *require);
const char *jwt_require_parse_claim(apr_pool_t *pool, const apr_array_header_t *words, jwt_require_t *require);

/* 1 if the caller has one of the roles. */
int jwt_require_role(const jwt_require_t *require, const trestle_caller_t *caller);

/* 1 if the claim is one of the values, or is an array with one of them; without values, if it is there and not null. */
int jwt_require_claim(const jwt_require_t *require, const jwt_json_t *claims);

/* 1 if claim, a string of names with blanks between them (RFC 8693 section 4.2) or an array of names, has all scopes. */
int jwt_require_scope(const jwt_require_t *require, const jwt_json_t *claim);

/* The scopes as RFC 6750 section 3 lists them, in pool. */
const char *jwt_require_scope_text(apr_pool_t *pool, const jwt_require_t *require);

#endif
