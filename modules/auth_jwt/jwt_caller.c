#include "jwt_caller.h"

#include "jwt_claims.h"

#include <apr_strings.h>
#include <string.h>

/* The element of an array of const char * that is name; NULL if it has none, or is NULL. */
static const char *element(const apr_array_header_t *names, const char *name)
{
    for (int i = 0; names && i < names->nelts; i++)
        if (!strcmp(name, APR_ARRAY_IDX(names, i, const char *)))
            return APR_ARRAY_IDX(names, i, const char *);
    return NULL;
}

/* The allowed role that the token names, else the role of every signed-in caller. */
static const char *database_role(const json_t *claims, const jwt_mapping_t *mapping)
{
    const char *named = mapping->role_claim ? jwt_claim_string(claims, mapping->role_claim) : NULL;

    if (named && (named = element(mapping->allowed, named)))
        return named;
    return mapping->role ? mapping->role : "";
}

/* One string, or an array of strings; elements of other kinds are no roles. */
static const apr_array_header_t *application_roles(apr_pool_t *pool, const json_t *claim)
{
    size_t n = json_is_string(claim) ? 1 : json_array_size(claim);
    apr_array_header_t *roles = apr_array_make(pool, (int)n, sizeof(const char *));

    for (size_t i = 0; i < n; i++) {
        const char *role = json_string_value(json_is_string(claim) ? claim : json_array_get(claim, i));

        if (role)
            APR_ARRAY_PUSH(roles, const char *) = apr_pstrdup(pool, role);
    }
    return roles;
}

const trestle_caller_t *jwt_caller_make(apr_pool_t *pool, const json_t *claims, const char *text,
                                        const jwt_mapping_t *mapping, const char *proof)
{
    trestle_caller_t *caller = apr_pcalloc(pool, sizeof(*caller));

    caller->subject = apr_pstrdup(pool, jwt_claim_string(claims, "sub"));
    caller->role = database_role(claims, mapping);
    caller->roles =
        application_roles(pool, mapping->roles_claim ? json_object_get(claims, mapping->roles_claim) : NULL);
    caller->claims = text;
    caller->session = apr_pstrdup(pool, jwt_claim_string(claims, "sid"));
    caller->proof = proof;
    return caller;
}

const trestle_caller_t *jwt_caller_anonymous(apr_pool_t *pool, const char *role)
{
    trestle_caller_t *caller = apr_pcalloc(pool, sizeof(*caller));

    caller->role = role;
    caller->roles = application_roles(pool, NULL);
    caller->claims = "{}";
    caller->proof = "anonymous";
    return caller;
}

int jwt_caller_has_role(const trestle_caller_t *caller, const char *role)
{
    return element(caller->roles, role) != NULL;
}
