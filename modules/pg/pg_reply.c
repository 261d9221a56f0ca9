#include "pg.h"

#include "http_core.h"
#include "http_log.h"

#include <apr_strings.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

void pg_reply_unavailable(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply, const char *why,
                          int level)
{
    apr_time_t now = pg_now(), warned = atomic_load(&pool->warned);

    reply->outcome = TRESTLE_PG_UNAVAILABLE;
    pthread_mutex_lock(&pool->lock);
    reply->retry_after = pg_breaker_retry_after(&pool->breaker, now);
    pthread_mutex_unlock(&pool->lock);
    atomic_fetch_add(&pool->shared->counters.unavailable, 1);
    /* An overload would fill the log with the same line: one warning a second. */
    if (level == APLOG_WARNING
        && (now - warned < APR_USEC_PER_SEC || !atomic_compare_exchange_strong(&pool->warned, &warned, now)))
        level = APLOG_INFO;
    ap_log_rerror(APLOG_MARK, level, 0, r, "TRSPG12: pool %s: %s", pool->name, why);
}

void pg_reply_timeout(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply, const char *why)
{
    reply->outcome = TRESTLE_PG_TIMEOUT;
    reply->retry_after = 1;
    atomic_fetch_add(&pool->shared->counters.timeouts, 1);
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "TRSPG15: pool %s: %s", pool->name, why);
}

void pg_reply_gone(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply)
{
    reply->outcome = TRESTLE_PG_GONE;
    atomic_fetch_add(&pool->shared->counters.gone, 1);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSPG14: pool %s: the client has gone; query cancelled", pool->name);
}

static void fill_error(trestle_pg_error_t *error, const PGresult *result, int place)
{
    error->sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!error->sqlstate)
        error->sqlstate = "XX000";
    error->message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    error->detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    error->hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    error->context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    error->schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
    error->table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    error->column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME);
    error->datatype = PQresultErrorField(result, PG_DIAG_DATATYPE_NAME);
    error->constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    error->statement = place;
}

/*
 * What the request itself brought about (its data, its rights, a conflict with another request, a RAISE of the
 * application) is information; anything else is a fault of configuration or code that someone must mend.
 */
static int level_of(const char *sqlstate)
{
    static const char *const expected[] = { "PT", "22", "23", "40", "54", "P0001", "42501", "44", "25006", "55P03" };

    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strncmp(sqlstate, expected[i], strlen(expected[i])))
            return APLOG_INFO;
    return APLOG_ERR;
}

void pg_reply_refused(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch, const PGresult *failure,
                      int place, trestle_pg_reply_t *reply)
{
    trestle_pg_error_t *error = &reply->error;

    fill_error(error, failure, place);
    if (!strcmp(error->sqlstate, "57014")) {
        pg_reply_timeout(
            r, pool, reply,
            apr_pstrcat(r->pool, "the server cancelled the query: ", error->message ? error->message : "", NULL));
        return;
    }
    reply->outcome = TRESTLE_PG_REFUSED;
    atomic_fetch_add(&pool->shared->counters.refused, 1);
    ap_log_rerror(APLOG_MARK, level_of(error->sqlstate), 0, r,
                  "TRSPG10: pool %s: %s refused with SQLSTATE %s: %s%s%s%s%s", pool->name,
                  error->statement == PG_SETTINGS_PLACE    ? "role or settings"
                  : error->statement == batch->nstatements ? "commit"
                                                           : apr_psprintf(r->pool, "statement %d", error->statement),
                  error->sqlstate, error->message ? error->message : "", error->constraint ? ", constraint " : "",
                  error->constraint ? error->constraint : "", error->context ? ", in " : "",
                  error->context ? error->context : "");
}
