/*
 * Requests that wait for a connection, first come first served. Intrusive and without a lock of its own: the pool's
 * lock guards it.
 */
#ifndef PG_QUEUE_H
#define PG_QUEUE_H

#include <pthread.h>

typedef struct pg_waiter_t {
    struct pg_waiter_t *next, *previous;
    pthread_cond_t wake; /* monotonic clock */
    void *given;         /* what was handed over; the waiter has left the queue then */
} pg_waiter_t;

typedef struct {
    pg_waiter_t *first, *last;
    int length;
} pg_queue_t;

void pg_waiter_init(pg_waiter_t *waiter);
void pg_waiter_destroy(pg_waiter_t *waiter);

void pg_queue_append(pg_queue_t *queue, pg_waiter_t *waiter);
void pg_queue_prepend(pg_queue_t *queue, pg_waiter_t *waiter);
void pg_queue_remove(pg_queue_t *queue, pg_waiter_t *waiter);

/* Hands the thing to the first waiter, who leaves the queue and wakes. 0 if nobody waits. */
int pg_queue_give(pg_queue_t *queue, void *thing);

/* Wakes the first waiter, or all, to look again. They stay in the queue. */
void pg_queue_wake_first(pg_queue_t *queue);
void pg_queue_wake_all(pg_queue_t *queue);

#endif
