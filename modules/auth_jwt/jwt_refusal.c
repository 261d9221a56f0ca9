#include "jwt_refusal.h"

#include "cookie.h"
#include "origin_request.h"
#include "refuse.h"
#include "request.h"
#include "setting.h"

#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;
APLOG_USE_MODULE(auth_jwt);

void jwt_challenge(request_rec *r, const char *error, const char *scope)
{
    const char *realm = ap_auth_name(r);
    const char *challenge = apr_pstrcat(
        r->pool, "Bearer realm=\"", ap_escape_quotes(r->pool, realm ? realm : trestle_application_of(r)), "\"", NULL);

    if (error)
        challenge = apr_pstrcat(r->pool, challenge, ", error=\"", error, "\"", NULL);
    if (scope)
        challenge = apr_pstrcat(r->pool, challenge, ", scope=\"", scope, "\"", NULL);
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", challenge);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

/* Clears the cookie that the refused token came in, so that a browser does not send it for ever. */
static void clear_cookie(request_rec *r, const jwt_config_t *config, const jwt_source_t *source)
{
    trestle_cookie_t cookie = config->clear_shape;
    int plain = strcmp(ap_http_scheme(r), "https") != 0;

    if (config->clear_cookie != 1 || !source || source->kind != JWT_FROM_COOKIE)
        return;
    cookie.name = source->name;
    apr_table_addn(r->err_headers_out, "Set-Cookie", trestle_cookie_text(r->pool, &cookie, "", 0, plain));
}

void jwt_challenge_token(request_rec *r, const jwt_config_t *config, const jwt_source_t *source)
{
    clear_cookie(r, config, source);
    jwt_challenge(r, "invalid_token", NULL);
}

int jwt_refuse_absent(request_rec *r)
{
    jwt_challenge(r, NULL, NULL);
    return trestle_refuse(r, trestle_problem_make(r, HTTP_UNAUTHORIZED, "AUTHENTICATION_REQUIRED",
                                                  "This resource needs a sign-in.", NULL));
}

int jwt_refuse_malformed(request_rec *r, const jwt_config_t *config, const jwt_source_t *source)
{
    if (TRESTLE_OR(config->malformed_status, HTTP_BAD_REQUEST) == HTTP_UNAUTHORIZED)
        return jwt_refuse_bad(r, config, source, "it is malformed, or there are several");
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ02: malformed credential, request %s", trestle_request_id_of(r));
    jwt_challenge(r, "invalid_request", NULL);
    return trestle_refuse(r, trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_REQUEST",
                                                  "The request carries no single well-formed credential.", NULL));
}

int jwt_refuse_bad(request_rec *r, const jwt_config_t *config, const jwt_source_t *source, const char *reason)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ03: credential refused: %s (%s, request %s)", reason,
                  source ? jwt_source_name(source) : "certificate", trestle_request_id_of(r));
    jwt_challenge_token(r, config, source);
    return trestle_refuse(r, trestle_problem_make(r, HTTP_UNAUTHORIZED, "INVALID_TOKEN",
                                                  "The credential is not valid or has expired.", NULL));
}

int jwt_refuse_forged(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSAJ21: cookie of another site's page refused: origin %s, request %s",
                  origin ? origin : "unknown", trestle_request_id_of(r));
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    return trestle_refuse(r, trestle_origin_problem(r));
}
