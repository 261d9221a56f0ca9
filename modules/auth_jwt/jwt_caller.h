/*
 * From the claims of a verified token to the caller of a request.
 */
#ifndef JWT_CALLER_H
#define JWT_CALLER_H

#include "jwt_path.h"

#include "trestle_caller.h"

/* How claims become roles. Built while configuring; immutable. */
typedef struct {
    const char *role;                  /* database role of a signed-in caller; NULL: none */
    const jwt_path_t *role_claim;      /* claim that may name another one; NULL: no claim may */
    const apr_array_header_t *allowed; /* const char *: the roles that the claim may name; NULL: none */
    const jwt_path_t *roles_claim;     /* claim with the application roles; NULL: no such claim */
} jwt_mapping_t;

/*
 * The caller that the claims describe, in pool. text is the claims' JSON text and lives as long as pool; proof says how
 * the token came. A role that is not allowed does not count: the caller has mapping->role then.
 */
const trestle_caller_t *jwt_caller_make(apr_pool_t *pool, const jwt_json_t *claims, const char *text,
                                        const jwt_mapping_t *mapping, const char *proof);

/* The caller without credential, in pool; role lives as long as pool. */
const trestle_caller_t *jwt_caller_anonymous(apr_pool_t *pool, const char *role);

/* 1 if the caller has that application role. */
int jwt_caller_has_role(const trestle_caller_t *caller, const char *role);

#endif
