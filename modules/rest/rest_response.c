#include "rest_response.h"

#include "rest_json.h"
#include "rest_rows.h"

#include "body.h"

#include "http_protocol.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define JSON "application/json"

/* RFC 9110 section 15: answers that never have content, whatever a function returned. */
static int is_bare(int status)
{
    return status == HTTP_NO_CONTENT || status == HTTP_RESET_CONTENT || status == HTTP_NOT_MODIFIED;
}

/* An answer without a body. */
static int send_nothing(request_rec *r, int status)
{
    trestle_status_set(r, status);
    if (status != HTTP_NO_CONTENT && status != HTTP_NOT_MODIFIED)
        ap_set_content_length(r, 0);
    return trestle_body_end(r, apr_brigade_create(r->pool, r->connection->bucket_alloc));
}

/* What response.status asks for; 0 if it is no status that can be sent. */
static int status_of(const PGresult *result, int unset)
{
    const char *text = PQgetvalue(result, 0, 1);
    int status = atoi(text);

    if (!*text)
        return unset;
    return strspn(text, "0123456789") == 3 && !text[3] && status >= 200 && status <= 599 ? status : 0;
}

/* A header's name is letters, digits and hyphens, and not one that frames the message or is about the connection. */
static int is_header_name(const char *name)
{
    static const char *const reserved[] = {
        "Content-Length", "Transfer-Encoding", "Connection",      "Keep-Alive", "TE",
        "Trailer",        "Upgrade",           "Proxy-Connection"
    };
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (!strcasecmp(name, reserved[i]))
            return 0;
    return n > 0 && !name[n];
}

/* RFC 9110 section 5.5: no control characters but the tab. httpd would answer 500 for them, after the commit. */
static int is_header_value(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7F)
            return 0;
    return 1;
}

/* One object of response.headers. */
static int add_headers(request_rec *r, const rest_json_t *object, apr_table_t *headers)
{
    const char *at = NULL, *name, *value;
    rest_json_t key, member;

    if (object->type != TRESTLE_JSON_OBJECT)
        return 0;
    while (rest_json_next_member(object, &at, &key, &member)) {
        if (member.type != TRESTLE_JSON_STRING || !(name = rest_json_string(r->pool, &key))
            || !(value = rest_json_string(r->pool, &member)) || !is_header_name(name) || !is_header_value(value))
            return 0;
        if (!strcasecmp(name, "Content-Type"))
            ap_set_content_type(r, value);
        else
            apr_table_addn(headers, name, value);
    }
    return 1;
}

/* response.headers: a JSON array of objects with one member each, so that a header may stand twice. */
static int set_headers(request_rec *r, const PGresult *result)
{
    const char *text = PQgetvalue(result, 0, 2), *at = NULL;
    rest_json_mistake_t mistake;
    rest_json_t array, object;
    apr_table_t *headers;

    if (!*text)
        return 1;
    if (!rest_json_parse(text, (apr_size_t)PQgetlength(result, 0, 2), &array, &mistake)
        || array.type != TRESTLE_JSON_ARRAY)
        return 0;
    headers = apr_table_make(r->pool, 4);
    while (rest_json_next_element(&array, &at, &object))
        if (!add_headers(r, &object, headers))
            return 0;
    r->headers_out = apr_table_overlay(r->pool, r->headers_out, headers);
    return 1;
}

static int send_call(request_rec *r, const rest_plan_t *plan, const PGresult *result, int *rc, rest_fault_t *fault)
{
    const rest_function_t *function = plan->function;
    int is_void = function->returns && function->returns->kind == REST_VOID && !function->returns_set;
    int status = status_of(result, is_void ? HTTP_NO_CONTENT : HTTP_OK);

    if (!status)
        return rest_blame(fault, apr_psprintf(r->pool,
                                              "function %s set response.status to something else than three digits "
                                              "from 200 to 599",
                                              function->quoted));
    ap_set_content_type(r, is_void ? NULL : JSON);
    if (!set_headers(r, result))
        return rest_blame(fault, apr_psprintf(r->pool,
                                              "function %s set response.headers to something else than a JSON array of "
                                              "objects such as {\"Name\": \"value\"}",
                                              function->quoted));
    if (is_void || is_bare(status))
        *rc = send_nothing(r, status);
    else if (PQgetisnull(result, 0, 0))
        *rc = trestle_body_send(r, status, r->content_type, "null", 4);
    else
        *rc = trestle_body_send(r, status, r->content_type, PQgetvalue(result, 0, 0),
                                (apr_size_t)PQgetlength(result, 0, 0));
    return 1;
}

int rest_response_send(request_rec *r, const rest_plan_t *plan, PGresult *result, int *rc, rest_fault_t *fault)
{
    return plan->operation == REST_CALL ? send_call(r, plan, result, rc, fault)
                                        : rest_rows_send(r, plan, result, rc, fault);
}
