/*
 * What a child knows of the database's reachability. Closed: requests open connections as they need them. Open, after
 * a failed attempt: only the maintenance thread tries, every PG_PROBE_INTERVAL, until one succeeds. Times are
 * microseconds of the monotonic clock. The pool's lock guards it.
 */
#ifndef PG_BREAKER_H
#define PG_BREAKER_H

#include <apr_time.h>

#define PG_PROBE_INTERVAL (200 * 1000)

typedef struct {
    int open;         /* 1: the last attempt failed */
    apr_time_t since; /* when the outage began */
    apr_time_t probe; /* when the next attempt is due */
    char sqlstate[6]; /* of the last failure; "" if the server said none */
} pg_breaker_t;

/* A failed attempt. Returns 1 if this is news worth a log line: the first failure, or one of another kind. */
int pg_breaker_failed(pg_breaker_t *breaker, apr_time_t now, const char *sqlstate);

/* A successful attempt. Returns 1 if it ended an outage; *outage is its length. */
int pg_breaker_succeeded(pg_breaker_t *breaker, apr_time_t now, apr_interval_time_t *outage);

/* 1 if requests need not wait: the outage has lasted longer than wait. */
int pg_breaker_hopeless(const pg_breaker_t *breaker, apr_time_t now, apr_interval_time_t wait);

/* Seconds for Retry-After. */
int pg_breaker_retry_after(const pg_breaker_t *breaker, apr_time_t now);

/*
 * The SQLSTATE in the message of a failed connection (five characters between ":  " and ": ", as libpq writes them at
 * PQERRORS_VERBOSE) into sqlstate[6]; "" if there is none. Independent of the server's language.
 */
void pg_connect_sqlstate(const char *message, char *sqlstate);

/* What to do about a failed connection, in words for the administrator. */
const char *pg_connect_mend(const char *sqlstate);

#endif
