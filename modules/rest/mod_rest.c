/*
 * mod_rest: REST resources over a database schema. Routes lead paths to functions, tables and views; the dialect pages
 * offers tables and views under their own names. What a caller may see and change is the database's decision.
 */
#include "rest_config.h"
#include "rest_handler.h"
#include "rest_snapshot.h"

#include "directive.h"
#include "section.h"
#include "setting.h"
#include "trestle.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_request.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA rest_module;

APLOG_USE_MODULE(rest);

static void *create_dir_config(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    rest_dir_t *conf = apr_pcalloc(p, sizeof(*conf));

    conf->body_limit = TRESTLE_UNSET;
    conf->fields_max = TRESTLE_UNSET;
    conf->rows_max = TRESTLE_UNSET;
    conf->query_limit = TRESTLE_UNSET;
    conf->page_size = TRESTLE_UNSET;
    conf->filters_max = TRESTLE_UNSET;
    conf->expand_depth = TRESTLE_UNSET;
    conf->expand_rows = TRESTLE_UNSET;
    conf->count = TRESTLE_UNSET;
    conf->timeout = TRESTLE_UNSET;
    conf->refuse_unknown = TRESTLE_UNSET;
    conf->content_types = TRESTLE_UNSET;
    return conf;
}

/* The sections of add before those of base. Copies only the list, never the routes: merges run for each request. */
static const rest_sections_t *join_sections(apr_pool_t *p, const rest_sections_t *add, const rest_sections_t *base)
{
    rest_sections_t *copy;

    if (!add || !base)
        return add ? add : base;
    copy = apr_palloc(p, sizeof(*copy));
    copy->routes = add->routes;
    copy->outer = join_sections(p, add->outer, base);
    return copy;
}

static void *merge_dir_config(apr_pool_t *p, void *base_config, void *add_config)
{
    const rest_dir_t *base = base_config, *add = add_config;
    rest_dir_t *merged = apr_palloc(p, sizeof(*merged));

    merged->schema = TRESTLE_PICK_PTR(base, add, schema);
    merged->prefix = TRESTLE_PICK_PTR(base, add, prefix);
    merged->sections = join_sections(p, add->sections, base->sections);
    merged->pre_request = TRESTLE_PICK_PTR(base, add, pre_request);
    merged->role = TRESTLE_PICK_PTR(base, add, role);
    merged->body_limit = TRESTLE_PICK(base, add, body_limit);
    merged->fields_max = TRESTLE_PICK(base, add, fields_max);
    merged->rows_max = TRESTLE_PICK(base, add, rows_max);
    merged->query_limit = TRESTLE_PICK(base, add, query_limit);
    merged->page_size = TRESTLE_PICK(base, add, page_size);
    merged->filters_max = TRESTLE_PICK(base, add, filters_max);
    merged->expand_depth = TRESTLE_PICK(base, add, expand_depth);
    merged->expand_rows = TRESTLE_PICK(base, add, expand_rows);
    merged->count = TRESTLE_PICK(base, add, count);
    merged->timeout = TRESTLE_PICK(base, add, timeout);
    merged->refuse_unknown = TRESTLE_PICK(base, add, refuse_unknown);
    merged->content_types = TRESTLE_PICK(base, add, content_types);
    return merged;
}

/* Names of roles and schemas. */
static const char *set_name(cmd_parms *cmd, const char **name, const char *arg, const char *example)
{
    if (!trestle_setting_is_identifier(arg))
        return apr_psprintf(cmd->pool,
                            "%s '%s' is not a plain name of at most 63 of a-z, 0-9 and _; write for example %s",
                            cmd->cmd->name, arg, example);
    *name = arg;
    return NULL;
}

static const char *set_schema(cmd_parms *cmd, void *dir, const char *arg)
{
    if (!strncmp(arg, "pg_", 3) || !strcmp(arg, "information_schema"))
        return apr_psprintf(
            cmd->pool,
            "RestSchema '%s' is the server's own: offer a schema that holds what clients may see; write "
            "for example api",
            arg);
    return set_name(cmd, &((rest_dir_t *)dir)->schema, arg, "api");
}

static const char *set_role(cmd_parms *cmd, void *dir, const char *arg)
{
    if (!strcmp(arg, "none") || !strcmp(arg, "public"))
        return apr_psprintf(cmd->pool,
                            "RestRole '%s' is no role of its own in PostgreSQL; write for example shop_anonymous", arg);
    return set_name(cmd, &((rest_dir_t *)dir)->role, arg, "shop_anonymous");
}

/* The dialect needs to know where its names begin: the path of a plain <Location>, or the root. */
static const char *set_pre_request(cmd_parms *cmd, void *dir, const char *arg)
{
    rest_dir_t *conf = dir;
    const char *dot = strchr(arg, '.'), *schema = dot ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(dot - arg)) : "";

    if (!strcasecmp(arg, "Off")) {
        conf->pre_request = "";
        return NULL;
    }
    if (!trestle_setting_is_identifier(schema) || !trestle_setting_is_identifier(dot + 1))
        return apr_psprintf(
            cmd->pool,
            "RestPreRequest '%s' names no function: write its schema and its name (a-z, 0-9 and _), for "
            "example trestle.require_session, or Off",
            arg);
    conf->pre_request = apr_psprintf(cmd->pool, "SELECT \"%s\".\"%s\"()", schema, dot + 1);
    return NULL;
}

static const char *set_dialect(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *path = cmd->path;

    if (strcmp(arg, "pages"))
        return apr_psprintf(cmd->pool, "RestDialect '%s' is not offered; write RestDialect pages", arg);
    if (path
        && (path[0] != '/' || ap_is_matchexp(path) || cmd->directive->parent == NULL
            || strcasecmp(cmd->directive->parent->directive, "<Location") || cmd->directive->parent->args[0] == '~'))
        return "RestDialect needs a plain path to count names from; put it into <Location \"/path\"> without patterns, "
               "or into the server or virtual host";
    ((rest_dir_t *)dir)->prefix =
        !path ? "/" : apr_pstrcat(cmd->pool, path, path[strlen(path) - 1] == '/' ? "" : "/", NULL);
    return NULL;
}

static const char *add_route(cmd_parms *cmd, void *dir, const char *methods, const char *path, const char *target)
{
    rest_dir_t *conf = dir;
    const char *mistake;

    if (!conf->sections) {
        rest_sections_t *section = apr_pcalloc(cmd->pool, sizeof(*section));

        section->routes = rest_routes_make(cmd->pool);
        conf->sections = section;
    }
    mistake = rest_routes_add(conf->sections->routes, cmd->pool, methods, path, target);
    return mistake ? apr_pstrcat(cmd->pool, "RestRoute: ", mistake, NULL) : NULL;
}

/* Where values go, and their bounds: bytes, numbers, microseconds. */
#define RANGE(field, least, most) static const trestle_range_t field = { offsetof(rest_dir_t, field), least, most }

RANGE(body_limit, 1, 1024LL * 1024 * 1024);
RANGE(query_limit, 1, 1024 * 1024);
RANGE(fields_max, 1, 1000000);
RANGE(rows_max, 1, 1000000);
RANGE(page_size, 1, 1000000);
RANGE(filters_max, 0, 1000);
RANGE(expand_depth, 0, 10);
RANGE(expand_rows, 1, 100000);
RANGE(timeout, 1000, 3600 * APR_USEC_PER_SEC);

/* In the order of rest_count_e, of rest_types_e, and of 0 and 1. */
static const char *const count_words[] = { "exact", "asked", "none", NULL };
static const char *const type_words[] = { "strict", "any", "json", NULL };
static const char *const unknown_words[] = { "ignore", "refuse", NULL };
static const trestle_words_t count = { offsetof(rest_dir_t, count), count_words, NULL };
static const trestle_words_t content_types = { offsetof(rest_dir_t, content_types), type_words, NULL };
static const trestle_words_t unknown_arguments = { offsetof(rest_dir_t, refuse_unknown), unknown_words, NULL };

static const command_rec commands[] = {
    AP_INIT_TAKE1("RestSchema", set_schema, NULL, RSRC_CONF | ACCESS_CONF,
                  "the database schema whose tables, views and functions are offered"),
    AP_INIT_TAKE1("RestDialect", set_dialect, NULL, RSRC_CONF | ACCESS_CONF,
                  "how tables and views are offered under their own names: pages"),
    AP_INIT_TAKE3("RestRoute", add_route, NULL, RSRC_CONF | ACCESS_CONF,
                  "method, path template and target: a function name(), a table or a view"),
    AP_INIT_TAKE1("RestPreRequest", set_pre_request, NULL, RSRC_CONF | ACCESS_CONF,
                  "schema.function that is called in each request's transaction before its statement, or Off"),
    AP_INIT_TAKE1("RestRole", set_role, NULL, RSRC_CONF | ACCESS_CONF,
                  "the database role of callers in locations without authentication"),
    AP_INIT_TAKE1("RestBodyLimit", trestle_set_size, (void *)&body_limit, RSRC_CONF | ACCESS_CONF,
                  "the largest request body, in bytes or with K, M or G"),
    AP_INIT_TAKE1("RestFieldsMax", trestle_set_number, (void *)&fields_max, RSRC_CONF | ACCESS_CONF,
                  "the most fields of a query or of a body"),
    AP_INIT_TAKE1("RestRowsMax", trestle_set_number, (void *)&rows_max, RSRC_CONF | ACCESS_CONF,
                  "the most rows of a page or of a function's set"),
    AP_INIT_TAKE1("RestQueryLimit", trestle_set_size, (void *)&query_limit, RSRC_CONF | ACCESS_CONF,
                  "the longest query string, in bytes or with K or M"),
    AP_INIT_TAKE1("RestPageSize", trestle_set_number, (void *)&page_size, RSRC_CONF | ACCESS_CONF,
                  "the rows of a page unless the client says otherwise"),
    AP_INIT_TAKE1("RestFiltersMax", trestle_set_number, (void *)&filters_max, RSRC_CONF | ACCESS_CONF,
                  "the most conditions of a request"),
    AP_INIT_TAKE1("RestExpandDepth", trestle_set_number, (void *)&expand_depth, RSRC_CONF | ACCESS_CONF,
                  "the most relationships behind each other in expand, filters and ordering"),
    AP_INIT_TAKE1("RestExpandRows", trestle_set_number, (void *)&expand_rows, RSRC_CONF | ACCESS_CONF,
                  "the most rows of a list within a row"),
    AP_INIT_TAKE1("RestCount", trestle_set_word, (void *)&count, RSRC_CONF | ACCESS_CONF,
                  "when the rows of a list are counted: exact, asked or none"),
    AP_INIT_TAKE1("RestTimeout", trestle_set_duration, (void *)&timeout, RSRC_CONF | ACCESS_CONF,
                  "the longest time a request may use the database"),
    AP_INIT_TAKE1("RestUnknownArguments", trestle_set_word, (void *)&unknown_arguments, RSRC_CONF | ACCESS_CONF,
                  "what happens to fields that a function does not have: refuse or ignore"),
    AP_INIT_TAKE1("RestContentType", trestle_set_word, (void *)&content_types, RSRC_CONF | ACCESS_CONF,
                  "strict: JSON must be declared as such; any: whatever is no form is read as JSON; json: no forms"),
    { NULL }
};

static int check_config(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp,
                        server_rec *s)
{
    const ap_directive_t *handler;

    if (!rest_handler_retrieve()) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s,
                     "TRSRE04: mod_rest needs mod_pg; add LoadModule pg_module before LoadModule rest_module");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if ((handler = trestle_section_lacking(ptemp, "rest", "PgUse"))) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s,
                     "TRSRE06: %s line %d: SetHandler rest has no database here; add PgUse with the name of a pool",
                     handler->filename, handler->line_num);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static int post_config(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                       apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG)
        rest_handler_listen(s);
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_status_t rv = rest_snapshot_init(pchild);

    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "TRSRE05: no memory for catalogues");
}

static int handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, "rest"))
        return DECLINED;
    return rest_handler_run(r, ap_get_module_config(r->per_dir_config, &rest_module));
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    static const char *const pg[] = { "mod_pg.c", NULL };

    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, pg, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA rest_module = {
    STANDARD20_MODULE_STUFF, create_dir_config, merge_dir_config, NULL, NULL, commands, register_hooks, 0
};
