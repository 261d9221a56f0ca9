/*
 * Strict reading of JSON (RFC 8259) for tokens: one pass over the text, its values as slices in a list, so that numbers
 * keep their digits and the text itself can be passed on.
 *
 * Refused is what two readers could understand differently: a member twice in one object (names compared after their
 * escapes), U+0000, half of a surrogate pair, bytes that are not UTF-8, numbers that no double holds, anything behind
 * the value; and more than 32 levels, or 512 members in one object.
 */
#ifndef JWT_JSON_H
#define JWT_JSON_H

#include "json_lexer.h"

#include <apr_pools.h>

/*
 * A value. What it holds stands behind it in the list: of an array its elements, of an object each name (a string)
 * and its value in turn. Lives as long as the pool and the text.
 */
typedef struct {
    trestle_json_e type;
    int nodes;         /* of the list: this value and all within it */
    const char *text;  /* of a string its characters, unescaped, without quotes, no NUL behind them; else as written */
    apr_size_t length; /* bytes of text */
} jwt_json_t;

/* The JSON value in n bytes of text, which has a NUL behind them; NULL if it is anything else. */
const jwt_json_t *jwt_json_parse(apr_pool_t *pool, const char *text, apr_size_t n);

/* As jwt_json_parse, for an object; NULL for other values too. */
const jwt_json_t *jwt_json_object(apr_pool_t *pool, const char *text, apr_size_t n);

/* The value of an object's member; NULL if it has none of that name, or is no object. */
const jwt_json_t *jwt_json_member(const jwt_json_t *object, const char *name);

/* The first element of an array, or name of an object, and what follows an element or name within container; NULL at the
 * end, and for other values. The value of a name stands right behind it: name + 1. */
const jwt_json_t *jwt_json_first(const jwt_json_t *container);
const jwt_json_t *jwt_json_next(const jwt_json_t *container, const jwt_json_t *item);

/* 1 if value is the string text. NULL is no value. */
int jwt_json_is(const jwt_json_t *value, const char *text);

/* The characters of a string with a NUL behind them, in pool; NULL for other values. */
const char *jwt_json_string(apr_pool_t *pool, const jwt_json_t *value);

/* 1 and *number if value is a number. */
int jwt_json_number(const jwt_json_t *value, double *number);

/*
 * 1 if the values are the same by type and content. Numbers are compared as numbers, integers exactly whatever their
 * size; arrays and objects are the same as nothing.
 */
int jwt_json_equal(const jwt_json_t *a, const jwt_json_t *b);

#endif
