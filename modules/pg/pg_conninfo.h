/*
 * Checks of what <PgPool> says about the way to the database. Each returns NULL on success, else a message in pool that
 * names the mend and quotes nothing that may be a password.
 */
#ifndef PG_CONNINFO_H
#define PG_CONNINFO_H

#include <apr_pools.h>

/* A libpq connection string (or URI) without a password in it. */
const char *pg_conninfo_check(apr_pool_t *pool, const char *conninfo);

/* The first line of a file that only its owner, or its group for reading, has access to. */
const char *pg_password_read(apr_pool_t *pool, const char *path, const char **password);

#endif
