#include "rest_body.h"

#include "rest_form.h"

#include "body.h"
#include "setting.h"

#include "http_protocol.h"

#include <string.h>
#include <strings.h>

int rest_body_is_announced(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return apr_table_get(r->headers_in, "Transfer-Encoding") || (length && strspn(length, "0") != strlen(length));
}

/* RFC 9110 section 15.5.16: the answer to a coding that is not taken says which is, as that to a type does below. */
static int check_coding(request_rec *r, rest_fault_t *fault)
{
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    if (!coding || !*coding || !strcasecmp(coding, "identity"))
        return 1;
    apr_table_setn(r->err_headers_out, "Accept-Encoding", "identity");
    return rest_refuse(fault, HTTP_UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE",
                       "Send the body without a Content-Encoding.", NULL);
}

/* What reading gave, as a fault or as httpd's own answer. */
static int check_status(int status, int *rc, rest_fault_t *fault)
{
    if (status == OK)
        return 1;
    if (status == AP_FILTER_ERROR)
        *rc = status;
    else
        rest_refuse(fault, status, NULL, NULL, NULL);
    return 0;
}

/* A form on its way from the connection. */
typedef struct {
    rest_form_t *form;
    rest_fault_t *fault;
    apr_size_t length;
} arrival_t;

static int take(void *baton, const char *bytes, apr_size_t n)
{
    arrival_t *arrival = baton;

    arrival->length += n;
    return rest_form_feed(arrival->form, bytes, n, arrival->fault) ? OK : DONE;
}

static int read_multipart(request_rec *r, apr_size_t limit, arrival_t *arrival, int *rc)
{
    int status = trestle_body_each(r, limit, take, arrival);

    if (status == DONE)
        return 0;
    return check_status(status, rc, arrival->fault)
           && (arrival->length == 0 || rest_form_end(arrival->form, arrival->fault));
}

static int parse_json(const char *bytes, apr_size_t n, apr_int64_t most, rest_body_t *body, apr_array_header_t *given,
                      rest_fault_t *fault)
{
    rest_json_mistake_t mistake;

    if (!rest_json_parse(bytes, n, &body->json, &mistake))
        return rest_refuse(fault, HTTP_BAD_REQUEST, "INVALID_JSON",
                           rest_json_complaint(given->pool, "The body", bytes, &mistake), NULL);
    if (body->json.type == TRESTLE_JSON_OBJECT)
        return rest_query_members(&body->json, most, given, fault);
    if (rest_json_has_nul(&body->json))
        return rest_refuse(fault, HTTP_BAD_REQUEST, "VALIDATION_ERROR", "The body holds a NUL, which cannot be stored.",
                           NULL);
    return 1;
}

static int read_body(request_rec *r, const rest_dir_t *conf, rest_body_t *body, apr_array_header_t *given, int *rc,
                     rest_fault_t *fault)
{
    apr_size_t limit = (apr_size_t)TRESTLE_OR(conf->body_limit, REST_BODY_LIMIT), length;
    apr_int64_t most = TRESTLE_OR(conf->fields_max, REST_FIELDS_MAX);
    rest_types_e types = TRESTLE_OR(conf->content_types, REST_TYPES_STRICT);
    rest_media_t media;
    char *bytes;

    if (!rest_media_of_body(r->pool, apr_table_get(r->headers_in, "Content-Type"), types, &media, fault))
        return 0;
    if (media.kind == REST_MEDIA_MULTIPART) {
        arrival_t arrival = { rest_form_make(media.boundary, most, given), fault, 0 };

        if (!read_multipart(r, limit, &arrival, rc))
            return 0;
        body->kind = arrival.length ? media.kind : REST_MEDIA_NONE;
        return 1;
    }
    if (!check_status(trestle_body_read(r, limit, &bytes, &length), rc, fault))
        return 0;
    if (length == 0)
        return 1;
    if (media.kind == REST_MEDIA_NONE)
        return rest_media_refuse(types, fault);
    body->kind = media.kind;
    return media.kind == REST_MEDIA_FORM ? rest_query_parse(bytes, length, REST_IN_BODY, most, given, fault)
                                         : parse_json(bytes, length, most, body, given, fault);
}

int rest_body_read(request_rec *r, const rest_dir_t *conf, rest_body_t *body, apr_array_header_t *given, int *rc,
                   rest_fault_t *fault)
{
    memset(body, 0, sizeof(*body));
    if (!check_coding(r, fault))
        return 0;
    if (read_body(r, conf, body, given, rc, fault))
        return 1;
    if (*rc == DECLINED && fault->status == HTTP_UNSUPPORTED_MEDIA_TYPE && !fault->field)
        apr_table_setn(r->err_headers_out, "Accept",
                       rest_media_accepted(TRESTLE_OR(conf->content_types, REST_TYPES_STRICT)));
    return 0;
}
