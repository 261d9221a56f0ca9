/*
 * What all children share about one pool: the slots that bound its connections, who waits, counters, channels.
 * Fixed records in shared memory, without a lock: each word is claimed by compare-and-swap and carries the process
 * that owns it, so that what a killed child leaves behind can be told and taken back.
 */
#ifndef PG_SLOTS_H
#define PG_SLOTS_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define PG_SHARED_VERSION 2
#define PG_SLOTS          1024 /* most connections of one pool in one server: the upper end of PgMax */
#define PG_MEMBERS        1024 /* children that can be told of a freed slot; more children fall back to looking */
#define PG_CHANNELS       32
#define PG_CHANNEL_NAME   64 /* bytes with the NUL: PostgreSQL's own limit of an identifier */

/* What the connection of a slot is doing. A slot's word is pid << 3 | state; 0 is a free slot. */
typedef enum { PG_SLOT_CONNECTING = 1, PG_SLOT_BUSY, PG_SLOT_IDLE, PG_SLOT_LISTENING, PG_SLOT_CLOSING } pg_slot_state_e;

/* A child that uses the pool. */
typedef struct {
    _Atomic uint32_t pid;     /* 0: free */
    _Atomic uint32_t waiting; /* requests in this child that wait for a connection */
    sem_t bell;               /* wakes the child's maintenance thread */
} pg_member_t;

typedef struct {
    char name[PG_CHANNEL_NAME];
    _Atomic uint64_t generation;
} pg_channel_t;

/* Sums since the server started. Times in microseconds. */
typedef struct {
    _Atomic uint64_t batches, refused, timeouts, gone, unavailable; /* by outcome; batches counts all */
    _Atomic uint64_t waited, wait_time;                             /* requests that had to wait, and how long */
    _Atomic uint64_t connects, connect_failures, lost, repeated;
    _Atomic uint64_t multiplexed; /* batches that travelled among others, or could have */
} pg_counters_t;

typedef struct {
    uint32_t version, size;   /* of this layout */
    _Atomic uint32_t max;     /* PgMax of the newest configuration; old children obey it too */
    _Atomic uint32_t members; /* one past the highest member ever used */
    _Atomic uint32_t slots[PG_SLOTS];
    pg_member_t member[PG_MEMBERS];
    pg_counters_t counters;
    _Atomic uint32_t listener;       /* pid of the child whose thread listens; 0: nobody */
    _Atomic uint32_t listener_waits; /* 1: it has no slot */
    _Atomic uint32_t nchannels;      /* only the parent adds */
    pg_channel_t channels[PG_CHANNELS];
} pg_shared_t;

/* Figures of the slots for a report. */
typedef struct {
    int used, connecting, busy, idle, listening, closing;
    int waiting;  /* requests in all children */
    int children; /* members */
} pg_usage_t;

/* Prepares fresh (zeroed) memory. */
void pg_shared_init(pg_shared_t *shared);

/* A free slot for pid, in state connecting: its index, or -1 when max are taken. Takes back slots of dead processes
 * before giving up. */
int pg_slot_claim(pg_shared_t *shared, uint32_t pid);
void pg_slot_state(pg_shared_t *shared, int slot, uint32_t pid, pg_slot_state_e state);
void pg_slot_free(pg_shared_t *shared, int slot);

/* Enters pid as a member: its index, or -1 when the table is full. */
int pg_member_enter(pg_shared_t *shared, uint32_t pid);
void pg_member_leave(pg_shared_t *shared, int member);

/* Frees all that a dead process held: slots, membership, the listener's seat. Returns how many slots. */
int pg_shared_forget(pg_shared_t *shared, uint32_t pid);

/* How many others wait: members other than this one with requests waiting, and the listener. */
int pg_others_waiting(pg_shared_t *shared, int member);

/* Rings the bell of one other member that has requests waiting, the next one after the last that was rung. */
void pg_ring_waiting(pg_shared_t *shared, int member);

/* 1 if another process has an idle connection. */
int pg_others_idle(pg_shared_t *shared, uint32_t pid);

/* Rings the bells of all other members. */
void pg_ring_all(pg_shared_t *shared, int member);

/*
 * Whether a child should close a connection it no longer needs itself, for another child's sake: open connections it
 * has, requests of its own that wait, children that wait, and the maximum they share. A child that has waiters itself
 * keeps its fair share.
 */
int pg_should_give_up(int open, int waiting, int others_waiting, int max);

void pg_shared_usage(pg_shared_t *shared, pg_usage_t *usage);

/* The channel's index, or -1; add: made if missing and there is room. */
int pg_channel_find(pg_shared_t *shared, const char *name);
int pg_channel_add(pg_shared_t *shared, const char *name);
void pg_channel_bump_all(pg_shared_t *shared);

#endif
