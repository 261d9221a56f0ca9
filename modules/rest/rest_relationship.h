/*
 * Relationships: what foreign keys mean for the relations that are offered, views included.
 */
#ifndef REST_RELATIONSHIP_H
#define REST_RELATIONSHIP_H

#include "rest_catalogue.h"

/* A foreign key as the database has it. */
typedef struct {
    const char *constraint;
    const char *comment; /* tags @name and @inverse name its two relationships; NULL: none */
    unsigned from, to;   /* Oids of the tables */
    int ncolumns;
    const int *columns, *targets; /* numbers */
} rest_foreign_key_t;

/*
 * Adds the relationships that foreign_keys (rest_foreign_key_t, those of one table together) make between exposed
 * relations: to one, back to many (to one, if the columns are unique), and through junctions, whose key holds two foreign
 * keys, to many. A view stands in for a table whose columns it shows. Call after rest_catalogue_finish.
 */
void rest_relationships_derive(rest_catalogue_t *catalogue, apr_pool_t *pool, const apr_array_header_t *foreign_keys);

#endif
