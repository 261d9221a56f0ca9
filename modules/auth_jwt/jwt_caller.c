#include "jwt_caller.h"

#include <apr_strings.h>
#include <string.h>

/* The allowed role that the token names, else the role of every signed-in caller. */
static const char *database_role(const jwt_json_t *claims, const jwt_mapping_t *mapping)
{
    const jwt_json_t *named = jwt_path_find(mapping->role_claim, claims);

    for (int i = 0; mapping->allowed && i < mapping->allowed->nelts; i++)
        if (jwt_json_is(named, APR_ARRAY_IDX(mapping->allowed, i, const char *)))
            return APR_ARRAY_IDX(mapping->allowed, i, const char *);
    return mapping->role ? mapping->role : "";
}

/* One string, or an array of strings; elements of other kinds are no roles. */
static const apr_array_header_t *application_roles(apr_pool_t *pool, const jwt_json_t *claim)
{
    apr_array_header_t *roles = apr_array_make(pool, claim ? claim->nodes : 1, sizeof(const char *));

    if (claim && claim->type == TRESTLE_JSON_STRING)
        APR_ARRAY_PUSH(roles, const char *) = jwt_json_string(pool, claim);
    else if (claim && claim->type == TRESTLE_JSON_ARRAY)
        for (const jwt_json_t *item = jwt_json_first(claim); item; item = jwt_json_next(claim, item))
            if (item->type == TRESTLE_JSON_STRING)
                APR_ARRAY_PUSH(roles, const char *) = jwt_json_string(pool, item);
    return roles;
}

const trestle_caller_t *jwt_caller_make(apr_pool_t *pool, const jwt_json_t *claims, const char *text,
                                        const jwt_mapping_t *mapping, const char *proof)
{
    trestle_caller_t *caller = apr_pcalloc(pool, sizeof(*caller));

    caller->subject = jwt_json_string(pool, jwt_json_member(claims, "sub"));
    caller->role = database_role(claims, mapping);
    caller->roles = application_roles(pool, jwt_path_find(mapping->roles_claim, claims));
    caller->claims = text;
    caller->session = jwt_json_string(pool, jwt_json_member(claims, "sid"));
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
    for (int i = 0; i < caller->roles->nelts; i++)
        if (!strcmp(role, APR_ARRAY_IDX(caller->roles, i, const char *)))
            return 1;
    return 0;
}
