#include "pg_breaker.h"

#include <string.h>

int pg_breaker_failed(pg_breaker_t *breaker, apr_time_t now, const char *sqlstate)
{
    int news = !breaker->open || strcmp(breaker->sqlstate, sqlstate) != 0;

    if (!breaker->open)
        breaker->since = now;
    breaker->open = 1;
    breaker->probe = now + PG_PROBE_INTERVAL;
    strncpy(breaker->sqlstate, sqlstate, sizeof(breaker->sqlstate) - 1);
    return news;
}

int pg_breaker_succeeded(pg_breaker_t *breaker, apr_time_t now, apr_interval_time_t *outage)
{
    int news = breaker->open;

    *outage = news ? now - breaker->since : 0;
    breaker->open = 0;
    breaker->sqlstate[0] = 0;
    return news;
}

int pg_breaker_hopeless(const pg_breaker_t *breaker, apr_time_t now, apr_interval_time_t wait)
{
    return breaker->open && now - breaker->since > wait;
}

int pg_breaker_retry_after(const pg_breaker_t *breaker, apr_time_t now)
{
    return breaker->open && now - breaker->since > apr_time_from_sec(10) ? 5 : 1;
}

void pg_connect_sqlstate(const char *message, char *sqlstate)
{
    const char *at = message;

    sqlstate[0] = 0;
    while ((at = strstr(at, ":  "))) {
        at += 3;
        if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[5] == ':') {
            memcpy(sqlstate, at, 5);
            sqlstate[5] = 0;
        }
    }
}

const char *pg_connect_mend(const char *sqlstate)
{
    static const struct {
        const char *sqlstate, *mend;
    } mends[] = {
        { "28P01", "the password is wrong: check PgPasswordFile or PgPasswordEnv against the role's password" },
        { "28000", "the server does not let this role in: check the user in PgConnect and the server's pg_hba.conf" },
        { "3D000", "the database does not exist: check dbname in PgConnect, or create it" },
        { "53300", "the server has no connection left: lower PgMax, or raise max_connections or the role's limit" },
        { "57P03", "the server is starting up or shutting down" },
        { "08P01", "the server speaks another protocol: check host and port in PgConnect, and pgbouncer's "
                   "ignore_startup_parameters" },
        { "42501", "the role may not connect to this database: grant it CONNECT" },
    };

    for (unsigned i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
        if (!strcmp(mends[i].sqlstate, sqlstate))
            return mends[i].mend;
    return "check that the server runs and that PgConnect names its host and port";
}
