#include "pg_config.h"

#include "pg_conninfo.h"
#include "pg_multiplex.h"
#include "setting.h"

#include "http_core.h"
#include "http_log.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

typedef struct {
    apr_hash_t *pools; /* name → trestle_pg_pool_t *; a virtual host's stand before the main server's */
} server_config_t;

typedef struct {
    const char *use; /* name of the pool; NULL inherits */
} dir_config_t;

/* A PgUse as it was read, for check_config and for the health of a virtual host. */
typedef struct {
    server_rec *server; /* the main server's count for every virtual host */
    const char *name;
    const char *where;
} use_t;

/* Of the configuration that is being read, or that this generation runs with. */
static apr_array_header_t *all_pools; /* trestle_pg_pool_t * */
static apr_array_header_t *all_uses;  /* use_t */
static trestle_pg_pool_t *section;    /* the <PgPool> that is open */

void *pg_config_create_server(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    server_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->pools = apr_hash_make(p);
    return config;
}

void *pg_config_merge_server(apr_pool_t *p, void *base, void *add)
{
    server_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->pools = apr_hash_overlay(p, ((server_config_t *)add)->pools, ((server_config_t *)base)->pools);
    return merged;
}

void *pg_config_create_dir(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    return apr_pcalloc(p, sizeof(dir_config_t));
}

void *pg_config_merge_dir(apr_pool_t *p, void *base, void *add)
{
    dir_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->use = TRESTLE_PICK_PTR((dir_config_t *)base, (dir_config_t *)add, use);
    return merged;
}

void pg_config_begin(apr_pool_t *pconf)
{
    all_pools = apr_array_make(pconf, 4, sizeof(trestle_pg_pool_t *));
    all_uses = apr_array_make(pconf, 8, sizeof(use_t));
    section = NULL;
}

const apr_array_header_t *pg_config_pools(void)
{
    return all_pools;
}

trestle_pg_pool_t *pg_config_find(server_rec *s, const char *name)
{
    server_config_t *config = ap_get_module_config(s->module_config, &pg_module);

    return apr_hash_get(config->pools, name, APR_HASH_KEY_STRING);
}

trestle_pg_pool_t *pg_config_pool(request_rec *r)
{
    dir_config_t *config = ap_get_module_config(r->per_dir_config, &pg_module);

    return config->use ? pg_config_find(r->server, config->use) : NULL;
}

const apr_array_header_t *pg_config_used(request_rec *r)
{
    apr_array_header_t *used = apr_array_make(r->pool, 2, sizeof(trestle_pg_pool_t *));

    for (int i = 0; i < all_uses->nelts; i++) {
        const use_t *use = &APR_ARRAY_IDX(all_uses, i, use_t);
        trestle_pg_pool_t *pool = NULL;
        int known = 0;

        if (use->server == r->server || !use->server->is_virtual)
            pool = pg_config_find(r->server, use->name);
        for (int k = 0; k < used->nelts; k++)
            known |= APR_ARRAY_IDX(used, k, trestle_pg_pool_t *) == pool;
        if (pool && !known)
            APR_ARRAY_PUSH(used, trestle_pg_pool_t *) = pool;
    }
    return used;
}

static const char *where_of(cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
}

/* The main server's pools are known by their name alone; a virtual host's also by its address and, should several
 * share it, by their order: that stays the same when lines move. */
static const char *key_of(cmd_parms *cmd, const char *name)
{
    const char *key = name;
    int twins = 0;

    if (cmd->server->is_virtual)
        key =
            apr_psprintf(cmd->pool, "%s@%s:%u", name, cmd->server->server_hostname ? cmd->server->server_hostname : "",
                         cmd->server->addrs ? cmd->server->addrs->host_port : cmd->server->port);
    for (int i = 0; i < all_pools->nelts; i++) {
        const char *other = APR_ARRAY_IDX(all_pools, i, trestle_pg_pool_t *)->key;

        twins += !strncmp(other, key, strlen(key)) && (!other[strlen(key)] || other[strlen(key)] == '#');
    }
    return twins ? apr_psprintf(cmd->pool, "%s#%d", key, twins + 1) : key;
}

static trestle_pg_pool_t *make_pool(cmd_parms *cmd, const char *name)
{
    trestle_pg_pool_t *pool = apr_pcalloc(cmd->pool, sizeof(*pool));

    pool->name = name;
    pool->key = key_of(cmd, name);
    pool->server = cmd->server;
    pool->where = where_of(cmd);
    pool->min = 1;
    pool->keep = TRESTLE_UNSET;
    pool->max = 16;
    pool->exptime = apr_time_from_sec(300);
    pool->wait = apr_time_from_sec(2);
    pool->timeout = apr_time_from_sec(30);
    pool->connect_timeout = apr_time_from_sec(5);
    pool->prepare = 1;
    pool->prepare_max = 256;
    pool->reset = 1;
    pool->multiplex = 8;
    pool->member = -1;
    return pool;
}

static const char *check_pool(cmd_parms *cmd, trestle_pg_pool_t *pool)
{
    if (!pool->conninfo)
        return apr_psprintf(cmd->pool,
                            "<PgPool %s> has no PgConnect; write for example PgConnect \"host=/run/postgresql "
                            "dbname=%s user=%s_login\"",
                            pool->name, pool->name, pool->name);
    if (pool->min > pool->max)
        return apr_psprintf(cmd->pool, "<PgPool %s>: PgMin %d is more than PgMax %d; lower PgMin or raise PgMax",
                            pool->name, pool->min, pool->max);
    if (pool->keep == TRESTLE_UNSET)
        pool->keep = pool->min > 4 ? pool->min : 4;
    if (pool->keep < pool->min)
        return apr_psprintf(cmd->pool, "<PgPool %s>: PgKeep %d is less than PgMin %d; raise PgKeep or lower PgMin",
                            pool->name, pool->keep, pool->min);
    return NULL;
}

static int is_pool_directive(const char *name)
{
    for (const command_rec *command = pg_commands; command->name; command++)
        if (!strcasecmp(command->name, name))
            return command->name[0] == 'P' && strcasecmp(name, "PgUse");
    return 0;
}

/* What stands directly inside of the section: directives of a pool, each once. */
static const char *check_contents(cmd_parms *cmd, const char *name)
{
    for (ap_directive_t *child = cmd->directive->first_child; child; child = child->next) {
        if (!is_pool_directive(child->directive))
            return apr_psprintf(cmd->pool, "%s (line %d) does not belong inside <PgPool>; move it out of the section",
                                child->directive, child->line_num);
        for (ap_directive_t *first = cmd->directive->first_child; first != child; first = first->next)
            if (!strcasecmp(first->directive, child->directive))
                return apr_psprintf(
                    cmd->pool, "%s stands twice in <PgPool %s>, on line %d of %s and line %d of %s; keep one of them",
                    child->directive, name, first->line_num, first->filename, child->line_num, child->filename);
    }
    return NULL;
}

static const char *open_section(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    server_config_t *config = ap_get_module_config(cmd->server->module_config, &pg_module);
    const char *end = strrchr(arg, '>'), *name, *problem = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    if (problem)
        return problem;
    if (!end)
        return "<PgPool name> needs its closing '>'";
    arg = apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(end - arg));
    name = ap_getword_conf(cmd->pool, &arg);
    if (*arg || !trestle_setting_is_identifier(name))
        return apr_psprintf(cmd->pool,
                            "<PgPool %s%s%s>: a pool has one name of a-z, 0-9 and _, not starting with a digit; write "
                            "for example <PgPool shop>",
                            name, *arg ? " " : "", arg);
    if (apr_hash_get(config->pools, name, APR_HASH_KEY_STRING))
        return apr_psprintf(cmd->pool,
                            "<PgPool %s> stands twice in this server, first on %s; remove one or give it another name",
                            name, ((trestle_pg_pool_t *)apr_hash_get(config->pools, name, APR_HASH_KEY_STRING))->where);
    if ((problem = check_contents(cmd, name)))
        return problem;
    section = make_pool(cmd, name);
    problem = ap_walk_config(cmd->directive->first_child, cmd, cmd->server->lookup_defaults);
    if (!problem)
        problem = check_pool(cmd, section);
    apr_hash_set(config->pools, name, APR_HASH_KEY_STRING, section);
    APR_ARRAY_PUSH(all_pools, trestle_pg_pool_t *) = section;
    section = NULL;
    return problem;
}

static const char *outside(cmd_parms *cmd)
{
    return section ? NULL
                   : apr_psprintf(cmd->pool, "%s stands inside of <PgPool name> ... </PgPool> only; move it there",
                                  cmd->cmd->name);
}

static const char *set_conninfo(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *problem = outside(cmd);

    if (!problem && (problem = pg_conninfo_check(cmd->temp_pool, arg)))
        problem = apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", problem, NULL);
    if (problem)
        return problem;
    *(cmd->info ? &section->listen_conninfo : &section->conninfo) = arg;
    return NULL;
}

static const char *set_password_file(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *problem = outside(cmd), *path;

    if (problem)
        return problem;
    if (section->password)
        return "PgPasswordFile: the pool has a password already; keep one of PgPasswordFile and PgPasswordEnv";
    path = ap_server_root_relative(cmd->pool, arg);
    if (!path)
        return apr_psprintf(cmd->pool, "PgPasswordFile '%s' is not a path", arg);
    problem = pg_password_read(cmd->pool, path, &section->password);
    return problem ? apr_pstrcat(cmd->pool, "PgPasswordFile: ", problem, NULL) : NULL;
}

static const char *set_password_env(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *problem = outside(cmd), *value;

    if (problem)
        return problem;
    if (section->password)
        return "PgPasswordEnv: the pool has a password already; keep one of PgPasswordFile and PgPasswordEnv";
    value = getenv(arg);
    if (!value || !*value)
        return apr_psprintf(cmd->pool,
                            "PgPasswordEnv: the environment has no variable '%s'; set it where the server is started, "
                            "or use PgPasswordFile",
                            arg);
    section->password = apr_pstrdup(cmd->pool, value);
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    static const struct {
        const char *name;
        int least, most;
        size_t offset;
    } numbers[] = {
        { "PgMin", 0, PG_SLOTS, offsetof(trestle_pg_pool_t, min) },
        { "PgKeep", 0, PG_SLOTS, offsetof(trestle_pg_pool_t, keep) },
        { "PgMax", 1, PG_SLOTS, offsetof(trestle_pg_pool_t, max) },
        { "PgPrepareMax", 32, 100000, offsetof(trestle_pg_pool_t, prepare_max) },
        { "PgMultiplex", 1, PG_DEPTH, offsetof(trestle_pg_pool_t, multiplex) },
    };
    const char *problem = outside(cmd);
    apr_int64_t value = 0;

    for (unsigned i = 0; !problem && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!strcmp(cmd->cmd->name, numbers[i].name)) {
            problem = trestle_setting_number(cmd->temp_pool, arg, numbers[i].least, numbers[i].most, &value);
            if (problem)
                return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", problem, NULL);
            *(int *)(void *)((char *)section + numbers[i].offset) = (int)value;
        }
    return problem;
}

static const char *set_duration(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    static const struct {
        const char *name;
        apr_interval_time_t least, most;
        size_t offset;
    } durations[] = {
        { "PgExptime", APR_USEC_PER_SEC, 24 * 3600LL * APR_USEC_PER_SEC, offsetof(trestle_pg_pool_t, exptime) },
        { "PgWait", 1000, 60LL * APR_USEC_PER_SEC, offsetof(trestle_pg_pool_t, wait) },
        { "PgTimeout", 1000, 3600LL * APR_USEC_PER_SEC, offsetof(trestle_pg_pool_t, timeout) },
        { "PgConnectTimeout", 1000, 60LL * APR_USEC_PER_SEC, offsetof(trestle_pg_pool_t, connect_timeout) },
    };
    const char *problem = outside(cmd);

    for (unsigned i = 0; !problem && i < sizeof(durations) / sizeof(durations[0]); i++)
        if (!strcmp(cmd->cmd->name, durations[i].name)) {
            problem = trestle_setting_duration(cmd->temp_pool, arg, durations[i].least, durations[i].most,
                                               (apr_interval_time_t *)(void *)((char *)section + durations[i].offset));
            if (problem)
                return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", problem, NULL);
        }
    return problem;
}

static const char *set_flag(cmd_parms *cmd, void *dir TRESTLE_UNUSED, int on)
{
    const char *problem = outside(cmd);

    if (!problem)
        *(cmd->info ? &section->reset : &section->prepare) = on;
    return problem;
}

static const char *set_use(cmd_parms *cmd, void *dir, const char *arg)
{
    use_t *use;

    if (!trestle_setting_is_identifier(arg))
        return apr_psprintf(cmd->pool,
                            "PgUse '%s' is not the name of a pool (a-z, 0-9 and _); write for example PgUse shop", arg);
    ((dir_config_t *)dir)->use = arg;
    use = apr_array_push(all_uses);
    use->server = cmd->server;
    use->name = arg;
    use->where = where_of(cmd);
    return NULL;
}

/* 1 if the server, or for the main server's own PgUse any virtual host that inherits it, has the pool. */
static int is_known(const use_t *use, server_rec *main_server)
{
    if (pg_config_find(use->server, use->name))
        return 1;
    for (server_rec *s = use->server->is_virtual ? NULL : main_server; s; s = s->next)
        if (pg_config_find(s, use->name))
            return 1;
    return 0;
}

int pg_config_check(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp, server_rec *s)
{
    for (int i = 0; i < all_uses->nelts; i++) {
        const use_t *use = &APR_ARRAY_IDX(all_uses, i, use_t);
        const char *names = "";

        if (is_known(use, s))
            continue;
        for (int k = 0; k < all_pools->nelts; k++)
            names =
                apr_pstrcat(ptemp, names, k ? ", " : "", APR_ARRAY_IDX(all_pools, k, trestle_pg_pool_t *)->name, NULL);
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, NULL,
                     "TRSPG03: PgUse %s on %s: no <PgPool %s> in this server or virtual host (there is: %s); "
                     "correct the name or add the section",
                     use->name, use->where, use->name, *names ? names : "none");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

const command_rec pg_commands[] = {
    AP_INIT_RAW_ARGS("<PgPool", open_section, NULL, RSRC_CONF, "a named pool of connections to a database"),
    AP_INIT_TAKE1("PgConnect", set_conninfo, NULL, RSRC_CONF, "libpq connection string, without a password"),
    AP_INIT_TAKE1("PgListen", set_conninfo, (void *)1, RSRC_CONF,
                  "libpq connection string for LISTEN, if it must not go through a pooler"),
    AP_INIT_TAKE1("PgPasswordFile", set_password_file, NULL, RSRC_CONF, "file whose first line is the password"),
    AP_INIT_TAKE1("PgPasswordEnv", set_password_env, NULL, RSRC_CONF, "variable of the environment with the password"),
    AP_INIT_TAKE1("PgMin", set_number, NULL, RSRC_CONF, "connections that each child keeps open"),
    AP_INIT_TAKE1("PgKeep", set_number, NULL, RSRC_CONF, "idle connections that each child keeps until PgExptime"),
    AP_INIT_TAKE1("PgMax", set_number, NULL, RSRC_CONF, "most connections of all children together"),
    AP_INIT_TAKE1("PgExptime", set_duration, NULL, RSRC_CONF, "how long an idle connection is kept"),
    AP_INIT_TAKE1("PgWait", set_duration, NULL, RSRC_CONF, "longest wait of a request for a connection"),
    AP_INIT_TAKE1("PgTimeout", set_duration, NULL, RSRC_CONF, "longest time of a batch"),
    AP_INIT_TAKE1("PgConnectTimeout", set_duration, NULL, RSRC_CONF, "longest time of connecting"),
    AP_INIT_FLAG("PgPrepare", set_flag, NULL, RSRC_CONF, "On or Off: prepare statements per connection"),
    AP_INIT_TAKE1("PgPrepareMax", set_number, NULL, RSRC_CONF, "statements kept prepared per connection"),
    AP_INIT_TAKE1("PgMultiplex", set_number, NULL, RSRC_CONF,
                  "most quick, read-only batches on their way on one connection; 1: none but its own"),
    AP_INIT_FLAG("PgReset", set_flag, (void *)1, RSRC_CONF,
                 "On or Off: reset the session behind each batch that may write"),
    AP_INIT_TAKE1("PgUse", set_use, NULL, RSRC_CONF | ACCESS_CONF, "the pool that requests here use"),
    { NULL }
};
