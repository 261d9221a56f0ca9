#include "pg.h"

#include "pg_multiplex.h"
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

#define RESET_TIME (1000 * 1000) /* microseconds: a reset that takes longer costs the connection */

PGcancel *volatile pg_running_cancel;

/* How an attempt ended. */
typedef enum {
    ANSWERED, /* committed, or refused */
    STALE,    /* prepared statements no longer fit: nothing was changed, repeat */
    LOST,     /* the connection broke */
    TIMEOUT,
    STOPPED,
    CLIENT_GONE
} end_e;

/* How an attempt left the connection of a batch that was answered. */
typedef enum {
    FIT,     /* for the next user, perhaps once its reset has been answered */
    SPOILED, /* not as it must be */
    HANGING  /* the reset is not answered in time */
} left_e;

typedef struct {
    request_rec *r;
    trestle_pg_pool_t *pool;
    const trestle_pg_batch_t *batch;
    trestle_pg_reply_t *reply;
    pg_watch_t watch;
    pg_connection_t *connection;
    pg_flight_t flight;
    uint64_t key; /* of the batch's pace; 0: it is not multiplexed whatever its pace */
    int repeated; /* 1: it runs for the second and last time */
    left_e left;
} run_t;

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
    run->flight.settings.nparams = n;
    run->flight.settings.values = values;
    run->flight.settings.sql = n ? pg_settings_statement(run->r->pool, n / 2) : NULL;
}

/* The answers up to the end of the flight's transaction; sends what is still to be sent meanwhile, so that neither side
 * waits for the other. */
static end_e receive(run_t *run, const pg_watch_t *watch)
{
    PGconn *pg = run->connection->pg;

    for (;;) {
        pg_take_e take = pg_flight_take(&run->flight);
        int flush;

        if (take != PG_TAKE_BUSY)
            return take == PG_TAKE_DONE ? ANSWERED : LOST;
        flush = PQflush(pg);
        switch (
            pg_wait_watching(run->pool->child, PQsocket(pg), (short)(flush > 0 ? POLLIN | POLLOUT : POLLIN), watch)) {
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
}

/*
 * 1 if the session is reset behind the batch. Not behind one that only reads: what it calls is not volatile. Not behind
 * a pooler (PgPrepare Off), which may pass the second transaction to another server connection than the first.
 */
static int must_reset(const run_t *run)
{
    return run->pool->reset && run->pool->prepare && !run->batch->read_only;
}

/*
 * The reset that travels behind the batch. The client does not wait for it: who takes the connection next does. But for
 * a batch that is repeated on the same connection, and a reset that has not left this process yet.
 */
static left_e leave_reset(run_t *run, end_e end)
{
    pg_connection_t *connection = run->connection;

    connection->resetting = 1;
    connection->reset_by = pg_now() + RESET_TIME;
    if (end != STALE && PQflush(connection->pg) == 0)
        return FIT;
    return pg_connection_settle(connection) ? FIT : connection->resetting ? HANGING : SPOILED;
}

static end_e receive_flight(run_t *run, int reset)
{
    PGconn *pg = run->connection->pg;
    end_e end = receive(run, &run->watch);

    if (end != ANSWERED)
        return end;
    if (pg_flight_is_stale(&run->flight)) {
        run->connection->forget = 1;
        end = STALE;
    }
    if (reset)
        run->left = leave_reset(run, end);
    else if (PQtransactionStatus(pg) != PQTRANS_IDLE || PQpipelineStatus(pg) != PQ_PIPELINE_ON)
        run->left = SPOILED;
    if (end == STALE && run->left == HANGING)
        return TIMEOUT;
    return end;
}

/* One attempt on run->connection. */
static end_e attempt(run_t *run)
{
    int reset = must_reset(run);
    apr_time_t began = pg_now();
    PGcancel *cancel = NULL;
    end_e end;

    run->left = FIT;
    if (!pg_flight_send(&run->flight, run->connection, reset, 0))
        return LOST;
    if (!run->pool->child->threaded)
        pg_running_cancel = cancel = PQgetCancel(run->connection->pg);
    end = receive_flight(run, reset);
    pg_running_cancel = NULL;
    if (cancel)
        PQfreeCancel(cancel);
    if (run->key && end == ANSWERED)
        pg_pace_note(run->pool->paces, run->key, (uint64_t)(pg_now() - began));
    return end;
}

/* The connection of an answered batch, as the attempt left it. */
static void give_back(run_t *run)
{
    if (run->left == FIT)
        pg_pool_release(run->connection);
    else if (run->left == SPOILED)
        pg_pool_discard(run->connection);
    else
        pg_cancel_take(run->connection);
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

/* From when the batch is first under way: a repetition has what is left. */
static void set_deadline(run_t *run)
{
    if (!run->watch.deadline)
        run->watch.deadline = pg_now() + (run->batch->timeout ? run->batch->timeout : run->pool->timeout);
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

/* The end of an attempt that leaves a query running, which is being cancelled. */
static void report_abandoned(run_t *run, end_e end)
{
    if (end == CLIENT_GONE)
        pg_reply_gone(run->r, run->pool, run->reply);
    else if (end == TIMEOUT)
        pg_reply_timeout(run->r, run->pool, run->reply, "the batch took longer than its timeout; cancelled");
    else
        pg_reply_unavailable(run->r, run->pool, run->reply, "the server is stopping; query cancelled", APLOG_INFO);
}

/* The connection broke. 1 if the batch may run again, on another one: only if it changes nothing. */
static int lost(run_t *run, apr_interval_time_t wait)
{
    pg_counters_t *counters = &run->pool->shared->counters;
    const char *cause = run->flight.failure ? PQresultErrorField(run->flight.failure, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (!cause)
        cause = apr_pstrdup(run->r->pool, PQerrorMessage(run->connection->pg));
    atomic_fetch_add(&counters->lost, 1);
    pg_pool_discard(run->connection);
    if (run->batch->read_only && !run->repeated++) {
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

/* The end of a batch that the server has answered. */
static void answered(run_t *run)
{
    if (run->flight.failure)
        pg_reply_refused(run->r, run->pool, run->batch, run->flight.failure, run->flight.failed_place, run->reply);
}

/*
 * Among others on a lane, if the batch is known as quick. 1: it has come to its end. 0: it runs on a connection of its
 * own, which is run->connection if one was acquired already.
 */
static int run_multiplexed(run_t *run, apr_interval_time_t wait)
{
    pg_lane_t *lane = pg_multiplex_lane(run->pool, run->key);
    pg_lane_e end;
    pg_turn_t turn;

    if (!lane)
        return 0;
    if (!pg_multiplex_join(lane, &turn, &run->flight, run->key)) {
        if (!acquire(run, pg_now() + wait))
            return 1;
        if (!pg_multiplex_open(lane, run->connection, &turn, &run->flight, run->key))
            return 0;
    }
    run->connection = NULL;
    set_deadline(run);
    end = pg_multiplex_wait(lane, &turn, &run->watch);
    if (end == PG_LANE_ALONE)
        return 0;
    if (end == PG_LANE_LOST || (end == PG_LANE_ANSWERED && pg_flight_is_stale(&run->flight))) {
        atomic_fetch_add(&run->pool->shared->counters.lost, end == PG_LANE_LOST);
        atomic_fetch_add(&run->pool->shared->counters.repeated, 1);
        /* Another connection may hold the stale plan too: that is found out there. */
        run->repeated = end == PG_LANE_LOST;
        return 0;
    }
    atomic_fetch_add(&run->pool->shared->counters.multiplexed, 1);
    switch (end) {
    case PG_LANE_TIMEOUT:
        report_abandoned(run, TIMEOUT);
        break;
    case PG_LANE_STOPPED:
        report_abandoned(run, STOPPED);
        break;
    case PG_LANE_CLIENT_GONE:
        report_abandoned(run, CLIENT_GONE);
        break;
    default:
        answered(run);
    }
    return 1;
}

/* On a connection of its own. */
static void run_alone(run_t *run, apr_interval_time_t wait)
{
    if (!run->connection && !acquire(run, pg_now() + wait))
        return;
    set_deadline(run);
    for (;;) {
        end_e end = attempt(run);

        switch (end) {
        case STALE:
            if (!run->repeated++) {
                atomic_fetch_add(&run->pool->shared->counters.repeated, 1);
                continue;
            }
            /* fall through */
        case ANSWERED:
            give_back(run);
            answered(run);
            return;
        case LOST:
            if (lost(run, wait))
                continue;
            return;
        case TIMEOUT:
        case STOPPED:
        case CLIENT_GONE:
            pg_cancel_take(run->connection);
            report_abandoned(run, end);
            return;
        }
    }
}

void pg_batch_run(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch, apr_interval_time_t wait,
                  trestle_pg_reply_t *reply)
{
    run_t run = { .r = r,
                  .pool = pool,
                  .batch = batch,
                  .reply = reply,
                  .watch = { .client = client_socket(r), .stream = r->connection->master ? r->connection : NULL } };

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
    run.flight.batch = batch;
    run.flight.owner = r->pool;
    run.flight.results = reply->results;
    build_settings(&run);
    run.key = pg_multiplex_key(pool, &run.flight);
    if (!run_multiplexed(&run, wait))
        run_alone(&run, wait);
}
