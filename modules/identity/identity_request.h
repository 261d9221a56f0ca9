/*
 * What all operations do with a request: read its fields, refuse it, answer it.
 */
#ifndef IDENTITY_REQUEST_H
#define IDENTITY_REQUEST_H

#include "identity_form.h"
#include "trestle_problem.h"

#include "httpd.h"

enum { IDENTITY_NAME_MOST = 254, IDENTITY_TOKEN_MOST = 8192 };

/* 401 with the challenge of RFC 6750. error: NULL where no credential was sent (section 3.1). */
const trestle_problem_t *identity_unauthorized(request_rec *r, const char *code, const char *detail, const char *error);

/* An empty list of trestle_field_error_t in r->pool. */
apr_array_header_t *identity_errors(request_rec *r);

/* A problem with all errors, code and field those of the first; NULL if there is none. */
const trestle_problem_t *identity_errors_problem(request_rec *r, const apr_array_header_t *errors);

/*
 * Reads the fields of the body, which live as long as r->pool; the bytes of the body are overwritten. Where a body is
 * optional, none is no fields. *fields is NULL when the request was refused: then return what this returns.
 */
int identity_request_fields(request_rec *r, int optional, json_t **fields);

/* The text of the first of names (const char *) that is among the fields, in r->pool; NULL if none is, or is no text. */
const char *identity_request_text(request_rec *r, const json_t *fields, const char *const *names, int count);

/* A copy of text in r->pool that is overwritten when r ends; NULL of NULL. */
char *identity_request_secret(request_rec *r, const char *text);

#endif
