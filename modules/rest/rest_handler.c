#include "rest_handler.h"

#include "rest_body.h"
#include "rest_call.h"
#include "rest_error.h"
#include "rest_load.h"
#include "rest_pages.h"
#include "rest_response.h"
#include "rest_snapshot.h"

#include "body.h"
#include "refuse.h"
#include "request.h"
#include "setting.h"
#include "text.h"
#include "trestle_caller.h"
#include "trestle_pg.h"

#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA rest_module;
APLOG_USE_MODULE(rest);

static APR_OPTIONAL_FN_TYPE(trestle_pg_pool) * pg_pool;
static APR_OPTIONAL_FN_TYPE(trestle_pg_run) * pg_run;
static APR_OPTIONAL_FN_TYPE(trestle_pg_listen_all) * pg_listen_all;
static APR_OPTIONAL_FN_TYPE(trestle_pg_generation) * pg_generation;
static APR_OPTIONAL_FN_TYPE(trestle_caller) * caller_of;
static APR_OPTIONAL_FN_TYPE(trestle_token_refused) * token_refused;

/* A request on its way. */
typedef struct {
    request_rec *r;
    const rest_dir_t *conf;
    unsigned method;    /* REST_GET … */
    rest_match_t match; /* match.route NULL: the dialect decides */
    trestle_pg_pool_t *pool;
    const rest_catalogue_t *catalogue;
    const char *role;
    int anonymous;
    const char *claims;
    apr_array_header_t *given; /* rest_given_t: path, query, fields of the body */
    rest_body_t body;
    rest_fault_t fault;
} work_t;

int rest_handler_retrieve(void)
{
    pg_pool = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_pool);
    pg_run = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_run);
    pg_listen_all = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_listen_all);
    pg_generation = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_generation);
    caller_of = APR_RETRIEVE_OPTIONAL_FN(trestle_caller);
    token_refused = APR_RETRIEVE_OPTIONAL_FN(trestle_token_refused);
    return pg_pool && pg_run && pg_listen_all && pg_generation;
}

void rest_handler_listen(server_rec *s)
{
    pg_listen_all(s, REST_CHANNEL);
}

/* RFC 9110 section 15.5.2: a 401 carries a challenge; the module that authenticates knows the better one. INVALID_TOKEN
 * is what SQL says of a session that has ended or an account that is gone. */
static void challenge(request_rec *r, const char *code)
{
    if (token_refused && code && !strcmp(code, "INVALID_TOKEN"))
        token_refused(r);
    if (!apr_table_get(r->err_headers_out, "WWW-Authenticate") && ap_auth_type(r))
        ap_note_auth_failure(r);
    if (!apr_table_get(r->err_headers_out, "WWW-Authenticate"))
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Bearer");
}

/* OPTIONS on a path that is known. */
static int answer_options(work_t *work)
{
    request_rec *r = work->r;

    apr_table_setn(r->headers_out, "Allow", rest_methods_text(r->pool, work->match.allowed, 1));
    return trestle_body_send(r, HTTP_OK, "text/plain", "", 0);
}

static int answer_fault(work_t *work)
{
    request_rec *r = work->r;
    const rest_fault_t *fault = &work->fault;
    trestle_problem_t *problem;

    if (fault->status == HTTP_METHOD_NOT_ALLOWED && r->method_number == M_OPTIONS)
        return answer_options(work);
    if (fault->cause)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSRE01: %s %s: %s", r->method, r->uri, fault->cause);
    if (fault->status == HTTP_UNAUTHORIZED)
        challenge(r, fault->code);
    if (fault->status == HTTP_METHOD_NOT_ALLOWED)
        apr_table_setn(r->err_headers_out, "Allow", rest_methods_text(r->pool, work->match.allowed, !r->header_only));
    if (fault->status == HTTP_SERVICE_UNAVAILABLE)
        trestle_retry_after(r, 1);
    problem = trestle_problem_make(r, fault->status, fault->code, fault->detail, fault->field);
    problem->verbatim = fault->verbatim;
    problem->errors = fault->errors;
    return trestle_answer_problem(r, problem);
}

/* A batch that brought no results: 503, or silence for a client that has gone. */
static int answer_outcome(work_t *work, const trestle_pg_reply_t *reply)
{
    if (reply->outcome == TRESTLE_PG_GONE) {
        work->r->connection->keepalive = AP_CONN_CLOSE;
        return OK;
    }
    trestle_retry_after(work->r, reply->retry_after);
    return trestle_answer_problem(
        work->r, trestle_problem_make(work->r, HTTP_SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", NULL, NULL));
}

/* Loading a catalogue for the snapshots. */
typedef struct {
    work_t *work;
    trestle_pg_reply_t reply;
    int tried;
} loading_t;

static rest_catalogue_t *load(void *baton, apr_pool_t *pool, const char *schema)
{
    loading_t *loading = baton;
    request_rec *r = loading->work->r;
    const char *values[] = { schema };
    trestle_pg_statement_t statements[REST_LOAD_STATEMENTS];
    /* The planner takes these statements for long ones and would compile them, which takes a second. */
    static const trestle_pg_setting_t settings[] = { { "jit", "off" } };
    trestle_pg_batch_t batch = {
        .settings = settings,
        .nsettings = 1,
        .statements = statements,
        .nstatements = REST_LOAD_STATEMENTS,
        .read_only = 1,
    };
    apr_time_t begun = apr_time_now();
    rest_catalogue_t *catalogue;

    memset(statements, 0, sizeof(statements));
    for (int i = 0; i < REST_LOAD_STATEMENTS; i++) {
        statements[i].sql = rest_load_sql[i];
        statements[i].nparams = i != REST_LOAD_CONSTRAINTS;
        statements[i].values = values;
    }
    loading->tried = 1;
    pg_run(r, loading->work->pool, &batch, &loading->reply);
    if (loading->reply.outcome != TRESTLE_PG_OK)
        return NULL;
    catalogue = rest_load_catalogue(pool, schema, loading->reply.results);
    if (!catalogue)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSRE02: the database has no schema \"%s\"; create it, or name another with RestSchema", schema);
    else
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "TRSRE03: schema %s loaded in %" APR_TIME_T_FMT "us: %u tables and views, %u functions", schema,
                      apr_time_now() - begun, apr_hash_count(catalogue->relations),
                      apr_hash_count(catalogue->functions));
    return catalogue;
}

/* Gets the catalogue; 0 and *rc if there is none, the answer being sent. */
static int get_catalogue(work_t *work, const rest_catalogue_t *stale, int *rc)
{
    const char *schema = work->conf->schema ? work->conf->schema : REST_SCHEMA;
    apr_uint64_t generation = pg_generation(work->pool, REST_CHANNEL);
    loading_t loading = { .work = work };

    work->catalogue = rest_snapshot_get(work->pool, schema, generation, stale, load, &loading, work->r->pool);
    if (work->catalogue)
        return 1;
    if (!loading.tried || loading.reply.outcome == TRESTLE_PG_OK || loading.reply.outcome == TRESTLE_PG_REFUSED) {
        rest_blame(&work->fault, apr_psprintf(work->r->pool, "the catalogue of schema %s could not be loaded", schema));
        *rc = answer_fault(work);
    } else {
        *rc = answer_outcome(work, &loading.reply);
    }
    return 0;
}

/* Finds the route among all sections. */
static void find_route(work_t *work)
{
    for (const rest_sections_t *section = work->conf->sections; section; section = section->outer)
        if (rest_routes_match(section->routes, work->r->pool, work->method, work->r->uri, &work->match))
            return;
}

static int identify(work_t *work)
{
    const trestle_caller_t *caller = caller_of ? caller_of(work->r) : NULL;

    work->role = caller ? caller->role : work->conf->role;
    work->claims = caller ? caller->claims : "{}";
    work->anonymous = !caller || !caller->subject;
    if (!work->role)
        return rest_refuse(&work->fault, HTTP_UNAUTHORIZED, "AUTHENTICATION_REQUIRED", "Sign in to do this.", NULL);
    return 1;
}

/* Gathers the values of path, query and body. */
static int gather(work_t *work, int *rc)
{
    const rest_route_t *route = work->match.route;
    request_rec *r = work->r;

    work->given = apr_array_make(r->pool, 8, sizeof(rest_given_t));
    for (int i = 0; route && i < route->nvariables; i++)
        rest_query_add(work->given, route->variables[i], REST_IN_PATH, work->match.values[i], NULL);
    if (r->args && strlen(r->args) > (apr_size_t)TRESTLE_OR(work->conf->query_limit, REST_QUERY_LIMIT))
        return rest_refuse(&work->fault, HTTP_REQUEST_URI_TOO_LARGE, "URI_TOO_LONG", "The query is too long.", NULL);
    if (r->args
        && !rest_query_parse(r->args, strlen(r->args), REST_IN_QUERY,
                             TRESTLE_OR(work->conf->fields_max, REST_FIELDS_MAX), work->given, &work->fault))
        return 0;
    if (work->method != REST_GET)
        return rest_body_read(r, work->conf, &work->body, work->given, rc, &work->fault);
    /* RFC 9110 section 9.3.1: content of a GET means nothing; one who sends it expects otherwise. */
    return !rest_body_is_announced(r)
           || rest_refuse(&work->fault, HTTP_BAD_REQUEST, "VALIDATION_ERROR", "A GET request must not have a body.",
                          NULL);
}

/* A row is written from the members of an object, or from a form. */
static int check_object(work_t *work)
{
    return work->body.kind != REST_MEDIA_JSON || work->body.json.type == TRESTLE_JSON_OBJECT
           || rest_refuse(&work->fault, HTTP_BAD_REQUEST, "INVALID_JSON", "The body must be a JSON object.", NULL);
}

static apr_int64_t rows_max(const work_t *work)
{
    return TRESTLE_OR(work->conf->rows_max, REST_ROWS_MAX);
}

/* The plan for rows of a table, view or function, by the method. */
static int plan_rows(work_t *work, const rest_target_t *target, int one_row, rest_plan_t *plan)
{
    static const struct {
        unsigned method;
        rest_operation_e operation;
        rest_right_e right;
    } writes[] = { { REST_POST, REST_INSERT_ROW, REST_MAY_INSERT },
                   { REST_PUT, REST_UPDATE_ROW, REST_MAY_UPDATE },
                   { REST_PATCH, REST_UPDATE_ROW, REST_MAY_UPDATE },
                   { REST_DELETE, REST_DELETE_ROW, REST_MAY_DELETE } };
    const rest_dir_t *conf = work->conf;
    const rest_limits_t limits = {
        .rows_max = rows_max(work),
        .page_size = TRESTLE_OR(conf->page_size, REST_PAGE_SIZE),
        .filters_max = TRESTLE_OR(conf->filters_max, REST_FILTERS_MAX),
        .expand_depth = TRESTLE_OR(conf->expand_depth, REST_EXPAND_DEPTH),
        .expand_rows = TRESTLE_OR(conf->expand_rows, REST_EXPAND_ROWS),
        .count = TRESTLE_OR(conf->count, REST_COUNT_EXACT),
        .refuse_unknown = TRESTLE_OR(conf->refuse_unknown, 1),
    };
    const rest_pages_t pages = {
        .catalogue = work->catalogue,
        .relation = target->relation,
        .function = target->function,
        .role = rest_catalogue_role(work->catalogue, work->role),
        .one_row = one_row,
        .given = work->given,
        .limits = &limits,
    };

    if (work->method == REST_GET)
        return rest_pages_may(&pages, REST_MAY_SELECT, work->anonymous, &work->fault)
               && rest_pages_read(work->r->pool, &pages, plan, &work->fault);
    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        if (work->method == writes[i].method)
            return rest_pages_may(&pages, writes[i].right, work->anonymous, &work->fault) && check_object(work)
                   && rest_pages_write(work->r->pool, &pages, writes[i].operation,
                                       work->method == REST_POST || work->method == REST_PUT, plan, &work->fault);
    return rest_refuse(&work->fault, HTTP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", NULL, NULL);
}

/* The plan of a route: to a table or view, or to a function. */
static int plan_route(work_t *work, rest_plan_t *plan)
{
    const rest_route_t *route = work->match.route;
    apr_pool_t *pool = work->r->pool;
    const rest_target_t target = {
        .relation = route->is_function ? NULL : rest_catalogue_relation(work->catalogue, route->target),
    };
    const rest_function_t *function = target.relation ? NULL : rest_catalogue_function(work->catalogue, route->target);

    /* HEAD is what link checkers and mail scanners send: it must not change anything. */
    if (function && function->volatility == 'v' && work->r->header_only)
        return rest_refuse(&work->fault, HTTP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", NULL, NULL);
    if (function)
        return rest_call_plan(pool, function, work->given, work->body.kind == REST_MEDIA_JSON ? &work->body.json : NULL,
                              TRESTLE_OR(work->conf->refuse_unknown, 1), plan, &work->fault);
    if (target.relation)
        return plan_rows(work, &target, route->ends_in_variable, plan);
    return rest_blame(&work->fault, apr_psprintf(pool,
                                                 "RestRoute %s goes to %s, which schema %s does not have; create "
                                                 "it, or correct the route",
                                                 route->path, route->target, work->catalogue->schema));
}

/* The plan of a path of dialect pages. The location may be asked without its slash. */
static int plan_pages(work_t *work, rest_plan_t *plan)
{
    apr_pool_t *pool = work->r->pool;
    const char *prefix = work->conf->prefix;
    apr_size_t n = strlen(prefix);
    rest_target_t target;

    if (strncmp(work->r->uri, prefix, n) || !rest_pages_target(pool, work->catalogue, work->r->uri + n, &target)) {
        if (!work->match.allowed)
            return rest_refuse(&work->fault, HTTP_NOT_FOUND, "NOT_FOUND", NULL, NULL);
        return rest_refuse(&work->fault, HTTP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", NULL, NULL);
    }
    work->match.allowed |= rest_pages_methods(&target);
    if (!(work->method & work->match.allowed))
        return rest_refuse(&work->fault, HTTP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", NULL, NULL);
    if (target.nkeys > 0 && !rest_pages_keys(&target, work->given, &work->fault))
        return 0;
    plan->has_address = 1;
    return plan_rows(work, &target, target.nkeys > 0, plan);
}

static int make_plan(work_t *work, rest_plan_t *plan)
{
    memset(plan, 0, sizeof(*plan));
    plan->rows_max = rows_max(work);
    return work->match.route ? plan_route(work, plan) : plan_pages(work, plan);
}

static int has_pre_request(const work_t *work)
{
    return work->conf->pre_request && *work->conf->pre_request;
}

static void run(work_t *work, const rest_plan_t *plan, const rest_statement_t *statement, trestle_pg_reply_t *reply)
{
    request_rec *r = work->r;
    const char *public_url = trestle_public_url_of(r);
    const trestle_pg_setting_t settings[] = {
        { "request.jwt.claims", work->claims },
        { "request.method", r->method },
        { "request.path", r->uri },
        { "request.id", trestle_request_id_of(r) },
        { "request.public_url", public_url ? public_url : "" },
    };
    const trestle_pg_statement_t statements[] = {
        { .sql = work->conf->pre_request },
        { .sql = statement->sql, .nparams = statement->nparams, .values = statement->values },
    };
    const int before = has_pre_request(work);
    const trestle_pg_batch_t batch = {
        .role = work->role,
        .settings = settings,
        .nsettings = sizeof(settings) / sizeof(settings[0]),
        .statements = statements + !before,
        .nstatements = 1 + before,
        .read_only = plan->operation == REST_CALL ? plan->function->volatility != 'v' : plan->operation < REST_CALL,
        .timeout = TRESTLE_OR(work->conf->timeout, 0),
    };

    memset(reply, 0, sizeof(*reply));
    pg_run(r, work->pool, &batch, reply);
}

/* Plans and runs. A plan made from an old catalogue is made once more from a new one. */
static int execute(work_t *work)
{
    const rest_catalogue_t *stale = NULL;
    rest_statement_t statement;
    trestle_pg_reply_t reply;
    const unsigned allowed = work->match.allowed;
    rest_plan_t plan;
    int rc = OK;

    for (int attempt = 0;; attempt++) {
        int given = work->given->nelts;

        work->match.allowed = allowed;

        if (!get_catalogue(work, stale, &rc))
            return rc;
        if (!make_plan(work, &plan))
            return answer_fault(work);
        rest_sql_build(work->r->pool, &plan, &statement);
        run(work, &plan, &statement, &reply);
        if (reply.outcome != TRESTLE_PG_REFUSED || attempt > 0 || !rest_error_is_stale(&reply.error))
            break;
        stale = work->catalogue;
        work->given->nelts = given;
    }
    if (reply.outcome == TRESTLE_PG_REFUSED) {
        const rest_attempt_t attempt = {
            .statement = &statement,
            .function = plan.function,
            .relation = plan.relation,
            .role = rest_catalogue_role(work->catalogue, work->role),
            .given = work->given,
            .constraints = work->catalogue->constraints,
            .anonymous = work->anonymous,
        };

        if (stale && rest_error_is_stale(&reply.error))
            rest_snapshot_confirm(work->pool, work->catalogue);
        rest_error_translate(work->r->pool, &reply.error, &attempt, &work->fault);
        return answer_fault(work);
    }
    if (reply.outcome != TRESTLE_PG_OK)
        return answer_outcome(work, &reply);
    return rest_response_send(work->r, &plan, reply.results[has_pre_request(work)], &rc, &work->fault)
               ? rc
               : answer_fault(work);
}

/* Refuses what no route and no dialect takes. */
static int check_path(work_t *work)
{
    if (work->match.route || work->conf->prefix)
        return 1;
    if (work->match.allowed)
        return rest_refuse(&work->fault, HTTP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", NULL, NULL);
    return rest_refuse(&work->fault, HTTP_NOT_FOUND, "NOT_FOUND", NULL, NULL);
}

int rest_handler_run(request_rec *r, const rest_dir_t *conf)
{
    work_t work = { .r = r, .conf = conf, .method = rest_method_bit(r->method), .match = { 0 } };
    int rc = DECLINED;

    /* A path that is no text names nothing, and could not be told to the database. */
    if (!trestle_utf8_valid(r->uri, strlen(r->uri))) {
        rest_refuse(&work.fault, HTTP_NOT_FOUND, "NOT_FOUND", NULL, NULL);
        return answer_fault(&work);
    }
    find_route(&work);
    if (r->method_number == M_OPTIONS && work.match.allowed)
        return answer_options(&work);
    if (!check_path(&work) || !identify(&work))
        return answer_fault(&work);
    if (!(work.pool = pg_pool(r))) {
        rest_blame(&work.fault, "no database pool is configured here; name one with PgUse");
        return answer_fault(&work);
    }
    if (!gather(&work, &rc))
        return rc == DECLINED ? answer_fault(&work) : rc;
    return execute(&work);
}
