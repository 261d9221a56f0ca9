/*
 * Test module: SetHandler pgtest runs the batch that the body describes, a line a part, and answers what came of it.
 *   role NAME | set NAME=VALUE | read_only | timeout MS | repeat TIMES | sql TEXT | param TEXT | null | binary HEX
 * Without a body, the batch stands in the environment variable PGTEST, its lines separated by " ;; ".
 * ?generation=CHANNEL answers the channel's generation; ?health the state of health.
 */
#include "trestle_health.h"
#include "trestle_pg.h"

#include "body.h"
#include "text.h"
#include "trestle.h"

#include "http_config.h"
#include "http_core.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

module AP_MODULE_DECLARE_DATA pgtest_module;

APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(trestle, AP, int, health_check,
                                    (request_rec * r, apr_time_t deadline, apr_array_header_t *checks),
                                    (r, deadline, checks), OK, DECLINED)

typedef struct {
    trestle_pg_batch_t batch;
    trestle_pg_setting_t settings[64];
    trestle_pg_statement_t statements[20];
    const char *values[20][128];
    int lengths[20][128], formats[20][128];
    int repeat;
} script_t;

static apr_array_header_t *channels; /* pool, channel, pool, … */

static const char *add_channel(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *pool, const char *channel)
{
    if (!channels)
        channels = apr_array_make(cmd->pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH(channels, const char *) = pool;
    APR_ARRAY_PUSH(channels, const char *) = channel;
    return NULL;
}

static int post_config(apr_pool_t *pconf TRESTLE_UNUSED, apr_pool_t *plog TRESTLE_UNUSED,
                       apr_pool_t *ptemp TRESTLE_UNUSED, server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(trestle_pg_listen) *fn = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_listen);

    for (int i = 0; channels && i < channels->nelts; i += 2)
        fn(s, APR_ARRAY_IDX(channels, i, const char *), APR_ARRAY_IDX(channels, i + 1, const char *));
    channels = NULL;
    return OK;
}

static void add_value(script_t *script, const char *value, int length, int format)
{
    int at = script->batch.nstatements - 1;
    trestle_pg_statement_t *statement = &script->statements[at];

    script->values[at][statement->nparams] = value;
    script->lengths[at][statement->nparams] = length;
    script->formats[at][statement->nparams++] = format;
}

static void add_binary(request_rec *r, script_t *script, const char *hex)
{
    int n = (int)strlen(hex) / 2;
    char *bytes = apr_palloc(r->pool, (apr_size_t)n + 1);

    for (int i = 0; i < n; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };

        bytes[i] = (char)strtol(pair, NULL, 16);
    }
    add_value(script, bytes, n, 1);
}

static void parse_line(request_rec *r, script_t *script, char *line)
{
    trestle_pg_batch_t *batch = &script->batch;
    char *word = apr_strtok(line, " ", &line), *equals;

    if (!word)
        return;
    if (!strcmp(word, "role")) {
        batch->role = line;
    } else if (!strcmp(word, "set")) {
        equals = strchr(line, '=');
        *equals = 0;
        script->settings[batch->nsettings].name = line;
        script->settings[batch->nsettings++].value = equals + 1;
    } else if (!strcmp(word, "read_only")) {
        batch->read_only = 1;
    } else if (!strcmp(word, "timeout")) {
        batch->timeout = atoi(line) * 1000L;
    } else if (!strcmp(word, "repeat")) {
        script->repeat = atoi(line);
    } else if (!strcmp(word, "sql")) {
        int at = batch->nstatements++;

        script->statements[at].sql = line;
        script->statements[at].values = script->values[at];
        script->statements[at].lengths = script->lengths[at];
        script->statements[at].formats = script->formats[at];
    } else if (!strcmp(word, "param")) {
        add_value(script, line, 0, 0);
    } else if (!strcmp(word, "null")) {
        add_value(script, NULL, 0, 0);
    } else if (!strcmp(word, "binary")) {
        add_binary(r, script, line);
    }
}

static script_t *parse(request_rec *r, char *text)
{
    script_t *script = apr_pcalloc(r->pool, sizeof(*script));

    while (text) {
        char *end = strchr(text, '\n'), *mark = strstr(text, " ;; "), *next = NULL;

        if (mark && (!end || mark < end)) {
            next = mark + 4;
            *mark = 0;
        } else if (end) {
            next = end + 1;
            *end = 0;
        }
        parse_line(r, script, text);
        text = next;
    }
    script->batch.statements = script->statements;
    script->batch.settings = script->settings;
    return script;
}

static void add_rows(trestle_text_t *text, const PGresult *result)
{
    trestle_text_addc(text, '[');
    for (int row = 0; row < PQntuples(result); row++) {
        trestle_text_adds(text, row ? ",[" : "[");
        for (int column = 0; column < PQnfields(result); column++) {
            if (column)
                trestle_text_addc(text, ',');
            trestle_text_add_json(text, PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column));
        }
        trestle_text_addc(text, ']');
    }
    trestle_text_addc(text, ']');
}

static void add_error(trestle_text_t *text, const trestle_pg_error_t *error)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        { "sqlstate", error->sqlstate }, { "message", error->message },
        { "detail", error->detail },     { "hint", error->hint },
        { "context", error->context },   { "schema", error->schema },
        { "table", error->table },       { "column", error->column },
        { "datatype", error->datatype }, { "constraint", error->constraint },
    };

    trestle_text_addf(text, ",\"error\":{\"statement\":%d", error->statement);
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        trestle_text_addf(text, ",\"%s\":", fields[i].name);
        trestle_text_add_json(text, fields[i].value);
    }
    trestle_text_addc(text, '}');
}

static int answer(request_rec *r, const script_t *script, const trestle_pg_reply_t *reply)
{
    static const char *const outcomes[] = { "OK", "REFUSED", "UNAVAILABLE", "TIMEOUT", "GONE" };
    static const int statuses[] = { 200, 422, 503, 503, 200 };
    trestle_text_t text = trestle_text_make(r->pool, 1024);

    trestle_text_addf(&text, "{\"outcome\":\"%s\",\"retry_after\":%d,\"pid\":%d", outcomes[reply->outcome],
                      reply->retry_after, (int)getpid());
    if (reply->outcome == TRESTLE_PG_REFUSED)
        add_error(&text, &reply->error);
    if (reply->outcome == TRESTLE_PG_OK) {
        trestle_text_adds(&text, ",\"results\":[");
        for (int i = 0; i < script->batch.nstatements; i++) {
            if (i)
                trestle_text_addc(&text, ',');
            add_rows(&text, reply->results[i]);
        }
        trestle_text_addc(&text, ']');
    }
    trestle_text_addc(&text, '}');
    if (reply->outcome == TRESTLE_PG_GONE)
        r->connection->keepalive = AP_CONN_CLOSE;
    if (reply->retry_after)
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, reply->retry_after));
    return trestle_body_send(r, statuses[reply->outcome], "application/json", text.bytes, text.length);
}

static int answer_health(request_rec *r)
{
    apr_array_header_t *checks = apr_array_make(r->pool, 2, sizeof(trestle_health_t));
    trestle_text_t text = trestle_text_make(r->pool, 256);

    trestle_run_health_check(r, apr_time_now() + apr_time_from_sec(1), checks);
    for (int i = 0; i < checks->nelts; i++) {
        const trestle_health_t *check = &APR_ARRAY_IDX(checks, i, trestle_health_t);

        trestle_text_addf(&text, "%s %d %s\n", check->name, (int)check->state, check->message);
    }
    return trestle_body_send(r, 200, "text/plain", text.bytes, text.length);
}

static int handler(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_pg_pool) * pool_of;
    APR_OPTIONAL_FN_TYPE(trestle_pg_run) * run;
    APR_OPTIONAL_FN_TYPE(trestle_pg_generation) * generation;
    const char *value;
    trestle_pg_pool_t *pool;
    trestle_pg_reply_t reply;
    script_t *script;
    char *bytes = NULL;
    apr_size_t length;
    int status;

    if (!r->handler || strcmp(r->handler, "pgtest"))
        return DECLINED;
    pool_of = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_pool);
    run = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_run);
    generation = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_generation);
    if (r->args && !strcmp(r->args, "health"))
        return answer_health(r);
    if (!(pool = pool_of(r)))
        return trestle_body_send(r, 404, "text/plain", "no pool", 7);
    if (r->args && !strncmp(r->args, "generation=", 11)) {
        value = apr_psprintf(r->pool, "{\"generation\":%" APR_UINT64_T_FMT ",\"pid\":%d}",
                             generation(pool, r->args + 11), (int)getpid());
        return trestle_body_send(r, 200, "application/json", value, strlen(value));
    }
    if ((value = apr_table_get(r->subprocess_env, "PGTEST")))
        bytes = apr_pstrdup(r->pool, value);
    else if ((status = trestle_body_read(r, 64 << 20, &bytes, &length)) != OK)
        return status;
    script = parse(r, bytes);
    do
        run(r, pool, &script->batch, &reply);
    while (--script->repeat > 0 && reply.outcome == TRESTLE_PG_OK);
    return answer(r, script, &reply);
}

static const command_rec commands[] = {
    AP_INIT_TAKE2("PgTestListen", add_channel, NULL, RSRC_CONF, "pool and channel to listen to"), { NULL }
};

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA pgtest_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands,
                                                register_hooks,          0 };
