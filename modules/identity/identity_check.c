#include "identity_check.h"

#include "identity_config.h"
#include "identity_operation.h"
#include "setting.h"
#include "trestle.h"

#include "ap_listen.h"
#include "http_log.h"

#include <apr_fnmatch.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

extern module AP_MODULE_DECLARE_DATA identity_module;
APLOG_USE_MODULE(identity);

/* A directive and the configuration of its section. */
typedef struct {
    const ap_directive_t *directive;
    const identity_config_t *section;
    const identity_operation_t *operation; /* of SetHandler */
    const char *path;                      /* that the section is for, as literal_path says */
} noted_t;

/* Something that operations need. */
typedef struct {
    int need;
    const char *path;
} provided_t;

struct identity_notes_t {
    apr_array_header_t *operations; /* noted_t */
    apr_array_header_t *provided;   /* provided_t */
    apr_array_header_t *cookies;    /* noted_t: cookies that demand Secure */
    const ap_directive_t *plain;    /* the first IdentityPlainCookies On */
};

identity_notes_t *identity_notes_make(apr_pool_t *pool)
{
    identity_notes_t *notes = apr_pcalloc(pool, sizeof(*notes));

    notes->operations = apr_array_make(pool, 2, sizeof(noted_t));
    notes->provided = apr_array_make(pool, 2, sizeof(provided_t));
    notes->cookies = apr_array_make(pool, 2, sizeof(noted_t));
    return notes;
}

static identity_notes_t *notes_of(cmd_parms *cmd)
{
    return identity_server_config(cmd->server)->notes;
}

/* The path of a plain <Location>, "" for what stands in no section of paths; NULL where only a request tells. */
static const char *literal_path(const cmd_parms *cmd)
{
    const char *path = cmd->path;

    for (const ap_directive_t *parent = cmd->directive->parent; parent; parent = parent->parent)
        if (!strcasecmp(parent->directive, "<Location"))
            return path && *path == '/' && !apr_fnmatch_test(path) ? path : NULL;
        else if (strcasecmp(parent->directive, "<VirtualHost") && strcasecmp(parent->directive, "<IfModule")
                 && strcasecmp(parent->directive, "<IfDefine") && strcasecmp(parent->directive, "<IfVersion"))
            return NULL;
    return "";
}

/* 1 if what stands at provided may count at path. */
static int may_reach(const char *provided, const char *path)
{
    size_t n = provided ? strlen(provided) : 0;

    if (!provided || !path || !n)
        return 1;
    return !strncmp(provided, path, n) && (provided[n - 1] == '/' || !path[n] || path[n] == '/');
}

void identity_note_operation(cmd_parms *cmd, const void *section, const char *handler)
{
    noted_t noted = { cmd->directive, section, identity_operation_find(handler), literal_path(cmd) };

    APR_ARRAY_PUSH(notes_of(cmd)->operations, noted_t) = noted;
}

void identity_note_provided(cmd_parms *cmd, int need)
{
    provided_t provided = { need, literal_path(cmd) };

    APR_ARRAY_PUSH(notes_of(cmd)->provided, provided_t) = provided;
}

void identity_note_secure_cookie(cmd_parms *cmd, const void *section)
{
    noted_t noted = { cmd->directive, section, NULL, NULL };

    APR_ARRAY_PUSH(notes_of(cmd)->cookies, noted_t) = noted;
}

void identity_note_plain_cookies(cmd_parms *cmd)
{
    if (!notes_of(cmd)->plain)
        notes_of(cmd)->plain = cmd->directive;
}

static int complain(server_rec *s, const ap_directive_t *directive, const char *mend)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "TRSID15: %s line %d: %s %s: %s", directive->filename,
                 directive->line_num, directive->directive, directive->args, mend);
    return !OK;
}

static int provides(const identity_notes_t *notes, int need, const char *path)
{
    for (int i = 0; i < notes->provided->nelts; i++) {
        const provided_t *provided = &APR_ARRAY_IDX(notes->provided, i, provided_t);

        if (provided->need == need && may_reach(provided->path, path))
            return 1;
    }
    return 0;
}

/* What stands in the main server counts in virtual hosts, and an operation there runs in each of them. */
static int is_provided(server_rec *s, server_rec *main_server, int need, const char *path)
{
    if (provides(identity_server_config(s)->notes, need, path)
        || provides(identity_server_config(main_server)->notes, need, path))
        return 1;
    for (server_rec *host = s == main_server ? s->next : NULL; host; host = host->next)
        if (provides(identity_server_config(host)->notes, need, path))
            return 1;
    return 0;
}

static int check_operation(server_rec *s, server_rec *main_server, const noted_t *noted)
{
    static const struct {
        int need;
        const char *mend;
    } needs[] = {
        { IDENTITY_NEEDS_POOL, "it has no database here; load mod_pg and add PgUse with the name of a pool" },
        { IDENTITY_NEEDS_SIGNING_KEY,
          "no key signs tokens here; load mod_auth_jwt and add AuthJWTSigningKey HS256 keys/token" },
        { IDENTITY_NEEDS_REFRESH_KEY, "no key makes refresh tokens here; add IdentityRefreshKey keys/refresh" },
    };
    const identity_config_t *defaults = ap_get_module_config(s->lookup_defaults, &identity_module);
    int at_once =
        !strcmp(noted->operation->handler, "identity-register") && TRESTLE_PICK(defaults, noted->section, confirm) == 0;
    int wanted = noted->operation->needs | (at_once ? IDENTITY_NEEDS_SIGNING_KEY : 0);

    for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if ((wanted & needs[i].need) && !is_provided(s, main_server, needs[i].need, noted->path))
            return complain(s, noted->directive, needs[i].mend);
    if (at_once && TRESTLE_PICK(defaults, noted->section, taken) == IDENTITY_TAKEN_HIDE)
        return complain(s, noted->directive,
                        "IdentityTaken hide needs IdentityConfirm email; without a mail write IdentityTaken 409");
    return OK;
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
static int check_secure_cookie(server_rec *s, const noted_t *noted)
{
    const identity_config_t *defaults = ap_get_module_config(s->lookup_defaults, &identity_module);

    if (TRESTLE_PICK(defaults, noted->section, plain_cookies) != 1)
        return OK;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                 "TRSID13: %s line %d: %s %s: browsers take a cookie of this name with Secure only; write "
                 "IdentityPlainCookies Off or take another name",
                 noted->directive->filename, noted->directive->line_num, noted->directive->directive,
                 noted->directive->args);
    return !OK;
}

int identity_config_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                          apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        const identity_server_config_t *server = identity_server_config(s);

        if (s != main_server && server == identity_server_config(main_server))
            continue;
        if (check_listeners(s, main_server, server->notes->plain) != OK)
            return !OK;
        for (int i = 0; i < server->notes->cookies->nelts; i++)
            if (check_secure_cookie(s, &APR_ARRAY_IDX(server->notes->cookies, i, noted_t)) != OK)
                return !OK;
        for (int i = 0; i < server->notes->operations->nelts; i++)
            if (check_operation(s, main_server, &APR_ARRAY_IDX(server->notes->operations, i, noted_t)) != OK)
                return !OK;
    }
    return OK;
}
