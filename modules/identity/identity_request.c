#include "identity_request.h"

#include "identity_config.h"

#include "body.h"
#include "refuse.h"
#include "request.h"

#include "http_protocol.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

enum { BODY_MOST = 65536 };

const trestle_problem_t *identity_unauthorized(request_rec *r, const char *code, const char *detail, const char *error)
{
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_pstrcat(r->pool, "Bearer realm=\"", trestle_application_of(r), "\"", error ? ", error=\"" : NULL,
                               error, "\"", NULL));
    return trestle_problem_make(r, HTTP_UNAUTHORIZED, code, detail, NULL);
}

apr_array_header_t *identity_errors(request_rec *r)
{
    return apr_array_make(r->pool, 2, sizeof(trestle_field_error_t));
}

const trestle_problem_t *identity_errors_problem(request_rec *r, const apr_array_header_t *errors)
{
    const trestle_field_error_t *first = &APR_ARRAY_IDX(errors, 0, trestle_field_error_t);
    trestle_problem_t *problem;

    if (!errors->nelts)
        return NULL;
    problem = trestle_problem_make(r, HTTP_BAD_REQUEST, first->code, first->detail, first->field);
    problem->errors = errors;
    return problem;
}

static apr_status_t give_back(void *fields)
{
    json_decref(fields);
    return APR_SUCCESS;
}

/* RFC 9110 section 15.5.16: Accept says which types are taken. */
static const trestle_problem_t *unsupported(request_rec *r, identity_types_e types)
{
    int only_json = types == IDENTITY_TYPES_JSON;

    apr_table_setn(r->err_headers_out, "Accept",
                   only_json ? "application/json" : "application/json, application/x-www-form-urlencoded");
    return trestle_problem_make(
        r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
        only_json ? "Send the body as application/json." : "Send JSON or application/x-www-form-urlencoded.", NULL);
}

int identity_request_fields(request_rec *r, int optional, json_t **fields)
{
    const identity_types_e types = identity_config_types(identity_config_of(r));
    identity_form_e outcome = IDENTITY_FORM_OK;
    apr_size_t n;
    char *bytes;
    int status = trestle_body_read(r, BODY_MOST, &bytes, &n);

    *fields = NULL;
    if (status == AP_FILTER_ERROR)
        return status;
    if (status != OK)
        return trestle_answer_problem(r, trestle_problem_make(r, status, NULL, NULL, NULL));
    if (optional && !n)
        *fields = json_object();
    else
        outcome = identity_form_read(types, apr_table_get(r->headers_in, "Content-Type"), bytes, n, fields);
    sodium_memzero(bytes, n);
    if (outcome == IDENTITY_FORM_OK) {
        apr_pool_cleanup_register(r->pool, *fields, give_back, apr_pool_cleanup_null);
        return OK;
    }
    return trestle_answer_problem(
        r, outcome == IDENTITY_FORM_UNSUPPORTED
               ? unsupported(r, types)
               : trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_JSON", "The body is not a JSON object.", NULL));
}

const char *identity_request_text(request_rec *r, const json_t *fields, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        const json_t *value = json_object_get(fields, names[i]);

        if (value && !json_is_null(value))
            return json_is_string(value) ? apr_pstrdup(r->pool, json_string_value(value)) : NULL;
    }
    return NULL;
}

static apr_status_t wipe(void *text)
{
    sodium_memzero(text, strlen(text));
    return APR_SUCCESS;
}

char *identity_request_secret(request_rec *r, const char *text)
{
    char *copy = apr_pstrdup(r->pool, text);

    if (copy)
        apr_pool_cleanup_register(r->pool, copy, wipe, apr_pool_cleanup_null);
    return copy;
}
