/*
 * mod_trestle: the facts all modules of the suite share about a request: which application answers it, under which
 * public address, and its request id.
 */
#include "trestle.h"

#include "encoding.h"
#include "setting.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA trestle_module;

APLOG_USE_MODULE(trestle);

typedef struct {
    const char *application; /* NULL inherits; unset everywhere: "default" */
    const char *public_url;  /* origin without trailing slash; NULL inherits; may stay unset */
} server_config_t;

static void *create_server_config(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    return apr_pcalloc(p, sizeof(server_config_t));
}

static void *merge_server_config(apr_pool_t *p, void *base_config, void *add_config)
{
    const server_config_t *base = base_config, *add = add_config;
    server_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->application = TRESTLE_PICK_PTR(base, add, application);
    merged->public_url = TRESTLE_PICK_PTR(base, add, public_url);
    return merged;
}

static server_config_t *config_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &trestle_module);
}

static const char *set_application(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    if (!trestle_setting_is_identifier(arg) || strlen(arg) > 32 || arg[0] == '_')
        return apr_psprintf(cmd->pool,
                            "TrestleApplication '%s' is not 1-32 characters of a-z, 0-9 and _, starting with a "
                            "letter; write for example videoplanet",
                            arg);
    config_of(cmd->server)->application = arg;
    return NULL;
}

static const char *set_public_url(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    apr_uri_t uri;

    if (apr_uri_parse(cmd->pool, arg, &uri) != APR_SUCCESS || !uri.scheme
        || (strcmp(uri.scheme, "https") && strcmp(uri.scheme, "http")) || !uri.hostname || !*uri.hostname || uri.user
        || uri.password || (uri.path && strcmp(uri.path, "/")) || uri.query || uri.fragment)
        return apr_psprintf(cmd->pool,
                            "TrestlePublicURL '%s' is not an origin (scheme, host, optional port, nothing else); "
                            "write for example https://api.example.org",
                            arg);
    config_of(cmd->server)->public_url =
        uri.path ? apr_pstrmemdup(cmd->pool, arg, strlen(arg) - strlen(uri.path)) : arg;
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("TrestleApplication", set_application, NULL, RSRC_CONF,
                  "the application that this server or virtual host answers for: prefix of its keys in shared stores"),
    AP_INIT_TAKE1("TrestlePublicURL", set_public_url, NULL, RSRC_CONF,
                  "the canonical origin of this server or virtual host, for links, issuers and mails"),
    { NULL }
};

static const char *trestle_application(request_rec *r)
{
    const char *name = config_of(r->server)->application;

    return name ? name : "default";
}

static const char *trestle_public_url(request_rec *r)
{
    return config_of(r->server)->public_url;
}

static int is_request_id(const char *id)
{
    size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return n > 0 && n <= 128 && !id[n];
}

/* The id lives in the environment of the initial request, where logs (%{REQUEST_ID}e) and expressions find it. */
static const char *trestle_request_id(request_rec *r)
{
    const char *id;

    while (r->prev || r->main)
        r = r->prev ? r->prev : r->main;
    if ((id = apr_table_get(r->subprocess_env, "REQUEST_ID")))
        return id;
    id = apr_table_get(r->headers_in, "X-Request-ID");
    if (!id || !is_request_id(id))
        id = trestle_uuid(r->pool);
    if (!id)
        id = "-";
    apr_table_setn(r->subprocess_env, "REQUEST_ID", id);
    apr_table_setn(r->err_headers_out, "X-Request-ID", id);
    return id;
}

static int post_read_request(request_rec *r)
{
    const char *id = trestle_request_id(r);

    apr_table_setn(r->subprocess_env, "REQUEST_ID", id);
    apr_table_setn(r->err_headers_out, "X-Request-ID", id);
    return DECLINED;
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    static const char *const before[] = { "mod_remoteip.c", NULL };

    APR_REGISTER_OPTIONAL_FN(trestle_application);
    APR_REGISTER_OPTIONAL_FN(trestle_public_url);
    APR_REGISTER_OPTIONAL_FN(trestle_request_id);
    ap_hook_post_read_request(post_read_request, before, NULL, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA trestle_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, create_server_config, merge_server_config, commands, register_hooks, 0
};
