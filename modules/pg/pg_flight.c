#include "pg_flight.h"

#include <stdio.h>

/* What of a session outlives a transaction, but for temporary tables and statements that SQL prepared. */
static const char *const resets[] = {
    "RESET ALL", /* every setting but the role */
    "SELECT pg_catalog.set_config('role','none',false), pg_catalog.pg_advisory_unlock_all()",
    "UNLISTEN *",
    "CLOSE ALL",         /* cursors WITH HOLD */
    "DISCARD SEQUENCES", /* currval, lastval */
};

_Static_assert(sizeof(resets) / sizeof(resets[0]) == PG_RESETS, "PG_STEPS_MAX counts them");

static void add_step(pg_flight_t *flight, int kind, int place, pg_prepared_t *prepared)
{
    pg_step_t *step = &flight->steps[flight->nsteps++];

    step->kind = kind;
    step->place = place;
    step->prepared = prepared;
}

static int send_plain(pg_flight_t *flight, int kind, const char *sql)
{
    add_step(flight, kind, PG_SETTINGS_PLACE, NULL);
    return PQsendQueryParams(flight->connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* The name of the prepared statement, with the commands that prepare it if need be. NULL: the connection is unusable. */
static const char *prepare(pg_flight_t *flight, const trestle_pg_statement_t *statement, int place)
{
    pg_statements_t *statements = &flight->connection->prepared;
    pg_prepared_t *prepared = pg_statements_find(statements, statement->sql, statement->types, statement->nparams);
    char evicted[PG_STATEMENT_NAME], deallocate[sizeof("DEALLOCATE ") + PG_STATEMENT_NAME];

    if (prepared)
        return prepared->name;
    if (!(prepared = pg_statements_add(statements, statement->sql, statement->types, statement->nparams, evicted)))
        return NULL;
    if (*evicted) {
        snprintf(deallocate, sizeof(deallocate), "DEALLOCATE %s", evicted);
        if (!send_plain(flight, PG_FORGET, deallocate))
            return NULL;
    }
    add_step(flight, PG_PREPARE, place, prepared);
    return PQsendPrepare(flight->connection->pg, prepared->name, statement->sql, statement->nparams, statement->types)
               ? prepared->name
               : NULL;
}

static int send_statement(pg_flight_t *flight, const trestle_pg_statement_t *statement, int place)
{
    PGconn *pg = flight->connection->pg;
    const char *name;

    if (!flight->connection->pool->prepare) {
        add_step(flight, PG_EXECUTE, place, NULL);
        return PQsendQueryParams(pg, statement->sql, statement->nparams, statement->types, statement->values,
                                 statement->lengths, statement->formats, 0);
    }
    if (!(name = prepare(flight, statement, place)))
        return 0;
    add_step(flight, PG_EXECUTE, place, NULL);
    return PQsendQueryPrepared(pg, name, statement->nparams, statement->values, statement->lengths, statement->formats,
                               0);
}

int pg_flight_send(pg_flight_t *flight, pg_connection_t *connection, const trestle_pg_statement_t *settings,
                   const trestle_pg_batch_t *batch, int reset)
{
    flight->connection = connection;
    flight->nsteps = 0;
    if (connection->forget) {
        pg_statements_clear(&connection->prepared);
        connection->forget = 0;
        if (!send_plain(flight, PG_FORGET_ALL, "DEALLOCATE ALL"))
            return 0;
    }
    if (settings->sql && !send_statement(flight, settings, PG_SETTINGS_PLACE))
        return 0;
    for (int i = 0; i < batch->nstatements; i++)
        if (!send_statement(flight, &batch->statements[i], i))
            return 0;
    flight->nbatch = flight->nsteps;
    if (!PQpipelineSync(connection->pg))
        return 0;
    if (!reset)
        return 1;
    for (int i = 0; i < PG_RESETS; i++) {
        trestle_pg_statement_t statement = { .sql = resets[i] };

        if (!send_statement(flight, &statement, PG_SETTINGS_PLACE))
            return 0;
    }
    return PQpipelineSync(connection->pg);
}

void pg_flight_take_back(pg_flight_t *flight, const pg_step_t *step)
{
    if (step->kind == PG_PREPARE)
        pg_statements_remove(&flight->connection->prepared, step->prepared);
    else if (step->kind == PG_FORGET || step->kind == PG_FORGET_ALL)
        flight->connection->forget = 1;
}
