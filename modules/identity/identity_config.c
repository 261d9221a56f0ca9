#include "identity_config.h"

#include "identity_gate.h"
#include "identity_operation.h"
#include "setting.h"
#include "trestle.h"

#include "ap_listen.h"
#include "http_log.h"

#include <apr_strings.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA identity_module;
APLOG_USE_MODULE(identity);

#define SECONDS(n) ((apr_interval_time_t)(n)*APR_USEC_PER_SEC)

void *identity_config_create_dir(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    identity_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->lifetime = config->status = config->refusal = config->plain_cookies = TRESTLE_UNSET;
    return config;
}

void *identity_config_merge_dir(apr_pool_t *p, void *base_config, void *add_config)
{
    const identity_config_t *base = base_config, *add = add_config;
    identity_config_t *merged = apr_palloc(p, sizeof(*merged));

    merged->claims = TRESTLE_PICK_PTR(base, add, claims);
    merged->answer = TRESTLE_PICK_PTR(base, add, answer);
    merged->cookie = TRESTLE_PICK_PTR(base, add, cookie);
    merged->lifetime = TRESTLE_PICK(base, add, lifetime);
    merged->status = TRESTLE_PICK(base, add, status);
    merged->refusal = TRESTLE_PICK(base, add, refusal);
    merged->plain_cookies = TRESTLE_PICK(base, add, plain_cookies);
    return merged;
}

void *identity_config_create_server(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    identity_server_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->places = config->queue = config->patience = config->cost.memory = TRESTLE_UNSET;
    return config;
}

static identity_server_config_t *server_config(server_rec *s)
{
    return ap_get_module_config(s->module_config, &identity_module);
}

const identity_config_t *identity_config_of(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &identity_module);
}

apr_interval_time_t identity_config_lifetime(const identity_config_t *config)
{
    return TRESTLE_OR(config->lifetime, SECONDS(15 * 60));
}

int identity_config_places(server_rec *main_server)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        cores = 1;
    if (cores > IDENTITY_GATE_PLACES_MOST)
        cores = IDENTITY_GATE_PLACES_MOST;
    return TRESTLE_OR(server_config(main_server)->places, (int)cores);
}

int identity_config_queue(server_rec *main_server)
{
    return TRESTLE_OR(server_config(main_server)->queue, 4 * identity_config_places(main_server));
}

apr_interval_time_t identity_config_patience(server_rec *main_server)
{
    return TRESTLE_OR(server_config(main_server)->patience, SECONDS(2));
}

identity_cost_t identity_config_cost(server_rec *main_server)
{
    const identity_cost_t least = { 19 * 1024 * 1024, 2 }, set = server_config(main_server)->cost;

    return set.memory != TRESTLE_UNSET ? set : least;
}

static const char *set_function(cmd_parms *cmd, void *dir, const char *arg)
{
    identity_function_t *function = apr_palloc(cmd->pool, sizeof(*function));
    const char *dot = strchr(arg, '.');

    function->schema = dot ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(dot - arg)) : "";
    function->name = dot ? dot + 1 : "";
    if (!trestle_setting_is_identifier(function->schema) || !trestle_setting_is_identifier(function->name))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not schema.name of an SQL function (a-z, 0-9 and _ only); write for example "
                            "shop.login_claims",
                            cmd->cmd->name, arg);
    *(const identity_function_t **)((char *)dir + (apr_size_t)cmd->info) = function;
    return NULL;
}

/* The core's directive, which names a handler: httpd calls every module that has one of the name. */
static const char *check_handler(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    if (!identity_operation_is_ours(arg) || identity_operation_find(arg))
        return NULL;
    return apr_psprintf(cmd->pool, "SetHandler: '%s' is no operation of mod_identity; write SetHandler %s", arg,
                        identity_operation_names(cmd->pool));
}

static const char *set_lifetime(cmd_parms *cmd, void *dir, const char *arg)
{
    return trestle_setting_duration(cmd->pool, arg, SECONDS(10), SECONDS(400 * 86400LL),
                                    &((identity_config_t *)dir)->lifetime);
}

static const char *set_status(cmd_parms *cmd, void *dir, const char *arg)
{
    if (strcmp(arg, "200") && strcmp(arg, "201"))
        return apr_psprintf(cmd->pool, "IdentityStatus: '%s' is no status of a sign-in; write 200 or 201", arg);
    ((identity_config_t *)dir)->status = arg[2] == '0' ? 200 : 201;
    return NULL;
}

static const char *set_refusal(cmd_parms *cmd, void *dir, const char *arg)
{
    if (strcmp(arg, "401") && strcmp(arg, "403"))
        return apr_psprintf(cmd->pool, "IdentityRefusal: '%s' is no status of a refused sign-in; write 401 or 403",
                            arg);
    ((identity_config_t *)dir)->refusal = arg[2] == '1' ? 401 : 403;
    return NULL;
}

static void note_secure_cookie(cmd_parms *cmd, const identity_config_t *section)
{
    identity_server_config_t *server = server_config(cmd->server);
    identity_secure_cookie_t noted = { cmd->directive, section };

    if (!server->secure)
        server->secure = apr_array_make(cmd->pool, 2, sizeof(noted));
    APR_ARRAY_PUSH(server->secure, identity_secure_cookie_t) = noted;
}

static const char *set_cookie(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    trestle_cookie_t *cookie = apr_palloc(cmd->pool, sizeof(*cookie));
    const char *mend = argc < 1 ? "write the name of a cookie, then its attributes, or Off" : NULL;

    *cookie = trestle_cookie_make(argc < 1 || !strcasecmp(argv[0], "Off") ? NULL : argv[0]);
    if (cookie->name)
        mend = trestle_cookie_check_name(cmd->pool, cookie->name);
    for (int i = 1; !mend && i < argc; i++)
        mend = trestle_cookie_attribute(cmd->pool, argv[i], cookie);
    if (!mend && cookie->name)
        mend = trestle_cookie_check(cmd->pool, cookie);
    if (!mend && cookie->name && trestle_cookie_is_secure(cookie->name))
        note_secure_cookie(cmd, dir);
    ((identity_config_t *)dir)->cookie = cookie;
    return mend ? apr_pstrcat(cmd->pool, "IdentityCookie: ", mend, NULL) : NULL;
}

static const char *set_plain_cookies(cmd_parms *cmd, void *dir, int on)
{
    identity_server_config_t *server = server_config(cmd->server);

    ((identity_config_t *)dir)->plain_cookies = on;
    if (on && !server->plain)
        server->plain = cmd->directive;
    return NULL;
}

static const char *set_places(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t places;

    if (!mend && !(mend = trestle_setting_number(cmd->pool, arg, 1, IDENTITY_GATE_PLACES_MOST, &places)))
        server_config(cmd->server)->places = (int)places;
    return mend;
}

static const char *set_queue(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t queue;

    if (!mend && !(mend = trestle_setting_number(cmd->pool, arg, 0, IDENTITY_GATE_QUEUE_MOST, &queue)))
        server_config(cmd->server)->queue = (int)queue;
    return mend;
}

static const char *set_patience(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return mend ? mend
                : trestle_setting_duration(cmd->pool, arg, 1000, SECONDS(60), &server_config(cmd->server)->patience);
}

static const char *set_cost(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *memory, const char *passes)
{
    identity_cost_t *cost = &server_config(cmd->server)->cost;
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t value;

    if (mend || (mend = trestle_setting_size(cmd->pool, memory, 8192, 1 << 30, &value)))
        return mend;
    if (value % 1024)
        return apr_psprintf(cmd->pool, "IdentityHashCost: %s is not a multiple of 1024 bytes; write for example 19M",
                            memory);
    cost->memory = value;
    mend = trestle_setting_number(cmd->pool, passes, 1, 10, &value);
    cost->passes = (int)value;
    return mend;
}

int identity_is_loopback(const apr_sockaddr_t *address)
{
    if (address->family == APR_INET)
        return ntohl(address->sa.sin.sin_addr.s_addr) >> 24 == 127;
#if APR_HAVE_IPV6
    if (address->family == APR_INET6) {
        const struct in6_addr *six = &address->sa.sin6.sin6_addr;

        return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
    }
#endif
    return 0;
}

/* 1 if connections that the listener accepts may come to s, from elsewhere than this host and without TLS. */
static int is_reached_openly(server_rec *s, server_rec *main_server, const ap_listen_rec *listener)
{
    if (identity_is_loopback(listener->bind_addr) || (listener->protocol && !strcasecmp(listener->protocol, "https")))
        return 0;
    if (s == main_server)
        return 1;
    for (const server_addr_rec *address = s->addrs; address; address = address->next)
        if ((!address->host_port || address->host_port == listener->bind_addr->port)
            && !identity_is_loopback(address->host_addr))
            return 1;
    return 0;
}

static int check_listeners(server_rec *s, server_rec *main_server, const ap_directive_t *plain)
{
    for (const ap_listen_rec *listener = ap_listeners; plain && listener; listener = listener->next)
        if (is_reached_openly(s, main_server, listener)) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                         "TRSID01: %s line %d: IdentityPlainCookies On, but this server also listens for plain "
                         "HTTP on %pI, which is not loopback; write Listen 127.0.0.1:%d or switch it Off",
                         plain->filename, plain->line_num, listener->bind_addr, listener->bind_addr->port);
            return !OK;
        }
    return OK;
}

/* Cookies that demand Secure, in sections that leave it out themselves or by their server. */
static int check_secure_cookies(server_rec *s, const apr_array_header_t *cookies)
{
    const identity_config_t *defaults = ap_get_module_config(s->lookup_defaults, &identity_module);

    for (int i = 0; cookies && i < cookies->nelts; i++) {
        const identity_secure_cookie_t *noted = &APR_ARRAY_IDX(cookies, i, identity_secure_cookie_t);

        if (TRESTLE_PICK(defaults, noted->section, plain_cookies) == 1) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                         "TRSID13: %s line %d: IdentityCookie %s: browsers take a cookie of this name with Secure "
                         "only; write IdentityPlainCookies Off or take another name",
                         noted->directive->filename, noted->directive->line_num, noted->directive->args);
            return !OK;
        }
    }
    return OK;
}

int identity_config_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                          apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        const identity_server_config_t *server = server_config(s);

        if (!server || (s != main_server && server == server_config(main_server)))
            continue;
        if (check_listeners(s, main_server, server->plain) != OK || check_secure_cookies(s, server->secure) != OK)
            return !OK;
    }
    return OK;
}

#define ANYWHERE       (RSRC_CONF | ACCESS_CONF)
#define MEMBER(member) ((void *)APR_OFFSETOF(identity_config_t, member))

const command_rec identity_commands[] = {
    AP_INIT_TAKE1("SetHandler", check_handler, NULL, OR_FILEINFO, "identity-login: sign-in by address and password"),
    AP_INIT_TAKE1("IdentityClaimsFunction", set_function, MEMBER(claims), ANYWHERE,
                  "SQL function (account bigint) with more claims for tokens, as jsonb"),
    AP_INIT_TAKE1("IdentityAnswerFunction", set_function, MEMBER(answer), ANYWHERE,
                  "SQL function (account bigint, token text) with the body of the answer, as jsonb"),
    AP_INIT_TAKE1("IdentityTokenLifetime", set_lifetime, NULL, ANYWHERE, "how long a token is good"),
    AP_INIT_TAKE1("IdentityStatus", set_status, NULL, ANYWHERE, "status of a successful sign-in: 200 or 201"),
    AP_INIT_TAKE1("IdentityRefusal", set_refusal, NULL, ANYWHERE, "status of wrong credentials: 401 or 403"),
    AP_INIT_TAKE_ARGV("IdentityCookie", set_cookie, NULL, ANYWHERE,
                      "name and attributes of the cookie that carries the token, or Off"),
    AP_INIT_FLAG("IdentityPlainCookies", set_plain_cookies, NULL, ANYWHERE,
                 "On: cookies without Secure on plain HTTP over loopback"),
    AP_INIT_TAKE1("IdentityHashGate", set_places, NULL, RSRC_CONF, "how many passwords are hashed at once"),
    AP_INIT_TAKE1("IdentityHashQueue", set_queue, NULL, RSRC_CONF, "how many sign-ins wait for their turn to hash"),
    AP_INIT_TAKE1("IdentityHashWait", set_patience, NULL, RSRC_CONF, "how long a sign-in waits for its turn to hash"),
    AP_INIT_TAKE2("IdentityHashCost", set_cost, NULL, RSRC_CONF, "memory and passes of Argon2id"),
    { NULL }
};
