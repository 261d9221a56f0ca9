#include "identity_database.h"

#include "refuse.h"
#include "request.h"
#include "text.h"

#include "http_log.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

APLOG_USE_MODULE(identity);

static APR_OPTIONAL_FN_TYPE(trestle_pg_pool) * pg_pool;
static APR_OPTIONAL_FN_TYPE(trestle_pg_run) * pg_run;

void identity_database_retrieve(void)
{
    pg_pool = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_pool);
    pg_run = APR_RETRIEVE_OPTIONAL_FN(trestle_pg_run);
}

const trestle_problem_t *identity_internal_error(request_rec *r)
{
    return trestle_problem_make(r, HTTP_INTERNAL_SERVER_ERROR, NULL, NULL, NULL);
}

static const trestle_problem_t *unavailable(request_rec *r, int seconds)
{
    trestle_retry_after(r, seconds);
    return trestle_problem_make(r, HTTP_SERVICE_UNAVAILABLE, NULL, NULL, NULL);
}

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static int is_class(const trestle_pg_error_t *error, const char *start)
{
    return !strncmp(error->sqlstate, start, strlen(start));
}

/*
 * SQL refuses with SQLSTATE PTnnn: nnn is the status, the message the code, detail and hint are for the client. What
 * constraints and casts refuse in functions of the application is the client's doing, who has sent the fields; locks,
 * conflicts and lack of resources pass.
 */
static const trestle_problem_t *refused(request_rec *r, const trestle_pg_error_t *error)
{
    const char *digits = error->sqlstate + 2;
    int status = is_class(error, "PT") && strspn(digits, "0123456789") == 3 ? atoi(digits) : 0;
    trestle_problem_t *problem;

    if (status >= 400 && status <= 599) {
        problem = trestle_problem_make(r, status, text_or_null(error->message), text_or_null(error->detail),
                                       text_or_null(error->hint));
        problem->verbatim = 1;
        return problem;
    }
    if (is_class(error, "23505"))
        return trestle_problem_make(r, HTTP_CONFLICT, "ALREADY_EXISTS", NULL, error->column);
    if (is_class(error, "22") || is_class(error, "23"))
        return trestle_problem_make(r, HTTP_BAD_REQUEST, "VALIDATION_ERROR", NULL, error->column);
    if (is_class(error, "40") || is_class(error, "53") || is_class(error, "55P03") || is_class(error, "57P0"))
        return unavailable(r, 1);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "TRSID18: a function that this location asks has failed with SQLSTATE %s: %s; grant it to the login "
                  "role, or correct it",
                  error->sqlstate, error->message ? error->message : "");
    return identity_internal_error(r);
}

identity_batch_t identity_batch(request_rec *r, const char *claims, int read_only)
{
    identity_batch_t batch = { .r = r, .claims = claims, .read_only = read_only };

    return batch;
}

int identity_batch_add(identity_batch_t *batch, const char *sql, const char *const *values, int count)
{
    const trestle_pg_statement_t statement = { sql, count, values, NULL, NULL, NULL };

    batch->statements[batch->n] = statement;
    return batch->n++;
}

const trestle_problem_t *identity_batch_run(identity_batch_t *batch)
{
    request_rec *r = batch->r;
    const trestle_pg_setting_t settings[] = {
        { "request.jwt.claims", batch->claims },
        { "request.method", r->method },
        { "request.path", trestle_utf8_valid(r->uri, strlen(r->uri)) ? r->uri : "" },
        { "request.id", trestle_request_id_of(r) },
    };
    trestle_pg_batch_t whole = {
        NULL, settings, sizeof(settings) / sizeof(settings[0]), batch->statements, batch->n, batch->read_only, 0
    };
    trestle_pg_pool_t *pool = pg_pool ? pg_pool(r) : NULL;
    trestle_pg_reply_t reply;

    if (!pool || !pg_run) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID08: no database for this location: load mod_pg and add PgUse "
                      "with the name of a pool");
        return identity_internal_error(r);
    }
    pg_run(r, pool, &whole, &reply);
    batch->results = reply.results;
    switch (reply.outcome) {
    case TRESTLE_PG_OK:
        return NULL;
    case TRESTLE_PG_REFUSED:
        return refused(r, &reply.error);
    case TRESTLE_PG_GONE:
        r->connection->keepalive = AP_CONN_CLOSE;
        break;
    case TRESTLE_PG_UNAVAILABLE:
    case TRESTLE_PG_TIMEOUT:
        break;
    }
    return unavailable(r, reply.retry_after);
}

const char *identity_batch_value(const identity_batch_t *batch, int statement, int column)
{
    const PGresult *result = batch->results[statement];

    return PQntuples(result) != 1 || PQgetisnull(result, 0, column) ? NULL : PQgetvalue(result, 0, column);
}

const char *identity_function_text(apr_pool_t *pool, const identity_function_t *function)
{
    return apr_pstrcat(pool, "\"", function->schema, "\".\"", function->name, "\"", NULL);
}
