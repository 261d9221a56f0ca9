/*
 * Values written for PostgreSQL: array literals and patterns, from what a client wrote.
 */
#ifndef REST_LITERAL_H
#define REST_LITERAL_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * Cuts "a,b,\"c,d\"" at its commas into texts (const char *) in pool. A value may stand in double quotes, where \" and \\
 * stand for " and \. An empty text is an empty list. NULL if a quote is not closed, or is followed by more than a comma.
 */
apr_array_header_t *rest_literal_split(apr_pool_t *pool, const char *text);

/* The literal of an array of these texts (const char *): {"a","b"}. */
const char *rest_literal_array(apr_pool_t *pool, const apr_array_header_t *texts);

/* A pattern for LIKE: what stands before and behind ("%" or ""), and the text with \, % and _ escaped. */
const char *rest_literal_like(apr_pool_t *pool, const char *before, const char *text, const char *behind);

#endif
