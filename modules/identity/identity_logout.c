#include "identity_logout.h"

#include "identity_me.h"
#include "identity_origin.h"
#include "identity_refresh.h"
#include "identity_request.h"
#include "identity_session.h"

#include "body.h"
#include "refuse.h"
#include "setting.h"

#include "http_protocol.h"

#include <string.h>

/* What says which session is meant. NULL where nothing does. */
typedef struct {
    const char *session;
    const char *account; /* NULL: whoever's it is */
} target_t;

/* A refresh token says it as well as a token; one that is not good says nothing, and is no reason to fail. */
static const trestle_problem_t *find_target(request_rec *r, const json_t *fields, target_t *target)
{
    const trestle_caller_t *caller = NULL;
    identity_refresh_token_t token;
    const char *text;
    int in_cookie;

    memset(target, 0, sizeof(*target));
    if (identity_refresh_find(r, fields, &token, &text, &in_cookie) == IDENTITY_REFRESH_GOOD) {
        target->session = token.session;
    } else if (identity_caller_find(r, NULL, &caller) == APR_SUCCESS) {
        target->session = identity_caller_session(caller);
        target->account = identity_caller_account(caller);
        in_cookie = !strcmp(caller->proof, "cookie");
    }
    return target->session && in_cookie ? identity_origin_check(r) : NULL;
}

/* Ends it and asks the answer function, whom it tells the account if the token named one. */
static const trestle_problem_t *end_session(request_rec *r, const target_t *target, const char **body)
{
    const char *values[] = { target->session, target->account }, *bodies[2];
    identity_batch_t batch = identity_batch(r, "{}", 0);
    const trestle_problem_t *problem = NULL;
    int answer;

    if (target->session)
        identity_batch_add(&batch, "select trestle.session_end($1::uuid, $2::bigint, 'logout')", values, 2);
    answer = identity_answer_add(&batch, bodies, target->account, *body);
    if (batch.n)
        problem = identity_batch_run(&batch);
    return problem ? problem : identity_answer_take(&batch, answer, body);
}

int identity_logout(request_rec *r)
{
    const identity_config_t *config = identity_config_of(r);
    const trestle_problem_t *problem;
    const char *body = "{}";
    target_t target;
    json_t *fields;
    int status = identity_request_fields(r, 1, &fields);

    if (!fields)
        return status;
    if ((problem = find_target(r, fields, &target)) || (problem = end_session(r, &target, &body)))
        return trestle_answer_problem(r, problem);
    identity_session_clear_cookies(r);
    if (identity_config_has_cookies(config) && !strcmp(ap_http_scheme(r), "https"))
        apr_table_setn(r->headers_out, "Clear-Site-Data", "\"cookies\", \"storage\"");
    if (config->answer || config->status != TRESTLE_UNSET)
        return trestle_body_send(r, TRESTLE_OR(config->status, HTTP_OK), "application/json", body, strlen(body));
    return trestle_body_send(r, HTTP_NO_CONTENT, NULL, "", 0);
}
