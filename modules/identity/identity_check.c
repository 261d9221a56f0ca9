#include "identity_check.h"

#include "identity_config.h"
#include "identity_operation.h"
#include "section.h"
#include "setting.h"
#include "trestle.h"

#include "ap_listen.h"
#include "http_log.h"

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
} noted_t;

struct identity_notes_t {
    apr_array_header_t *operations; /* noted_t */
    apr_array_header_t *cookies;    /* noted_t: cookies that demand Secure */
    const ap_directive_t *plain;    /* the first IdentityPlainCookies On */
};

identity_notes_t *identity_notes_make(apr_pool_t *pool)
{
    identity_notes_t *notes = apr_pcalloc(pool, sizeof(*notes));

    notes->operations = apr_array_make(pool, 2, sizeof(noted_t));
    notes->cookies = apr_array_make(pool, 2, sizeof(noted_t));
    return notes;
}

static identity_notes_t *notes_of(cmd_parms *cmd)
{
    return identity_server_config(cmd->server)->notes;
}

void identity_note_operation(cmd_parms *cmd, const void *section, const char *handler)
{
    noted_t noted = { cmd->directive, section, identity_operation_find(handler) };

    APR_ARRAY_PUSH(notes_of(cmd)->operations, noted_t) = noted;
}

void identity_note_secure_cookie(cmd_parms *cmd, const void *section)
{
    noted_t noted = { cmd->directive, section, NULL };

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

static int check_operation(apr_pool_t *pool, server_rec *s, const noted_t *noted)
{
    static const struct {
        int need;
        const char *directive, *mend;
    } needs[] = {
        { IDENTITY_NEEDS_POOL, "PgUse", "it has no database here; load mod_pg and add PgUse with the name of a pool" },
        { IDENTITY_NEEDS_SIGNING_KEY, "AuthJWTSigningKey",
          "no key signs tokens here; load mod_auth_jwt and add AuthJWTSigningKey HS256 keys/token" },
        { IDENTITY_NEEDS_REFRESH_KEY, "IdentityRefreshKey",
          "no key makes refresh tokens here; add IdentityRefreshKey keys/refresh" },
    };
    const identity_config_t *defaults = ap_get_module_config(s->lookup_defaults, &identity_module);
    int at_once =
        !strcmp(noted->operation->handler, "identity-register") && TRESTLE_PICK(defaults, noted->section, confirm) == 0;
    int wanted = noted->operation->needs | (at_once ? IDENTITY_NEEDS_SIGNING_KEY : 0);

    for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if ((wanted & needs[i].need) && !trestle_section_provides(pool, noted->directive, needs[i].directive))
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

int identity_config_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp,
                          server_rec *main_server)
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
            if (check_operation(ptemp, s, &APR_ARRAY_IDX(server->notes->operations, i, noted_t)) != OK)
                return !OK;
    }
    return OK;
}
