/*
 * What the media type of a body says about reading it.
 */
#ifndef REST_MEDIA_H
#define REST_MEDIA_H

#include "rest_fault.h"

#include <apr_pools.h>

typedef enum {
    REST_MEDIA_NONE, /* no type was sent, and none is taken for granted */
    REST_MEDIA_TEXT, /* text/plain: what a part of a form without a type is */
    REST_MEDIA_JSON,
    REST_MEDIA_FORM,      /* application/x-www-form-urlencoded */
    REST_MEDIA_MULTIPART, /* multipart/form-data */
    REST_MEDIA_OTHER
} rest_media_e;

/* Which bodies are taken: RestContentType. */
typedef enum {
    REST_TYPES_STRICT, /* what is declared as JSON or as a form */
    REST_TYPES_ANY,    /* whatever is no form is read as JSON */
    REST_TYPES_JSON    /* only what is declared as JSON */
} rest_types_e;

typedef struct {
    rest_media_e kind;
    const char *boundary; /* of MULTIPART, as RFC 2046 allows it */
} rest_media_t;

/*
 * Reads a Content-Type (RFC 9110 section 8.3); NULL: none was sent. 1 and *media; or 0 and fault: 415 for several types
 * in one field, a malformed one, or a charset other than UTF-8; 400 for a boundary that is missing or malformed.
 */
int rest_media_parse(apr_pool_t *pool, const char *type, rest_media_t *media, rest_fault_t *fault);

/*
 * How the body of a request with this Content-Type is read: JSON, FORM or MULTIPART, or NONE if there is no type. 1; or 0
 * and fault, as above and 415 for a type that is not taken.
 */
int rest_media_of_body(apr_pool_t *pool, const char *type, rest_types_e types, rest_media_t *media,
                       rest_fault_t *fault);

/* The 415 for a body of a type that is not taken, or without one; 0. */
int rest_media_refuse(rest_types_e types, rest_fault_t *fault);

/* The types that are taken, as the value of Accept (RFC 9110 section 12.5.1). */
const char *rest_media_accepted(rest_types_e types);

#endif
