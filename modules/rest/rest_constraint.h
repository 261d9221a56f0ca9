/*
 * Constraints and unique indexes with their columns: a function may break one of any schema, and the client is told
 * which of its fields that concerns.
 */
#ifndef REST_CONSTRAINT_H
#define REST_CONSTRAINT_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <libpq-fe.h>

/* The statement that reads them, without parameters. */
extern const char rest_constraint_sql[];

/* Its result, in pool. */
apr_hash_t *rest_constraint_load(apr_pool_t *pool, const PGresult *result);

/* The columns (const char *) that a constraint or unique index is about; NULL if it is not known. */
const apr_array_header_t *rest_constraint_columns(apr_hash_t *constraints, apr_pool_t *pool, const char *schema,
                                                  const char *table, const char *name);

#endif
