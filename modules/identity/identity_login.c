#include "identity_login.h"

#include "identity_hashing.h"
#include "identity_origin.h"
#include "identity_request.h"
#include "identity_session.h"

#include "refuse.h"
#include "setting.h"

#include <apr_strings.h>
#include <string.h>

/* An account as trestle.login_begin tells it. */
typedef struct {
    const char *id;            /* a bigint as text; NULL: there is no such account */
    const char *password_hash; /* NULL: it has none */
    const char *confirmed;     /* "t", or "f" while its registration waits for a code */
    const char *not_before;
} account_t;

/* One answer for unknown, wrong, disabled and without password: it must not tell which accounts exist. */
static const trestle_problem_t *wrong_credentials(request_rec *r)
{
    int status = TRESTLE_OR(identity_config_of(r)->refusal, HTTP_UNAUTHORIZED);

    if (status == HTTP_UNAUTHORIZED)
        return identity_unauthorized(r, "INVALID_CREDENTIALS", "The address or the password is wrong.", NULL);
    return trestle_problem_make(r, status, "INVALID_CREDENTIALS", "The address or the password is wrong.", NULL);
}

/* The first of the fields that may hold the sign-in name; the first of all if none is there. */
static const char *name_field(const identity_config_t *config, const json_t *fields)
{
    for (int i = 0; config->names && i < config->names->nelts; i++)
        if (json_object_get(fields, APR_ARRAY_IDX(config->names, i, const char *)))
            return APR_ARRAY_IDX(config->names, i, const char *);
    return config->names ? APR_ARRAY_IDX(config->names, 0, const char *) : "email";
}

static const trestle_problem_t *read_credentials(request_rec *r, json_t *fields, const char **name,
                                                 const char **password)
{
    apr_array_header_t *errors = identity_errors(r);

    *name = apr_pstrdup(
        r->pool, identity_form_text(fields, name_field(identity_config_of(r), fields), IDENTITY_NAME_MOST, errors));
    *password = identity_request_secret(r, identity_form_text(fields, "password", IDENTITY_PASSWORD_MOST, errors));
    identity_form_wipe(fields, "password");
    return identity_errors_problem(r, errors);
}

static const trestle_problem_t *find_account(request_rec *r, const char *name, account_t *account)
{
    const char *values[] = { name };
    identity_batch_t batch = identity_batch(r, "{}", 1);
    const trestle_problem_t *problem;

    identity_batch_add(&batch,
                       "select account_id, password_hash, confirmed, not_before from trestle.login_begin($1::text)",
                       values, 1);
    if ((problem = identity_batch_run(&batch)))
        return problem;
    account->id = identity_batch_value(&batch, 0, 0);
    account->password_hash = identity_batch_value(&batch, 0, 1);
    account->confirmed = identity_batch_value(&batch, 0, 2);
    account->not_before = identity_batch_value(&batch, 0, 3);
    return NULL;
}

/* The account that these credentials prove. */
static const trestle_problem_t *authenticate(request_rec *r, const char *name, const char *password, account_t *account,
                                             const char **better)
{
    const trestle_problem_t *problem;

    if ((problem = find_account(r, name, account)))
        return problem;
    switch (identity_hashing_verify(r, account->id, account->password_hash, password, better)) {
    case IDENTITY_HASHING_MATCHES:
        if (*account->confirmed == 't')
            return NULL;
        /* Whoever registers an address to find out whether it has an account may not find out by signing in either. */
        return identity_config_taken(identity_config_of(r)) == IDENTITY_TAKEN_HIDE
                   ? wrong_credentials(r)
                   : trestle_problem_make(r, HTTP_FORBIDDEN, "EMAIL_NOT_VERIFIED", "Confirm your address first.", NULL);
    case IDENTITY_HASHING_BUSY:
        trestle_retry_after(r, 1);
        return trestle_problem_make(r, HTTP_SERVICE_UNAVAILABLE, NULL, "Too many sign-ins at once.", NULL);
    default:
        return wrong_credentials(r);
    }
}

const trestle_problem_t *identity_claims_ask(request_rec *r, const char *account, const char **claims)
{
    const identity_function_t *function = identity_config_of(r)->claims;
    const char *values[] = { account };
    identity_batch_t batch = identity_batch(r, "{}", 1);
    const trestle_problem_t *problem;

    *claims = NULL;
    if (!function)
        return NULL;
    identity_batch_add(&batch,
                       apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, function), "($1::bigint)", NULL),
                       values, 1);
    if (!(problem = identity_batch_run(&batch)))
        *claims = identity_batch_value(&batch, 0, 0);
    return problem;
}

/* SQL's refusal of an account that was disabled while we hashed is no other answer than that of wrong credentials. */
static const trestle_problem_t *as_one_refusal(request_rec *r, const trestle_problem_t *problem)
{
    return problem && problem->code && !strcmp(problem->code, "INVALID_CREDENTIALS") ? wrong_credentials(r) : problem;
}

/* From here on the caller has proved to own the account, and may learn what SQL says about it. */
static const trestle_problem_t *open_session(request_rec *r, const account_t *account, const char *better,
                                             identity_session_t *session, const char **body)
{
    const trestle_problem_t *problem;
    const char *claims;

    if ((problem = identity_claims_ask(r, account->id, &claims))
        || (problem = identity_session_make(r, account->id, session))
        || (problem = identity_session_sign(r, session, claims)))
        return problem;
    return identity_session_open(r, session, account->not_before, account->password_hash, better, body);
}

int identity_login(request_rec *r)
{
    const char *name, *password, *better, *body;
    const trestle_problem_t *problem;
    identity_session_t session;
    account_t account;
    json_t *fields;
    int status = identity_request_fields(r, 0, &fields);

    if (!fields)
        return status;
    problem = identity_origin_check_sign_in(r);
    if (!problem)
        problem = read_credentials(r, fields, &name, &password);
    if (!problem)
        problem = authenticate(r, name, password, &account, &better);
    if (!problem)
        problem = as_one_refusal(r, open_session(r, &account, better, &session, &body));
    return problem ? trestle_answer_problem(r, problem) : identity_session_answer(r, &session, body, HTTP_OK);
}
