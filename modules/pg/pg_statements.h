/*
 * The statements prepared on one connection: found by their text and parameter types, bounded, least recently used
 * first out. Plain memory, no pool: it lives and dies with the connection, which one thread uses at a time.
 */
#ifndef PG_STATEMENTS_H
#define PG_STATEMENTS_H

#include <stddef.h>
#include <stdint.h>

#define PG_STATEMENT_NAME 24 /* bytes of a name with its NUL */

typedef struct pg_prepared_t {
    struct pg_prepared_t *chain;         /* same bucket */
    struct pg_prepared_t *newer, *older; /* by use */
    uint64_t hash;
    size_t length;
    int ntypes;
    unsigned int *types; /* behind the text */
    char name[PG_STATEMENT_NAME];
    char text[];
} pg_prepared_t;

typedef struct {
    pg_prepared_t **buckets; /* NULL until the first statement */
    size_t nbuckets;         /* a power of two */
    pg_prepared_t *newest, *oldest;
    int count, limit;
    uint64_t number; /* of the last name; names are never used again */
} pg_statements_t;

/* A number for a statement's text and parameter types. */
uint64_t pg_statement_hash(const char *text, size_t length, const unsigned int *types, int ntypes);

/* limit: statements kept, at least 32, so that the statements of one batch never push each other out. */
void pg_statements_init(pg_statements_t *statements, int limit);

/* Forgets all. */
void pg_statements_clear(pg_statements_t *statements);

/* The statement of this text and these parameter types (NULL: ntypes is 0), now the newest; NULL if not prepared. */
pg_prepared_t *pg_statements_find(pg_statements_t *statements, const char *text, const unsigned int *types, int ntypes);

/* Remembers a statement under a new name. If the limit is reached the least recently used is forgotten, and its name
 * copied to evicted (PG_STATEMENT_NAME bytes), which is "" otherwise. NULL: out of memory. */
pg_prepared_t *pg_statements_add(pg_statements_t *statements, const char *text, const unsigned int *types, int ntypes,
                                 char *evicted);

void pg_statements_remove(pg_statements_t *statements, pg_prepared_t *prepared);

#endif
