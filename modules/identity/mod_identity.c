/*
 * mod_identity: accounts. One handler name per operation, put at any URL with SetHandler:
 *   identity-register   a new account        identity-refresh   new tokens for a refresh token
 *   identity-confirm    the code for it      identity-logout    the end of a session
 *   identity-login      sign-in              identity-me        the caller's account
 *                                            identity-check     whether a token is good
 */
#include "identity_check.h"
#include "identity_config.h"
#include "identity_database.h"
#include "identity_hashing.h"
#include "identity_me.h"
#include "identity_operation.h"
#include "identity_session.h"

#include "refuse.h"
#include "trestle.h"

#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "mod_status.h"

#include <sodium.h>

extern module AP_MODULE_DECLARE_DATA identity_module;
APLOG_USE_MODULE(identity);

/* A name of ours that is no operation comes from where configtest does not look: AddHandler, RewriteRule, ap_expr. */
static int refuse_unknown(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSID12: %s is no operation of mod_identity; write %s", r->handler,
                  identity_operation_names(r->pool));
    return trestle_answer_problem(r, trestle_problem_make(r, HTTP_INTERNAL_SERVER_ERROR, NULL, NULL, NULL));
}

static int handler(request_rec *r)
{
    const identity_operation_t *operation;

    if (!identity_operation_is_ours(r->handler))
        return DECLINED;
    if (!(operation = identity_operation_find(r->handler)))
        return refuse_unknown(r);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (identity_operation_allows(operation, r))
        return operation->answer(r);
    apr_table_setn(r->err_headers_out, "Allow", operation->allow);
    return trestle_answer_problem(r, trestle_problem_make(r, HTTP_METHOD_NOT_ALLOWED, NULL, NULL, NULL));
}

static void retrieve_functions(void)
{
    identity_database_retrieve();
    identity_session_retrieve();
    identity_me_retrieve();
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp TRESTLE_UNUSED,
                       server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    return sodium_init() >= 0 && identity_hashing_prepare(pconf, s) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    ap_hook_check_config(identity_config_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_optional_fn_retrieve(retrieve_functions, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, identity_hashing_status, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA identity_module = { STANDARD20_MODULE_STUFF,
                                                  identity_config_create_dir,
                                                  identity_config_merge_dir,
                                                  identity_config_create_server,
                                                  NULL,
                                                  identity_commands,
                                                  register_hooks,
                                                  0 };
