/*
 * mod_auth_jwt: AuthType JWT. Verifies the token of a request (bearer, cookie or header) and says who the caller is;
 * signs the tokens that other modules issue.
 */
#include "trestle_caller.h"

#include "cookie.h"
#include "jwt_caller.h"
#include "jwt_config.h"
#include "jwt_token.h"
#include "jwt_verify.h"
#include "refuse.h"
#include "request.h"

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

/* Redirects and subrequests within one configuration skip authentication: their caller is that of the request above. */
static const trestle_caller_t *caller_of(request_rec *r)
{
    for (; r; r = r->prev ? r->prev : r->main) {
        const request_t *request = ap_get_module_config(r->request_config, &auth_jwt_module);

        if (request && request->caller)
            return request->caller;
    }
    return NULL;
}

static void set_caller(request_rec *r, const trestle_caller_t *caller)
{
    request_of(r)->caller = caller;
    if (caller->subject) {
        r->user = (char *)caller->subject;
        r->ap_auth_type = (char *)"JWT";
        apr_table_setn(r->subprocess_env, "CALLER_SUBJECT", caller->subject);
    }
}

/* The challenge of RFC 6750 section 3. error: NULL where no credential was sent (section 3.1). */
static void challenge(request_rec *r, const char *error)
{
    const char *realm = ap_auth_name(r);

    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_pstrcat(r->pool, "Bearer realm=\"",
                               ap_escape_quotes(r->pool, realm ? realm : trestle_application_of(r)), "\"",
                               error ? ", error=\"" : NULL, error, "\"", NULL));
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

static int refuse_absent(request_rec *r)
{
    challenge(r, NULL);
    return trestle_refuse(r, trestle_problem_make(r, HTTP_UNAUTHORIZED, "AUTHENTICATION_REQUIRED",
                                                  "This resource needs a sign-in.", NULL));
}

static int refuse_malformed(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ02: malformed credential, request %s", trestle_request_id_of(r));
    challenge(r, "invalid_request");
    return trestle_refuse(r, trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_REQUEST",
                                                  "The request carries no single well-formed credential.", NULL));
}

/* Clears the cookie that the refused token came in, so that a browser does not send it for ever. */
static void clear_cookie(request_rec *r, const jwt_config_t *config, const jwt_source_t *source)
{
    trestle_cookie_t cookie = config->clear_shape;
    int plain = strcmp(ap_http_scheme(r), "https") != 0;

    if (config->clear_cookie != 1 || source->kind != JWT_FROM_COOKIE)
        return;
    cookie.name = source->name;
    apr_table_addn(r->err_headers_out, "Set-Cookie", trestle_cookie_text(r->pool, &cookie, "", 0, plain));
}

static int refuse_token(request_rec *r, const jwt_config_t *config, const jwt_source_t *source, const char *reason)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ03: token refused: %s (%s, request %s)", reason,
                  jwt_source_name(source), trestle_request_id_of(r));
    clear_cookie(r, config, source);
    challenge(r, "invalid_token");
    return trestle_refuse(r, trestle_problem_make(r, HTTP_UNAUTHORIZED, "INVALID_TOKEN",
                                                  "The credential is not valid or has expired.", NULL));
}

/* Signature first, claims only then: nothing of an unsigned payload is parsed. */
static const char *verify(request_rec *r, const jwt_config_t *config, const jwt_credential_t *credential,
                          const trestle_caller_t **caller)
{
    const jwt_mapping_t mapping = { config->role, config->role_claim, config->allowed, config->roles_claim };
    const jwt_rules_t rules = jwt_config_rules(config);
    const jwt_key_t *key;
    const char *reason;
    jwt_token_t token;
    json_t *claims;

    if ((reason = jwt_token_parse(r->pool, credential->text, credential->length, jwt_config_length(config), &token)))
        return reason;
    if (!(key = jwt_key_find(config->keys, token.algorithm, token.key_id)))
        return "no key of ours has its algorithm and kid";
    if (!jwt_verify(key, &token))
        return "its signature does not verify";
    if (!(claims = jwt_json_object(token.payload, token.payload_length)))
        return "its payload is not a JSON object";
    if (!(reason = jwt_claims_check(claims, &rules, r->request_time)))
        *caller = jwt_caller_make(r->pool, claims, token.payload, &mapping, jwt_source_name(credential->source));
    json_decref(claims);
    return reason;
}

/*
 * Where Require is content without a user, httpd would not authenticate at all, and a forged token would pass as no
 * token. Hence: a credential is always judged, and without one the caller is anonymous only where that is allowed.
 */
static int force_authn(request_rec *r)
{
    const char *role = jwt_config_anonymous(jwt_config_of(r));
    jwt_credential_t credential;

    if (!uses_jwt(r))
        return DECLINED;
    if (!role
        || jwt_credential_find(r->headers_in, jwt_config_sources(jwt_config_of(r)), &credential)
               != JWT_CREDENTIAL_ABSENT)
        return OK;
    set_caller(r, jwt_caller_anonymous(r->pool, role));
    return DECLINED;
}

static int check_authn(request_rec *r)
{
    const jwt_config_t *config = jwt_config_of(r);
    const trestle_caller_t *caller = NULL;
    jwt_credential_t credential;
    const char *reason;

    if (!uses_jwt(r))
        return DECLINED;
    if (!config->keys) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSAJ04: AuthType JWT without a key for %s: add AuthJWTKey to "
                      "its section",
                      r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    switch (jwt_credential_find(r->headers_in, jwt_config_sources(config), &credential)) {
    case JWT_CREDENTIAL_ABSENT:
        return refuse_absent(r);
    case JWT_CREDENTIAL_MALFORMED:
        return refuse_malformed(r);
    case JWT_CREDENTIAL_REFUSED:
        return refuse_token(r, config, credential.source, "it is no single token of the kind expected there");
    case JWT_CREDENTIAL_FOUND:
        break;
    }
    if ((reason = verify(r, config, &credential, &caller)))
        return refuse_token(r, config, credential.source, reason);
    set_caller(r, caller);
    return OK;
}

/* For refusals that other modules decide. */
static int note_auth_failure(request_rec *r, const char *type)
{
    if (strcasecmp(type, "JWT"))
        return DECLINED;
    challenge(r, NULL);
    return OK;
}

/*
 * httpd answers 401 to whoever does not meet Require. A caller with a good token needs no other token but more rights:
 * RFC 6750 section 3.1 wants 403 for him. Hence this hook asks those behind it, and only translates their refusal.
 */
static int check_authz(request_rec *r)
{
    const trestle_caller_t *caller = uses_jwt(r) ? caller_of(r) : NULL;
    request_t *request;
    int outcome;

    if (!caller || !caller->subject || (request = request_of(r))->deciding)
        return DECLINED;
    request->deciding = 1;
    outcome = ap_run_auth_checker(r);
    request->deciding = 0;
    if (outcome != HTTP_UNAUTHORIZED && outcome != HTTP_FORBIDDEN)
        return outcome;
    challenge(r, "insufficient_scope");
    return HTTP_FORBIDDEN;
}

/* Require role name…: the caller has one of these application roles. */
static authz_status check_role(request_rec *r, const char *line, const void *parsed TRESTLE_UNUSED)
{
    const trestle_caller_t *caller = caller_of(r);

    if (!caller || !caller->subject)
        return AUTHZ_DENIED_NO_USER;
    while (*line) {
        const char *role = ap_getword_conf(r->pool, &line);

        if (*role && jwt_caller_has_role(caller, role))
            return AUTHZ_GRANTED;
    }
    return AUTHZ_DENIED;
}

static const char *parse_role(cmd_parms *cmd TRESTLE_UNUSED, const char *line, const void **parsed TRESTLE_UNUSED)
{
    return *line ? NULL : "Require role: name at least one role, for example Require role admin";
}

static const trestle_caller_t *trestle_caller(request_rec *r)
{
    return caller_of(r);
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
    static const authz_provider role_provider = { check_role, parse_role };

    APR_REGISTER_OPTIONAL_FN(trestle_caller);
    APR_REGISTER_OPTIONAL_FN(trestle_sign_claims);
    ap_hook_check_config(jwt_config_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_force_authn(force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_authn(check_authn, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(check_authz, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_note_auth_failure(note_auth_failure, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "role", AUTHZ_PROVIDER_VERSION, &role_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}

module AP_MODULE_DECLARE_DATA auth_jwt_module = { STANDARD20_MODULE_STUFF, jwt_config_create_dir,
                                                  jwt_config_merge_dir,    jwt_config_create_server,
                                                  jwt_config_merge_server, jwt_commands,
                                                  register_hooks,          0 };
