/*
 * PostgreSQL for other modules: named pools, batches that cost one round trip, generations of channels.
 * Offered by mod_pg as optional functions.
 */
#ifndef TRESTLE_PG_H
#define TRESTLE_PG_H

#include "httpd.h"
#include "apr_optional.h"
#include <libpq-fe.h>

typedef struct trestle_pg_pool_t trestle_pg_pool_t; /* a named pool; lives as long as the child */

/*
 * One statement of a batch. All pointers must stay valid until the batch has run. COMMIT, CALL, DO and others that could
 * end the transaction are refused unsent, and so is COPY.
 */
typedef struct {
    const char
        *sql; /* one command, parameters as $1…$n; its text depends on the shape of a request, never on its values */
    int nparams;               /* 0-65535 */
    const char *const *values; /* text form, NUL-terminated; NULL element: SQL NULL; binary parameters see formats */
    const int *lengths;        /* bytes of binary parameters; NULL if none is binary */
    const int *formats;        /* 0 text, 1 binary; NULL: all text */
    const Oid *types;          /* 0 or NULL: inferred by the server */
} trestle_pg_statement_t;

/* A setting for the transaction: set_config(name, value, true). */
typedef struct {
    const char *name;  /* "request.jwt.claims", "request.method", … */
    const char *value; /* never NULL */
} trestle_pg_setting_t;

/*
 * What travels to the server in one libpq pipeline: role and settings (local to the transaction), the statements in
 * order, the end of the transaction. Either everything is committed or nothing is.
 */
typedef struct {
    const char *role; /* database role of the transaction; NULL: the pool's login role; "" and "none", which would be
                         that too, are refused */
    const trestle_pg_setting_t *settings;
    int nsettings; /* at most 61 */
    const trestle_pg_statement_t *statements;
    int nstatements; /* 1-16 */
    int read_only; /* 1: the transaction is READ ONLY, and may be repeated after a lost connection; it changes no session
                      state either: only behind other batches is the session reset */
    apr_interval_time_t timeout; /* for the statements together, microseconds; 0: the pool's PgTimeout */
} trestle_pg_batch_t;

/* After UNAVAILABLE, TIMEOUT and GONE a write has most likely not been done; it stands if its commit was on its way. */
typedef enum {
    TRESTLE_PG_OK,          /* committed: results are valid */
    TRESTLE_PG_REFUSED,     /* the server refused a statement or the commit: error is filled, nothing was changed */
    TRESTLE_PG_UNAVAILABLE, /* no connection within PgWait, or it broke: answer 503 with Retry-After */
    TRESTLE_PG_TIMEOUT,     /* longer than timeout: cancelled; answer 503 */
    TRESTLE_PG_GONE         /* the client has gone: cancelled; answer nothing (return OK from a handler after setting
                               r->connection->keepalive = AP_CONN_CLOSE; nobody reads it) */
} trestle_pg_outcome_e;

/* Diagnostics of a refusal (PQresultErrorField); NULL where the server sent none. Strings live in r->pool. For the log
 * and for deciding, not for the client: detail and hint may quote rows. */
typedef struct {
    const char *sqlstate; /* five characters, never NULL when the outcome is REFUSED */
    const char *message;
    const char *detail;
    const char *hint;
    const char *context;
    const char *schema;
    const char *table;
    const char *column;
    const char *datatype;
    const char *constraint;
    int statement; /* index of the statement at fault; -1: role or settings; nstatements: the commit */
} trestle_pg_error_t;

typedef struct {
    trestle_pg_outcome_e outcome;
    PGresult **results; /* nstatements results when OK; cleared with r->pool: bytes may be passed on without a copy */
    trestle_pg_error_t error; /* when REFUSED */
    int retry_after;          /* seconds, when UNAVAILABLE or TIMEOUT */
} trestle_pg_reply_t;

/*
 * The pool that r's location uses (directive PgUse), or NULL where none is configured.
 */
APR_DECLARE_OPTIONAL_FN(trestle_pg_pool_t *, trestle_pg_pool, (request_rec * r));

/*
 * Takes a connection (waiting in order, at most PgWait or the batch's timeout, whichever is shorter), runs the batch,
 * gives the connection back before returning, so that nothing is held while the answer is written. Every unhappy outcome
 * has been logged with its cause.
 */
APR_DECLARE_OPTIONAL_FN(void, trestle_pg_run,
                        (request_rec * r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch,
                         trestle_pg_reply_t *reply));

/*
 * Declares that a channel's NOTIFYs of the named pool matter. Call in post_config, s the server that has the pool.
 * name and channel live as long as pconf. The LISTEN thread starts only if a pool has a channel.
 */
APR_DECLARE_OPTIONAL_FN(void, trestle_pg_listen, (server_rec * s, const char *pool, const char *channel));

/*
 * As trestle_pg_listen, for every pool of the configuration: for a module that learns only from a request which pool it
 * uses. Call in post_config, s the main server; channel lives as long as pconf.
 */
APR_DECLARE_OPTIONAL_FN(void, trestle_pg_listen_all, (server_rec * s, const char *channel));

/*
 * The generation of a channel: a number that grows with each NOTIFY, and whenever one may have been missed (connection
 * lost, listener replaced). Read it before reading what it guards; compare later. 0 before the first connection. One
 * atomic read of shared memory: cheap enough for every request, same in all children.
 */
APR_DECLARE_OPTIONAL_FN(apr_uint64_t, trestle_pg_generation, (trestle_pg_pool_t * pool, const char *channel));

#endif
