#include "pg.h"

#include "pg_multiplex.h"

#include "http_log.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>

extern module AP_MODULE_DECLARE_DATA pg_module;

APLOG_USE_MODULE(pg);

#define TICK       (1000 * 1000) /* microseconds between looks when nothing happens */
#define STACK_SIZE (256 * 1024)  /* libpq and OpenSSL need some; the default of 8 MiB would only be reserved */

int pg_thread_start(pthread_t *thread, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE > PTHREAD_STACK_MIN ? STACK_SIZE : PTHREAD_STACK_MIN);
    failed = pthread_create(thread, &attributes, function, argument);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static sem_t *bell_of(trestle_pg_pool_t *pool)
{
    return pool->member >= 0 ? &pool->shared->member[pool->member].bell : &pool->bell;
}

void pg_maintain_wake(trestle_pg_pool_t *pool)
{
    sem_post(bell_of(pool));
}

static void sleep_until(trestle_pg_pool_t *pool, apr_time_t when)
{
    struct timespec at = { when / APR_USEC_PER_SEC, when % APR_USEC_PER_SEC * 1000 };
    sem_t *bell = bell_of(pool);

    while (sem_clockwait(bell, CLOCK_MONOTONIC, &at) != 0 && errno == EINTR)
        ;
    while (sem_trywait(bell) == 0)
        ;
}

/* Requests of other children wait: one idle connection each is theirs. */
static void give_up_idle(trestle_pg_pool_t *pool)
{
    int others = pg_others_waiting(pool->shared, pool->member);

    while (others-- > 0) {
        pg_connection_t *connection = NULL;

        pthread_mutex_lock(&pool->lock);
        if (!pool->waiters.first && (connection = pool->idle)) {
            pool->idle = connection->next;
            pool->nidle--;
        }
        pthread_mutex_unlock(&pool->lock);
        if (!connection)
            return;
        pg_pool_discard(connection);
    }
}

/* The attempt due during an outage, and connections opened in advance. */
static void open_due(trestle_pg_pool_t *pool)
{
    for (;;) {
        pg_connection_t *connection;
        int due, outage;

        pthread_mutex_lock(&pool->lock);
        if (pool->child->stop != PG_RUNNING && !pool->waiters.first)
            due = 0;
        else
            due = pool->breaker.open ? pg_now() >= pool->breaker.probe : pool->nopen < pool->min;
        outage = pool->breaker.open;
        pthread_mutex_unlock(&pool->lock);
        if (!due || pool->child->quit || pool->child->stop == PG_STOPPED)
            return;
        if (!outage && pg_others_waiting(pool->shared, pool->member))
            return;
        if (!(connection = pg_pool_open(pool, pg_now() + pool->connect_timeout)))
            return;
        pg_pool_release(connection);
    }
}

static apr_time_t next_look(trestle_pg_pool_t *pool)
{
    apr_time_t when = pg_now() + TICK;

    pthread_mutex_lock(&pool->lock);
    if (pool->breaker.open && pool->breaker.probe < when)
        when = pool->breaker.probe;
    if (pool->cancelling && when > pg_now() + TICK / 4)
        when = pg_now() + TICK / 4;
    pthread_mutex_unlock(&pool->lock);
    return when;
}

static void *maintain(void *argument)
{
    trestle_pg_pool_t *pool = argument;

    while (!pool->child->quit) {
        int stop = pool->child->stop;

        pthread_mutex_lock(&pool->lock);
        if (stop == PG_STOPPED)
            pg_queue_wake_all(&pool->waiters);
        else
            pg_queue_wake_first(&pool->waiters);
        pthread_mutex_unlock(&pool->lock);
        if (stop == PG_RUNNING) {
            give_up_idle(pool);
            pg_listen_tend(pool);
        }
        pg_cancel_expire(pool);
        pg_pool_close_idle(pool, stop != PG_RUNNING);
        open_due(pool);
        sleep_until(pool, next_look(pool));
    }
    return NULL;
}

apr_status_t pg_maintain_start(trestle_pg_pool_t *pool, pg_child_t *child)
{
    pthread_condattr_t attributes;
    int failed;

    pool->child = child;
    pool->member = pg_member_enter(pool->shared, child->pid);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->cancel_wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sem_init(&pool->bell, 0, 0);
    if (!pg_multiplex_start(pool))
        return APR_ENOMEM;
    failed = pg_thread_start(&pool->maintainer, maintain, pool);
    pool->maintained = !failed;
    return failed;
}

void pg_maintain_stop(trestle_pg_pool_t *pool)
{
    if (pool->maintained) {
        pg_maintain_wake(pool);
        pthread_join(pool->maintainer, NULL);
        pool->maintained = 0;
    }
    pg_listen_stop(pool);
    pg_cancel_stop(pool);
    pg_pool_close_idle(pool, 1);
    if (pool->member >= 0)
        pg_member_leave(pool->shared, pool->member);
    pool->member = -1;
}
