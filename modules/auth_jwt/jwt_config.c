#include "jwt_config.h"

#include "setting.h"
#include "trestle.h"

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;

enum { LENGTH_DEFAULT = 8192 };

static const apr_interval_time_t LEEWAY_DEFAULT = 30 * APR_USEC_PER_SEC;

void *jwt_config_create_server(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    return apr_pcalloc(p, sizeof(jwt_server_t));
}

/* What a virtual host has from the main server, it has as well. Complaints about the main server's are made there. */
void *jwt_config_merge_server(apr_pool_t *p, void *base_config, void *add_config)
{
    const jwt_server_t *base = base_config, *add = add_config;
    jwt_server_t *merged = apr_pmemdup(p, add, sizeof(*add));

    merged->has_key |= base->has_key;
    merged->has_signer |= base->has_signer;
    merged->claim = TRESTLE_PICK_PTR(base, add, claim);
    merged->allowed = TRESTLE_PICK_PTR(base, add, allowed);
    return merged;
}

void *jwt_config_create_dir(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    jwt_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->leeway = config->lifetime = config->length = TRESTLE_UNSET;
    config->origin_missing = config->malformed_status = config->clear_cookie = TRESTLE_UNSET;
    return config;
}

void *jwt_config_merge_dir(apr_pool_t *p, void *base_config, void *add_config)
{
    const jwt_config_t *base = base_config, *add = add_config;
    jwt_config_t *merged = apr_palloc(p, sizeof(*merged));

    merged->keys = TRESTLE_PICK_PTR(base, add, keys);
    merged->signer = TRESTLE_PICK_PTR(base, add, signer);
    merged->issuer = TRESTLE_PICK_PTR(base, add, issuer);
    merged->audience = TRESTLE_PICK_PTR(base, add, audience);
    merged->types = TRESTLE_PICK_PTR(base, add, types);
    merged->sources = TRESTLE_PICK_PTR(base, add, sources);
    merged->anonymous = TRESTLE_PICK_PTR(base, add, anonymous);
    merged->role = TRESTLE_PICK_PTR(base, add, role);
    merged->role_claim = TRESTLE_PICK_PTR(base, add, role_claim);
    merged->allowed = TRESTLE_PICK_PTR(base, add, allowed);
    merged->roles_claim = TRESTLE_PICK_PTR(base, add, roles_claim);
    merged->scope_claim = TRESTLE_PICK_PTR(base, add, scope_claim);
    merged->map = add->map != JWT_MAP_UNSET ? add->map : base->map;
    merged->variable = add->map != JWT_MAP_UNSET ? add->variable : base->variable;
    merged->caller_claims = TRESTLE_PICK_PTR(base, add, caller_claims);
    merged->leeway = TRESTLE_PICK(base, add, leeway);
    merged->lifetime = TRESTLE_PICK(base, add, lifetime);
    merged->length = TRESTLE_PICK(base, add, length);
    merged->origins = TRESTLE_PICK_PTR(base, add, origins);
    merged->origin_missing = TRESTLE_PICK(base, add, origin_missing);
    merged->malformed_status = TRESTLE_PICK(base, add, malformed_status);
    merged->clear_cookie = TRESTLE_PICK(base, add, clear_cookie);
    merged->clear_shape = add->clear_cookie != TRESTLE_UNSET ? add->clear_shape : base->clear_shape;
    return merged;
}

jwt_server_t *jwt_config_server(server_rec *s)
{
    return ap_get_module_config(s->module_config, &auth_jwt_module);
}

const jwt_config_t *jwt_config_of(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &auth_jwt_module);
}

const apr_array_header_t *jwt_config_sources(const jwt_config_t *config)
{
    static jwt_source_t bearer = { JWT_FROM_BEARER, NULL };
    static const apr_array_header_t only_bearer = { NULL, sizeof(bearer), 1, 1, (char *)&bearer };

    return config->sources ? config->sources : &only_bearer;
}

jwt_rules_t jwt_config_rules(const jwt_config_t *config)
{
    jwt_rules_t rules = { config->issuer, config->audience, config->types, TRESTLE_OR(config->leeway, LEEWAY_DEFAULT),
                          TRESTLE_OR(config->lifetime, 0) };

    return rules;
}

jwt_mapping_t jwt_config_mapping(const jwt_config_t *config)
{
    jwt_mapping_t mapping = { config->role, config->role_claim, config->allowed, config->roles_claim };

    return mapping;
}

const jwt_json_t *jwt_config_scope(const jwt_config_t *config, const jwt_json_t *claims)
{
    return config->scope_claim ? jwt_path_find(config->scope_claim, claims) : jwt_json_member(claims, "scope");
}

apr_size_t jwt_config_length(const jwt_config_t *config)
{
    return (apr_size_t)TRESTLE_OR(config->length, LENGTH_DEFAULT);
}

const char *jwt_config_anonymous(const jwt_config_t *config)
{
    return config->anonymous && *config->anonymous ? config->anonymous : NULL;
}
