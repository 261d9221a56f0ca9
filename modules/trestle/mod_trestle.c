/*
 * mod_trestle: what all modules of the suite share about a request: which application answers it, under which public
 * address, its request id and time, and that its URL names no file.
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
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA trestle_module;

APLOG_USE_MODULE(trestle);

typedef struct {
    const char *application; /* NULL inherits; unset everywhere: "default" */
    const char *public_url;  /* origin without trailing slash; NULL inherits; may stay unset */
} server_config_t;

typedef struct {
    int response_time; /* 1: answers carry X-Response-Time; TRESTLE_UNSET inherits, default 0 */
} dir_config_t;

/* Handlers of the suite; one that ends in a hyphen stands for all names that begin so. None of them answers from a file. */
static const char *const handlers[] = { "rest", "identity-", "health-" };

/* The file name of a request that names no file; its address tells it from a file of the same name. */
static char no_file[] = "trestle:handler";

static const char response_time_filter[] = "TRESTLE_RESPONSE_TIME";

static void *create_dir_config(apr_pool_t *p, char *path TRESTLE_UNUSED)
{
    dir_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->response_time = TRESTLE_UNSET;
    return config;
}

static void *merge_dir_config(apr_pool_t *p, void *base_config, void *add_config)
{
    const dir_config_t *base = base_config, *add = add_config;
    dir_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->response_time = TRESTLE_PICK(base, add, response_time);
    return merged;
}

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
                            "letter; write for example shop",
                            arg);
    config_of(cmd->server)->application = arg;
    return NULL;
}

static const char *set_public_url(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    apr_uri_t uri;

    if (apr_uri_parse(cmd->pool, arg, &uri) != APR_SUCCESS || !uri.scheme
        || (strcmp(uri.scheme, "https") && strcmp(uri.scheme, "http")) || !uri.hostname || !*uri.hostname || uri.user
        || uri.password || (uri.path && strcmp(uri.path, "/")) || uri.query || uri.fragment
        || (uri.port_str && (strlen(uri.port_str) > 5 || atoi(uri.port_str) < 1 || atoi(uri.port_str) > 65535)))
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
    AP_INIT_FLAG("TrestleResponseTime", ap_set_flag_slot, (void *)offsetof(dir_config_t, response_time), OR_FILEINFO,
                 "On: answers carry X-Response-Time, the milliseconds from the request's arrival to its answer"),
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

/* The handler that r's location sets (SetHandler), NULL if none. */
static const char *handler_of(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *error = NULL, *handler = core->handler;

    if (core->expr_handler) {
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
        if (error)
            return NULL;
    }
    return handler;
}

static int is_ours(const char *handler)
{
    for (unsigned i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        size_t n = strlen(handlers[i]);

        if (handlers[i][n - 1] == '-' ? !strncmp(handler, handlers[i], n) : !strcmp(handler, handlers[i]))
            return 1;
    }
    return 0;
}

/* Our URLs name no files: without this, httpd would look for each of them in the document root. */
static int translate_name(request_rec *r)
{
    const char *handler = handler_of(r);

    if (!handler || !is_ours(handler))
        return DECLINED;
    r->filename = no_file;
    return OK;
}

/* TRACE is answered by this hook of httpd's; where it is off our handlers refuse it, since they know what they take. */
static int map_to_storage(request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);

    if (r->filename != no_file || (r->method_number == M_TRACE && core->trace_enable != AP_TRACE_DISABLE))
        return DECLINED;
    return OK;
}

/* Runs once, when the first part of the answer passes: headers are still to be sent. */
static apr_status_t add_response_time(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;

    ap_remove_output_filter(f);
    apr_table_setn(r->err_headers_out, "X-Response-Time",
                   apr_psprintf(r->pool, "%" APR_TIME_T_FMT "ms", apr_time_as_msec(apr_time_now() - r->request_time)));
    return ap_pass_brigade(f->next, brigade);
}

static void insert_filter(request_rec *r)
{
    const dir_config_t *config = ap_get_module_config(r->per_dir_config, &trestle_module);

    if (config->response_time == 1 && !r->main)
        ap_add_output_filter(response_time_filter, NULL, r, r->connection);
}

/* Errors carry the id too: of a request that was never read nobody has asked for it yet, and httpd drops it when the
 * error comes up while a body is read or an answer is sent. */
static void insert_error_filter(request_rec *r)
{
    (void)post_read_request(r);
    insert_filter(r);
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    static const char *const before[] = { "mod_remoteip.c", NULL };

    APR_REGISTER_OPTIONAL_FN(trestle_application);
    APR_REGISTER_OPTIONAL_FN(trestle_public_url);
    APR_REGISTER_OPTIONAL_FN(trestle_request_id);
    ap_hook_post_read_request(post_read_request, before, NULL, APR_HOOK_FIRST);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_register_output_filter(response_time_filter, add_response_time, NULL, AP_FTYPE_CONTENT_SET);
    ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(insert_error_filter, NULL, NULL, APR_HOOK_LAST);
}

module AP_MODULE_DECLARE_DATA trestle_module = { STANDARD20_MODULE_STUFF, create_dir_config,
                                                 merge_dir_config,        create_server_config,
                                                 merge_server_config,     commands,
                                                 register_hooks,          0 };
