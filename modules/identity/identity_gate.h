/*
 * The gate before password hashing: of all children together only so many threads hash at once, because each needs a
 * core and tens of megabytes.
 */
#ifndef IDENTITY_GATE_H
#define IDENTITY_GATE_H

#include <apr_pools.h>
#include <apr_time.h>

/* Lives in memory that all children share. Its places are robust mutexes: the kernel gives back that of a killed child. */
typedef struct identity_gate_t identity_gate_t;

enum { IDENTITY_GATE_PLACES_MOST = 1024 };

/* Bytes of a gate with that many places. */
apr_size_t identity_gate_size(int places);

/* Makes a gate of size bytes of zeroed shared memory, before children are forked. */
apr_status_t identity_gate_init(identity_gate_t *gate, int places);

/*
 * Takes a place, waiting at most patience (microseconds). The number of the place for identity_gate_leave, which the
 * same thread must call; -1 if none became free in time.
 */
int identity_gate_enter(identity_gate_t *gate, apr_interval_time_t patience);

/* Gives a place back and wakes one who waits. */
void identity_gate_leave(identity_gate_t *gate, int place);

/* For server-status. A snapshot; the numbers are each right, not together. */
typedef struct {
    int places;           /* how many may be inside */
    int inside;           /* now; a killed child's place counts until it is taken again */
    int most;             /* inside at once, ever */
    apr_uint32_t entered; /* ever, wrapping round */
    apr_uint32_t refused; /* ever: waited in vain */
} identity_gate_state_t;

identity_gate_state_t identity_gate_state(identity_gate_t *gate);

#endif
