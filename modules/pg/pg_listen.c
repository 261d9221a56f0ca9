#include "pg.h"

#include "http_log.h"

#include <apr_strings.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

/*
 * One child of the server listens for a pool: the one whose pid stands in the listener's seat. Whenever a NOTIFY may
 * have been missed, because there was no connection or another listener, all channels move.
 */
#define RETRY    (500 * 1000) /* microseconds between attempts to connect */
#define CHECK    (30 * 1000 * 1000)
#define LOOK     (250 * 1000)
#define PATIENCE 4 /* attempts without a free slot before that is reported */

static int must_end(trestle_pg_pool_t *pool)
{
    return pool->child->quit || pool->child->stop != PG_RUNNING;
}

/* Waits for input, until the deadline or the end. */
static pg_wait_e wait_input(trestle_pg_pool_t *pool, PGconn *pg, apr_time_t deadline)
{
    while (!must_end(pool)) {
        apr_time_t look = pg_now() + LOOK;
        pg_wait_e waited = pg_wait(pool->child, PQsocket(pg), POLLIN, -1, look < deadline ? look : deadline);

        if (waited != PG_WAIT_DEADLINE || pg_now() >= deadline)
            return waited;
    }
    return PG_WAIT_STOPPED;
}

/* Runs the commands to their end. 0 if one failed or the server does not answer. */
static int run(trestle_pg_pool_t *pool, pg_connection_t *connection, const char *const *commands, int n)
{
    PGconn *pg = connection->pg;
    apr_time_t deadline = pg_now() + pool->connect_timeout;

    for (int i = 0; i < n; i++)
        if (!PQsendQueryParams(pg, commands[i], 0, NULL, NULL, NULL, NULL, 0))
            return 0;
    if (!PQpipelineSync(pg))
        return 0;
    for (;;) {
        PGresult *result;
        ExecStatusType status;

        while (PQisBusy(pg)) {
            if (PQflush(pg) < 0 || wait_input(pool, pg, deadline) != PG_READY || !PQconsumeInput(pg))
                return 0;
        }
        if (!(result = PQgetResult(pg))) {
            if (PQstatus(pg) != CONNECTION_OK)
                return 0;
            continue;
        }
        status = PQresultStatus(result);
        if (status != PGRES_PIPELINE_SYNC && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, pool->server, "TRSPG31: pool %s: LISTEN failed: %s", pool->name,
                         PQresultErrorMessage(result));
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            return 1;
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return 0;
    }
}

static int listen_to_all(trestle_pg_pool_t *pool, pg_connection_t *connection)
{
    uint32_t n = atomic_load(&pool->shared->nchannels);
    const char *commands[PG_CHANNELS];
    char text[PG_CHANNELS][2 * PG_CHANNEL_NAME + 16];

    for (uint32_t i = 0; i < n; i++) {
        char *name =
            PQescapeIdentifier(connection->pg, pool->shared->channels[i].name, strlen(pool->shared->channels[i].name));

        if (!name)
            return 0;
        apr_snprintf(text[i], sizeof(text[i]), "LISTEN %s", name);
        PQfreemem(name);
        commands[i] = text[i];
    }
    return run(pool, connection, commands, (int)n);
}

static void take_notifies(trestle_pg_pool_t *pool, PGconn *pg)
{
    PGnotify *notify;

    while ((notify = PQnotifies(pg))) {
        int channel = pg_channel_find(pool->shared, notify->relname);

        if (channel >= 0)
            atomic_fetch_add(&pool->shared->channels[channel].generation, 1);
        PQfreemem(notify);
    }
}

/* Receives until the connection ends, it no longer answers, or the thread must end. */
static void receive(trestle_pg_pool_t *pool, pg_connection_t *connection)
{
    static const char *const check[] = { "SELECT 1" };

    for (;;) {
        take_notifies(pool, connection->pg);
        switch (wait_input(pool, connection->pg, pg_now() + CHECK)) {
        case PG_READY:
            if (!PQconsumeInput(connection->pg))
                return;
            break;
        case PG_WAIT_DEADLINE:
            if (!run(pool, connection, check, 1))
                return;
            break;
        default:
            return;
        }
        if (PQstatus(connection->pg) != CONNECTION_OK)
            return;
    }
}

static pg_connection_t *open_connection(trestle_pg_pool_t *pool, int *failures)
{
    int slot = pg_slot_claim(pool->shared, pool->child->pid);
    char *message = NULL, sqlstate[6];
    pg_connection_t *connection = NULL;

    atomic_store(&pool->shared->listener_waits, slot < 0);
    if (slot >= 0) {
        connection = pg_connect(pool, pool->listen_conninfo ? pool->listen_conninfo : pool->conninfo, slot,
                                pg_now() + pool->connect_timeout, &message, sqlstate);
        if (!connection)
            pg_pool_free_slot(pool, slot);
        else
            pg_slot_state(pool->shared, slot, pool->child->pid, PG_SLOT_LISTENING);
    } else {
        pg_ring_all(pool->shared, -1);
    }
    /* Others need a moment to give a slot up; a database that cannot be reached is worth a line at once. */
    if (!connection && *failures == (message ? 0 : PATIENCE) && !must_end(pool))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, pool->server,
                     "TRSPG30: pool %s: cannot listen for notifications, caches may be old meanwhile: %s", pool->name,
                     message ? pg_connect_mend(sqlstate) : "no connection is left within PgMax: raise it by one");
    *failures = connection ? 0 : *failures + 1;
    free(message);
    return connection;
}

static void *listen_thread(void *argument)
{
    trestle_pg_pool_t *pool = argument;
    uint32_t me = pool->child->pid;
    int failures = 0;

    while (!must_end(pool)) {
        pg_connection_t *connection = open_connection(pool, &failures);

        if (connection && listen_to_all(pool, connection)) {
            pg_channel_bump_all(pool->shared);
            ap_log_error(APLOG_MARK, APLOG_INFO, 0, pool->server, "TRSPG32: pool %s: listening for notifications",
                         pool->name);
            receive(pool, connection);
        }
        if (connection) {
            int slot = connection->slot;

            pg_connection_close(connection);
            pg_pool_free_slot(pool, slot);
        }
        if (!must_end(pool))
            pg_wait(pool->child, -1, 0, -1, pg_now() + RETRY);
    }
    atomic_store(&pool->shared->listener_waits, 0);
    atomic_compare_exchange_strong(&pool->shared->listener, &me, 0);
    pg_ring_all(pool->shared, pool->member);
    return NULL;
}

void pg_listen_tend(trestle_pg_pool_t *pool)
{
    uint32_t holder = atomic_load(&pool->shared->listener);

    if (!atomic_load(&pool->shared->nchannels) || pool->listens || holder == pool->child->pid)
        return;
    if (holder && (kill((pid_t)holder, 0) == 0 || errno != ESRCH))
        return;
    if (!atomic_compare_exchange_strong(&pool->shared->listener, &holder, pool->child->pid))
        return;
    if (pg_thread_start(&pool->listener, listen_thread, pool) == 0)
        pool->listens = 1;
    else
        atomic_store(&pool->shared->listener, 0);
}

void pg_listen_stop(trestle_pg_pool_t *pool)
{
    if (pool->listens) {
        pthread_join(pool->listener, NULL);
        pool->listens = 0;
    }
}
