/*
 * The body of a request: JSON, a form, or multipart/form-data.
 */
#ifndef REST_BODY_H
#define REST_BODY_H

#include "rest_config.h"
#include "rest_media.h"
#include "rest_query.h"

#include "httpd.h"

/* Lives as long as r->pool. */
typedef struct {
    rest_media_e kind; /* JSON, FORM, MULTIPART; NONE: the request has no body */
    rest_json_t json;  /* JSON: the whole value, of any type; only white space and a NUL follow its bytes */
} rest_body_t;

/*
 * Reads r's body as conf allows, and appends the fields of a form, and the members of a JSON object, to given
 * (rest_given_t, in their order). 1 and *body; or 0 and fault: 400, 413, 415; or 0 and *rc other than DECLINED: httpd
 * has answered already, return it.
 */
int rest_body_read(request_rec *r, const rest_dir_t *conf, rest_body_t *body, apr_array_header_t *given, int *rc,
                   rest_fault_t *fault);

/* 1 if r announces a body that is not empty. */
int rest_body_is_announced(request_rec *r);

#endif
