/*
 * What a batch sends, all of it at once: [role and settings][statements][Sync], and behind it as a transaction of its
 * own [the session's reset][Sync]. With what each command means for the connection's prepared statements, and what has
 * been answered so far. A connection carries one flight, or several one behind the other (pg_multiplex.h).
 */
#ifndef PG_FLIGHT_H
#define PG_FLIGHT_H

#include "pg.h"

#define PG_STATEMENTS_MAX 16 /* of a batch */
#define PG_RESETS         5  /* statements of the reset */

/* DEALLOCATE ALL, and for the settings, each statement and the reset's at most DEALLOCATE, PREPARE, EXECUTE. */
#define PG_STEPS_MAX (1 + 3 * (1 + PG_STATEMENTS_MAX + PG_RESETS))

/* One command of the pipeline. */
typedef struct {
    enum { PG_FORGET_ALL, PG_FORGET, PG_PREPARE, PG_EXECUTE } kind;
    int place;               /* index of the statement, or PG_SETTINGS_PLACE */
    pg_prepared_t *prepared; /* of PG_PREPARE */
} pg_step_t;

typedef struct {
    /* set by the caller */
    const trestle_pg_batch_t *batch;
    trestle_pg_statement_t settings; /* role and settings as a statement; its sql is NULL if there are none */
    apr_pool_t *owner;               /* results are cleared with it */
    PGresult **results;              /* one for each statement of the batch, filled as they come */
    /* set by pg_flight_send and pg_flight_take */
    pg_connection_t *connection;
    int multiplexed;   /* 1: other flights are on the connection too */
    PGresult *failure; /* the first error of the batch; belongs to owner */
    int failed_place;
    pg_step_t steps[PG_STEPS_MAX];
    int nsteps; /* of the batch: the answers to the reset are pg_connection_settle's */
    int at;     /* the step whose answer comes next */
} pg_flight_t;

/* What libpq has received so far: not all yet, all up to the transaction's end, or nothing any more. */
typedef enum { PG_TAKE_BUSY, PG_TAKE_DONE, PG_TAKE_LOST } pg_take_e;

/*
 * The whole flight into the connection's buffer and on its way, as far as the socket takes it. reset: with the second
 * transaction. multiplexed: behind or before other flights. 0: the connection is unusable.
 */
int pg_flight_send(pg_flight_t *flight, pg_connection_t *connection, int reset, int multiplexed);

/* Takes the answers that libpq has received, up to the end of the batch's transaction, whose own answer is the
 * commit's. Does not wait. */
pg_take_e pg_flight_take(pg_flight_t *flight);

/* The same for a transaction whose answers are thrown away: a flight that nobody waits for any more, a reset. failed
 * becomes 1 if one of its commands failed. */
pg_take_e pg_flight_skip(pg_connection_t *connection, int *failed);

/* 1 if the batch failed because the server no longer knows a prepared statement, or can no longer use its plan. */
int pg_flight_is_stale(const pg_flight_t *flight);

#endif
