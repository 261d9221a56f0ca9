/*
 * The configuration of mod_auth_jwt: its records, and what they mean where something is unset.
 */
#ifndef JWT_CONFIG_H
#define JWT_CONFIG_H

#include "cookie.h"
#include "jwt_caller.h"
#include "jwt_claims.h"
#include "jwt_credential.h"
#include "jwt_key.h"
#include "jwt_mapped.h"
#include "jwt_sign.h"

#include "httpd.h"
#include "http_config.h"

/* Whom a location knows without a token (directive AuthJWTCallerFrom). */
typedef enum { JWT_MAP_UNSET, JWT_MAP_OFF, JWT_MAP_USER, JWT_MAP_CERTIFICATE } jwt_map_e;

/* Writes with a cookie that do not say where they come from (directive AuthJWTOriginMissing). */
typedef enum { JWT_MISSING_REFUSED, JWT_MISSING_ALLOWED } jwt_missing_e;

/* What configtest compares: which directives a server has, anywhere in it. The directives are the first of their name. */
typedef struct {
    const ap_directive_t *type;        /* AuthType JWT */
    const ap_directive_t *claim;       /* AuthJWTRoleClaim */
    const ap_directive_t *allowed;     /* AuthJWTRoleAllow */
    const ap_directive_t *certificate; /* AuthJWTCallerFrom certificate */
    int has_key;                       /* 1: something proves callers of AuthType JWT */
    int has_signer;                    /* 1: an AuthJWTSigningKey */
} jwt_server_t;

/* Per directory. Pointers: NULL inherits; numbers: TRESTLE_UNSET inherits. The functions below resolve what is unset. */
typedef struct {
    apr_array_header_t *keys;      /* jwt_key_t *; those of an inner section replace those of an outer one */
    jwt_signer_t *signer;          /* unset: tokens cannot be signed here */
    const char *issuer;            /* unset: not checked */
    const char *audience;          /* unset: tokens for an audience are refused */
    apr_array_header_t *types;     /* const char *; unset: not checked */
    apr_array_header_t *sources;   /* jwt_source_t; unset: bearer */
    const char *anonymous;         /* database role; "" for Off, the default */
    const char *role;              /* database role; unset: none */
    const jwt_path_t *role_claim;  /* unset: no claim names a database role */
    apr_array_header_t *allowed;   /* const char *: roles that role_claim may name */
    const jwt_path_t *roles_claim; /* unset: no application roles */
    const jwt_path_t *scope_claim; /* unset: scope */
    jwt_map_e map;
    const char *variable;              /* of mod_ssl's; belongs to map */
    apr_array_header_t *caller_claims; /* jwt_mapped_claim_t; unset: sub alone */
    apr_interval_time_t leeway;        /* microseconds; default 30 s */
    apr_interval_time_t lifetime;      /* microseconds; default 0: not checked */
    apr_int64_t length;                /* bytes of a token at most; default 8192 */
    apr_array_header_t *origins;       /* const char *: trusted besides our own; unset: none */
    int origin_missing;                /* jwt_missing_e; default JWT_MISSING_REFUSED */
    int malformed_status;              /* default 400 */
    int clear_cookie;                  /* 0 or 1; default 0 */
    trestle_cookie_t clear_shape;      /* attributes of the cleared cookie; belongs to clear_cookie */
} jwt_config_t;

void *jwt_config_create_dir(apr_pool_t *p, char *dir);
void *jwt_config_merge_dir(apr_pool_t *p, void *base, void *add);
void *jwt_config_create_server(apr_pool_t *p, server_rec *s);
void *jwt_config_merge_server(apr_pool_t *p, void *base, void *add);

/* What is known of the server s. */
jwt_server_t *jwt_config_server(server_rec *s);

/* The configuration that applies to r. */
const jwt_config_t *jwt_config_of(request_rec *r);

/* The places where r's location looks for a token. */
const apr_array_header_t *jwt_config_sources(const jwt_config_t *config);

/* The rules for claims, and how claims become roles; small values, cheap to build for a request. */
jwt_rules_t jwt_config_rules(const jwt_config_t *config);
jwt_mapping_t jwt_config_mapping(const jwt_config_t *config);

/* The claim with the caller's scopes; NULL if there is none. */
const jwt_json_t *jwt_config_scope(const jwt_config_t *config, const jwt_json_t *claims);

/* The most bytes of a token. */
apr_size_t jwt_config_length(const jwt_config_t *config);

/* The role of callers without credential; NULL where they are refused. */
const char *jwt_config_anonymous(const jwt_config_t *config);

#endif
