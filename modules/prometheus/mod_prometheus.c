/*
 * mod_prometheus: what watches a server asks it. Handlers health-live (the server runs) and health-ready (it can work:
 * its database answers and has the migrations that this server expects).
 */
#include "trestle_health.h"

#include "body.h"
#include "directive.h"
#include "prometheus_health.h"
#include "prometheus_migrations.h"
#include "refuse.h"
#include "setting.h"
#include "template_setting.h"
#include "trestle.h"
#include "trestle_pg.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "scoreboard.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA prometheus_module;

APLOG_USE_MODULE(prometheus);

static const char handler_live[] = "health-live", handler_ready[] = "health-ready";

enum { CHECKS_TIMEOUT = 700000, RETRY_AFTER = 5 }; /* microseconds; seconds */

typedef struct {
    const trestle_template_t *template; /* NULL inherits, default prometheus_health_template */
    const char *service;                /* NULL inherits; may stay unset */
    const char *version;                /* NULL inherits; may stay unset */
    apr_interval_time_t timeout;        /* microseconds for all checks; TRESTLE_UNSET inherits, default 700 ms */
    apr_array_header_t *migrations;     /* prometheus_migration_t, what the database must have; NULL inherits */
} dir_config_t;

static const trestle_template_t *standard_template;

static const char *migrations_where; /* file and line of the first HealthMigrations; NULL: none */

static APR_OPTIONAL_FN_TYPE(trestle_pg_pool) * pg_pool;
static APR_OPTIONAL_FN_TYPE(trestle_pg_run) * pg_run;

APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(trestle, AP, int, health_check,
                                    (request_rec * r, apr_time_t deadline, apr_array_header_t *checks),
                                    (r, deadline, checks), OK, DECLINED)

static void *create_dir_config(apr_pool_t *p, char *path TRESTLE_UNUSED)
{
    dir_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->timeout = TRESTLE_UNSET;
    return config;
}

static void *merge_dir_config(apr_pool_t *p, void *base_config, void *add_config)
{
    const dir_config_t *base = base_config, *add = add_config;
    dir_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->template = TRESTLE_PICK_PTR(base, add, template);
    merged->service = TRESTLE_PICK_PTR(base, add, service);
    merged->version = TRESTLE_PICK_PTR(base, add, version);
    merged->timeout = TRESTLE_PICK(base, add, timeout);
    merged->migrations = TRESTLE_PICK_PTR(base, add, migrations);
    return merged;
}

static const char *set_template(cmd_parms *cmd, void *dir, const char *arg)
{
    if (!strcmp(arg, "default")) {
        ((dir_config_t *)dir)->template = standard_template;
        return NULL;
    }
    return trestle_template_setting(cmd, arg, prometheus_health_vocabulary, &((dir_config_t *)dir)->template);
}

/* A short text; cmd->info is its place. */
static const char *set_label(cmd_parms *cmd, void *dir, const char *arg)
{
    if (strlen(arg) > 128 || !trestle_utf8_valid(arg, strlen(arg)))
        return apr_psprintf(cmd->pool, "%s is not 1-128 bytes of UTF-8; write for example backend", cmd->cmd->name);
    *(const char **)((char *)dir + (apr_size_t)cmd->info) = arg;
    return NULL;
}

static const char *set_migrations(cmd_parms *cmd, void *dir, const char *arg)
{
    dir_config_t *config = dir;
    const char *directory = ap_server_root_relative(cmd->pool, arg), *problem;

    if (!migrations_where)
        migrations_where = apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    if (!config->migrations)
        config->migrations = apr_array_make(cmd->pool, 16, sizeof(prometheus_migration_t));
    problem = directory ? prometheus_migrations_read(cmd->pool, cmd->temp_pool, directory, config->migrations)
                        : apr_psprintf(cmd->pool, "'%s' is not the name of a directory", arg);
    return problem ? apr_pstrcat(cmd->pool, "HealthMigrations: ", problem,
                                 "; name the directories that "
                                 "trestle-migrate applies, for example sql/core",
                                 NULL)
                   : NULL;
}

static const trestle_range_t timeout = { offsetof(dir_config_t, timeout), 10 * 1000, 60 * APR_USEC_PER_SEC };

static const command_rec commands[] = {
    AP_INIT_TAKE1("HealthTemplate", set_template, NULL, RSRC_CONF | ACCESS_CONF,
                  "shape of health reports: a JSON template, or the name of a file with one"),
    AP_INIT_TAKE1("HealthService", set_label, (void *)offsetof(dir_config_t, service), RSRC_CONF | ACCESS_CONF,
                  "the service's name in health reports"),
    AP_INIT_TAKE1("HealthVersion", set_label, (void *)offsetof(dir_config_t, version), RSRC_CONF | ACCESS_CONF,
                  "the service's version in health reports"),
    AP_INIT_TAKE1("HealthTimeout", trestle_set_duration, (void *)&timeout, RSRC_CONF | ACCESS_CONF,
                  "how long all checks of health-ready together may take"),
    AP_INIT_ITERATE("HealthMigrations", set_migrations, NULL, RSRC_CONF | ACCESS_CONF,
                    "directories of the migrations that the database must have"),
    { NULL }
};

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp TRESTLE_UNUSED)
{
    const char *problem =
        trestle_template_compile(pconf, prometheus_health_template, prometheus_health_vocabulary, &standard_template);

    if (problem)
        ap_log_perror(APLOG_MARK, APLOG_CRIT, 0, pconf, "TRSPM01: the standard template: %s", problem);
    return problem ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Migrations can only be compared through mod_pg. */
static int check_config(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                        apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *s)
{
    if (!migrations_where || APR_RETRIEVE_OPTIONAL_FN(trestle_pg_run))
        return OK;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s,
                 "TRSPM02: %s: HealthMigrations needs mod_pg; load it with LoadModule pg_module, or remove "
                 "HealthMigrations",
                 migrations_where);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static void optional_fn_retrieve(void)
{
    pg_pool = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_pool);
    pg_run = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_run);
}

static const dir_config_t *config_of(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &prometheus_module);
}

/* Warns why r is not ready, at most once a second, since anyone may ask for reports as often as he likes. */
static void warn(request_rec *r, const char *why)
{
    static apr_uint32_t warned;
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now());
    int level = apr_atomic_xchg32(&warned, now) == now ? APLOG_INFO : APLOG_WARNING;

    ap_log_rerror(APLOG_MARK, level, 0, r, "TRSPM03: not ready: %s", why);
}

/* The applied migrations, name → checksum; NULL if the database did not say. */
static apr_hash_t *applied_migrations(request_rec *r, apr_time_t deadline)
{
    const trestle_pg_statement_t statement = { .sql = "SELECT name, checksum FROM trestle.applied_migrations()" };
    trestle_pg_batch_t batch = { .statements = &statement, .nstatements = 1, .read_only = 1 };
    trestle_pg_pool_t *pool = pg_pool && pg_run ? pg_pool(r) : NULL;
    trestle_pg_reply_t reply = { .outcome = TRESTLE_PG_UNAVAILABLE };
    apr_hash_t *applied;

    if (!pool)
        warn(r, "HealthMigrations has no pool to ask; add PgUse to its section or host");
    batch.timeout = deadline - apr_time_now();
    if (pool && batch.timeout >= 1000)
        pg_run(r, pool, &batch, &reply);
    if (reply.outcome != TRESTLE_PG_OK)
        return NULL;
    applied = apr_hash_make(r->pool);
    for (int i = 0; i < PQntuples(reply.results[0]); i++)
        apr_hash_set(applied, PQgetvalue(reply.results[0], i, 0), APR_HASH_KEY_STRING,
                     PQgetvalue(reply.results[0], i, 1));
    return applied;
}

/* "1 migration" or "2 migrations", and what is so with them. */
static const char *count_of(apr_pool_t *pool, int n, const char *what)
{
    return apr_psprintf(pool, "%d migration%s %s %s", n, n == 1 ? "" : "s", n == 1 ? "is" : "are", what);
}

/* Whether the database has been found to be away, so that waiting for it again is of no use. */
static int is_database_away(const apr_array_header_t *checks)
{
    for (int i = 0; i < checks->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(checks, i, trestle_health_t).name, "database")
            && APR_ARRAY_IDX(checks, i, trestle_health_t).state == TRESTLE_UNHEALTHY)
            return 1;
    return 0;
}

/* The check "migrations", behind the other modules' checks. */
static int check_migrations(request_rec *r, apr_time_t deadline, apr_array_header_t *checks)
{
    const dir_config_t *config = config_of(r);
    apr_time_t began = apr_time_now();
    trestle_health_t check = { .name = "migrations", .state = TRESTLE_UNHEALTHY };
    int pending, changed;
    apr_hash_t *applied;

    if (!config->migrations)
        return DECLINED;
    applied = is_database_away(checks) ? NULL : applied_migrations(r, deadline);
    if (!applied) {
        check.message = "The database did not say which migrations it has.";
    } else {
        prometheus_migrations_compare(config->migrations, applied, &pending, &changed);
        if (!pending && !changed) {
            check.state = TRESTLE_HEALTHY;
            check.message = "The database is up to date.";
        } else {
            check.message = apr_pstrcat(
                r->pool, pending ? count_of(r->pool, pending, "pending") : "", pending && changed ? ", " : "",
                changed ? count_of(r->pool, changed, "different in the database") : "", ".", NULL);
            warn(r, apr_pstrcat(r->pool, check.message, " Run trestle-migrate.", NULL));
        }
    }
    check.took = apr_time_now() - began;
    APR_ARRAY_PUSH(checks, trestle_health_t) = check;
    return OK;
}

static int send_report(request_rec *r, const apr_array_header_t *checks)
{
    const dir_config_t *config = config_of(r);
    prometheus_report_t report = { .service = config->service, .version = config->version, .time = apr_time_now() };
    int ready = prometheus_health_worst(checks) != TRESTLE_UNHEALTHY;
    trestle_text_t text = trestle_text_make(r->pool, 512);

    report.uptime = report.time - ap_get_scoreboard_global()->restart_time;
    prometheus_health_write(checks, &report, config->template ? config->template : standard_template, &text);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    if (!ready)
        trestle_retry_after(r, RETRY_AFTER);
    return trestle_body_send(r, ready ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE, "application/json", text.bytes,
                             text.length);
}

static int handler(request_rec *r)
{
    int ready = !strcmp(r->handler, handler_ready);
    apr_array_header_t *checks;

    if (!ready && strcmp(r->handler, handler_live))
        return DECLINED;
    if (r->method_number != M_GET) {
        apr_table_setn(r->err_headers_out, "Allow", "GET, HEAD");
        return trestle_answer_problem(r, trestle_problem_make(r, HTTP_METHOD_NOT_ALLOWED, NULL, NULL, NULL));
    }
    checks = apr_array_make(r->pool, 4, sizeof(trestle_health_t));
    if (ready)
        trestle_run_health_check(r, apr_time_now() + TRESTLE_OR(config_of(r)->timeout, CHECKS_TIMEOUT), checks);
    return send_report(r, checks);
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_optional_fn_retrieve(optional_fn_retrieve, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(trestle, health_check, check_migrations, NULL, NULL, APR_HOOK_LAST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA prometheus_module = {
    STANDARD20_MODULE_STUFF, create_dir_config, merge_dir_config, NULL, NULL, commands, register_hooks, 0
};
