/*
 * mod_auth_jwt: AuthType JWT. Verifies the token of a request (bearer, cookie or header) and says who the caller is;
 * takes over callers whom other authentication proves; signs the tokens that other modules issue.
 */
#include "trestle_caller.h"

#include "jwt_caller.h"
#include "jwt_config.h"
#include "jwt_directive.h"
#include "jwt_mapped.h"
#include "jwt_refusal.h"
#include "jwt_require.h"
#include "jwt_token.h"
#include "jwt_verify.h"
#include "origin_request.h"
#include "request.h"
#include "text.h"
#include "trestle.h"

#include "ap_provider.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mod_auth.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;
APLOG_USE_MODULE(auth_jwt);

static int uses_jwt(request_rec *r)
{
    const char *type = ap_auth_type(r);

    return type && !strcasecmp(type, "JWT");
}

/* What is kept with a request. */
typedef struct {
    const trestle_caller_t *caller; /* NULL until known */
    const jwt_json_t *claims;       /* the caller's; NULL of an anonymous one */
    const jwt_config_t *config;     /* that the caller was authenticated by */
    const jwt_source_t *source;     /* of the token; NULL of a caller without one */
    const jwt_require_t *missed;    /* the scopes that were lacking, if that was it; NULL */
    int deciding;                   /* 1 while check_authz asks the others */
} request_t;

static request_t *request_of(request_rec *r)
{
    request_t *request = ap_get_module_config(r->request_config, &auth_jwt_module);

    if (!request) {
        request = apr_pcalloc(r->pool, sizeof(*request));
        ap_set_module_config(r->request_config, &auth_jwt_module, request);
    }
    return request;
}

/* Redirects and subrequests within one configuration skip authentication: their caller is that of the request above.
 * NULL where nobody was authenticated. */
static const request_t *authenticated(request_rec *r)
{
    for (; r; r = r->prev ? r->prev : r->main) {
        const request_t *request = ap_get_module_config(r->request_config, &auth_jwt_module);

        if (request && request->caller)
            return request;
    }
    return NULL;
}

static void set_caller(request_rec *r, const trestle_caller_t *caller, const jwt_json_t *claims,
                       const jwt_source_t *source)
{
    request_t *request = request_of(r);

    request->caller = caller;
    request->claims = claims;
    request->config = jwt_config_of(r);
    request->source = source;
    if (caller->subject)
        apr_table_setn(r->subprocess_env, "CALLER_SUBJECT", caller->subject);
}

/* What httpd itself goes by. */
static void set_user(request_rec *r)
{
    r->user = (char *)request_of(r)->caller->subject;
    r->ap_auth_type = (char *)"JWT";
}

/* Signature first, claims only then: nothing of an unsigned payload is parsed. NULL and caller and claims, or a reason. */
static const char *judge(request_rec *r, const jwt_config_t *config, const jwt_credential_t *credential,
                         const trestle_caller_t **caller, const jwt_json_t **claims)
{
    const jwt_mapping_t mapping = jwt_config_mapping(config);
    const jwt_rules_t rules = jwt_config_rules(config);
    const jwt_key_t *key;
    const char *reason;
    jwt_token_t token;

    if ((reason = jwt_token_parse(r->pool, credential->text, credential->length, jwt_config_length(config), &token)))
        return reason;
    if (!config->keys || !(key = jwt_key_find(config->keys, token.algorithm, token.key_id)))
        return "no key of ours has its algorithm and kid";
    if (!jwt_verify(key, &token))
        return "its signature does not verify";
    if (!(*claims = jwt_json_object(r->pool, token.payload, token.payload_length)))
        return "its payload is not a JSON object";
    if ((reason = jwt_claims_check(*claims, &rules, r->request_time))
        || (token.is_access_token && (reason = jwt_claims_check_access(*claims))))
        return reason;
    *caller = jwt_caller_make(r->pool, *claims, token.payload, &mapping, jwt_source_name(credential->source));
    return NULL;
}

/* NULL and the request has its caller, or a reason. */
static const char *verify(request_rec *r, const jwt_config_t *config, const jwt_credential_t *credential)
{
    const trestle_caller_t *caller;
    const jwt_json_t *claims;
    const char *reason = judge(r, config, credential, &caller, &claims);

    if (!reason)
        set_caller(r, caller, claims, credential->source);
    return reason;
}

/* Makes the caller of a subject that was proved otherwise. NULL, or the reason why it cannot be one. */
static const char *map_caller(request_rec *r, const jwt_config_t *config, const char *subject)
{
    const jwt_mapping_t mapping = jwt_config_mapping(config);
    const char *text = jwt_mapped_claims(r, subject, config->caller_claims);
    const jwt_json_t *claims = text ? jwt_json_object(r->pool, text, strlen(text)) : NULL;

    if (!claims)
        return "its claims cannot be made";
    if (!trestle_utf8_valid(subject, strlen(subject)) || !jwt_claims_is_subject(jwt_json_member(claims, "sub")))
        return "its name is longer than 255 bytes, or holds what no name holds";
    set_caller(r, jwt_caller_make(r->pool, claims, text, &mapping, "mapped"), claims, NULL);
    return NULL;
}

/* What a client certificate proves, where that counts. */
static jwt_certificate_e find_certificate(request_rec *r, const jwt_config_t *config, const char **subject)
{
    return config->map == JWT_MAP_CERTIFICATE ? jwt_mapped_certificate(r, config->variable, subject)
                                              : JWT_CERTIFICATE_ABSENT;
}

/*
 * Where Require is content without a user, httpd would not authenticate at all, and a forged token would pass as no
 * token. Hence: a credential is always judged, and without one the caller is anonymous only where that is allowed.
 */
static int force_authn(request_rec *r)
{
    const jwt_config_t *config = jwt_config_of(r);
    const char *role = jwt_config_anonymous(config), *subject;
    jwt_credential_t credential;

    if (!uses_jwt(r))
        return DECLINED;
    if (!role || jwt_credential_find(r->headers_in, jwt_config_sources(config), &credential) != JWT_CREDENTIAL_ABSENT
        || find_certificate(r, config, &subject) != JWT_CERTIFICATE_ABSENT)
        return OK;
    set_caller(r, jwt_caller_anonymous(r->pool, role), NULL, NULL);
    return DECLINED;
}

/* A request without token: its certificate may do. */
static int check_certificate(request_rec *r, const jwt_config_t *config)
{
    const char *reason = "it is not verified, or lacks the field of AuthJWTCallerFrom", *subject;
    jwt_certificate_e certificate = find_certificate(r, config, &subject);

    if (certificate == JWT_CERTIFICATE_ABSENT)
        return jwt_refuse_absent(r);
    if (certificate == JWT_CERTIFICATE_REFUSED || (reason = map_caller(r, config, subject)))
        return jwt_refuse_bad(r, config, NULL, reason);
    set_user(r);
    return OK;
}

/* Browsers send cookies unasked, also for pages of other sites: what changes something must come from a page that may. */
static int is_forged(request_rec *r, const jwt_config_t *config, const jwt_source_t *source)
{
    if (source->kind != JWT_FROM_COOKIE || !trestle_origin_matters(r))
        return 0;
    switch (trestle_origin_of(r, config->origins)) {
    case TRESTLE_ORIGIN_TRUSTED:
        return 0;
    case TRESTLE_ORIGIN_MISSING:
        return config->origin_missing != JWT_MISSING_ALLOWED;
    default:
        return 1;
    }
}

static int check_authn(request_rec *r)
{
    const jwt_config_t *config = jwt_config_of(r);
    jwt_credential_t credential;
    const char *reason;

    if (!uses_jwt(r))
        return DECLINED;
    if (!config->keys && config->map != JWT_MAP_CERTIFICATE) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSAJ04: AuthType JWT without a key for %s: add AuthJWTKey to "
                      "its section",
                      r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    switch (jwt_credential_find(r->headers_in, jwt_config_sources(config), &credential)) {
    case JWT_CREDENTIAL_ABSENT:
        return check_certificate(r, config);
    case JWT_CREDENTIAL_MALFORMED:
        return jwt_refuse_malformed(r, config, credential.source);
    case JWT_CREDENTIAL_REFUSED:
        return jwt_refuse_bad(r, config, credential.source, "it is no single token of the kind expected there");
    case JWT_CREDENTIAL_FOUND:
        break;
    }
    if ((reason = verify(r, config, &credential)))
        return jwt_refuse_bad(r, config, credential.source, reason);
    if (is_forged(r, config, credential.source))
        return jwt_refuse_forged(r);
    set_user(r);
    return OK;
}

/* For refusals that other modules decide. */
static int note_auth_failure(request_rec *r, const char *type)
{
    if (strcasecmp(type, "JWT"))
        return DECLINED;
    jwt_challenge(r, NULL, NULL);
    return OK;
}

/* Takes over the user of another AuthType. Only here is he proved: other modules name him before they know. */
static void map_user(request_rec *r)
{
    const jwt_config_t *config = jwt_config_of(r);
    const char *reason;

    if (config->map != JWT_MAP_USER || !r->user || !r->ap_auth_type)
        return;
    if ((reason = map_caller(r, config, r->user)))
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ06: user %s is no caller: %s", r->user, reason);
}

/*
 * httpd answers 401 to whoever does not meet Require. A caller with a good token needs no other token but more rights:
 * RFC 6750 section 3.1 wants 403 for him. Hence this hook asks those behind it, and only translates their refusal.
 */
static int check_authz(request_rec *r)
{
    const request_t *known = authenticated(r);
    request_t *request;
    int outcome;

    if (!uses_jwt(r)) {
        map_user(r);
        return DECLINED;
    }
    if (!known || !known->caller->subject || (request = request_of(r))->deciding)
        return DECLINED;
    request->deciding = 1;
    request->missed = NULL;
    outcome = ap_run_auth_checker(r);
    request->deciding = 0;
    if (outcome != HTTP_UNAUTHORIZED && outcome != HTTP_FORBIDDEN)
        return outcome;
    jwt_challenge(r, "insufficient_scope", request->missed ? jwt_require_scope_text(r->pool, request->missed) : NULL);
    return HTTP_FORBIDDEN;
}

/* Require role name…: the caller has one of these application roles. */
static authz_status check_role(request_rec *r, const char *line TRESTLE_UNUSED, const void *parsed)
{
    const request_t *known = authenticated(r);

    if (!known || !known->caller->subject)
        return AUTHZ_DENIED_NO_USER;
    return jwt_require_role(parsed, known->caller) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* Require claim name value…: the claim is one of these values, or has one of them. */
static authz_status check_claim(request_rec *r, const char *line TRESTLE_UNUSED, const void *parsed)
{
    const request_t *known = authenticated(r);

    if (!known || !known->caller->subject)
        return AUTHZ_DENIED_NO_USER;
    return jwt_require_claim(parsed, known->claims) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* Require scope name…: the caller has all these scopes. */
static authz_status check_scope(request_rec *r, const char *line TRESTLE_UNUSED, const void *parsed)
{
    const request_t *known = authenticated(r);
    const jwt_require_t *require = parsed;

    if (!known || !known->caller->subject)
        return AUTHZ_DENIED_NO_USER;
    if (jwt_require_scope(require, jwt_config_scope(jwt_config_of(r), known->claims)))
        return AUTHZ_GRANTED;
    if (!require->is_unwanted && !request_of(r)->missed)
        request_of(r)->missed = require;
    return AUTHZ_DENIED;
}

static apr_array_header_t *words_of(cmd_parms *cmd, const char *line)
{
    apr_array_header_t *words = apr_array_make(cmd->pool, 4, sizeof(const char *));

    while (*line)
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(cmd->pool, &line);
    return words;
}

/* 1 if a Require line refuses whom it fits: behind "not", or in <RequireNone>. */
static int is_negated(cmd_parms *cmd)
{
    for (const ap_directive_t *section = cmd->directive->parent; section; section = section->parent)
        if (!strcasecmp(section->directive, "<RequireNone"))
            return 1;
    return !strncasecmp(cmd->directive->args, "not ", 4);
}

static const char *parse_names(cmd_parms *cmd, const char *what, const char *line, const void **parsed)
{
    jwt_require_t *require = apr_pcalloc(cmd->pool, sizeof(*require));

    *parsed = require;
    require->is_unwanted = is_negated(cmd);
    return jwt_require_parse_names(cmd->pool, what, words_of(cmd, line), require);
}

static const char *parse_role(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse_names(cmd, "role", line, parsed);
}

static const char *parse_scope(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse_names(cmd, "scope", line, parsed);
}

static const char *parse_claim(cmd_parms *cmd, const char *line, const void **parsed)
{
    jwt_require_t *require = apr_pcalloc(cmd->pool, sizeof(*require));

    *parsed = require;
    return jwt_require_parse_claim(cmd->pool, words_of(cmd, line), require);
}

static const trestle_caller_t *trestle_caller(request_rec *r)
{
    const request_t *known = authenticated(r);

    return known ? known->caller : NULL;
}

static void trestle_token_refused(request_rec *r)
{
    const request_t *known = authenticated(r);

    if (known && known->source)
        jwt_challenge_token(r, known->config, known->source);
}

static int trestle_has_signing_key(server_rec *s)
{
    const jwt_server_t *server = jwt_config_server(s);

    return server && server->has_signer;
}

static apr_status_t trestle_verify_token(request_rec *r, const char *token, const trestle_caller_t **caller)
{
    static const jwt_source_t handed_over = { JWT_FROM_BEARER, NULL };
    const jwt_config_t *config = jwt_config_of(r);
    jwt_credential_t credential = { &handed_over, token, token ? strlen(token) : 0 };
    jwt_credential_e found = JWT_CREDENTIAL_FOUND;
    const char *reason = "it is no single token of the kind expected there";
    const jwt_json_t *claims;

    if (!config->keys)
        return APR_ENOTIMPL;
    if (!token)
        found = jwt_credential_find(r->headers_in, jwt_config_sources(config), &credential);
    if (found == JWT_CREDENTIAL_ABSENT)
        return APR_NOTFOUND;
    if (found == JWT_CREDENTIAL_FOUND && !(reason = judge(r, config, &credential, caller, &claims)))
        return APR_SUCCESS;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ20: token is not good: %s, request %s", reason,
                  trestle_request_id_of(r));
    return APR_EINVAL;
}

static apr_status_t trestle_sign_claims(request_rec *r, const char *claims, const char **token)
{
    const jwt_config_t *config = jwt_config_of(r);
    apr_status_t rv = config->signer ? jwt_sign(r->pool, config->signer, claims, token) : APR_ENOTIMPL;

    if (rv == APR_EGENERAL)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSAJ05: libjwt does not sign with the key of AuthJWTSigningKey");
    return rv;
}

static void register_hooks(apr_pool_t *p)
{
    static const authz_provider role = { check_role, parse_role }, claim = { check_claim, parse_claim },
                                scope = { check_scope, parse_scope };

    APR_REGISTER_OPTIONAL_FN(trestle_caller);
    APR_REGISTER_OPTIONAL_FN(trestle_token_refused);
    APR_REGISTER_OPTIONAL_FN(trestle_verify_token);
    APR_REGISTER_OPTIONAL_FN(trestle_sign_claims);
    APR_REGISTER_OPTIONAL_FN(trestle_has_signing_key);
    ap_hook_check_config(jwt_directive_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_force_authn(force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_authn(check_authn, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(check_authz, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_note_auth_failure(note_auth_failure, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "role", AUTHZ_PROVIDER_VERSION, &role,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "claim", AUTHZ_PROVIDER_VERSION, &claim,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "scope", AUTHZ_PROVIDER_VERSION, &scope,
                              AP_AUTH_INTERNAL_PER_CONF);
}

module AP_MODULE_DECLARE_DATA auth_jwt_module = { STANDARD20_MODULE_STUFF, jwt_config_create_dir,
                                                  jwt_config_merge_dir,    jwt_config_create_server,
                                                  jwt_config_merge_server, jwt_commands,
                                                  register_hooks,          0 };
