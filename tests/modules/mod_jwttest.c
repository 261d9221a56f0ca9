/*
 * For tests of mod_auth_jwt. Handler jwttest-caller: the caller as JSON, or 204 where there is none. Handler
 * jwttest-sign: signs the claims in the body. Handler jwttest-signer: 200 if the virtual host has a signing key anywhere,
 * 501 if not. Handler jwttest-redirect: internal redirect to the query string.
 */
#include "trestle_caller.h"

#include "body.h"
#include "text.h"

#include "http_config.h"
#include "http_protocol.h"
#include "http_request.h"

#include <apr_strings.h>
#include <string.h>

static int answer_caller(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_caller) *get = APR_RETRIEVE_OPTIONAL_FN(trestle_caller);
    const trestle_caller_t *caller = get ? get(r) : NULL;
    trestle_text_t text = trestle_text_make(r->pool, 256);

    if (!caller)
        return HTTP_NO_CONTENT;
    trestle_text_adds(&text, "{\"subject\":");
    trestle_text_add_json(&text, caller->subject);
    trestle_text_adds(&text, ",\"role\":");
    trestle_text_add_json(&text, caller->role);
    trestle_text_adds(&text, ",\"session\":");
    trestle_text_add_json(&text, caller->session);
    trestle_text_adds(&text, ",\"proof\":");
    trestle_text_add_json(&text, caller->proof);
    trestle_text_adds(&text, ",\"user\":");
    trestle_text_add_json(&text, r->user);
    trestle_text_addf(&text, ",\"claims\":%s,\"roles\":[", caller->claims);
    for (int i = 0; i < caller->roles->nelts; i++) {
        trestle_text_adds(&text, i ? "," : "");
        trestle_text_add_json(&text, APR_ARRAY_IDX(caller->roles, i, const char *));
    }
    trestle_text_adds(&text, "]}");
    return trestle_body_send(r, HTTP_OK, "application/json", text.bytes, text.length);
}

static int answer_token(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_sign_claims) *sign = APR_RETRIEVE_OPTIONAL_FN(trestle_sign_claims);
    const char *token;
    char *claims;
    apr_size_t n;
    int outcome = trestle_body_read(r, 65536, &claims, &n);

    if (outcome != OK)
        return outcome;
    switch (sign(r, claims, &token)) {
    case APR_SUCCESS:
        return trestle_body_send(r, HTTP_OK, "text/plain", token, strlen(token));
    case APR_ENOTIMPL:
        return HTTP_NOT_IMPLEMENTED;
    default:
        return HTTP_BAD_REQUEST;
    }
}

static int answer_signer(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_has_signing_key) *has = APR_RETRIEVE_OPTIONAL_FN(trestle_has_signing_key);

    return has(r->server) ? trestle_body_send(r, HTTP_OK, "text/plain", "", 0) : HTTP_NOT_IMPLEMENTED;
}

static int handler(request_rec *r)
{
    if (!strcmp(r->handler, "jwttest-caller"))
        return answer_caller(r);
    if (!strcmp(r->handler, "jwttest-sign"))
        return answer_token(r);
    if (!strcmp(r->handler, "jwttest-signer"))
        return answer_signer(r);
    if (!strcmp(r->handler, "jwttest-redirect")) {
        ap_internal_redirect(r->args, r);
        return OK;
    }
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA jwttest_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                 register_hooks,          0 };
