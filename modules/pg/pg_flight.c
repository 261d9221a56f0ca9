#include "pg_flight.h"

#include <stdio.h>
#include <string.h>

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

/* Should one of its commands fail the connection is closed: what they prepare needs no correction. */
static int send_reset(pg_flight_t *flight)
{
    int nsteps = flight->nsteps;

    for (int i = 0; i < PG_RESETS; i++) {
        trestle_pg_statement_t statement = { .sql = resets[i] };

        if (!send_statement(flight, &statement, PG_SETTINGS_PLACE))
            return 0;
    }
    flight->nsteps = nsteps;
    return PQpipelineSync(flight->connection->pg);
}

int pg_flight_send(pg_flight_t *flight, pg_connection_t *connection, int reset, int multiplexed)
{
    const trestle_pg_batch_t *batch = flight->batch;

    flight->connection = connection;
    flight->multiplexed = multiplexed;
    flight->failure = NULL;
    flight->nsteps = flight->at = 0;
    memset(flight->results, 0, (size_t)batch->nstatements * sizeof(*flight->results));
    if (connection->forget) {
        pg_statements_clear(&connection->prepared);
        connection->forget = 0;
        if (!send_plain(flight, PG_FORGET_ALL, "DEALLOCATE ALL"))
            return 0;
    }
    if (flight->settings.sql && !send_statement(flight, &flight->settings, PG_SETTINGS_PLACE))
        return 0;
    for (int i = 0; i < batch->nstatements; i++)
        if (!send_statement(flight, &batch->statements[i], i))
            return 0;
    if (!PQpipelineSync(connection->pg))
        return 0;
    return !reset || send_reset(flight);
}

static apr_status_t clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

static PGresult *keep(pg_flight_t *flight, PGresult *result)
{
    apr_pool_cleanup_register(flight->owner, result, clear_result, apr_pool_cleanup_null);
    return result;
}

/*
 * The step has failed, or was skipped because an earlier one had: what we know of prepared statements is corrected.
 * Other flights refer to what is known, so that among them it is corrected only when all have ended.
 */
static void take_back(pg_flight_t *flight, const pg_step_t *step)
{
    if (step->kind == PG_EXECUTE)
        return;
    if (step->kind == PG_PREPARE && !flight->multiplexed)
        pg_statements_remove(&flight->connection->prepared, step->prepared);
    else
        flight->connection->forget = 1;
}

static int is_lost(PGconn *pg, const PGresult *failure)
{
    const char *severity = PQresultErrorField(failure, PG_DIAG_SEVERITY_NONLOCALIZED);

    return PQstatus(pg) != CONNECTION_OK || !severity || !strcmp(severity, "FATAL") || !strcmp(severity, "PANIC");
}

static int is_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* The answer to a step; NULL: to the end of the transaction. */
static void take_result(pg_flight_t *flight, const pg_step_t *step, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
        if (step && step->kind == PG_EXECUTE && step->place >= 0) {
            flight->results[step->place] = keep(flight, result);
            return;
        }
    } else {
        if (step)
            take_back(flight, step);
        if (status == PGRES_FATAL_ERROR && !flight->failure) {
            flight->failure = keep(flight, result);
            flight->failed_place = step ? step->place : flight->batch->nstatements;
            return;
        }
    }
    PQclear(result);
}

pg_take_e pg_flight_take(pg_flight_t *flight)
{
    PGconn *pg = flight->connection->pg;

    while (!PQisBusy(pg)) {
        const pg_step_t *step = flight->at < flight->nsteps ? &flight->steps[flight->at] : NULL;
        PGresult *result = PQgetResult(pg);
        ExecStatusType status = PQresultStatus(result);

        if (!result) {
            if (PQstatus(pg) != CONNECTION_OK || ++flight->at > flight->nsteps + 1)
                return PG_TAKE_LOST;
        } else if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return PG_TAKE_DONE;
        } else {
            take_result(flight, step, result);
            if (is_copy(status) || (flight->failure && is_lost(pg, flight->failure)))
                return PG_TAKE_LOST;
        }
    }
    return PG_TAKE_BUSY;
}

pg_take_e pg_flight_skip(pg_connection_t *connection, int *failed)
{
    int nothing = 0;

    while (!PQisBusy(connection->pg)) {
        PGresult *result = PQgetResult(connection->pg);
        ExecStatusType status = PQresultStatus(result);

        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            return PG_TAKE_DONE;
        if (result && (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED))
            *failed = 1;
        nothing = result ? 0 : nothing + 1;
        if (PQstatus(connection->pg) != CONNECTION_OK || is_copy(status) || nothing > 1)
            return PG_TAKE_LOST;
    }
    return PG_TAKE_BUSY;
}

int pg_flight_is_stale(const pg_flight_t *flight)
{
    const char *sqlstate, *function;

    if (!flight->failure)
        return 0;
    sqlstate = PQresultErrorField(flight->failure, PG_DIAG_SQLSTATE);
    function = PQresultErrorField(flight->failure, PG_DIAG_SOURCE_FUNCTION);
    return sqlstate
           && (!strcmp(sqlstate, "26000") || !strcmp(sqlstate, "42P05")
               || (!strcmp(sqlstate, "0A000") && function && !strcmp(function, "RevalidateCachedQuery")));
}
