#include "refuse.h"

#include "body.h"
#include "http_protocol.h"
#include "text.h"

#include <apr_strings.h>
#include <string.h>

trestle_problem_t *trestle_problem_make(request_rec *r, int status, const char *code, const char *detail,
                                        const char *field)
{
    trestle_problem_t *problem = apr_pcalloc(r->pool, sizeof(*problem));

    problem->status = status;
    problem->code = code;
    problem->detail = detail;
    problem->field = field;
    return problem;
}

/* A body that nobody has read: httpd would wait for all of it before it answers, so the connection is closed instead. */
static void leave_body(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    if ((apr_table_get(r->headers_in, "Transfer-Encoding") || (length && strcmp(length, "0")))
        && !apr_table_get(r->notes, TRESTLE_BODY_WAS_READ))
        r->connection->keepalive = AP_CONN_CLOSE;
}

int trestle_refuse(request_rec *r, const trestle_problem_t *problem)
{
    APR_OPTIONAL_FN_TYPE(trestle_problem_set) *set = APR_RETRIEVE_OPTIONAL_FN(trestle_problem_set);

    if (set)
        set(r, problem);
    leave_body(r);
    return problem->status;
}

/* An element of "errors", which the first one opens. */
static void add_error(trestle_text_t *text, int first, const trestle_field_error_t *error)
{
    trestle_text_adds(text, first ? ",\"errors\":[{" : ",{");
    trestle_text_adds(text, "\"field\":");
    trestle_text_add_json(text, error->field);
    if (error->code) {
        trestle_text_adds(text, ",\"code\":");
        trestle_text_add_json(text, error->code);
    }
    if (error->detail) {
        trestle_text_adds(text, ",\"detail\":");
        trestle_text_add_json(text, error->detail);
    }
    trestle_text_addc(text, '}');
}

/* A plain problem document, for servers without mod_problem. */
static int send_plain(request_rec *r, const trestle_problem_t *problem)
{
    trestle_text_t text = trestle_text_make(r->pool, 256);

    trestle_text_addf(&text, "{\"type\":\"about:blank\",\"status\":%d,\"title\":", problem->status);
    trestle_text_add_json(&text, problem->title ? problem->title : ap_get_status_line(problem->status) + 4);
    if (problem->code) {
        trestle_text_adds(&text, ",\"code\":");
        trestle_text_add_json(&text, problem->code);
    }
    if (problem->detail) {
        trestle_text_adds(&text, ",\"detail\":");
        trestle_text_add_json(&text, problem->detail);
    }
    for (int i = 0; problem->errors && i < problem->errors->nelts; i++)
        add_error(&text, i == 0, &APR_ARRAY_IDX(problem->errors, i, trestle_field_error_t));
    if (!problem->errors && problem->field)
        add_error(&text, 1, &(trestle_field_error_t){ problem->field, NULL, NULL });
    if (problem->errors ? problem->errors->nelts > 0 : problem->field != NULL)
        trestle_text_addc(&text, ']');
    trestle_text_addc(&text, '}');
    return trestle_body_send(r, problem->status, "application/problem+json", text.bytes, text.length);
}

int trestle_answer_problem(request_rec *r, const trestle_problem_t *problem)
{
    APR_OPTIONAL_FN_TYPE(trestle_problem_send) *send = APR_RETRIEVE_OPTIONAL_FN(trestle_problem_send);

    leave_body(r);
    return send ? send(r, problem) : send_plain(r, problem);
}

void trestle_retry_after(request_rec *r, int seconds)
{
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, seconds < 1 ? 1 : seconds));
}
