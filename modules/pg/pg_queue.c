#include "pg_queue.h"

#include <stddef.h>
#include <time.h>

void pg_waiter_init(pg_waiter_t *waiter)
{
    pthread_condattr_t attributes;

    waiter->next = waiter->previous = NULL;
    waiter->given = NULL;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&waiter->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pg_waiter_destroy(pg_waiter_t *waiter)
{
    pthread_cond_destroy(&waiter->wake);
}

void pg_queue_append(pg_queue_t *queue, pg_waiter_t *waiter)
{
    waiter->next = NULL;
    waiter->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = waiter;
    queue->last = waiter;
    queue->length++;
}

void pg_queue_prepend(pg_queue_t *queue, pg_waiter_t *waiter)
{
    waiter->previous = NULL;
    waiter->next = queue->first;
    *(queue->first ? &queue->first->previous : &queue->last) = waiter;
    queue->first = waiter;
    queue->length++;
}

void pg_queue_remove(pg_queue_t *queue, pg_waiter_t *waiter)
{
    *(waiter->previous ? &waiter->previous->next : &queue->first) = waiter->next;
    *(waiter->next ? &waiter->next->previous : &queue->last) = waiter->previous;
    waiter->next = waiter->previous = NULL;
    queue->length--;
}

int pg_queue_give(pg_queue_t *queue, void *thing)
{
    pg_waiter_t *waiter = queue->first;

    if (!waiter)
        return 0;
    pg_queue_remove(queue, waiter);
    waiter->given = thing;
    pthread_cond_signal(&waiter->wake);
    return 1;
}

void pg_queue_wake_first(pg_queue_t *queue)
{
    if (queue->first)
        pthread_cond_signal(&queue->first->wake);
}

void pg_queue_wake_all(pg_queue_t *queue)
{
    for (pg_waiter_t *waiter = queue->first; waiter; waiter = waiter->next)
        pthread_cond_signal(&waiter->wake);
}
