/*
 * The fields that a request's body carries: members of a JSON object, or a form (application/x-www-form-urlencoded).
 */
#ifndef IDENTITY_FORM_H
#define IDENTITY_FORM_H

#include <apr_tables.h>
#include <jansson.h>

typedef enum {
    IDENTITY_FORM_OK,
    IDENTITY_FORM_MALFORMED,  /* neither an object of JSON nor a form */
    IDENTITY_FORM_UNSUPPORTED /* of a media type that is not taken */
} identity_form_e;

/* Which media types are taken (directive IdentityContentType). */
typedef enum {
    IDENTITY_TYPES_STRICT, /* JSON and application/x-www-form-urlencoded */
    IDENTITY_TYPES_ANY,    /* whatever is no form is read as JSON, for inherited clients; but multipart/form-data */
    IDENTITY_TYPES_JSON    /* JSON: pages of other sites cannot send it without asking (CORS) */
} identity_types_e;

/*
 * Reads n bytes of the given media type (NULL: none was sent) into *fields, which the caller gives back with
 * json_decref. JSON is application/json, and what ends in +json (RFC 6839). A name that comes twice, text that is not
 * UTF-8 and NULs are malformed.
 */
identity_form_e identity_form_read(identity_types_e types, const char *type, const char *bytes, apr_size_t n,
                                   json_t **fields);

/* Adds what is wrong with a field, for the client, to errors (trestle_field_error_t). code and detail: as there,
 * living as long as errors. */
void identity_form_refuse(apr_array_header_t *errors, const char *field, const char *code, const char *detail);

/*
 * The text of a field of 1 to most characters, which lives as long as fields. NULL if it is missing or wrong; then what
 * is wrong has been added to errors.
 */
const char *identity_form_text(const json_t *fields, const char *name, apr_size_t most, apr_array_header_t *errors);

/* Overwrites a field's text in memory; for passwords, before fields is given back. */
void identity_form_wipe(json_t *fields, const char *name);

#endif
