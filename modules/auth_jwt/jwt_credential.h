/*
 * Where a request carries its token, and reading it from there.
 */
#ifndef JWT_CREDENTIAL_H
#define JWT_CREDENTIAL_H

#include <apr_tables.h>

typedef enum { JWT_FROM_BEARER, JWT_FROM_COOKIE, JWT_FROM_HEADER } jwt_source_e;

/* A place that is looked at (directive AuthJWTCredential). */
typedef struct {
    jwt_source_e kind;
    const char *name; /* of the cookie or header; NULL for bearer */
} jwt_source_t;

typedef enum {
    JWT_CREDENTIAL_ABSENT,
    JWT_CREDENTIAL_FOUND,
    JWT_CREDENTIAL_MALFORMED, /* two values, or not the syntax of RFC 6750 section 2.1: a bad request */
    JWT_CREDENTIAL_REFUSED    /* there is one, but it cannot be a token of ours */
} jwt_credential_e;

/* What was found. text points into the headers. */
typedef struct {
    const jwt_source_t *source; /* where; NULL if absent */
    const char *text;
    apr_size_t length;
} jwt_credential_t;

/*
 * Looks for a token in the places in order. The first place that holds anything decides, good or bad: a bad credential
 * never falls back to another one.
 */
jwt_credential_e jwt_credential_find(const apr_table_t *headers, const apr_array_header_t *sources,
                                     jwt_credential_t *found);

/* The word for a place in trestle_caller_t.proof. */
const char *jwt_source_name(const jwt_source_t *source);

#endif
