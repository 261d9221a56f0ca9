/*
 * What a batch sends, all of it at once: [role and settings][statements][Sync], and behind it as a transaction of its
 * own [the session's reset][Sync]. With what each command means for the connection's prepared statements.
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
    pg_connection_t *connection;
    pg_step_t steps[PG_STEPS_MAX];
    int nsteps; /* of both transactions */
    int nbatch; /* of the first: the batch's */
} pg_flight_t;

/*
 * The whole flight into the connection's buffer and on its way, as far as the socket takes it. settings: role and
 * settings as a statement, its sql NULL if there are none. reset: with the second transaction. 0: the connection is
 * unusable.
 */
int pg_flight_send(pg_flight_t *flight, pg_connection_t *connection, const trestle_pg_statement_t *settings,
                   const trestle_pg_batch_t *batch, int reset);

/* The step has failed, or was skipped because an earlier one had: what we know of prepared statements is corrected. */
void pg_flight_take_back(pg_flight_t *flight, const pg_step_t *step);

#endif
