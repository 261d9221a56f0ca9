/*
 * Named values as clients send them: in the path, in a query, in a body.
 */
#ifndef REST_QUERY_H
#define REST_QUERY_H

#include "rest_fault.h"
#include "rest_json.h"

#include <apr_tables.h>

/* Where a value came from. A later one in this list wins over an earlier one. */
typedef enum { REST_IN_QUERY, REST_IN_BODY, REST_IN_PATH } rest_place_e;

/* A named value, in the order in which they came. JSON and texts are typed by different rules (rest_value.h). */
typedef struct {
    const char *name;
    rest_place_e place;
    const char *text; /* UTF-8 without NUL; NULL: json holds the value */
    rest_json_t json; /* a member of a JSON body, or a part of a form that is JSON; it holds no \u0000 */
    int in_form;      /* 1: json is a part of a form, so that one of them may be an array's only element */
} rest_given_t;

/* Adds a value to given (rest_given_t). json may be NULL if text is not. */
void rest_query_add(apr_array_header_t *given, const char *name, rest_place_e place, const char *text,
                    const rest_json_t *json);

/*
 * Appends the pairs of a query string or form body (n bytes, application/x-www-form-urlencoded) to given, decoded into
 * the array's pool: plus is a space, a pair without "=" has an empty value. 1; or 0 and a 400 for a malformed escape, a
 * NUL, bytes that are not UTF-8, or more than most pairs.
 */
int rest_query_parse(const char *bytes, apr_size_t n, rest_place_e place, apr_int64_t most, apr_array_header_t *given,
                     rest_fault_t *fault);

/*
 * Appends the members of a parsed JSON object to given. 1; or 0 and a 400 for a name that stands twice, a NUL, or more
 * than most members.
 */
int rest_query_members(const rest_json_t *object, apr_int64_t most, apr_array_header_t *given, rest_fault_t *fault);

/*
 * The fields of a body as one JSON object in pool, in their order: texts as strings, those of one name as an array. NULL
 * if given holds none.
 */
const char *rest_query_object(apr_pool_t *pool, const apr_array_header_t *given);

/* A 400 for more fields than most; 0. */
int rest_query_too_many(apr_pool_t *pool, apr_int64_t most, rest_fault_t *fault);

#endif
