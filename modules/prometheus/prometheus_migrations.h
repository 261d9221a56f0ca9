/*
 * Which migrations this server expects in its database, and what is missing there. docs/tenancy.md describes the files.
 */
#ifndef PROMETHEUS_MIGRATIONS_H
#define PROMETHEUS_MIGRATIONS_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>

/* One numbered SQL file, expected or applied. */
typedef struct {
    const char *name;     /* "<set>/<file>"; the set is the last part of the directory's name */
    const char *checksum; /* SHA-256 of the file, lower-case hexadecimal */
} prometheus_migration_t;

/*
 * Appends the files NNNN_name.sql of directory to migrations (prometheus_migration_t), strings in pool; scratch memory
 * from temp. NULL, or a message that says what is wrong with the directory.
 */
const char *prometheus_migrations_read(apr_pool_t *pool, apr_pool_t *temp, const char *directory,
                                       apr_array_header_t *migrations);

/* Counts the expected migrations that applied (name → checksum) does not have, or has with another checksum. What is
 * applied and not expected does not matter: the database may be ahead of this server. */
void prometheus_migrations_compare(const apr_array_header_t *expected, apr_hash_t *applied, int *pending, int *changed);

#endif
