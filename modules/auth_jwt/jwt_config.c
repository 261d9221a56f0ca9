#include "jwt_config.h"

#include "jwt_token.h"
#include "setting.h"
#include "trestle.h"

#include "http_core.h"
#include "http_log.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;
APLOG_USE_MODULE(auth_jwt);

enum { KEY_FILE_MOST = 65536, LENGTH_DEFAULT = 8192, LENGTH_MOST = 65536 };

#define SECONDS(n) ((apr_interval_time_t)(n)*APR_USEC_PER_SEC)

/* What configtest compares: whether a server asks for tokens anywhere, and whether it has a key anywhere. */
typedef struct {
    const ap_directive_t *type;    /* the first AuthType JWT */
    const ap_directive_t *claim;   /* the first AuthJWTRoleClaim */
    const ap_directive_t *allowed; /* the first AuthJWTRoleAllow */
    int has_key;
} server_config_t;

void *jwt_config_create_server(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    return apr_pcalloc(p, sizeof(server_config_t));
}

void *jwt_config_merge_server(apr_pool_t *p, void *base_config, void *add_config)
{
    const server_config_t *base = base_config, *add = add_config;
    server_config_t *merged = apr_pmemdup(p, add, sizeof(*add));

    merged->has_key |= base->has_key;
    merged->claim = TRESTLE_PICK_PTR(base, add, claim);
    merged->allowed = TRESTLE_PICK_PTR(base, add, allowed);
    return merged;
}

static server_config_t *server_config(server_rec *s)
{
    return ap_get_module_config(s->module_config, &auth_jwt_module);
}

void *jwt_config_create_dir(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    jwt_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->leeway = config->lifetime = config->length = config->clear_cookie = TRESTLE_UNSET;
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
    merged->leeway = TRESTLE_PICK(base, add, leeway);
    merged->lifetime = TRESTLE_PICK(base, add, lifetime);
    merged->length = TRESTLE_PICK(base, add, length);
    merged->clear_cookie = TRESTLE_PICK(base, add, clear_cookie);
    merged->clear_shape = add->clear_cookie != TRESTLE_UNSET ? add->clear_shape : base->clear_shape;
    return merged;
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
    jwt_rules_t rules = { config->issuer, config->audience, config->types, TRESTLE_OR(config->leeway, SECONDS(30)),
                          TRESTLE_OR(config->lifetime, 0) };

    return rules;
}

apr_size_t jwt_config_length(const jwt_config_t *config)
{
    return (apr_size_t)TRESTLE_OR(config->length, LENGTH_DEFAULT);
}

const char *jwt_config_anonymous(const jwt_config_t *config)
{
    return config->anonymous && *config->anonymous ? config->anonymous : NULL;
}

/* The bytes of a key file, NUL-terminated, without one line end behind them. NULL, or a message with the mend. */
static const char *read_key(cmd_parms *cmd, const char *name, char **bytes, apr_size_t *n)
{
    const char *path = ap_server_root_relative(cmd->pool, name), *directive = cmd->cmd->name;
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv;

    if (!path || (rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, cmd->temp_pool)) != APR_SUCCESS)
        return apr_psprintf(cmd->pool, "%s: cannot open '%s': %pm; name a readable key file", directive, name, &rv);
    rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_PROT | APR_FINFO_TYPE, file);
    if (rv != APR_SUCCESS || info.filetype != APR_REG || info.size > KEY_FILE_MOST)
        return apr_psprintf(cmd->pool, "%s: '%s' is no regular file of at most %d bytes; name a key file", directive,
                            name, KEY_FILE_MOST);
    *n = (apr_size_t)info.size;
    *bytes = apr_pcalloc(cmd->pool, *n + 1);
    rv = apr_file_read_full(file, *bytes, *n, n);
    apr_file_close(file);
    if (rv != APR_SUCCESS && rv != APR_EOF)
        return apr_psprintf(cmd->pool, "%s: cannot read '%s': %pm", directive, name, &rv);
    if (*n && (*bytes)[*n - 1] == '\n')
        (*bytes)[--*n] = '\0';
    if (*n && (*bytes)[*n - 1] == '\r')
        (*bytes)[--*n] = '\0';
    if (!*n)
        return apr_psprintf(cmd->pool, "%s: '%s' is empty; write a key into it", directive, name);
    if (info.protection & APR_FPROT_WWRITE)
        return apr_psprintf(cmd->pool, "%s: '%s' can be written by everyone; run chmod o-w on it", directive, name);
    if ((info.protection & APR_FPROT_WREAD) && !strstr(*bytes, "-----BEGIN PUBLIC KEY-----"))
        return apr_psprintf(cmd->pool, "%s: the secret in '%s' can be read by everyone; run chmod o-r on it", directive,
                            name);
    return NULL;
}

/* The arguments "algorithm file [kid]" that both key directives have. */
static const char *key_arguments(cmd_parms *cmd, const char *name, const char *file, const char *id,
                                 const jwt_algorithm_t **algorithm, char **bytes, apr_size_t *n)
{
    if (!(*algorithm = jwt_algorithm(name)))
        return apr_psprintf(cmd->pool, "%s: '%s' is no algorithm; write one of %s", cmd->cmd->name, name,
                            jwt_algorithm_names(cmd->pool));
    if (id && !jwt_token_is_key_id(id))
        return apr_psprintf(cmd->pool, "%s: '%s' is no kid; use 1-128 letters, digits and ._~:-, for example 2026-1",
                            cmd->cmd->name, id);
    return read_key(cmd, file, bytes, n);
}

/* Two keys must be told apart by a token: by kid, or by algorithm where one has no kid. */
static const char *check_distinct(cmd_parms *cmd, const apr_array_header_t *keys, const jwt_key_t *added)
{
    for (int i = 0; i < keys->nelts; i++) {
        const jwt_key_t *key = APR_ARRAY_IDX(keys, i, const jwt_key_t *);

        if (added->id && key->id && !strcmp(added->id, key->id))
            return apr_psprintf(cmd->pool, "AuthJWTKey: two keys have the kid '%s'; give each its own", added->id);
        if (!added->id && !key->id && added->algorithm == key->algorithm)
            return apr_psprintf(cmd->pool,
                                "AuthJWTKey: two keys for %s have no kid, so that no token could say which one it "
                                "means; give one of them a kid",
                                added->algorithm->name);
    }
    return NULL;
}

static const char *set_key(cmd_parms *cmd, void *dir, const char *name, const char *file, const char *id)
{
    jwt_config_t *config = dir;
    const jwt_algorithm_t *algorithm;
    const char *mend;
    jwt_key_t *key;
    char *bytes;
    apr_size_t n;

    if ((mend = key_arguments(cmd, name, file, id, &algorithm, &bytes, &n)))
        return mend;
    if ((mend = jwt_key_make(cmd->pool, algorithm, bytes, n, id, &key)))
        return apr_psprintf(cmd->pool, "AuthJWTKey: '%s' %s", file, mend);
    if (!config->keys)
        config->keys = apr_array_make(cmd->pool, 2, sizeof(jwt_key_t *));
    if ((mend = check_distinct(cmd, config->keys, key)))
        return mend;
    APR_ARRAY_PUSH(config->keys, jwt_key_t *) = key;
    server_config(cmd->server)->has_key = 1;
    return NULL;
}

static const char *set_signing_key(cmd_parms *cmd, void *dir, const char *name, const char *file, const char *id)
{
    jwt_config_t *config = dir;
    const jwt_algorithm_t *algorithm;
    const char *mend;
    char *bytes;
    apr_size_t n;

    if ((mend = key_arguments(cmd, name, file, id, &algorithm, &bytes, &n)))
        return mend;
    if ((mend = jwt_signer_make(cmd->pool, algorithm, bytes, n, id, &config->signer)))
        return apr_psprintf(cmd->pool, "AuthJWTSigningKey: '%s' %s", file, mend);
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

static const char *set_role_claim(cmd_parms *cmd, void *dir, const char *arg)
{
    server_config_t *server = server_config(cmd->server);

    server->claim = server->claim ? server->claim : cmd->directive;
    return ap_set_string_slot(cmd, dir, arg);
}

static const char *add_allowed(cmd_parms *cmd, void *dir, const char *arg)
{
    server_config_t *server = server_config(cmd->server);
    const char *mend = check_role(cmd, arg);

    server->allowed = server->allowed ? server->allowed : cmd->directive;
    return mend ? mend : add_text(cmd, dir, arg);
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
    server_config_t *server = server_config(cmd->server);

    if (strcasecmp(arg, "JWT"))
        return NULL;
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        return has_authn_core() ? NULL : "AuthType JWT: nothing authenticates without it; load mod_authn_core";
    if (!server->type)
        server->type = cmd->directive;
    return NULL;
}

static int complain(server_rec *s, const ap_directive_t *directive, const char *mend)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "TRSAJ01: %s line %d: %s %s: %s", directive->filename,
                 directive->line_num, directive->directive, directive->args, mend);
    return !OK;
}

int jwt_config_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                     apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *main_server)
{
    int outcome = OK;

    for (server_rec *s = main_server; s; s = s->next) {
        const server_config_t *server = server_config(s);

        if (!server || (s != main_server && server == server_config(main_server)))
            continue;
        if (server->type && !has_authn_core())
            outcome = complain(s, server->type, "nothing authenticates without it; load mod_authn_core");
        if (server->type && !server->has_key)
            outcome = complain(s, server->type, "no key verifies tokens here; add AuthJWTKey HS256 keys/token");
        if (server->claim && !server->allowed)
            outcome = complain(s, server->claim, "no role is allowed; add AuthJWTRoleAllow with the roles it may name");
        if (server->allowed && !server->claim)
            outcome = complain(s, server->allowed, "no claim names a role; add AuthJWTRoleClaim role");
    }
    return outcome;
}

#define ANYWHERE       (RSRC_CONF | ACCESS_CONF)
#define MEMBER(member) ((void *)APR_OFFSETOF(jwt_config_t, member))

const command_rec jwt_commands[] = {
    AP_INIT_TAKE1("AuthType", note_auth_type, NULL, OR_AUTHCFG, "JWT: tokens are verified by mod_auth_jwt"),
    AP_INIT_TAKE23("AuthJWTKey", set_key, NULL, ANYWHERE, "algorithm, file and kid of a key that verifies tokens"),
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
    AP_INIT_TAKE1("AuthJWTRolesClaim", ap_set_string_slot, MEMBER(roles_claim), ANYWHERE,
                  "claim with the application roles"),
    AP_INIT_TAKE1("AuthJWTLeeway", set_leeway, NULL, ANYWHERE, "how far clocks may differ, at most 120s"),
    AP_INIT_TAKE1("AuthJWTMaxAge", set_max_age, NULL, ANYWHERE, "the longest time from iat to exp, or Off"),
    AP_INIT_TAKE1("AuthJWTMaxLength", set_length, NULL, ANYWHERE, "the most bytes of a token"),
    AP_INIT_TAKE_ARGV("AuthJWTClearCookie", set_clear_cookie, NULL, ANYWHERE,
                      "On: a refused cookie is cleared; then the attributes it was set with"),
    { NULL }
};
