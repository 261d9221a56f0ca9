/*
 * Quick batches that only read travel one behind the other on few connections, instead of one on each: the server
 * finds the next one waiting when it has answered the last, so that its process neither sleeps nor leaves the
 * processor's caches, and few processes do the work of many. Each is its own transaction, and answers come in order.
 *
 * A lane is a connection that carries several flights. The first who still waits reads for all; what is complete behind
 * his own answers he hands out, and the first whose answers are not complete reads next. The price is that one flight
 * waits for those before it: only batches known as quick take part (pg_pace.h), one that has held up others does not
 * count as quick any more, and when nothing has moved for longer than PATIENCE, those behind run each on a connection of
 * its own. They only read, so that running twice does no harm.
 */
#ifndef PG_MULTIPLEX_H
#define PG_MULTIPLEX_H

#include "pg_flight.h"

#include <semaphore.h>

#define PG_LANES 16 /* of a pool in a child */
#define PG_DEPTH 64 /* most flights of a lane: the upper end of PgMultiplex */

typedef enum {
    PG_TURN_WAITING,
    PG_TURN_READING,  /* it must read */
    PG_TURN_ANSWERED, /* its results are taken */
    PG_TURN_BROKEN    /* it must run on a connection of its own */
} pg_turn_e;

/* One flight's place on a lane; on the stack of the thread that waits for it. */
typedef struct pg_turn_t {
    struct pg_turn_t *next; /* among those to be sent */
    pg_flight_t *flight;
    uint64_t key;      /* of the batch's pace */
    _Atomic int state; /* pg_turn_e; changed under the lane's lock */
    int place;         /* in the lane's ring */
    sem_t wake;        /* posted when state is no longer PG_TURN_WAITING */
} pg_turn_t;

struct pg_lane_t {
    trestle_pg_pool_t *pool;
    pthread_mutex_t lock; /* may be held while the pool's lock is taken, never the other way round */
    _Atomic(pg_turn_t *)
        joining; /* flights to be sent, the newest first: by whoever has the lock, before he lets it go */
    pg_connection_t *connection;
    pg_turn_t *ring[PG_DEPTH]; /* NULL: nobody waits for these answers any more */
    int first;                 /* in the ring */
    _Atomic int length;
    _Atomic apr_time_t since; /* when the one who reads began to */
};

/* How a flight on a lane ended. */
typedef enum {
    PG_LANE_ANSWERED,
    PG_LANE_ALONE, /* it must run on a connection of its own: the lane has come to its end, or was too slow */
    PG_LANE_LOST,  /* the connection broke while the flight was reading */
    PG_LANE_TIMEOUT,
    PG_LANE_STOPPED,
    PG_LANE_CLIENT_GONE
} pg_lane_e;

/* Makes the pool's lanes, which live as long as the child. 0: out of memory. */
int pg_multiplex_start(trestle_pg_pool_t *pool);

/* The key of a batch that may be multiplexed by what it is (pg_pace.h), or 0. */
uint64_t pg_multiplex_key(const trestle_pg_pool_t *pool, const pg_flight_t *flight);

/* A lane for a batch of this key, or NULL if it must run alone. */
pg_lane_t *pg_multiplex_lane(trestle_pg_pool_t *pool, uint64_t key);

/* Sends the flight behind those that are on their way, or has it sent by who is at it. 0: the lane is empty, or its
 * connection is wanted by others. */
int pg_multiplex_join(pg_lane_t *lane, pg_turn_t *turn, pg_flight_t *flight, uint64_t key);

/* Makes an acquired connection the lane's and sends the flight. 0: the lane has one already; it stays the caller's. */
int pg_multiplex_open(pg_lane_t *lane, pg_connection_t *connection, pg_turn_t *turn, pg_flight_t *flight, uint64_t key);

/* Waits for the flight's answers, after join or open. The connection belongs to the lane whatever the end is. */
pg_lane_e pg_multiplex_wait(pg_lane_t *lane, pg_turn_t *turn, const pg_watch_t *watch);

#endif
