#include "pg_flight.h"

#include <apr_strings.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_INTERVAL (200 * 1000) /* microseconds between looks whether an HTTP/2 stream still stands */
#define SOON          (20 * 1000)  /* microseconds in which a wait looks at nothing but its own socket */
#define LINGER        (200 * 1000) /* microseconds: longest wait for the server's end of a connection that is closed */

apr_time_t pg_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_time_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* Rounded up, so that a wait never ends just before its deadline and spins. */
static int milliseconds_until(apr_time_t deadline)
{
    apr_interval_time_t left = deadline - pg_now();

    return left <= 0 ? 0 : left > apr_time_from_sec(3600) ? 3600 * 1000 : (int)((left + 999) / 1000);
}

/* -1: interrupted; else as poll. */
static int poll_until(struct pollfd *fds, nfds_t n, apr_time_t deadline)
{
    int ready = poll(fds, n, milliseconds_until(deadline));

    return ready < 0 && errno != EINTR ? 1 : ready;
}

pg_wait_e pg_wait(pg_child_t *child, int fd, short events, int client, apr_time_t deadline)
{
    struct pollfd fds[] = { { fd, events, 0 }, { child->stop_fd, POLLIN, 0 }, { client, POLLRDHUP, 0 } };
    apr_time_t soon = pg_now() + SOON;

    /* Most answers come at once: looking at one descriptor costs less than at three. */
    if (poll_until(fds, 1, soon < deadline ? soon : deadline) > 0)
        return PG_READY;
    for (;;) {
        int ready = poll_until(fds, 3, deadline);

        if (ready > 0 && fds[1].revents && !fds[0].revents)
            return PG_WAIT_STOPPED;
        if (ready > 0 && fds[2].revents && !fds[0].revents)
            return PG_WAIT_CLIENT_GONE;
        if (ready > 0)
            return PG_READY;
        if (pg_now() >= deadline)
            return PG_WAIT_DEADLINE;
    }
}

pg_wait_e pg_wait_watching(pg_child_t *child, int fd, short events, const pg_watch_t *watch)
{
    for (;;) {
        apr_time_t look = watch->stream ? pg_now() + LOOK_INTERVAL : watch->deadline;
        int last = look >= watch->deadline;
        pg_wait_e waited = pg_wait(child, fd, events, watch->client, last ? watch->deadline : look);

        if (waited != PG_WAIT_DEADLINE || last)
            return waited;
        if (watch->stream->aborted)
            return PG_WAIT_CLIENT_GONE;
    }
}

static void ignore_notice(void *argument TRESTLE_UNUSED, const PGresult *result TRESTLE_UNUSED)
{
}

/*
 * Behind what the administrator wrote stand only those keywords that must win; before it stand defaults. The server's
 * statement_timeout is the second line of defence, for the case that this process dies during a query.
 */
static PGconn *start(trestle_pg_pool_t *pool, const char *conninfo)
{
    char options[64];
    const char *keywords[12], *values[12];
    int n = 0;

#define ADD(keyword, value) (keywords[n] = (keyword), values[n++] = (value))
    ADD("keepalives_idle", "10");
    ADD("keepalives_interval", "5");
    ADD("keepalives_count", "3");
    ADD("tcp_user_timeout", "20000");
    ADD("fallback_application_name", "trestle");
    if (pool->prepare) {
        snprintf(options, sizeof(options), "-c statement_timeout=%ld",
                 (long)apr_time_as_msec(pool->timeout + apr_time_from_sec(5)));
        ADD("options", options);
    }
    ADD("dbname", conninfo);
    ADD("client_encoding", "UTF8");
    if (pool->password)
        ADD("password", pool->password);
    ADD(NULL, NULL);
#undef ADD
    return PQconnectStartParams(keywords, values, 1);
}

static int handshake(pg_child_t *child, PGconn *pg, apr_time_t deadline, const char **why)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    *why = NULL;
    if (PQstatus(pg) == CONNECTION_BAD)
        return 0;
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    while (status != PGRES_POLLING_OK) {
        pg_wait_e waited =
            pg_wait(child, PQsocket(pg), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, -1, deadline);

        if (waited != PG_READY) {
            *why = waited == PG_WAIT_STOPPED ? "the child is stopping" : "no answer in time";
            return 0;
        }
        if ((status = PQconnectPoll(pg)) == PGRES_POLLING_FAILED)
            return 0;
    }
    return 1;
}

pg_connection_t *pg_connect(trestle_pg_pool_t *pool, const char *conninfo, int slot, apr_time_t deadline,
                            char **message, char *sqlstate)
{
    pg_connection_t *connection = NULL;
    PGconn *pg = start(pool, conninfo);
    const char *why = NULL;

    *message = NULL;
    sqlstate[0] = 0;
    if (pg && handshake(pool->child, pg, deadline, &why) && PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg)
        && (connection = calloc(1, sizeof(*connection)))) {
        PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
        PQsetNoticeReceiver(pg, ignore_notice, NULL);
        connection->pool = pool;
        connection->pg = pg;
        connection->slot = slot;
        connection->used = pg_now();
        pg_statements_init(&connection->prepared, pool->prepare_max);
        return connection;
    }
    if (!why)
        why = pg && *PQerrorMessage(pg) ? PQerrorMessage(pg) : "out of memory";
    *message = strdup(why);
    pg_connect_sqlstate(why, sqlstate);
    PQfinish(pg);
    return NULL;
}

int pg_connection_settle(pg_connection_t *connection)
{
    PGconn *pg = connection->pg;
    int failed = 0;

    while (connection->resetting) {
        pg_take_e take = pg_flight_skip(connection, &failed);
        short events = (short)(PQflush(pg) > 0 ? POLLIN | POLLOUT : POLLIN);

        connection->resetting = take == PG_TAKE_BUSY;
        if (take == PG_TAKE_LOST)
            return 0;
        if (take == PG_TAKE_BUSY
            && (pg_wait(connection->pool->child, PQsocket(pg), events, -1, connection->reset_by) != PG_READY
                || !PQconsumeInput(pg)))
            return 0;
    }
    return !failed && PQstatus(pg) == CONNECTION_OK && PQtransactionStatus(pg) == PQTRANS_IDLE
           && PQpipelineStatus(pg) == PQ_PIPELINE_ON;
}

int pg_connection_alive(pg_connection_t *connection)
{
    struct pollfd fd = { PQsocket(connection->pg), POLLIN | POLLRDHUP, 0 };

    if (connection->resetting && !pg_connection_settle(connection))
        return 0;

    /* A setting that the server reports is one readable moment; its farewell is two: the error, then the end. */
    for (int i = 0; i < 3; i++) {
        if (poll(&fd, 1, 0) == 0)
            return PQstatus(connection->pg) == CONNECTION_OK;
        if (!PQconsumeInput(connection->pg) || PQisBusy(connection->pg) || PQstatus(connection->pg) != CONNECTION_OK)
            return 0;
    }
    return 0;
}

void pg_connection_close(pg_connection_t *connection)
{
    int fd = PQsocket(connection->pg);

    if (connection->resetting) {
        connection->reset_by = pg_now() + LINGER;
        pg_connection_settle(connection);
    }
    if (fd >= 0 && PQstatus(connection->pg) == CONNECTION_OK && PQtransactionStatus(connection->pg) == PQTRANS_IDLE
        && shutdown(fd, SHUT_WR) == 0) {
        apr_time_t deadline = pg_now() + LINGER;
        struct pollfd ended = { fd, POLLIN | POLLRDHUP, 0 };

        while (poll(&ended, 1, milliseconds_until(deadline)) > 0 && !(ended.revents & (POLLRDHUP | POLLHUP | POLLERR))
               && PQconsumeInput(connection->pg))
            ;
    }
    PQfinish(connection->pg);
    pg_statements_clear(&connection->prepared);
    free(connection);
}
