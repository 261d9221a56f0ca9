#include "pg_statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pg_statements_init(pg_statements_t *statements, int limit)
{
    memset(statements, 0, sizeof(*statements));
    statements->limit = limit < 32 ? 32 : limit;
}

void pg_statements_clear(pg_statements_t *statements)
{
    for (pg_prepared_t *at = statements->newest, *older; at; at = older) {
        older = at->older;
        free(at);
    }
    free(statements->buckets);
    statements->buckets = NULL;
    statements->newest = statements->oldest = NULL;
    statements->count = 0;
}

/* Eight bytes a step: statements are some kilobytes long, and each execution looks its own up. Not against collisions
 * made on purpose: texts come from the server's own modules. */
uint64_t pg_statement_hash(const char *text, size_t length, const unsigned int *types, int ntypes)
{
    const uint64_t factor = 0x9E3779B97F4A7C15u;
    uint64_t hash = length, word;
    size_t i = 0;

    for (; i + 8 <= length; i += 8) {
        memcpy(&word, text + i, 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, text + i, length - i);
    hash = (hash ^ word) * factor;
    for (int t = 0; t < ntypes; t++)
        hash = (hash ^ types[t]) * factor;
    return hash ^ hash >> 32;
}

static void link_newest(pg_statements_t *statements, pg_prepared_t *prepared)
{
    prepared->newer = NULL;
    prepared->older = statements->newest;
    *(statements->newest ? &statements->newest->newer : &statements->oldest) = prepared;
    statements->newest = prepared;
}

static void unlink_used(pg_statements_t *statements, pg_prepared_t *prepared)
{
    *(prepared->newer ? &prepared->newer->older : &statements->newest) = prepared->older;
    *(prepared->older ? &prepared->older->newer : &statements->oldest) = prepared->newer;
}

pg_prepared_t *pg_statements_find(pg_statements_t *statements, const char *text, const unsigned int *types, int ntypes)
{
    size_t length = strlen(text);
    uint64_t hash = pg_statement_hash(text, length, types, types ? ntypes : 0);
    pg_prepared_t *at = NULL;

    if (!types)
        ntypes = 0;
    if (statements->buckets)
        at = statements->buckets[hash & (statements->nbuckets - 1)];
    for (; at; at = at->chain)
        if (at->hash == hash && at->length == length && at->ntypes == ntypes && !memcmp(at->text, text, length)
            && (!ntypes || !memcmp(at->types, types, (size_t)ntypes * sizeof(*types)))) {
            if (at != statements->newest) {
                unlink_used(statements, at);
                link_newest(statements, at);
            }
            return at;
        }
    return NULL;
}

static int make_buckets(pg_statements_t *statements)
{
    size_t n = 64;

    while (n < (size_t)statements->limit)
        n *= 2;
    statements->buckets = calloc(n, sizeof(*statements->buckets));
    statements->nbuckets = n;
    return statements->buckets != NULL;
}

pg_prepared_t *pg_statements_add(pg_statements_t *statements, const char *text, const unsigned int *types, int ntypes,
                                 char *evicted)
{
    size_t length = strlen(text), aligned = (length + sizeof(*types)) & ~(sizeof(*types) - 1), bucket;
    pg_prepared_t *prepared;

    evicted[0] = 0;
    if (!types)
        ntypes = 0;
    if (!statements->buckets && !make_buckets(statements))
        return NULL;
    if (!(prepared = malloc(sizeof(*prepared) + aligned + (size_t)ntypes * sizeof(*types))))
        return NULL;
    if (statements->count == statements->limit) {
        memcpy(evicted, statements->oldest->name, PG_STATEMENT_NAME);
        pg_statements_remove(statements, statements->oldest);
    }
    prepared->hash = pg_statement_hash(text, length, types, ntypes);
    prepared->length = length;
    prepared->ntypes = ntypes;
    memcpy(prepared->text, text, length + 1);
    prepared->types = (unsigned int *)(void *)(prepared->text + aligned);
    if (ntypes)
        memcpy(prepared->types, types, (size_t)ntypes * sizeof(*types));
    snprintf(prepared->name, sizeof(prepared->name), "t%llu", (unsigned long long)++statements->number);
    bucket = prepared->hash & (statements->nbuckets - 1);
    prepared->chain = statements->buckets[bucket];
    statements->buckets[bucket] = prepared;
    link_newest(statements, prepared);
    statements->count++;
    return prepared;
}

void pg_statements_remove(pg_statements_t *statements, pg_prepared_t *prepared)
{
    pg_prepared_t **at = &statements->buckets[prepared->hash & (statements->nbuckets - 1)];

    while (*at != prepared)
        at = &(*at)->chain;
    *at = prepared->chain;
    unlink_used(statements, prepared);
    statements->count--;
    free(prepared);
}
