#include "identity_database.h"

#include "refuse.h"
#include "request.h"
#include "text.h"
#include "trestle_pg.h"

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

static const trestle_problem_t *internal_error(request_rec *r)
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

/* SQL refuses with SQLSTATE PTnnn: nnn is the status, the message the code, detail and hint are for the client. */
static const trestle_problem_t *refused(request_rec *r, const trestle_pg_error_t *error)
{
    const char *digits = error->sqlstate + 2;
    int status = atoi(digits);
    trestle_problem_t *problem;

    if (strncmp(error->sqlstate, "PT", 2) || strspn(digits, "0123456789") != 3 || status < 400 || status > 599)
        return internal_error(r);
    problem = trestle_problem_make(r, status, text_or_null(error->message), text_or_null(error->detail),
                                   text_or_null(error->hint));
    problem->verbatim = 1;
    return problem;
}

/* Runs statements as the pool's login role; mod_pg has logged what goes wrong. */
static const trestle_problem_t *run(request_rec *r, const trestle_pg_statement_t *statements, int n, int read_only,
                                    trestle_pg_reply_t *reply)
{
    const trestle_pg_setting_t settings[] = {
        { "request.jwt.claims", "{}" },
        { "request.method", r->method },
        { "request.path", trestle_utf8_valid(r->uri, strlen(r->uri)) ? r->uri : "" },
        { "request.id", trestle_request_id_of(r) },
    };
    trestle_pg_batch_t batch = { NULL, settings, sizeof(settings) / sizeof(settings[0]), statements, n, read_only, 0 };
    trestle_pg_pool_t *pool = pg_pool ? pg_pool(r) : NULL;

    if (!pool || !pg_run) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID08: no database for this location: load mod_pg and add PgUse "
                      "with the name of a pool");
        return internal_error(r);
    }
    pg_run(r, pool, &batch, reply);
    switch (reply->outcome) {
    case TRESTLE_PG_OK:
        return NULL;
    case TRESTLE_PG_REFUSED:
        return refused(r, &reply->error);
    case TRESTLE_PG_GONE:
        r->connection->keepalive = AP_CONN_CLOSE;
        break;
    case TRESTLE_PG_UNAVAILABLE:
    case TRESTLE_PG_TIMEOUT:
        break;
    }
    return unavailable(r, reply->retry_after);
}

/* "schema"."name" */
static const char *quoted(apr_pool_t *pool, const identity_function_t *function)
{
    return apr_pstrcat(pool, "\"", function->schema, "\".\"", function->name, "\"", NULL);
}

static const char *value_at(const PGresult *result, int column)
{
    return PQntuples(result) != 1 || PQgetisnull(result, 0, column) ? NULL : PQgetvalue(result, 0, column);
}

const trestle_problem_t *identity_database_begin(request_rec *r, const char *email, identity_account_t *account)
{
    const char *values[] = { email };
    const trestle_pg_statement_t statement = {
        "select account_id, password_hash from trestle.login_begin($1::text)", 1, values, NULL, NULL, NULL
    };
    const trestle_problem_t *problem;
    trestle_pg_reply_t reply;

    if ((problem = run(r, &statement, 1, 1, &reply)))
        return problem;
    account->id = value_at(reply.results[0], 0);
    account->password_hash = value_at(reply.results[0], 1);
    return NULL;
}

const trestle_problem_t *identity_database_claims(request_rec *r, const char *account, const char **claims)
{
    const identity_function_t *function = identity_config_of(r)->claims;
    const char *values[] = { account };
    const trestle_problem_t *problem;
    trestle_pg_reply_t reply;

    *claims = NULL;
    if (function) {
        const trestle_pg_statement_t statement = {
            apr_pstrcat(r->pool, "select ", quoted(r->pool, function), "($1::bigint)", NULL),
            1,
            values,
            NULL,
            NULL,
            NULL
        };

        if ((problem = run(r, &statement, 1, 1, &reply)))
            return problem;
        *claims = value_at(reply.results[0], 0);
    }
    return NULL;
}

/* The client's address as type inet takes it: without the zone of a link-local one (RFC 4007 section 11). */
static const char *address_of(request_rec *r)
{
    return apr_pstrmemdup(r->pool, r->useragent_ip, strcspn(r->useragent_ip, "%"));
}

const trestle_problem_t *identity_database_complete(request_rec *r, const identity_session_t *session,
                                                    const char **body)
{
    const identity_function_t *answer = identity_config_of(r)->answer;
    const char *agent = apr_table_get(r->headers_in, "User-Agent");
    const char *session_values[] = {
        session->account, session->id,
        session->token,   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, apr_time_sec(session->expires)),
        address_of(r),    agent && trestle_utf8_valid(agent, strlen(agent)) ? agent : NULL
    };
    const char *answer_values[] = { session->account, session->text };
    const trestle_pg_statement_t statements[] = {
        { "select trestle.login_complete($1::bigint, $2::uuid, $3::uuid, to_timestamp($4::double precision), "
          "$5::inet, $6::text)",
          6, session_values, NULL, NULL, NULL },
        { answer ? apr_pstrcat(r->pool, "select ", quoted(r->pool, answer), "($1::bigint, $2::text)", NULL) : NULL, 2,
          answer_values, NULL, NULL, NULL },
    };
    const trestle_problem_t *problem;
    trestle_pg_reply_t reply;

    if ((problem = run(r, statements, answer ? 2 : 1, 0, &reply)))
        return problem;
    *body = answer ? value_at(reply.results[1], 0) : NULL;
    if (answer && !*body) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSID09: IdentityAnswerFunction %s.%s gave no row or null",
                      answer->schema, answer->name);
        return internal_error(r);
    }
    return NULL;
}
