#include "pg.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

/*
 * PQcancel waits for the server without a limit, so a thread of its own calls it. A connection whose cancelling hangs
 * is closed by the maintenance thread after PATIENCE: its slot must not hang with it.
 */
#define PATIENCE (2 * 1000 * 1000)

/* Reads until the server has ended the query, or closed, or time is up. */
static void drain(pg_connection_t *connection, apr_time_t deadline)
{
    PGconn *pg = connection->pg;

    while (PQstatus(pg) == CONNECTION_OK) {
        int flushed = PQflush(pg);
        PGresult *result;

        if (flushed < 0)
            return;
        while (!PQisBusy(pg)) {
            int synced;

            result = PQgetResult(pg);
            synced = result ? PQresultStatus(result) == PGRES_PIPELINE_SYNC : PQtransactionStatus(pg) != PQTRANS_ACTIVE;
            PQclear(result);
            if (synced)
                return;
        }
        if (pg_wait(connection->pool->child, PQsocket(pg), (short)(flushed ? POLLIN | POLLOUT : POLLIN), -1, deadline)
                != PG_READY
            || !PQconsumeInput(pg))
            return;
    }
}

/* The oldest one not yet taken up; waits for one. NULL: the child ends. The lock is held. */
static pg_cancelling_t *next_cancelling(trestle_pg_pool_t *pool)
{
    for (;;) {
        pg_cancelling_t *at = pool->cancelling;

        while (at && at->sent)
            at = at->next;
        if (at || pool->child->quit)
            return at;
        pthread_cond_wait(&pool->cancel_wake, &pool->lock);
    }
}

static void forget(trestle_pg_pool_t *pool, pg_cancelling_t *done)
{
    pg_cancelling_t **at = &pool->cancelling;

    while (*at != done)
        at = &(*at)->next;
    *at = done->next;
    PQfreeCancel(done->cancel);
    free(done);
}

static void *cancel(void *argument)
{
    trestle_pg_pool_t *pool = argument;
    pg_cancelling_t *at;

    pthread_mutex_lock(&pool->lock);
    while ((at = next_cancelling(pool))) {
        pg_connection_t *connection;
        char message[256];

        at->sent = 1;
        pthread_mutex_unlock(&pool->lock);
        PQcancel(at->cancel, message, sizeof(message));
        pthread_mutex_lock(&pool->lock);
        connection = at->connection;
        at->connection = NULL;
        pthread_mutex_unlock(&pool->lock);
        if (connection) {
            drain(connection, pg_now() + PATIENCE);
            pg_pool_discard(connection);
        }
        pthread_mutex_lock(&pool->lock);
        forget(pool, at);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void pg_cancel_take(pg_connection_t *connection)
{
    trestle_pg_pool_t *pool = connection->pool;
    pg_cancelling_t *item = calloc(1, sizeof(*item)), **end;
    int started = 1;

    if (item)
        item->cancel = PQgetCancel(connection->pg);
    if (!item || !item->cancel) {
        free(item);
        pg_pool_discard(connection);
        return;
    }
    item->connection = connection;
    item->since = pg_now();
    pg_slot_state(pool->shared, connection->slot, pool->child->pid, PG_SLOT_CLOSING);
    pthread_mutex_lock(&pool->lock);
    pool->nready--;
    connection->ready = 0;
    for (end = &pool->cancelling; *end; end = &(*end)->next)
        ;
    *end = item;
    if (!pool->cancels)
        started = pool->cancels = !pg_thread_start(&pool->canceller, cancel, pool);
    pthread_cond_signal(&pool->cancel_wake);
    pthread_mutex_unlock(&pool->lock);
    if (!started)
        pg_cancel_expire(pool);
    pg_maintain_wake(pool);
}

void pg_cancel_expire(trestle_pg_pool_t *pool)
{
    for (;;) {
        pg_connection_t *connection = NULL;
        pg_cancelling_t *at;

        pthread_mutex_lock(&pool->lock);
        for (at = pool->cancelling; at && !connection; at = at->next)
            if (at->connection && (pg_now() - at->since > PATIENCE || pool->child->quit)) {
                connection = at->connection;
                at->connection = NULL;
            }
        pthread_mutex_unlock(&pool->lock);
        if (!connection)
            return;
        pg_pool_discard(connection);
    }
}

void pg_cancel_stop(trestle_pg_pool_t *pool)
{
    struct timespec limit;
    int runs;

    pthread_mutex_lock(&pool->lock);
    runs = pool->cancels;
    pthread_cond_broadcast(&pool->cancel_wake);
    pthread_mutex_unlock(&pool->lock);
    if (!runs)
        return;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE / APR_USEC_PER_SEC;
    /* A thread that hangs in PQcancel touches nothing but its own item until the process ends. */
    if (pthread_timedjoin_np(pool->canceller, NULL, &limit) == 0)
        pool->cancels = 0;
    pg_cancel_expire(pool);
}
