#include "identity_login.h"

#include "identity_claims.h"
#include "identity_config.h"
#include "identity_database.h"
#include "identity_form.h"
#include "identity_hashing.h"

#include "body.h"
#include "encoding.h"
#include "refuse.h"
#include "request.h"
#include "setting.h"
#include "trestle_caller.h"

#include "http_log.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

APLOG_USE_MODULE(identity);

enum { BODY_MOST = 65536, EMAIL_MOST = 254, PASSWORD_MOST = 256, COOKIE_MOST = 4096 };

static APR_OPTIONAL_FN_TYPE(trestle_sign_claims) * sign_claims;

void identity_login_retrieve(void)
{
    sign_claims = APR_RETRIEVE_OPTIONAL_FN(trestle_sign_claims);
}

/* One answer for unknown, wrong, disabled and without password: it must not tell which accounts exist. */
static const trestle_problem_t *wrong_credentials(request_rec *r)
{
    int status = TRESTLE_OR(identity_config_of(r)->refusal, HTTP_UNAUTHORIZED);

    if (status == HTTP_UNAUTHORIZED)
        apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                       apr_pstrcat(r->pool, "Bearer realm=\"", trestle_application_of(r), "\"", NULL));
    return trestle_problem_make(r, status, "INVALID_CREDENTIALS", "The address or the password is wrong.", NULL);
}

static const trestle_problem_t *read_fields(request_rec *r, const char *bytes, apr_size_t n, json_t **fields)
{
    switch (identity_form_read(apr_table_get(r->headers_in, "Content-Type"), bytes, n, fields)) {
    case IDENTITY_FORM_UNSUPPORTED:
        return trestle_problem_make(r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                                    "Send JSON or application/x-www-form-urlencoded.", NULL);
    case IDENTITY_FORM_MALFORMED:
        return trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_JSON", "The body is not a JSON object.", NULL);
    default:
        return NULL;
    }
}

/* All that is wrong with the fields at once; code and field are those of the first. */
static const trestle_problem_t *field_problem(request_rec *r, const apr_array_header_t *errors)
{
    const trestle_field_error_t *first = &APR_ARRAY_IDX(errors, 0, trestle_field_error_t);
    trestle_problem_t *problem = trestle_problem_make(r, HTTP_BAD_REQUEST, first->code, first->detail, first->field);

    problem->errors = errors;
    return problem;
}

/* email and password, copied into r->pool. */
static const trestle_problem_t *read_credentials(request_rec *r, const char *bytes, apr_size_t n, const char **email,
                                                 char **password)
{
    apr_array_header_t *errors = apr_array_make(r->pool, 2, sizeof(trestle_field_error_t));
    const trestle_problem_t *problem;
    const char *text;
    json_t *fields;

    if ((problem = read_fields(r, bytes, n, &fields)))
        return problem;
    *email = apr_pstrdup(r->pool, identity_form_text(fields, "email", EMAIL_MOST, errors));
    text = identity_form_text(fields, "password", PASSWORD_MOST, errors);
    *password = apr_pstrdup(r->pool, text);
    identity_form_wipe(fields, "password");
    json_decref(fields);
    return errors->nelts ? field_problem(r, errors) : NULL;
}

/* The account that these credentials prove. */
static const trestle_problem_t *authenticate(request_rec *r, const char *email, const char *password,
                                             identity_account_t *account)
{
    const trestle_problem_t *problem;

    if ((problem = identity_database_begin(r, email, account)))
        return problem;
    switch (identity_hashing_verify(r, account->id, account->password_hash, password)) {
    case IDENTITY_HASHING_MATCHES:
        return NULL;
    case IDENTITY_HASHING_BUSY:
        trestle_retry_after(r, 1);
        return trestle_problem_make(r, HTTP_SERVICE_UNAVAILABLE, NULL, "Too many sign-ins at once.", NULL);
    default:
        return wrong_credentials(r);
    }
}

/* SQL's refusal of an account that was disabled while we hashed is no other answer than that of wrong credentials. */
static const trestle_problem_t *as_one_refusal(request_rec *r, const trestle_problem_t *problem)
{
    return problem && problem->code && !strcmp(problem->code, "INVALID_CREDENTIALS") ? wrong_credentials(r) : problem;
}

/* Mints the token of a new session. more: JSON text of the application's claims, or NULL. */
static const trestle_problem_t *mint(request_rec *r, const char *account, const char *more, identity_session_t *session)
{
    const apr_time_t now = apr_time_now();
    identity_claims_t claims = { account,
                                 trestle_uuid(r->pool),
                                 trestle_uuid(r->pool),
                                 trestle_public_url_of(r),
                                 trestle_application_of(r),
                                 now,
                                 now + identity_config_lifetime(identity_config_of(r)) };
    const char *text = claims.session && claims.id ? identity_claims_text(r->pool, &claims, more) : NULL;
    apr_status_t rv = !text ? APR_EINVAL : sign_claims ? sign_claims(r, text, &session->text) : APR_ENOTIMPL;

    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSID10: no token can be made: %s",
                      rv == APR_ENOTIMPL ? "load mod_auth_jwt and add AuthJWTSigningKey to this location"
                      : rv == APR_EINVAL ? "IdentityClaimsFunction gave no JSON object"
                                         : "signing failed");
        return trestle_problem_make(r, HTTP_INTERNAL_SERVER_ERROR, NULL, NULL, NULL);
    }
    session->account = account;
    session->id = claims.session;
    session->token = claims.id;
    session->expires = claims.expires;
    return NULL;
}

/* Secure may be left out only where nobody can listen: plain HTTP that this host speaks with itself. */
static int may_be_plain(request_rec *r)
{
    return identity_config_of(r)->plain_cookies == 1 && strcmp(ap_http_scheme(r), "https")
           && identity_is_loopback(r->connection->local_addr);
}

static void set_cookie(request_rec *r, const char *token, apr_interval_time_t lifetime)
{
    const trestle_cookie_t *cookie = identity_config_of(r)->cookie;

    if (!cookie || !cookie->name)
        return;
    if (strlen(cookie->name) + strlen(token) > COOKIE_MOST) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID11: the token is too long for a cookie (%d bytes with its name): let "
                      "IdentityClaimsFunction give less",
                      COOKIE_MOST);
        return;
    }
    apr_table_addn(r->headers_out, "Set-Cookie",
                   trestle_cookie_text(r->pool, cookie, token, apr_time_sec(lifetime), may_be_plain(r)));
}

static int answer(request_rec *r, const identity_session_t *session, const char *body)
{
    const identity_config_t *config = identity_config_of(r);
    apr_interval_time_t lifetime = identity_config_lifetime(config);

    if (!body)
        body = apr_psprintf(r->pool,
                            "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%" APR_INT64_T_FMT "}",
                            session->text, apr_time_sec(lifetime));
    set_cookie(r, session->text, lifetime);
    return trestle_body_send(r, TRESTLE_OR(config->status, HTTP_OK), "application/json", body, strlen(body));
}

/* From here on the caller has proved to own the account, and may learn what SQL says about it. */
static const trestle_problem_t *open_session(request_rec *r, const char *account, identity_session_t *session,
                                             const char **body)
{
    const trestle_problem_t *problem;
    const char *claims;

    if ((problem = identity_database_claims(r, account, &claims)))
        return as_one_refusal(r, problem);
    if ((problem = mint(r, account, claims, session)))
        return problem;
    return as_one_refusal(r, identity_database_complete(r, session, body));
}

int identity_login(request_rec *r)
{
    const trestle_problem_t *problem;
    identity_account_t account;
    identity_session_t session;
    const char *email, *body;
    char *bytes, *password = NULL;
    apr_size_t n;
    int outcome = trestle_body_read(r, BODY_MOST, &bytes, &n);

    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (outcome == AP_FILTER_ERROR)
        return outcome;
    if (outcome != OK)
        return trestle_answer_problem(r, trestle_problem_make(r, outcome, NULL, NULL, NULL));
    problem = read_credentials(r, bytes, n, &email, &password);
    sodium_memzero(bytes, n);
    if (!problem)
        problem = authenticate(r, email, password, &account);
    if (password)
        sodium_memzero(password, strlen(password));
    if (!problem)
        problem = open_session(r, account.id, &session, &body);
    return problem ? trestle_answer_problem(r, problem) : answer(r, &session, body);
}
