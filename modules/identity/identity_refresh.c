#include "identity_refresh.h"

#include "identity_origin.h"
#include "identity_request.h"
#include "identity_session.h"

#include "refuse.h"
#include "request.h"
#include "setting.h"

#include "http_log.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

APLOG_USE_MODULE(identity);

/* One answer for all that is not good. The cookie that it came in is of no use any more. */
static const trestle_problem_t *invalid(request_rec *r, int in_cookie)
{
    if (in_cookie)
        identity_session_clear_cookies(r);
    return identity_unauthorized(r, "INVALID_REFRESH_TOKEN",
                                 "The refresh token is not valid or has expired; sign in again.", "invalid_token");
}

identity_refresh_e identity_refresh_find(request_rec *r, const json_t *fields, identity_refresh_token_t *token,
                                         const char **text, int *in_cookie)
{
    static const char *const names[] = { "refresh_token", "refresh" };
    const identity_config_t *config = identity_config_of(r);
    const trestle_cookie_t *cookie = config->refresh_cookie;
    const apr_array_header_t *keys = config->refresh_keys;
    const char *value;
    apr_size_t n;
    int count = 0;

    *text = identity_request_text(r, fields, names, 2);
    *in_cookie = 0;
    if (!*text && cookie && cookie->name) {
        count = trestle_cookie_find(apr_table_get(r->headers_in, "Cookie"), cookie->name, &value, &n);
        *in_cookie = count > 0;
        if (count == 1)
            *text = apr_pstrmemdup(r->pool, value, n);
    }
    if (!*text)
        return count ? IDENTITY_REFRESH_BAD : IDENTITY_REFRESH_ABSENT;
    return keys
                   && identity_refresh_token_read(r->pool, (const identity_refresh_key_t *)(void *)keys->elts,
                                                  keys->nelts, *text, strlen(*text), token)
                          == APR_SUCCESS
               ? IDENTITY_REFRESH_GOOD
               : IDENTITY_REFRESH_BAD;
}

static const trestle_problem_t *find_token(request_rec *r, const json_t *fields, identity_refresh_token_t *token,
                                           const char **text, int *in_cookie)
{
    apr_array_header_t *errors = identity_errors(r);
    identity_refresh_e found = identity_refresh_find(r, fields, token, text, in_cookie);
    const trestle_problem_t *problem = *in_cookie ? identity_origin_check(r) : NULL;

    if (problem || found == IDENTITY_REFRESH_GOOD)
        return problem;
    if (found == IDENTITY_REFRESH_BAD || identity_config_of(r)->refresh_cookie)
        return invalid(r, *in_cookie);
    identity_form_text(fields, "refresh_token", IDENTITY_TOKEN_MOST, errors);
    problem = identity_errors_problem(r, errors);
    return problem ? problem : invalid(r, 0);
}

/* For the log: a token that comes twice is a stolen one, or a client that lost an answer. */
static void note_outcome(request_rec *r, const char *outcome, const identity_refresh_token_t *token)
{
    int ended = strcmp(outcome, "unknown") && strcmp(outcome, "revoked");

    ap_log_rerror(APLOG_MARK, ended ? APLOG_NOTICE : APLOG_INFO, 0, r,
                  "TRSID16: refresh token %d of session %s refused: %s%s, request %s", token->number, token->session,
                  outcome, ended ? "; the session is ended" : "", trestle_request_id_of(r));
}

/* Rotates the token and asks for the application's claims, in one transaction. */
static const trestle_problem_t *rotate(request_rec *r, const identity_refresh_token_t *token, const char *text,
                                       int in_cookie, identity_session_t *session, const char **claims)
{
    const identity_config_t *config = identity_config_of(r);
    const char *successor = identity_refresh_token_make(r->pool, token->key, token->session, token->number + 1);
    const char *values[] = { token->session,
                             apr_itoa(r->pool, token->number),
                             identity_refresh_token_hash(r->pool, text),
                             successor ? identity_refresh_token_hash(r->pool, successor) : NULL,
                             config->client,
                             identity_config_seconds(r->pool, config->idle, IDENTITY_SECONDS(IDENTITY_IDLE_SECONDS)),
                             identity_config_seconds(r->pool, config->grace, IDENTITY_SECONDS(IDENTITY_GRACE_SECONDS)),
                             apr_itoa(r->pool, TRESTLE_OR(config->grace_uses, IDENTITY_GRACE_USES)) };
    identity_batch_t batch = identity_batch(r, "{}", 0);
    const trestle_problem_t *problem;
    const char *outcome;

    if (!successor)
        return identity_internal_error(r);
    identity_batch_add(
        &batch,
        "select outcome, account_id, extract(epoch from abs_expires_at)::bigint, "
        "extract(epoch from idle_expires_at)::bigint from trestle.session_refresh($1::uuid, $2::integer, "
        "$3::bytea, $4::bytea, $5::text, $6::double precision * interval '1 s', "
        "$7::double precision * interval '1 s', $8::integer)",
        values, 8);
    if (config->claims)
        identity_batch_add(&batch,
                           apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, config->claims),
                                       "(account) from trestle.decided_account() account", NULL),
                           NULL, 0);
    if ((problem = identity_batch_run(&batch)))
        return problem;
    outcome = identity_batch_value(&batch, 0, 0);
    if (strcmp(outcome, "rotated") && strcmp(outcome, "repeated")) {
        note_outcome(r, outcome, token);
        return invalid(r, in_cookie);
    }
    memset(session, 0, sizeof(*session));
    session->account = identity_batch_value(&batch, 0, 1);
    session->ends = apr_time_from_sec(atol(identity_batch_value(&batch, 0, 2)));
    session->idle_expires = apr_time_from_sec(atol(identity_batch_value(&batch, 0, 3)));
    session->id = token->session;
    session->refresh_token = successor;
    *claims = config->claims ? identity_batch_value(&batch, 1, 0) : NULL;
    return NULL;
}

/* The session is renewed already: should the answer function fail now, the client may come again within grace. */
static const trestle_problem_t *shape(request_rec *r, const identity_session_t *session, const char **body)
{
    identity_batch_t batch = identity_batch(r, "{}", 1);
    const trestle_problem_t *problem;
    const char *values[2];
    int answer;

    *body = identity_session_body(r, session);
    if ((answer = identity_answer_add(&batch, values, session->account, *body)) < 0)
        return NULL;
    problem = identity_batch_run(&batch);
    return problem ? problem : identity_answer_take(&batch, answer, body);
}

int identity_refresh(request_rec *r)
{
    const char *text, *claims = NULL, *body;
    identity_refresh_token_t token;
    const trestle_problem_t *problem;
    identity_session_t session;
    json_t *fields;
    int in_cookie, status = identity_request_fields(r, 1, &fields);

    if (!fields)
        return status;
    if ((problem = find_token(r, fields, &token, &text, &in_cookie))
        || (problem = rotate(r, &token, text, in_cookie, &session, &claims))
        || (problem = identity_session_sign(r, &session, claims)) || (problem = shape(r, &session, &body)))
        return trestle_answer_problem(r, problem);
    return identity_session_answer(r, &session, body, HTTP_OK);
}
