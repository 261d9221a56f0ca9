/*
 * The catalogue: what a schema offers, as one immutable snapshot of names, types and keys. Built in a pool by whoever
 * loads it, then only read, by any number of threads.
 */
#ifndef REST_CATALOGUE_H
#define REST_CATALOGUE_H

#include "rest_type.h"

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>

/* A column of a table or view. */
typedef struct {
    const char *name;
    const char *quoted; /* "name" with its quotes */
    const rest_type_t *type;
    int key; /* place in the primary key, from 1; 0: not in it */
} rest_column_t;

/* A table, view, materialised view, partitioned or foreign table. */
typedef struct {
    const char *name;
    const char *quoted;          /* "schema"."name" with its quotes */
    char kind;                   /* pg_class.relkind */
    apr_array_header_t *columns; /* rest_column_t *, in the table's order */
} rest_relation_t;

/* An input argument of a function. */
typedef struct {
    const char *name; /* NULL: unnamed, so it cannot be given by name */
    const char *quoted;
    const rest_type_t *type;
    int has_default;
    int variadic;
} rest_argument_t;

typedef struct rest_function_t {
    const char *name;
    const char *quoted; /* "schema"."name" with its quotes */
    char volatility;    /* pg_proc.provolatile: i, s or v */
    const rest_type_t *returns;
    int returns_set;
    apr_array_header_t *arguments;          /* rest_argument_t */
    const struct rest_function_t *overload; /* another function of this name; NULL: none */
} rest_function_t;

typedef struct {
    const char *schema;
    apr_hash_t *types;       /* unsigned (Oid) → rest_type_t */
    apr_hash_t *relations;   /* name → rest_relation_t */
    apr_hash_t *functions;   /* name → rest_function_t, the first of its overloads */
    apr_hash_t *constraints; /* of rest_constraint.h, all schemas; NULL: not known */
} rest_catalogue_t;

/* Building: an empty catalogue, and its parts. Strings are copied into pool, which must outlive the catalogue. */
rest_catalogue_t *rest_catalogue_make(apr_pool_t *pool, const char *schema);
rest_type_t *rest_catalogue_add_type(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid, const char *schema,
                                     const char *name);
rest_relation_t *rest_catalogue_add_relation(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name,
                                             char kind);
rest_column_t *rest_catalogue_add_column(rest_relation_t *relation, apr_pool_t *pool, const char *name,
                                         const rest_type_t *type, int key);
rest_function_t *rest_catalogue_add_function(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name,
                                             char volatility, const rest_type_t *returns, int returns_set);
rest_argument_t *rest_catalogue_add_argument(rest_function_t *function, apr_pool_t *pool, const char *name,
                                             const rest_type_t *type, int has_default);

/* Looking up; NULL if there is none. */
const rest_type_t *rest_catalogue_type(const rest_catalogue_t *catalogue, unsigned oid);
const rest_relation_t *rest_catalogue_relation(const rest_catalogue_t *catalogue, const char *name);
const rest_function_t *rest_catalogue_function(const rest_catalogue_t *catalogue, const char *name);
const rest_column_t *rest_relation_column(const rest_relation_t *relation, const char *name);

/* The one column that identifies a row: a primary key of one column, or a view's column id. NULL if there is none. */
const rest_column_t *rest_relation_key(const rest_relation_t *relation);

/* An identifier in double quotes, quotes inside doubled, in pool. */
const char *rest_quote(apr_pool_t *pool, const char *identifier);

#endif
