#include "jwt_directive.h"

#include "directive.h"
#include "jwt_config.h"
#include "jwt_jwk.h"
#include "jwt_token.h"
#include "keyfile.h"
#include "origin_request.h"
#include "setting.h"
#include "trestle.h"

#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;
APLOG_USE_MODULE(auth_jwt);

enum { LENGTH_MOST = 65536 };

#define SECONDS(n) ((apr_interval_time_t)(n)*APR_USEC_PER_SEC)

/* Remembers the first directive of its name. */
static void note(const ap_directive_t **first, cmd_parms *cmd)
{
    if (!*first)
        *first = cmd->directive;
}

/* The algorithm of that name, for a directive. */
static const char *read_algorithm(cmd_parms *cmd, const char *name, const jwt_algorithm_t **algorithm)
{
    if ((*algorithm = jwt_algorithm(name)))
        return NULL;
    return apr_psprintf(cmd->pool, "%s: '%s' is no algorithm; write one of %s", cmd->cmd->name, name,
                        jwt_algorithm_names(cmd->pool));
}

/* The arguments "algorithm file [kid]" that two directives have. */
static const char *key_arguments(cmd_parms *cmd, const char *name, const char *path, const char *id,
                                 const jwt_algorithm_t **algorithm, trestle_keyfile_t *file)
{
    const char *mend = read_algorithm(cmd, name, algorithm);

    if (mend)
        return mend;
    if (id && !jwt_token_is_key_id(id))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is no kid; use 1-128 letters, digits and ._~:@=+/-, for example 2026-1",
                            cmd->cmd->name, id);
    if ((mend = trestle_keyfile_read(cmd, path, file)))
        return mend;
    return trestle_keyfile_check_secret(
        cmd, file, !strstr(file->bytes, "-----BEGIN PUBLIC KEY-----") || strstr(file->bytes, "PRIVATE KEY-----"));
}

static apr_array_header_t *keys_of(cmd_parms *cmd, jwt_config_t *config)
{
    if (!config->keys)
        config->keys = apr_array_make(cmd->pool, 2, sizeof(jwt_key_t *));
    jwt_config_server(cmd->server)->has_key = 1;
    return config->keys;
}

static const char *add_key(cmd_parms *cmd, void *dir, const char *name, const char *path, const char *id)
{
    const jwt_algorithm_t *algorithm;
    trestle_keyfile_t file;
    const char *mend = key_arguments(cmd, name, path, id, &algorithm, &file);
    jwt_key_t *key;

    if (mend)
        return mend;
    if ((mend = jwt_key_make(cmd->pool, algorithm, file.bytes, file.length, id, &key)))
        return apr_psprintf(cmd->pool, "AuthJWTKey: '%s' %s", path, mend);
    if (jwt_key_collides(cmd->pool, keys_of(cmd, dir), key, &mend))
        return apr_pstrcat(cmd->pool, "AuthJWTKey: ", mend, NULL);
    APR_ARRAY_PUSH(keys_of(cmd, dir), jwt_key_t *) = key;
    return NULL;
}

static const char *add_key_set(cmd_parms *cmd, void *dir, const char *path, const char *name)
{
    const jwt_algorithm_t *algorithm = NULL;
    const char *mend = name ? read_algorithm(cmd, name, &algorithm) : NULL;
    trestle_keyfile_t file;
    int is_secret;

    if (mend || (mend = trestle_keyfile_read(cmd, path, &file)))
        return mend;
    if ((mend = jwt_jwk_read(cmd->pool, file.bytes, file.length, algorithm, keys_of(cmd, dir), &is_secret)))
        return apr_psprintf(cmd->pool, "AuthJWTKeySet: '%s': %s", path, mend);
    return trestle_keyfile_check_secret(cmd, &file, is_secret);
}

static const char *set_signing_key(cmd_parms *cmd, void *dir, const char *name, const char *path, const char *id)
{
    jwt_config_t *config = dir;
    const jwt_algorithm_t *algorithm;
    trestle_keyfile_t file;
    const char *mend = key_arguments(cmd, name, path, id, &algorithm, &file);

    if (mend)
        return mend;
    jwt_config_server(cmd->server)->has_signer = 1;
    if ((mend = jwt_signer_make(cmd->pool, algorithm, file.bytes, file.length, id, &config->signer)))
        return apr_psprintf(cmd->pool, "AuthJWTSigningKey: '%s' %s", path, mend);
    return NULL;
}

static const char *add_text(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_array_header_t **list = (apr_array_header_t **)((char *)dir + (apr_size_t)cmd->info);

    if (!*list)
        *list = apr_array_make(cmd->pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH(*list, const char *) = arg;
    return NULL;
}

static const char *check_role(cmd_parms *cmd, const char *role)
{
    if (!trestle_setting_is_identifier(role))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is no name of a database role: use a-z, 0-9 and _, at most 63 of them, for "
                            "example shop_user",
                            cmd->cmd->name, role);
    if (!strcmp(role, "none") || !strcmp(role, "public"))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is a word of PostgreSQL's for no role, with which requests would run as the "
                            "pool's login role; name another role",
                            cmd->cmd->name, role);
    return NULL;
}

static const char *set_anonymous(cmd_parms *cmd, void *dir, const char *arg)
{
    jwt_config_t *config = dir;
    const char *mend = strcasecmp(arg, "Off") ? check_role(cmd, arg) : NULL;

    config->anonymous = strcasecmp(arg, "Off") ? arg : "";
    return mend ? apr_pstrcat(cmd->pool, mend, ", or write Off to refuse callers without credential", NULL) : NULL;
}

static const char *set_role(cmd_parms *cmd, void *dir, const char *arg)
{
    ((jwt_config_t *)dir)->role = arg;
    return check_role(cmd, arg);
}

/* The name of a claim into the member that cmd->info tells. */
static const char *set_path(cmd_parms *cmd, void *dir, const char *arg)
{
    jwt_path_t *path = apr_palloc(cmd->pool, sizeof(*path));
    const char *mend = jwt_path_parse(cmd->pool, arg, path);

    *(const jwt_path_t **)((char *)dir + (apr_size_t)cmd->info) = path;
    return mend ? apr_psprintf(cmd->pool, "%s: '%s' %s", cmd->cmd->name, arg, mend) : NULL;
}

static const char *set_role_claim(cmd_parms *cmd, void *dir, const char *arg)
{
    note(&jwt_config_server(cmd->server)->claim, cmd);
    return set_path(cmd, dir, arg);
}

static const char *add_allowed(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *mend = check_role(cmd, arg);

    note(&jwt_config_server(cmd->server)->allowed, cmd);
    return mend ? mend : add_text(cmd, dir, arg);
}

static const char *set_caller_from(cmd_parms *cmd, void *dir, const char *arg, const char *variable)
{
    jwt_server_t *server = jwt_config_server(cmd->server);
    jwt_config_t *config = dir;

    config->variable = variable;
    if (!variable && (!strcasecmp(arg, "user") || !strcasecmp(arg, "Off"))) {
        config->map = strcasecmp(arg, "user") ? JWT_MAP_OFF : JWT_MAP_USER;
        return NULL;
    }
    if (!variable || strcasecmp(arg, "certificate"))
        return "AuthJWTCallerFrom: write user, certificate and a variable of mod_ssl's, for example certificate "
               "SSL_CLIENT_S_DN_CN, or Off";
    if (!jwt_mapped_is_variable(variable))
        return apr_psprintf(
            cmd->pool,
            "AuthJWTCallerFrom: '%s' does not say whose a certificate is; write SSL_CLIENT_S_DN, a field "
            "of it such as SSL_CLIENT_S_DN_CN, SSL_CLIENT_SAN_Email_0 or SSL_CLIENT_M_SERIAL",
            variable);
    config->map = JWT_MAP_CERTIFICATE;
    server->has_key = 1;
    note(&server->certificate, cmd);
    return NULL;
}

static const char *add_caller_claim(cmd_parms *cmd, void *dir, const char *name, const char *expression,
                                    const char *separator)
{
    jwt_config_t *config = dir;
    const char *error = NULL;
    jwt_mapped_claim_t claim = { name, NULL, separator };

    if (!*name || !strcmp(name, "sub"))
        return "AuthJWTCallerClaim: name another claim; sub is what AuthJWTCallerFrom says";
    for (int i = 0; config->caller_claims && i < config->caller_claims->nelts; i++)
        if (!strcmp(name, APR_ARRAY_IDX(config->caller_claims, i, jwt_mapped_claim_t).name))
            return apr_psprintf(cmd->pool, "AuthJWTCallerClaim: %s is said already; write it once", name);
    if (separator && strlen(separator) != 1)
        return apr_psprintf(cmd->pool, "AuthJWTCallerClaim: '%s' is not one character; write for example \",\"",
                            separator);
    claim.expression = ap_expr_parse_cmd(cmd, expression, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    if (error)
        return apr_psprintf(cmd->pool,
                            "AuthJWTCallerClaim: '%s' is no expression: %s; write for example "
                            "%%{SSL_CLIENT_S_DN_Email}",
                            expression, error);
    if (!config->caller_claims)
        config->caller_claims = apr_array_make(cmd->pool, 2, sizeof(claim));
    APR_ARRAY_PUSH(config->caller_claims, jwt_mapped_claim_t) = claim;
    return NULL;
}

/* A cookie that is cleared with attributes that its name forbids would stay. */
static const char *check_clearing(cmd_parms *cmd, const jwt_config_t *config)
{
    trestle_cookie_t cookie = config->clear_shape;
    const char *mend = NULL;

    for (int i = 0; !mend && config->clear_cookie == 1 && config->sources && i < config->sources->nelts; i++) {
        const jwt_source_t *source = &APR_ARRAY_IDX(config->sources, i, jwt_source_t);

        cookie.name = source->name;
        if (source->kind == JWT_FROM_COOKIE)
            mend = trestle_cookie_check(cmd->pool, &cookie);
    }
    return mend ? apr_pstrcat(cmd->pool, "AuthJWTClearCookie: ", mend, NULL) : NULL;
}

static const char *add_source(cmd_parms *cmd, void *dir, const char *arg)
{
    jwt_config_t *config = dir;
    const char *mend = NULL;
    jwt_source_t source;

    if (!strcasecmp(arg, "bearer")) {
        source = (jwt_source_t){ JWT_FROM_BEARER, NULL };
    } else if (!strncasecmp(arg, "cookie:", 7)) {
        source = (jwt_source_t){ JWT_FROM_COOKIE, arg + 7 };
        mend = trestle_cookie_check_name(cmd->pool, arg + 7);
    } else if (!strncasecmp(arg, "header:", 7) && *ap_scan_http_token(arg + 7) == '\0' && arg[7]) {
        source = (jwt_source_t){ JWT_FROM_HEADER, arg + 7 };
    } else {
        return apr_psprintf(
            cmd->pool, "AuthJWTCredential: '%s' is no place of a token; write bearer, cookie:name or header:name", arg);
    }
    if (!config->sources)
        config->sources = apr_array_make(cmd->pool, 3, sizeof(jwt_source_t));
    APR_ARRAY_PUSH(config->sources, jwt_source_t) = source;
    return mend ? apr_pstrcat(cmd->pool, "AuthJWTCredential: ", mend, NULL) : check_clearing(cmd, config);
}

static const char *set_leeway(cmd_parms *cmd, void *dir, const char *arg)
{
    return trestle_setting_duration(cmd->pool, arg, 0, SECONDS(120), &((jwt_config_t *)dir)->leeway);
}

static const char *set_max_age(cmd_parms *cmd, void *dir, const char *arg)
{
    jwt_config_t *config = dir;

    config->lifetime = 0;
    return strcasecmp(arg, "Off")
               ? trestle_setting_duration(cmd->pool, arg, SECONDS(1), SECONDS(400 * 86400LL), &config->lifetime)
               : NULL;
}

static const char *set_length(cmd_parms *cmd, void *dir, const char *arg)
{
    return trestle_setting_size(cmd->pool, arg, 256, LENGTH_MOST, &((jwt_config_t *)dir)->length);
}

static const char *set_malformed_status(cmd_parms *cmd TRESTLE_UNUSED, void *dir, const char *arg)
{
    if (strcmp(arg, "400") && strcmp(arg, "401"))
        return "AuthJWTMalformedStatus: write 400 or 401";
    ((jwt_config_t *)dir)->malformed_status = strcmp(arg, "400") ? HTTP_UNAUTHORIZED : HTTP_BAD_REQUEST;
    return NULL;
}

static const char *set_clear_cookie(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    jwt_config_t *config = dir;
    const char *mend;

    if (argc < 1 || (strcasecmp(argv[0], "On") && strcasecmp(argv[0], "Off")))
        return "AuthJWTClearCookie: write On or Off, then the attributes that the cookie is set with";
    config->clear_cookie = !strcasecmp(argv[0], "On");
    config->clear_shape = trestle_cookie_make(NULL);
    for (int i = 1; i < argc; i++)
        if ((mend = trestle_cookie_attribute(cmd->pool, argv[i], &config->clear_shape)))
            return apr_pstrcat(cmd->pool, "AuthJWTClearCookie: ", mend, NULL);
    return check_clearing(cmd, config);
}

/* The module whose AuthType says which authentication applies. Without it ours would count for nothing. */
static int has_authn_core(void)
{
    return ap_find_linked_module("mod_authn_core.c") != NULL;
}

/* mod_authn_core's directive: httpd calls every module that has one of the name. Here it is only noted for the check;
 * .htaccess is read when all modules are known. */
static const char *note_auth_type(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    if (strcasecmp(arg, "JWT"))
        return NULL;
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        return has_authn_core() ? NULL : "AuthType JWT: nothing authenticates without it; load mod_authn_core";
    note(&jwt_config_server(cmd->server)->type, cmd);
    return NULL;
}

static int complain(server_rec *s, const ap_directive_t *directive, const char *mend)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "TRSAJ01: %s line %d: %s %s: %s", directive->filename,
                 directive->line_num, directive->directive, directive->args, mend);
    return !OK;
}

/* Directives of one server that need others. */
static int check_server(server_rec *s, const jwt_server_t *server)
{
    int outcome = OK;

    if (server->type && !has_authn_core())
        outcome = complain(s, server->type, "nothing authenticates without it; load mod_authn_core");
    if (server->type && !server->has_key)
        outcome = complain(s, server->type, "no key verifies tokens here; add AuthJWTKey HS256 keys/token");
    if (server->claim && !server->allowed)
        outcome = complain(s, server->claim, "no role is allowed; add AuthJWTRoleAllow with the roles it may name");
    if (server->allowed && !server->claim)
        outcome = complain(s, server->allowed, "no claim names a role; add AuthJWTRoleClaim role");
    if (server->certificate && !jwt_mapped_has_ssl())
        outcome = complain(s, server->certificate, "nobody verifies certificates; load mod_ssl");
    return outcome;
}

int jwt_directive_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                        apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *main_server)
{
    int outcome = OK;

    for (server_rec *s = main_server; s; s = s->next) {
        const jwt_server_t *server = jwt_config_server(s);

        if (server && (s == main_server || server != jwt_config_server(main_server)) && check_server(s, server) != OK)
            outcome = !OK;
    }
    return outcome;
}

#define ANYWHERE       (RSRC_CONF | ACCESS_CONF)
#define MEMBER(member) ((void *)APR_OFFSETOF(jwt_config_t, member))

/* In the order of jwt_missing_e. */
static const char *const missing_words[] = { "refuse", "allow", NULL };
static const trestle_words_t origin_missing = { APR_OFFSETOF(jwt_config_t, origin_missing), missing_words, NULL };

const command_rec jwt_commands[] = {
    AP_INIT_TAKE1("AuthType", note_auth_type, NULL, OR_AUTHCFG, "JWT: tokens are verified by mod_auth_jwt"),
    AP_INIT_TAKE23("AuthJWTKey", add_key, NULL, ANYWHERE, "algorithm, file and kid of a key that verifies tokens"),
    AP_INIT_TAKE12("AuthJWTKeySet", add_key_set, NULL, ANYWHERE,
                   "file with a JWK or JWK Set that verifies tokens, and the algorithm of keys that name none"),
    AP_INIT_TAKE23("AuthJWTSigningKey", set_signing_key, NULL, ANYWHERE,
                   "algorithm, file and kid of the key that signs our tokens"),
    AP_INIT_TAKE1("AuthJWTIssuer", ap_set_string_slot, MEMBER(issuer), ANYWHERE, "what claim iss must be"),
    AP_INIT_TAKE1("AuthJWTAudience", ap_set_string_slot, MEMBER(audience), ANYWHERE,
                  "what claim aud must be or contain"),
    AP_INIT_ITERATE("AuthJWTTokenType", add_text, MEMBER(types), ANYWHERE, "what claim token_type may be"),
    AP_INIT_ITERATE("AuthJWTCredential", add_source, NULL, ANYWHERE,
                    "where tokens are looked for: bearer, cookie:name, header:name"),
    AP_INIT_TAKE1("AuthJWTAnonymous", set_anonymous, NULL, ANYWHERE,
                  "database role of callers without credential, or Off to refuse them"),
    AP_INIT_TAKE1("AuthJWTRole", set_role, NULL, ANYWHERE, "database role of signed-in callers"),
    AP_INIT_TAKE1("AuthJWTRoleClaim", set_role_claim, MEMBER(role_claim), ANYWHERE,
                  "claim that may name another database role"),
    AP_INIT_ITERATE("AuthJWTRoleAllow", add_allowed, MEMBER(allowed), ANYWHERE,
                    "database roles that AuthJWTRoleClaim may name"),
    AP_INIT_TAKE1("AuthJWTRolesClaim", set_path, MEMBER(roles_claim), ANYWHERE, "claim with the application roles"),
    AP_INIT_TAKE1("AuthJWTScopeClaim", set_path, MEMBER(scope_claim), ANYWHERE, "claim with the scopes"),
    AP_INIT_TAKE12("AuthJWTCallerFrom", set_caller_from, NULL, ANYWHERE,
                   "whom is known without a token: user, certificate with a variable of mod_ssl's, or Off"),
    AP_INIT_TAKE23("AuthJWTCallerClaim", add_caller_claim, NULL, ANYWHERE,
                   "name and value of a claim of such callers, and what separates the values of a list"),
    AP_INIT_TAKE1("AuthJWTLeeway", set_leeway, NULL, ANYWHERE, "how far clocks may differ, at most 120s"),
    AP_INIT_TAKE1("AuthJWTMaxAge", set_max_age, NULL, ANYWHERE, "the longest time from iat to exp, or Off"),
    AP_INIT_TAKE1("AuthJWTMaxLength", set_length, NULL, ANYWHERE, "the most bytes of a token"),
    AP_INIT_ITERATE("AuthJWTOrigin", trestle_origin_add, MEMBER(origins), ANYWHERE,
                    "origins besides our own whose pages may write with a cookie"),
    AP_INIT_TAKE1("AuthJWTOriginMissing", trestle_set_word, (void *)&origin_missing, ANYWHERE,
                  "refuse or allow writes with a cookie that do not say where they come from"),
    AP_INIT_TAKE1("AuthJWTMalformedStatus", set_malformed_status, NULL, ANYWHERE,
                  "status for no single well-formed credential: 400 or 401"),
    AP_INIT_TAKE_ARGV("AuthJWTClearCookie", set_clear_cookie, NULL, ANYWHERE,
                      "On: a refused cookie is cleared; then the attributes it was set with"),
    { NULL }
};
