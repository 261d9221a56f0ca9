#include "identity_session.h"

#include "identity_check.h"
#include "identity_claims.h"

#include "body.h"
#include "encoding.h"
#include "refuse.h"
#include "request.h"
#include "setting.h"
#include "text.h"
#include "trestle_caller.h"

#include "http_log.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>

APLOG_USE_MODULE(identity);

enum { COOKIE_MOST = 4096 };

static APR_OPTIONAL_FN_TYPE(trestle_sign_claims) * sign_claims;

void identity_session_retrieve(void)
{
    sign_claims = APR_RETRIEVE_OPTIONAL_FN(trestle_sign_claims);
}

const trestle_problem_t *identity_session_make(request_rec *r, const char *account, identity_session_t *session)
{
    const identity_config_t *config = identity_config_of(r);
    const apr_time_t now = apr_time_now();

    memset(session, 0, sizeof(*session));
    session->account = account;
    session->issued = now;
    session->id = trestle_uuid(r->pool);
    session->key = identity_config_refresh_key(config);
    session->ends = now + identity_config_lifetime(config);
    if (session->key && session->id) {
        session->refresh_token = identity_refresh_token_make(r->pool, session->key, session->id, 0);
        session->ends = now + TRESTLE_OR(config->absolute, IDENTITY_SECONDS(IDENTITY_ABSOLUTE_SECONDS));
    }
    session->idle_expires = now + TRESTLE_OR(config->idle, IDENTITY_SECONDS(IDENTITY_IDLE_SECONDS));
    if (!session->refresh_token || session->idle_expires > session->ends)
        session->idle_expires = session->ends;
    return session->id && (!session->key || session->refresh_token) ? NULL : identity_internal_error(r);
}

const trestle_problem_t *identity_session_sign(request_rec *r, identity_session_t *session, const char *more)
{
    const apr_time_t now = session->issued ? session->issued : apr_time_now();
    apr_time_t expires = now + identity_config_lifetime(identity_config_of(r));
    identity_claims_t claims = { session->account,
                                 session->id,
                                 trestle_uuid(r->pool),
                                 trestle_public_url_of(r),
                                 trestle_application_of(r),
                                 now,
                                 expires < session->ends ? expires : session->ends };
    const char *text = claims.id ? identity_claims_text(r->pool, &claims, more) : NULL;
    apr_status_t rv = !text ? APR_EINVAL : sign_claims ? sign_claims(r, text, &session->token) : APR_ENOTIMPL;

    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSID10: no token can be made: %s",
                      rv == APR_ENOTIMPL ? "load mod_auth_jwt and add AuthJWTSigningKey to this location"
                      : rv == APR_EINVAL ? "IdentityClaimsFunction gave no JSON object"
                                         : "signing failed");
        return identity_internal_error(r);
    }
    session->token_id = claims.id;
    session->issued = claims.issued;
    session->expires = claims.expires;
    return NULL;
}

/* The client's address as type inet takes it: without the zone of a link-local one (RFC 4007 section 11). */
static const char *address_of(request_rec *r)
{
    return apr_pstrmemdup(r->pool, r->useragent_ip, strcspn(r->useragent_ip, "%"));
}

static const char *user_agent_of(request_rec *r)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");

    return agent && trestle_utf8_valid(agent, strlen(agent)) ? agent : NULL;
}

static const char *seconds_text(request_rec *r, apr_time_t time)
{
    return apr_psprintf(r->pool, "%" APR_INT64_T_FMT, apr_time_sec(time));
}

const trestle_problem_t *identity_session_open(request_rec *r, const identity_session_t *session,
                                               const char *not_before, const char *old_hash, const char *new_hash,
                                               const char **body)
{
    const char *values[] = { session->account,
                             not_before,
                             session->id,
                             session->token_id,
                             seconds_text(r, session->idle_expires),
                             seconds_text(r, session->ends),
                             session->key ? apr_itoa(r->pool, session->key->id) : NULL,
                             session->refresh_token ? identity_refresh_token_hash(r->pool, session->refresh_token)
                                                    : NULL,
                             identity_config_of(r)->client,
                             address_of(r),
                             user_agent_of(r) };
    const char *hashes[] = { session->account, old_hash, new_hash }, *answer_values[2];
    identity_batch_t batch = identity_batch(r, "{}", 0);
    const trestle_problem_t *problem;
    int answer;

    identity_batch_add(&batch,
                       "select trestle.session_open($1::bigint, $2::timestamptz, $3::uuid, $4::uuid, "
                       "to_timestamp($5::double precision), to_timestamp($6::double precision), $7::smallint, "
                       "$8::bytea, $9::text, $10::inet, $11::text)",
                       values, 11);
    if (new_hash)
        identity_batch_add(&batch, "select trestle.login_rehash($1::bigint, $2::text, $3::text)", hashes, 3);
    *body = identity_session_body(r, session);
    answer = identity_answer_add(&batch, answer_values, session->account, *body);
    problem = identity_batch_run(&batch);
    return problem ? problem : identity_answer_take(&batch, answer, body);
}

static int is_in_cookie(const trestle_cookie_t *cookie)
{
    return cookie && cookie->name;
}

const char *identity_session_body(request_rec *r, const identity_session_t *session)
{
    trestle_text_t text = trestle_text_make(r->pool, 1024);

    trestle_text_addf(&text, "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%" APR_INT64_T_FMT,
                      session->token, apr_time_sec(session->expires) - apr_time_sec(session->issued));
    if (session->refresh_token) {
        trestle_text_addf(&text, ",\"refresh_expires_in\":%" APR_INT64_T_FMT,
                          apr_time_sec(session->idle_expires) - apr_time_sec(session->issued));
        if (!is_in_cookie(identity_config_of(r)->refresh_cookie))
            trestle_text_addf(&text, ",\"refresh_token\":\"%s\"", session->refresh_token);
    }
    trestle_text_addc(&text, '}');
    return text.bytes;
}

/* Secure may be left out only where nobody can listen: plain HTTP that this host speaks with itself. */
static int may_be_plain(request_rec *r)
{
    return identity_config_of(r)->plain_cookies == 1 && strcmp(ap_http_scheme(r), "https")
           && identity_is_loopback(r->connection->local_addr);
}

static void set_cookie(request_rec *r, const trestle_cookie_t *cookie, const char *value, apr_int64_t max_age)
{
    if (!is_in_cookie(cookie))
        return;
    if (strlen(cookie->name) + strlen(value) > COOKIE_MOST) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID11: the token is too long for a cookie (%d bytes with its name): let "
                      "IdentityClaimsFunction give less",
                      COOKIE_MOST);
        return;
    }
    apr_table_addn(r->headers_out, "Set-Cookie", trestle_cookie_text(r->pool, cookie, value, max_age, may_be_plain(r)));
}

int identity_session_answer(request_rec *r, const identity_session_t *session, const char *body, int status)
{
    const identity_config_t *config = identity_config_of(r);

    set_cookie(r, config->cookie, session->token, apr_time_sec(session->expires) - apr_time_sec(session->issued));
    if (session->refresh_token)
        set_cookie(r, config->refresh_cookie, session->refresh_token,
                   apr_time_sec(session->idle_expires) - apr_time_sec(session->issued));
    return trestle_body_send(r, TRESTLE_OR(config->status, status), "application/json", body, strlen(body));
}

void identity_session_clear_cookies(request_rec *r)
{
    const trestle_cookie_t *const cookies[] = { identity_config_of(r)->cookie, identity_config_of(r)->refresh_cookie };

    for (unsigned i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++)
        if (is_in_cookie(cookies[i]))
            apr_table_addn(r->err_headers_out, "Set-Cookie",
                           trestle_cookie_text(r->pool, cookies[i], "", 0, may_be_plain(r)));
}

int identity_answer_add(identity_batch_t *batch, const char **values, const char *account, const char *body)
{
    const identity_function_t *function = identity_config_of(batch->r)->answer;

    if (!function)
        return -1;
    values[0] = account;
    values[1] = body;
    return identity_batch_add(batch,
                              apr_pstrcat(batch->r->pool, "select ", identity_function_text(batch->r->pool, function),
                                          "($1::bigint, $2::jsonb)", NULL),
                              values, 2);
}

const trestle_problem_t *identity_answer_take(const identity_batch_t *batch, int statement, const char **body)
{
    const identity_function_t *function = identity_config_of(batch->r)->answer;
    const char *given;

    if (statement < 0)
        return NULL;
    if ((given = identity_batch_value(batch, statement, 0))) {
        *body = given;
        return NULL;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, batch->r, "TRSID09: IdentityAnswerFunction %s.%s gave no row or null",
                  function->schema, function->name);
    return identity_internal_error(batch->r);
}
