/*
 * Named values as clients send them: query strings and form bodies (application/x-www-form-urlencoded).
 */
#ifndef REST_QUERY_H
#define REST_QUERY_H

#include "rest_fault.h"
#include "rest_json.h"

#include <apr_tables.h>

enum { REST_FIELDS_MAX = 1000 }; /* in one query or body */

/* Where a value came from. A later one in this list wins over an earlier one. */
typedef enum { REST_IN_QUERY, REST_IN_BODY, REST_IN_PATH } rest_place_e;

/* A named value. */
typedef struct {
    const char *name;
    rest_place_e place;
    const char *text; /* NULL: json holds it */
    rest_json_t json; /* a member of a JSON body */
} rest_given_t;

/*
 * Appends the pairs of a query string or form body (n bytes) to given (rest_given_t), decoded into the array's pool:
 * plus is a space, a pair without "=" has an empty value. 1; or 0 and a 400 for a malformed escape, a NUL, bytes that
 * are not UTF-8, or too many fields.
 */
int rest_query_parse(const char *bytes, apr_size_t n, rest_place_e place, apr_array_header_t *given,
                     rest_fault_t *fault);

/* Appends the members of a JSON body to given. 1; or 0 and a 400 if it is malformed, no object, or has too many. */
int rest_query_parse_json(const char *bytes, apr_size_t n, apr_array_header_t *given, rest_fault_t *fault);

#endif
