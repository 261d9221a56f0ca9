/*
 * Names of claims in directives. A name is that of a claim as it stands, dots and slashes in it and all; one that begins
 * with a slash is a JSON Pointer (RFC 6901) to a claim within others: /realm_access/roles.
 */
#ifndef JWT_PATH_H
#define JWT_PATH_H

#include "jwt_json.h"

#include <apr_tables.h>

/* The names from the outermost to the claim itself; never empty. Made while configuring; immutable. */
typedef struct {
    const apr_array_header_t *names; /* const char * */
} jwt_path_t;

/* Reads text into *path, in pool. NULL, or the end of a sentence that names the mend ("… is no name of a claim: …"). */
const char *jwt_path_parse(apr_pool_t *pool, const char *text, jwt_path_t *path);

/* The value that path names in claims, an object; NULL if there is none, or path or claims is NULL. */
const jwt_json_t *jwt_path_find(const jwt_path_t *path, const jwt_json_t *claims);

#endif
