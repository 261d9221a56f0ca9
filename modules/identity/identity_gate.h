/*
 * The gate before password hashing: of all children together only so many threads hash at once, because each needs a
 * core and tens of megabytes; and only so many wait for it, because each of these is a worker that nobody else has.
 */
#ifndef IDENTITY_GATE_H
#define IDENTITY_GATE_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * Lives in memory that all children share. Who is inside or waits holds a robust mutex: the kernel gives back that of a
 * killed child.
 */
typedef struct identity_gate_t identity_gate_t;

enum {
    IDENTITY_GATE_PLACES_MOST = 1024,
    IDENTITY_GATE_QUEUE_MOST = 4096,
    IDENTITY_GATE_LATE = -1, /* no place became free in time */
    IDENTITY_GATE_FULL = -2  /* no place is free, and enough others wait */
};

/* Bytes of a gate with that many places, for which so many may wait. */
apr_size_t identity_gate_size(int places, int queue);

/* Makes a gate of size bytes of zeroed shared memory, before children are forked. */
apr_status_t identity_gate_init(identity_gate_t *gate, int places, int queue);

/*
 * Takes a place, waiting at most patience (microseconds). The number of the place for identity_gate_leave, which the
 * same thread must call; else IDENTITY_GATE_LATE or, at once, IDENTITY_GATE_FULL.
 */
int identity_gate_enter(identity_gate_t *gate, apr_interval_time_t patience);

/* Gives a place back and wakes one who waits. */
void identity_gate_leave(identity_gate_t *gate, int place);

/* For server-status. A snapshot; the numbers are each right, not together. Of a killed child, those inside and waiting
 * count until another takes their place. */
typedef struct {
    int places;           /* how many may be inside */
    int inside;           /* now */
    int most;             /* inside at once, ever */
    int queue;            /* how many may wait */
    int waiting;          /* now */
    int most_waiting;     /* at once, ever */
    apr_uint32_t entered; /* ever, wrapping round, as the next two */
    apr_uint32_t late;    /* waited in vain */
    apr_uint32_t full;    /* found the queue full */
} identity_gate_state_t;

identity_gate_state_t identity_gate_state(identity_gate_t *gate);

#endif
