/*
 * A module that refuses in every way a module can. Handler "problemtest"; the query says what it does:
 *   refuse=N   a hook before the handler remembers a problem (code TEST_CODE, detail, field "name") and returns N;
 *              &code=C behind it is another code, &verbatim makes its words the application's
 *   return=N   the handler returns N
 *   send=N     the handler sends a problem with two errors; headers of the refused answer are set before
 *   own=N      the handler sends a body of its own with status N
 *   read       the handler reads the body to its end
 */
#include "body.h"
#include "refuse.h"
#include "trestle.h"

#include "http_config.h"
#include "http_protocol.h"
#include "http_request.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA problemtest_module;

/* The number behind name= at the start of the query, or 0. */
static int wanted(request_rec *r, const char *name)
{
    apr_size_t n = strlen(name);

    if (!r->handler || strcmp(r->handler, "problemtest") || !r->args || strncmp(r->args, name, n))
        return 0;
    return r->args[n] == '=' ? atoi(r->args + n + 1) : 1;
}

static int fixups(request_rec *r)
{
    int status = wanted(r, "refuse");
    const char *code = status ? strstr(r->args, "&code=") : NULL;
    trestle_problem_t *problem;

    if (!status)
        return DECLINED;
    trestle_retry_after(r, 7);
    apr_table_setn(r->headers_out, "X-Lost", "1");
    problem = trestle_problem_make(r, status, code ? code + 6 : "TEST_CODE", "A hook \"refused\".", "name");
    problem->verbatim = strstr(r->args, "&verbatim") != NULL;
    return trestle_refuse(r, problem);
}

static int send_problem(request_rec *r, int status)
{
    trestle_problem_t *problem = trestle_problem_make(r, status, NULL, "A handler refused.", NULL);
    apr_array_header_t *errors = apr_array_make(r->pool, 2, sizeof(trestle_field_error_t));
    trestle_field_error_t first = { "a.b", "REQUIRED_FIELD_MISSING", NULL }, second = { "c", NULL, "It is too long." };

    APR_ARRAY_PUSH(errors, trestle_field_error_t) = first;
    APR_ARRAY_PUSH(errors, trestle_field_error_t) = second;
    problem->errors = errors;
    apr_table_setn(r->headers_out, "ETag", "\"of-another-body\"");
    apr_table_setn(r->headers_out, "X-Kept", "1");
    return trestle_answer_problem(r, problem);
}

static int handler(request_rec *r)
{
    apr_size_t length;
    char *body;
    int status;

    if (strcmp(r->handler, "problemtest"))
        return DECLINED;
    if ((status = wanted(r, "return")))
        return status;
    if ((status = wanted(r, "send")))
        return send_problem(r, status);
    if ((status = wanted(r, "own")))
        return trestle_body_send(r, status, "text/plain", "my own words", 12);
    if (wanted(r, "read") && (status = trestle_body_read(r, 1000000, &body, &length)) != OK)
        return status;
    return trestle_body_send(r, HTTP_OK, "text/plain", "fine", 4);
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA problemtest_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                     register_hooks,          0 };
