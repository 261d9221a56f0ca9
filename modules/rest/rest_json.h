/*
 * Reading JSON (RFC 8259) as slices of the text it came in. A library that builds a tree (jansson) turns 0.10 and
 * 12345678901234567890 into doubles, copies what is only passed on, and would have to write it again for the database;
 * here numbers keep their digits, values that the database takes as JSON are never looked into, nothing is allocated,
 * and a mistake has a place.
 */
#ifndef REST_JSON_H
#define REST_JSON_H

#include "json_lexer.h"

#include <apr_pools.h>

enum { REST_JSON_DEPTH = 64 }; /* arrays and objects within each other */

/* A value: the bytes as they were written, strings with their quotes. Points into the text that was parsed. */
typedef struct {
    trestle_json_e type;
    const char *bytes;
    apr_size_t length;
} rest_json_t;

/* What is wrong with a text, and where. */
typedef struct {
    const char *what; /* "a string has no end" */
    apr_size_t at;    /* bytes before the mistake */
} rest_json_mistake_t;

/*
 * Checks that the n bytes are one JSON value in UTF-8, nested at most REST_JSON_DEPTH deep, with nothing but white
 * space around it. 1 and *value; or 0 and *mistake.
 */
int rest_json_parse(const char *bytes, apr_size_t n, rest_json_t *value, rest_json_mistake_t *mistake);

/* A sentence for the client in pool: subject ("The body") is not valid JSON, why, and in which line and column. */
const char *rest_json_complaint(apr_pool_t *pool, const char *subject, const char *bytes,
                                const rest_json_mistake_t *mistake);

/* 1 if \u0000 stands in one of the parsed value's strings or names: PostgreSQL holds no NUL, in jsonb neither. */
int rest_json_has_nul(const rest_json_t *value);

/* Walks over a parsed object or array: *at starts NULL. 1 and the next member or element; 0 at the end. */
int rest_json_next_member(const rest_json_t *object, const char **at, rest_json_t *name, rest_json_t *value);
int rest_json_next_element(const rest_json_t *array, const char **at, rest_json_t *value);

/* The characters of a parsed string, unescaped, in pool; NULL if \u0000 is among them. */
const char *rest_json_string(apr_pool_t *pool, const rest_json_t *string);

#endif
