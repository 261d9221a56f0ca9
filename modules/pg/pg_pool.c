#include "pg.h"

#include "http_log.h"

#include <stdlib.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

/* Looks of the first waiter at the shared table, should nobody have rung: for children beyond PG_MEMBERS, and slots of
 * processes that were killed. */
#define LOOK_INTERVAL (100 * 1000)

static void note_waiting(trestle_pg_pool_t *pool)
{
    if (pool->member >= 0)
        atomic_store(&pool->shared->member[pool->member].waiting, (uint32_t)pool->waiters.length);
}

void pg_pool_free_slot(trestle_pg_pool_t *pool, int slot)
{
    pg_slot_free(pool->shared, slot);
    pthread_mutex_lock(&pool->lock);
    pg_queue_wake_first(&pool->waiters);
    pthread_mutex_unlock(&pool->lock);
    pg_ring_waiting(pool->shared, pool->member);
}

void pg_pool_discard(pg_connection_t *connection)
{
    trestle_pg_pool_t *pool = connection->pool;
    int slot = connection->slot, ready = connection->ready;

    pg_slot_state(pool->shared, slot, pool->child->pid, PG_SLOT_CLOSING);
    pg_connection_close(connection);
    pthread_mutex_lock(&pool->lock);
    pool->nopen--;
    pool->nready -= ready;
    pthread_mutex_unlock(&pool->lock);
    pg_pool_free_slot(pool, slot);
}

/* Logs an attempt's end if it is news, and keeps the breaker. The lock is held. */
static void note_attempt(trestle_pg_pool_t *pool, int succeeded, const char *message, const char *sqlstate)
{
    apr_interval_time_t outage;

    if (succeeded) {
        atomic_fetch_add(&pool->shared->counters.connects, 1);
        if (pg_breaker_succeeded(&pool->breaker, pg_now(), &outage))
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, pool->server,
                         "TRSPG02: pool %s: the database answers again after %" APR_TIME_T_FMT " ms", pool->name,
                         apr_time_as_msec(outage));
    } else {
        atomic_fetch_add(&pool->shared->counters.connect_failures, 1);
        if (pg_breaker_failed(&pool->breaker, pg_now(), sqlstate))
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, pool->server,
                         "TRSPG01: pool %s: cannot connect to the database: %s (%s)", pool->name,
                         pg_connect_mend(sqlstate), message ? message : "out of memory");
    }
}

/* Connects in a claimed slot. The lock is not held. */
static pg_connection_t *open_in_slot(trestle_pg_pool_t *pool, int slot, apr_time_t deadline)
{
    char *message = NULL, sqlstate[6];
    apr_time_t began = pg_now(), limit = began + pool->connect_timeout;
    pg_connection_t *connection =
        pg_connect(pool, pool->conninfo, slot, limit < deadline ? limit : deadline, &message, sqlstate);
    /* The rest of a request's patience says nothing about the database. */
    int cut_short = !connection && pg_now() >= deadline && deadline - began < pool->wait / 2;

    if (message)
        for (char *c = message; *c; c++)
            if (*c == '\n')
                *c = ' ';
    pthread_mutex_lock(&pool->lock);
    if (!cut_short && (connection || pool->child->stop != PG_STOPPED))
        note_attempt(pool, connection != NULL, message, sqlstate);
    if (connection)
        pool->nready += connection->ready = 1;
    else
        pool->nopen--;
    pg_queue_wake_first(&pool->waiters);
    pthread_mutex_unlock(&pool->lock);
    free(message);
    if (connection) {
        pg_slot_state(pool->shared, slot, pool->child->pid, PG_SLOT_BUSY);
    } else {
        pg_pool_free_slot(pool, slot);
        pg_maintain_wake(pool);
    }
    return connection;
}

pg_connection_t *pg_pool_open(trestle_pg_pool_t *pool, apr_time_t deadline)
{
    int slot = pg_slot_claim(pool->shared, pool->child->pid);

    if (slot < 0)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->nopen++;
    pthread_mutex_unlock(&pool->lock);
    return open_in_slot(pool, slot, deadline);
}

/* 1 if the connection can be used by the deadline; otherwise it is gone. The lock is not held. */
static int is_good(pg_connection_t *connection, apr_time_t deadline)
{
    int resetting = connection->resetting;

    if (connection->reset_by > deadline)
        connection->reset_by = deadline;

    if (pg_connection_alive(connection))
        return 1;
    if (resetting && connection->pool->child->stop != PG_STOPPED)
        ap_log_error(
            APLOG_MARK, APLOG_INFO, 0, connection->pool->server,
            "TRSPG16: pool %s: a session was not reset behind a batch, whose outcome stands; the connection is "
            "closed",
            connection->pool->name);
    if (connection->resetting)
        pg_cancel_take(connection);
    else
        pg_pool_discard(connection);
    return 0;
}

/* The lock is held. */
static pg_connection_t *pop_idle(trestle_pg_pool_t *pool)
{
    pg_connection_t *connection = pool->idle;

    if (connection) {
        pool->idle = connection->next;
        pool->nidle--;
        pg_slot_state(pool->shared, connection->slot, pool->child->pid, PG_SLOT_BUSY);
    }
    return connection;
}

static void leave(trestle_pg_pool_t *pool, pg_waiter_t *waiter)
{
    pg_queue_remove(&pool->waiters, waiter);
    pg_queue_wake_first(&pool->waiters);
    note_waiting(pool);
}

/*
 * The first waiter's turn: an idle connection, or a slot to open one. The lock is held; it is let go while a connection
 * is tried or opened, and the waiter is first again afterwards if that came to nothing.
 */
static pg_connection_t *take_turn(trestle_pg_pool_t *pool, pg_waiter_t *waiter, apr_time_t deadline)
{
    pg_connection_t *connection = pop_idle(pool);
    int slot = -1;

    if (!connection && (pool->breaker.open || (slot = pg_slot_claim(pool->shared, pool->child->pid)) < 0))
        return NULL;
    if (slot >= 0)
        pool->nopen++;
    leave(pool, waiter);
    pthread_mutex_unlock(&pool->lock);
    if (slot >= 0) {
        connection = open_in_slot(pool, slot, deadline);
    } else if (!is_good(connection, deadline)) {
        connection = NULL;
    }
    pthread_mutex_lock(&pool->lock);
    if (!connection) {
        pg_queue_prepend(&pool->waiters, waiter);
        note_waiting(pool);
    }
    return connection;
}

/* Waits in the queue. The lock is held. */
static pg_acquire_e wait_for(trestle_pg_pool_t *pool, pg_waiter_t *waiter, apr_time_t deadline,
                             pg_connection_t **connection)
{
    pg_queue_append(&pool->waiters, waiter);
    note_waiting(pool);
    for (;;) {
        apr_time_t now, until = deadline;
        struct timespec at;
        int good;

        if (waiter->given) {
            *connection = waiter->given;
            waiter->given = NULL;
            note_waiting(pool);
            if (!(*connection)->resetting && PQstatus((*connection)->pg) == CONNECTION_OK)
                return PG_GOT;
            pthread_mutex_unlock(&pool->lock);
            good = is_good(*connection, deadline);
            pthread_mutex_lock(&pool->lock);
            if (good)
                return PG_GOT;
            pg_queue_prepend(&pool->waiters, waiter);
            note_waiting(pool);
        }
        while (pool->waiters.first == waiter) {
            int was_idle = pool->idle != NULL;

            if ((*connection = take_turn(pool, waiter, deadline)))
                return PG_GOT;
            if (!was_idle)
                break;
        }
        now = pg_now();
        if (pool->child->stop == PG_STOPPED || now >= deadline
            || (pool->nready == 0 && pg_breaker_hopeless(&pool->breaker, now, pool->wait))) {
            leave(pool, waiter);
            return pool->child->stop == PG_STOPPED           ? PG_NO_CHILD
                   : pool->nready == 0 && pool->breaker.open ? PG_NO_DATABASE
                                                             : PG_NO_TIME;
        }
        if (pool->waiters.first == waiter && now + LOOK_INTERVAL < until) {
            until = now + LOOK_INTERVAL;
            if (pg_others_idle(pool->shared, pool->child->pid))
                pg_ring_all(pool->shared, pool->member);
        }
        at.tv_sec = until / APR_USEC_PER_SEC;
        at.tv_nsec = until % APR_USEC_PER_SEC * 1000;
        pthread_cond_timedwait(&waiter->wake, &pool->lock, &at);
    }
}

pg_acquire_e pg_pool_acquire(trestle_pg_pool_t *pool, apr_time_t deadline, pg_connection_t **connection)
{
    pg_counters_t *counters = &pool->shared->counters;
    pg_acquire_e result;
    pg_waiter_t waiter;
    apr_time_t began;

    pthread_mutex_lock(&pool->lock);
    if (!pool->waiters.first && (*connection = pop_idle(pool))) {
        pthread_mutex_unlock(&pool->lock);
        if (is_good(*connection, deadline))
            return PG_GOT;
        pthread_mutex_lock(&pool->lock);
    }
    began = pg_now();
    pg_waiter_init(&waiter);
    result = wait_for(pool, &waiter, deadline, connection);
    pthread_mutex_unlock(&pool->lock);
    pg_waiter_destroy(&waiter);
    atomic_fetch_add(&counters->waited, 1);
    atomic_fetch_add(&counters->wait_time, (uint64_t)(pg_now() - began));
    return result;
}

void pg_pool_release(pg_connection_t *connection)
{
    trestle_pg_pool_t *pool = connection->pool;
    int others = pg_others_waiting(pool->shared, pool->member);

    pthread_mutex_lock(&pool->lock);
    if (pool->child->stop != PG_RUNNING && !pool->waiters.first) {
        others = 1;
    } else if (!pg_should_give_up(pool->nopen, pool->waiters.length, others, (int)pool->shared->max)) {
        others = 0;
        if (!pg_queue_give(&pool->waiters, connection)) {
            connection->used = pg_now();
            connection->next = pool->idle;
            pool->idle = connection;
            pool->nidle++;
            pg_slot_state(pool->shared, connection->slot, pool->child->pid, PG_SLOT_IDLE);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (others)
        pg_pool_discard(connection);
}

/* Idle connections end when they are more than keep and a second old, or more than min and exptime old. */
static int is_surplus(const trestle_pg_pool_t *pool, const pg_connection_t *connection, apr_time_t now)
{
    apr_interval_time_t idle = now - connection->used;

    return (pool->nidle > pool->keep && idle > APR_USEC_PER_SEC) || (pool->nopen > pool->min && idle > pool->exptime);
}

void pg_pool_close_idle(trestle_pg_pool_t *pool, int all)
{
    for (;;) {
        pg_connection_t **oldest, *connection = NULL;

        pthread_mutex_lock(&pool->lock);
        if (pool->idle) {
            for (oldest = &pool->idle; (*oldest)->next; oldest = &(*oldest)->next)
                ;
            if (all || is_surplus(pool, *oldest, pg_now())) {
                connection = *oldest;
                *oldest = NULL;
                pool->nidle--;
            }
        }
        pthread_mutex_unlock(&pool->lock);
        if (!connection)
            return;
        pg_pool_discard(connection);
    }
}
