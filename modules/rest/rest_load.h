/*
 * Loading a catalogue: the statements that read PostgreSQL's system catalogues, and the making of a snapshot from
 * their results.
 */
#ifndef REST_LOAD_H
#define REST_LOAD_H

#include "rest_catalogue.h"

#include <libpq-fe.h>

/* The statements, each but the last with the schema's name as its only parameter, to be run in this order as one batch. */
enum {
    REST_LOAD_ROLES,
    REST_LOAD_TYPES,
    REST_LOAD_RELATIONS,
    REST_LOAD_COLUMNS,
    REST_LOAD_KEYS,
    REST_LOAD_FOREIGN_KEYS,
    REST_LOAD_FUNCTIONS,
    REST_LOAD_CONSTRAINTS,
    REST_LOAD_STATEMENTS
};
extern const char *const rest_load_sql[REST_LOAD_STATEMENTS];

/* The catalogue from their results, in pool; NULL if there is no such schema. */
rest_catalogue_t *rest_load_catalogue(apr_pool_t *pool, const char *schema, PGresult *const *results);

#endif
