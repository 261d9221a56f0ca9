/*
 * Callers whom other means than a token prove: another authentication of httpd, or a client certificate.
 */
#ifndef JWT_MAPPED_H
#define JWT_MAPPED_H

#include "httpd.h"
#include "ap_expr.h"

typedef enum {
    JWT_CERTIFICATE_ABSENT,
    JWT_CERTIFICATE_GOOD,
    JWT_CERTIFICATE_REFUSED /* there is one, but mod_ssl has not verified it, or it lacks the field */
} jwt_certificate_e;

/* A claim of such callers (directive AuthJWTCallerClaim). Made while configuring; immutable. */
typedef struct {
    const char *name;
    const ap_expr_info_t *expression; /* its value, a string */
    const char *separator;            /* one character: the value is an array of what stands between; NULL: a string */
} jwt_mapped_claim_t;

/* 1 if name is a variable of mod_ssl's that says who a client certificate belongs to. */
int jwt_mapped_is_variable(const char *name);

/* 1 if mod_ssl is there to ask. */
int jwt_mapped_has_ssl(void);

/* What the client's certificate says: *subject is the value of variable, in r->pool, when it is good. */
jwt_certificate_e jwt_mapped_certificate(request_rec *r, const char *variable, const char **subject);

/*
 * The claims of such a caller as JSON text in r->pool: sub, and claims (jwt_mapped_claim_t; NULL: none) whose value is
 * not empty. NULL if an expression could not be evaluated (logged).
 */
const char *jwt_mapped_claims(request_rec *r, const char *subject, const apr_array_header_t *claims);

#endif
