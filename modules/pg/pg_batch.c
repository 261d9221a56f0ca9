#include "pg.h"

#include "pg_flight.h"
#include "pg_pipeline.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"

#include <apr_portable.h>
#include <apr_strings.h>
#include <poll.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

#define LOOK_INTERVAL (200 * 1000)  /* microseconds between looks whether an HTTP/2 stream still stands */
#define RESET_TIME    (1000 * 1000) /* microseconds: a reset that takes longer costs the connection */

PGcancel *volatile pg_running_cancel;

/* How an attempt ended. */
typedef enum {
    ANSWERED, /* committed, or refused */
    STALE,    /* prepared statements no longer fit: nothing was changed, repeat */
    LOST,     /* the connection broke */
    DIRTY,    /* of run_t.left alone: the session is not as it must be for the next user */
    TIMEOUT,
    STOPPED,
    CLIENT_GONE
} end_e;

typedef struct {
    request_rec *r;
    trestle_pg_pool_t *pool;
    const trestle_pg_batch_t *batch;
    trestle_pg_reply_t *reply;
    trestle_pg_statement_t settings; /* role and settings as a statement */
    int client;                      /* descriptor of the client's connection; -1: not watched */
    conn_rec *stream;                /* HTTP/2: whose end mod_http2 marks as aborted; otherwise NULL */
    pg_connection_t *connection;
    apr_time_t deadline;
    pg_flight_t flight;
    PGresult *failure; /* the first error of this attempt; belongs to r->pool */
    int failed_place;
    int resetting; /* 1: the batch has its outcome; what comes answers the reset, and nobody watches the client */
    int unreset;   /* 1: a command of the reset has failed */
    end_e left;    /* how this attempt left an answered batch's connection: ANSWERED means fit for the next user */
} run_t;

static apr_status_t clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

static PGresult *keep(run_t *run, PGresult *result)
{
    apr_pool_cleanup_register(run->r->pool, result, clear_result, apr_pool_cleanup_null);
    return result;
}

/* -1 for an HTTP/2 stream: the socket is shared, and what is to be read there is mod_http2's. */
static int client_socket(request_rec *r)
{
    apr_socket_t *socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    int fd;

    return socket && apr_os_sock_get(&fd, socket) == APR_SUCCESS ? fd : -1;
}

/*
 * Role, the batch's settings and our own as one statement. The role comes first, so that the other settings are set
 * with its rights; 'none' is the pool's login role.
 */
static void build_settings(run_t *run)
{
    const trestle_pg_batch_t *batch = run->batch;
    const char **values = apr_palloc(run->r->pool, 2 * (size_t)(batch->nsettings + 3) * sizeof(*values));
    int n = 0;

#define ADD(name, value) (values[n++] = (name), values[n++] = (value))
    if (batch->role || run->pool->reset)
        ADD("role", batch->role ? batch->role : "none");
    if (batch->read_only)
        ADD("transaction_read_only", "on");
    if (batch->timeout > run->pool->timeout)
        ADD("statement_timeout",
            apr_psprintf(run->r->pool, "%" APR_TIME_T_FMT, apr_time_as_msec(batch->timeout + apr_time_from_sec(5))));
    for (int i = 0; i < batch->nsettings; i++)
        ADD(batch->settings[i].name, batch->settings[i].value);
#undef ADD
    run->settings.nparams = n;
    run->settings.values = values;
    run->settings.sql = n ? pg_settings_statement(run->r->pool, n / 2) : NULL;
}

static pg_wait_e wait_for_server(run_t *run, short events)
{
    for (;;) {
        apr_time_t look = run->stream && !run->resetting ? pg_now() + LOOK_INTERVAL : run->deadline;
        int last = look >= run->deadline;
        pg_wait_e waited = pg_wait(run->pool->child, PQsocket(run->connection->pg), events,
                                   run->resetting ? -1 : run->client, last ? run->deadline : look);

        if (waited != PG_WAIT_DEADLINE || last)
            return waited;
        if (run->stream->aborted)
            return PG_WAIT_CLIENT_GONE;
    }
}

/* Until libpq has a result; sends what is still to be sent meanwhile, so that neither side waits for the other. */
static end_e await_result(run_t *run)
{
    PGconn *pg = run->connection->pg;

    while (PQisBusy(pg)) {
        int flush = PQflush(pg);

        switch (wait_for_server(run, (short)(flush > 0 ? POLLIN | POLLOUT : POLLIN))) {
        case PG_READY:
            break;
        case PG_WAIT_DEADLINE:
            return TIMEOUT;
        case PG_WAIT_STOPPED:
            return STOPPED;
        case PG_WAIT_CLIENT_GONE:
            return CLIENT_GONE;
        }
        if (!PQconsumeInput(pg))
            return LOST;
    }
    return ANSWERED;
}

static int is_lost(const run_t *run, const PGresult *failure)
{
    const char *severity = PQresultErrorField(failure, PG_DIAG_SEVERITY_NONLOCALIZED);

    return PQstatus(run->connection->pg) != CONNECTION_OK || !severity || !strcmp(severity, "FATAL")
           || !strcmp(severity, "PANIC");
}

/* A plan the server can no longer use, or a name it no longer knows. */
static int is_stale(const PGresult *failure)
{
    const char *sqlstate = PQresultErrorField(failure, PG_DIAG_SQLSTATE);
    const char *function = PQresultErrorField(failure, PG_DIAG_SOURCE_FUNCTION);

    return sqlstate
           && (!strcmp(sqlstate, "26000") || !strcmp(sqlstate, "42P05")
               || (!strcmp(sqlstate, "0A000") && function && !strcmp(function, "RevalidateCachedQuery")));
}

static void take_result(run_t *run, const pg_step_t *step, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
        if (step && step->kind == PG_EXECUTE && step->place >= 0) {
            run->reply->results[step->place] = keep(run, result);
            return;
        }
    } else {
        if (step)
            pg_flight_take_back(&run->flight, step);
        if (run->resetting) {
            run->unreset = 1;
        } else if (status == PGRES_FATAL_ERROR && !run->failure) {
            run->failure = keep(run, result);
            run->failed_place = step ? step->place : run->batch->nstatements;
            return;
        }
    }
    PQclear(result);
}

/* The answers to the steps from at until end, up to the end of their transaction, whose own answer is the commit's. */
static end_e receive(run_t *run, int at, int end_of_steps)
{
    PGconn *pg = run->connection->pg;

    for (;;) {
        end_e end = await_result(run);
        const pg_step_t *step = at < end_of_steps ? &run->flight.steps[at] : NULL;
        PGresult *result;

        if (end != ANSWERED)
            return end;
        result = PQgetResult(pg);
        if (!result) {
            if (PQstatus(pg) != CONNECTION_OK || ++at > end_of_steps + 1)
                return LOST;
        } else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return ANSWERED;
        } else {
            ExecStatusType status = PQresultStatus(result);

            take_result(run, step, result);
            if (run->failure && is_lost(run, run->failure))
                return LOST;
            if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
                return LOST;
        }
    }
}

/*
 * 1 if the session is reset behind the batch. Not behind one that only reads: what it calls is not volatile. Not behind
 * a pooler (PgPrepare Off), which may pass the second transaction to another server connection than the first.
 */
static int must_reset(const run_t *run)
{
    return run->pool->reset && run->pool->prepare && !run->batch->read_only;
}

/* The reset's answers. The batch has its outcome whatever becomes of it; only the connection depends on it. */
static end_e receive_reset(run_t *run)
{
    apr_time_t deadline = run->deadline;
    end_e end;

    run->resetting = 1;
    run->deadline = pg_now() + RESET_TIME;
    end = receive(run, run->flight.nbatch, run->flight.nsteps);
    run->resetting = 0;
    run->deadline = deadline;
    return end == ANSWERED && run->unreset ? DIRTY : end;
}

static end_e receive_flight(run_t *run, int reset)
{
    PGconn *pg = run->connection->pg;
    end_e end = receive(run, 0, run->flight.nbatch);

    if (end != ANSWERED)
        return end;
    if (run->failure && is_stale(run->failure)) {
        run->connection->forget = 1;
        end = STALE;
    }
    if (reset)
        run->left = receive_reset(run);
    if (run->left != ANSWERED && run->left != DIRTY)
        return end == STALE ? run->left : end;
    if (PQtransactionStatus(pg) != PQTRANS_IDLE || PQpipelineStatus(pg) != PQ_PIPELINE_ON) {
        run->left = DIRTY;
        return ANSWERED;
    }
    /* Of a STALE batch the reset is often stale too; the repetition ends with one of its own. */
    return end;
}

/* One attempt on run->connection. */
static end_e attempt(run_t *run)
{
    int reset = must_reset(run);
    PGcancel *cancel = NULL;
    end_e end;

    run->failure = NULL;
    run->unreset = 0;
    run->left = ANSWERED;
    memset(run->reply->results, 0, (size_t)run->batch->nstatements * sizeof(PGresult *));
    if (!pg_flight_send(&run->flight, run->connection, &run->settings, run->batch, reset))
        return LOST;
    if (!run->pool->child->threaded)
        pg_running_cancel = cancel = PQgetCancel(run->connection->pg);
    end = receive_flight(run, reset);
    pg_running_cancel = NULL;
    if (cancel)
        PQfreeCancel(cancel);
    return end;
}

/* The connection of an answered batch, as the attempt left it. */
static void give_back(run_t *run)
{
    if (run->left == ANSWERED) {
        pg_pool_release(run->connection);
        return;
    }
    ap_log_rerror(
        APLOG_MARK, APLOG_INFO, 0, run->r,
        "TRSPG16: pool %s: the session was not reset behind the batch, whose outcome stands; its connection is "
        "closed",
        run->pool->name);
    if (run->left == TIMEOUT || run->left == STOPPED)
        pg_cancel_take(run->connection);
    else
        pg_pool_discard(run->connection);
}

/* A batch that this module does not send: a mistake in the calling module. */
static int is_unfit(run_t *run)
{
    const trestle_pg_batch_t *batch = run->batch;
    trestle_pg_error_t *error = &run->reply->error;

    error->statement = PG_SETTINGS_PLACE;
    if (batch->nstatements < 1 || batch->nstatements > PG_STATEMENTS_MAX)
        error->message = "a batch has 1 to 16 statements";
    else if (batch->nsettings < 0 || batch->nsettings > PG_SETTINGS_MAX - 3)
        error->message = "a batch has at most 61 settings";
    else if (batch->role && (!*batch->role || !strcmp(batch->role, "none")))
        error->message =
            "no database role is configured for the caller, and an empty one would be the pool's login role";
    for (int i = 0; !error->message && i < batch->nstatements; i++)
        if (pg_statement_is_forbidden(batch->statements[i].sql)) {
            error->message = "a statement of a batch may not be able to end its transaction (CALL, DO, COMMIT and the "
                             "like), nor copy";
            error->statement = i;
        }
    if (!error->message)
        return 0;
    error->sqlstate = "0A000";
    run->reply->outcome = TRESTLE_PG_REFUSED;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, run->r, "TRSPG13: pool %s: %s", run->pool->name, error->message);
    return 1;
}

static int acquire(run_t *run, apr_time_t deadline)
{
    switch (pg_pool_acquire(run->pool, deadline, &run->connection)) {
    case PG_GOT:
        return 1;
    case PG_NO_TIME:
        pg_reply_unavailable(
            run->r, run->pool, run->reply,
            "no connection became free within PgWait: raise PgMax if the database can bear it, or look "
            "for slow statements",
            APLOG_WARNING);
        break;
    case PG_NO_DATABASE:
        pg_reply_unavailable(run->r, run->pool, run->reply, "the database cannot be reached (see the message TRSPG01)",
                             APLOG_INFO);
        break;
    case PG_NO_CHILD:
        pg_reply_unavailable(run->r, run->pool, run->reply, "the server is stopping", APLOG_INFO);
        break;
    }
    return 0;
}

/* The end of an attempt that leaves a query running: the connection goes to the canceller. */
static void abandoned(run_t *run, end_e end)
{
    pg_cancel_take(run->connection);
    if (end == CLIENT_GONE)
        pg_reply_gone(run->r, run->pool, run->reply);
    else if (end == TIMEOUT)
        pg_reply_timeout(run->r, run->pool, run->reply, "the batch took longer than its timeout; cancelled");
    else
        pg_reply_unavailable(run->r, run->pool, run->reply, "the server is stopping; query cancelled", APLOG_INFO);
}

/* The connection broke. 1 if the batch may run again, on another one: only if it changes nothing. */
static int lost(run_t *run, int *repeated, apr_interval_time_t wait)
{
    pg_counters_t *counters = &run->pool->shared->counters;
    const char *cause = run->failure ? PQresultErrorField(run->failure, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (!cause)
        cause = PQerrorMessage(run->connection->pg);
    cause = ap_escape_logitem(run->r->pool, cause);
    atomic_fetch_add(&counters->lost, 1);
    pg_pool_discard(run->connection);
    if (run->batch->read_only && !(*repeated)++) {
        atomic_fetch_add(&counters->repeated, 1);
        return acquire(run, pg_now() + wait);
    }
    pg_reply_unavailable(run->r, run->pool, run->reply,
                         apr_pstrcat(run->r->pool,
                                     run->batch->read_only ? "the connection broke twice: "
                                                           : "the connection broke, a write is not repeated: ",
                                     cause, NULL),
                         APLOG_WARNING);
    return 0;
}

void pg_batch_run(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch, apr_interval_time_t wait,
                  trestle_pg_reply_t *reply)
{
    run_t run = { .r = r,
                  .pool = pool,
                  .batch = batch,
                  .reply = reply,
                  .client = client_socket(r),
                  .stream = r->connection->master ? r->connection : NULL };
    int repeated = 0;

    memset(reply, 0, sizeof(*reply));
    if (!pool->child || !pool->maintained) {
        pg_reply_unavailable(r, pool, reply, "this child could not start its pools (see TRSPG22 and TRSPG23)",
                             APLOG_ERR);
        return;
    }
    if (is_unfit(&run))
        return;
    reply->results = apr_pcalloc(r->pool, (size_t)batch->nstatements * sizeof(*reply->results));
    atomic_fetch_add(&pool->shared->counters.batches, 1);
    build_settings(&run);
    if (!acquire(&run, pg_now() + wait))
        return;
    run.deadline = pg_now() + (batch->timeout ? batch->timeout : pool->timeout);
    for (;;) {
        end_e end = attempt(&run);

        switch (end) {
        case STALE:
            if (!repeated++) {
                atomic_fetch_add(&pool->shared->counters.repeated, 1);
                continue;
            }
            /* fall through */
        case ANSWERED:
        case DIRTY:
            give_back(&run);
            if (run.failure)
                pg_reply_refused(r, pool, batch, run.failure, run.failed_place, reply);
            return;
        case LOST:
            if (lost(&run, &repeated, wait))
                continue;
            return;
        case TIMEOUT:
        case STOPPED:
        case CLIENT_GONE:
            abandoned(&run, end);
            return;
        }
    }
}
