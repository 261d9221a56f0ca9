#include "identity_me.h"

#include "identity_request.h"
#include "identity_session.h"

#include "body.h"
#include "refuse.h"
#include "setting.h"

#include "http_log.h"

#include <apr_strings.h>
#include <string.h>

APLOG_USE_MODULE(identity);

static APR_OPTIONAL_FN_TYPE(trestle_caller) * request_caller;
static APR_OPTIONAL_FN_TYPE(trestle_verify_token) * verify_token;
static APR_OPTIONAL_FN_TYPE(trestle_token_refused) * token_refused;

void identity_me_retrieve(void)
{
    request_caller = APR_RETRIEVE_OPTIONAL_FN(trestle_caller);
    verify_token = APR_RETRIEVE_OPTIONAL_FN(trestle_verify_token);
    token_refused = APR_RETRIEVE_OPTIONAL_FN(trestle_token_refused);
}

apr_status_t identity_caller_find(request_rec *r, const char *token, const trestle_caller_t **caller)
{
    apr_status_t rv;

    *caller = !token && request_caller ? request_caller(r) : NULL;
    if (*caller && (*caller)->subject)
        return APR_SUCCESS;
    rv = verify_token ? verify_token(r, token, caller) : APR_ENOTIMPL;
    if (rv == APR_ENOTIMPL)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID17: no token can be verified: load mod_auth_jwt and add AuthJWTKey to this location");
    return rv;
}

const char *identity_caller_account(const trestle_caller_t *caller)
{
    size_t n = caller->subject ? strspn(caller->subject, "0123456789") : 0;

    return n >= 1 && n <= 18 && !caller->subject[n] ? caller->subject : NULL;
}

const char *identity_caller_session(const trestle_caller_t *caller)
{
    const char *text = caller->session;

    for (int i = 0; text && i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                    : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
            return NULL;
    return text && !text[36] ? text : NULL;
}

/* The caller of a token, who must be one. */
static const trestle_problem_t *need_caller(request_rec *r, const char *token, const trestle_caller_t **caller)
{
    switch (identity_caller_find(r, token, caller)) {
    case APR_SUCCESS:
        return NULL;
    case APR_ENOTIMPL:
        return identity_internal_error(r);
    case APR_NOTFOUND:
        return identity_unauthorized(r, "AUTHENTICATION_REQUIRED", "This resource needs a sign-in.", NULL);
    default:
        return identity_unauthorized(r, "INVALID_TOKEN", "The credential is not valid or has expired.",
                                     "invalid_token");
    }
}

/* SQL's refusals of tokens that do not hold any more: in r's language, with a challenge and without their cookie. */
static const trestle_problem_t *as_unauthorized(request_rec *r, const trestle_problem_t *problem)
{
    if (!problem || problem->status != HTTP_UNAUTHORIZED || !problem->code || strcmp(problem->code, "INVALID_TOKEN"))
        return problem;
    problem = identity_unauthorized(r, "INVALID_TOKEN", "The credential is not valid or has expired.", "invalid_token");
    if (token_refused)
        token_refused(r);
    return problem;
}

/*
 * Answers with what sql, which takes one parameter and calls the answer function if there is one, says about the caller
 * once the token is found to hold.
 */
static int answer_caller(request_rec *r, const trestle_caller_t *caller, const char *body, const char *parameter)
{
    const identity_function_t *function = identity_config_of(r)->answer;
    const char *values[] = { parameter }, *text;
    identity_batch_t batch = identity_batch(r, caller->claims, 1);
    const trestle_problem_t *problem;

    if (function)
        body = apr_pstrcat(r->pool, identity_function_text(r->pool, function), "(account, ", body, "::jsonb)", NULL);
    identity_batch_add(&batch, apr_pstrcat(r->pool, "select ", body, " from trestle.require_account() account", NULL),
                       values, parameter ? 1 : 0);
    problem = as_unauthorized(r, identity_batch_run(&batch));
    if (!problem)
        problem = identity_answer_take(&batch, 0, &text);
    if (problem)
        return trestle_answer_problem(r, problem);
    return trestle_body_send(r, TRESTLE_OR(identity_config_of(r)->status, HTTP_OK), "application/json", text,
                             strlen(text));
}

int identity_me(request_rec *r)
{
    const trestle_caller_t *caller;
    const trestle_problem_t *problem = need_caller(r, NULL, &caller);

    return problem ? trestle_answer_problem(r, problem)
                   : answer_caller(r, caller, "trestle.account_json(account)", NULL);
}

int identity_check(request_rec *r)
{
    static const char *const names[] = { "token" };
    const trestle_caller_t *caller;
    const trestle_problem_t *problem;
    json_t *fields;
    int status = identity_request_fields(r, 1, &fields);

    if (!fields)
        return status;
    problem = need_caller(r, identity_request_text(r, fields, names, 1), &caller);
    return problem ? trestle_answer_problem(r, problem)
                   : answer_caller(r, caller, "$1::text",
                                   apr_pstrcat(r->pool, "{\"valid\":true,\"claims\":", caller->claims, "}", NULL));
}
