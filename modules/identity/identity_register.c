#include "identity_register.h"

#include "identity_address.h"
#include "identity_hashing.h"
#include "identity_origin.h"
#include "identity_request.h"
#include "identity_session.h"

#include "body.h"
#include "encoding.h"
#include "refuse.h"
#include "setting.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

enum { USERNAME_MOST = 150, CONFIRMATION_LENGTH = 36, CODE_MOST = 32 };

/* What somebody registers with. Strings live in r->pool. */
typedef struct {
    const char *email;
    const char *username; /* NULL: none */
    const char *password;
    const char *more; /* JSON text of all other fields */
} registration_t;

/* What trestle.register made of it. */
typedef struct {
    const char *outcome;
    const char *account; /* NULL: none was made */
    const char *claims;
} registered_t;

/* Fields that must repeat the password where they are sent. They go no further. */
static void check_repeats(json_t *fields, const char *password, const apr_array_header_t *names,
                          apr_array_header_t *errors)
{
    for (int i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const json_t *value = json_object_get(fields, name);

        if (value && password && (!json_is_string(value) || strcmp(json_string_value(value), password)))
            identity_form_refuse(errors, name, "VALIDATION_ERROR", "The value is not the same as the password.");
        identity_form_wipe(fields, name);
        json_object_del(fields, name);
    }
}

static const char *read_password(request_rec *r, json_t *fields, apr_array_header_t *errors)
{
    const identity_config_t *config = identity_config_of(r);
    int least = TRESTLE_OR(config->password_least, IDENTITY_PASSWORD_LEAST);
    apr_size_t most = (apr_size_t)TRESTLE_OR(config->password_most, IDENTITY_PASSWORD_MOST);
    const char *password = identity_form_text(fields, "password", most, errors);

    if (password && identity_characters(password) < (apr_size_t)least)
        identity_form_refuse(errors, "password", "VALIDATION_ERROR",
                             apr_psprintf(r->pool, "The text has fewer than %d characters.", least));
    check_repeats(fields, password, config->repeats, errors);
    password = identity_request_secret(r, password);
    identity_form_wipe(fields, "password");
    json_object_del(fields, "password");
    return password;
}

/* A field that goes no further under its name: its text, in r->pool. */
static const char *take_text(request_rec *r, json_t *fields, const char *name, apr_size_t most,
                             apr_array_header_t *errors)
{
    const char *text = apr_pstrdup(r->pool, identity_form_text(fields, name, most, errors));

    json_object_del(fields, name);
    return text;
}

static const trestle_problem_t *read_registration(request_rec *r, json_t *fields, registration_t *registration)
{
    apr_array_header_t *errors = identity_errors(r);
    json_t *username = json_object_get(fields, "username");
    char *more;

    registration->username = NULL;
    registration->email = take_text(r, fields, "email", IDENTITY_NAME_MOST, errors);
    if (registration->email && !identity_is_address(registration->email))
        identity_form_refuse(errors, "email", "VALIDATION_ERROR", "The value is not an e-mail address.");
    if (username && !json_is_null(username)) {
        registration->username = take_text(r, fields, "username", USERNAME_MOST, errors);
        if (registration->username && !identity_is_username(registration->username))
            identity_form_refuse(errors, "username", "VALIDATION_ERROR", "The value must not hold blanks or @.");
    }
    registration->password = read_password(r, fields, errors);
    if (errors->nelts)
        return identity_errors_problem(r, errors);
    if (!(more = json_dumps(fields, JSON_COMPACT)))
        return identity_internal_error(r);
    registration->more = apr_pstrdup(r->pool, more);
    free(more);
    return NULL;
}

/* The application's word on it, before it costs a hash. It is asked whether or not the address is taken. */
static const trestle_problem_t *validate(request_rec *r, const registration_t *registration)
{
    const identity_function_t *function = identity_config_of(r)->validate;
    const char *values[] = { registration->email, registration->more };
    identity_batch_t batch = identity_batch(r, "{}", 1);

    if (!function)
        return NULL;
    identity_batch_add(&batch,
                       apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, function),
                                   "(trestle.normal_email($1::text), $2::jsonb)", NULL),
                       values, 2);
    return identity_batch_run(&batch);
}

/*
 * Writes the account and, if it is one at once, its profile in one transaction. confirmation: UUID, or NULL for an
 * account at once.
 */
static const trestle_problem_t *write_account(request_rec *r, const registration_t *registration, const char *hash,
                                              const char *confirmation, registered_t *registered)
{
    const identity_config_t *config = identity_config_of(r);
    const char *values[] = { registration->email,
                             registration->username,
                             hash,
                             config->profile ? registration->more : NULL,
                             confirmation,
                             identity_config_seconds(r->pool, config->code_lifetime,
                                                     IDENTITY_SECONDS(IDENTITY_CODE_SECONDS)),
                             apr_pstrmemdup(r->pool, r->useragent_ip, strcspn(r->useragent_ip, "%")) };
    const char *fields[] = { registration->more };
    identity_batch_t batch = identity_batch(r, "{}", 0);
    const trestle_problem_t *problem;
    int claims = -1;

    identity_batch_add(&batch,
                       "select outcome, account_id from trestle.register($1::text, $2::text, $3::text, $4::jsonb, "
                       "$5::uuid, $6::double precision * interval '1 s', $7::inet)",
                       values, 7);
    if (config->profile && !confirmation)
        identity_batch_add(&batch,
                           apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, config->profile),
                                       "(account, $1::jsonb) from trestle.decided_account() account", NULL),
                           fields, 1);
    if (config->claims && !confirmation)
        claims = identity_batch_add(&batch,
                                    apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, config->claims),
                                                "(account) from trestle.decided_account() account", NULL),
                                    NULL, 0);
    if ((problem = identity_batch_run(&batch)))
        return problem;
    registered->outcome = identity_batch_value(&batch, 0, 0);
    registered->account = identity_batch_value(&batch, 0, 1);
    registered->claims = claims < 0 ? NULL : identity_batch_value(&batch, claims, 0);
    return NULL;
}

static const trestle_problem_t *username_taken(request_rec *r)
{
    int taken = identity_config_taken(identity_config_of(r));

    return trestle_problem_make(r, taken == IDENTITY_TAKEN_HIDE ? HTTP_CONFLICT : taken, "ALREADY_EXISTS",
                                "This name is taken.", "username");
}

/* What is wrong with a registration that the database did not make; NULL if it made it, or nothing may be told. */
static const trestle_problem_t *refusal(request_rec *r, const char *outcome)
{
    int taken = identity_config_taken(identity_config_of(r));
    apr_array_header_t *errors = identity_errors(r);

    if (!strcmp(outcome, "email"))
        identity_form_refuse(errors, "email", "VALIDATION_ERROR", "The value is not an e-mail address.");
    else if (!strcmp(outcome, "username"))
        identity_form_refuse(errors, "username", "VALIDATION_ERROR", "The value must not hold blanks or @.");
    if (errors->nelts)
        return identity_errors_problem(r, errors);
    if (!strcmp(outcome, "too_many")) {
        trestle_retry_after(r, 3600);
        return trestle_problem_make(r, HTTP_TOO_MANY_REQUESTS, "RESEND_LIMIT_EXCEEDED",
                                    "Too many mails were sent to this address; try again later.", NULL);
    }
    if (!strcmp(outcome, "taken") && taken != IDENTITY_TAKEN_HIDE)
        return trestle_problem_make(r, taken, "ALREADY_EXISTS", "This address has an account already.", "email");
    return strcmp(outcome, "username_taken") ? NULL : username_taken(r);
}

/* The same for a new and, where that is hidden, for a taken address: the answer function is told no account then. */
static int answer_pending(request_rec *r, const registered_t *registered, const char *confirmation)
{
    const identity_config_t *config = identity_config_of(r);
    const char *account = identity_config_taken(config) == IDENTITY_TAKEN_HIDE ? NULL : registered->account;
    apr_int64_t seconds = apr_time_sec(TRESTLE_OR(config->code_lifetime, IDENTITY_SECONDS(IDENTITY_CODE_SECONDS)));
    const char *body =
        apr_psprintf(r->pool, "{\"confirmation\":\"%s\",\"expires_in\":%" APR_INT64_T_FMT "}", confirmation, seconds);
    identity_batch_t batch = identity_batch(r, "{}", 1);
    const trestle_problem_t *problem = NULL;
    const char *values[2];
    int answer = identity_answer_add(&batch, values, account, body);

    if (answer >= 0)
        problem = identity_batch_run(&batch);
    if (!problem)
        problem = identity_answer_take(&batch, answer, &body);
    return problem ? trestle_answer_problem(r, problem)
                   : trestle_body_send(r, TRESTLE_OR(config->status, HTTP_ACCEPTED), "application/json", body,
                                       strlen(body));
}

static int answer_signed_in(request_rec *r, const registered_t *registered)
{
    const trestle_problem_t *problem;
    identity_session_t session;
    const char *body;

    if ((problem = identity_session_make(r, registered->account, &session))
        || (problem = identity_session_sign(r, &session, registered->claims))
        || (problem = identity_session_open(r, &session, NULL, NULL, NULL, &body)))
        return trestle_answer_problem(r, problem);
    return identity_session_answer(r, &session, body, HTTP_CREATED);
}

/* A hash for what was read; a problem when it is not our turn. */
static const trestle_problem_t *hash_password(request_rec *r, const char *password, const char **hash)
{
    if ((*hash = identity_hashing_make(r, password)))
        return NULL;
    trestle_retry_after(r, 1);
    return trestle_problem_make(r, HTTP_SERVICE_UNAVAILABLE, NULL, "Too many sign-ins at once.", NULL);
}

int identity_register(request_rec *r)
{
    int confirms = identity_config_confirms(identity_config_of(r));
    const char *confirmation = confirms ? trestle_uuid(r->pool) : NULL, *hash;
    const trestle_problem_t *problem;
    registration_t registration = { 0 };
    registered_t registered = { 0 };
    json_t *fields;
    int status = identity_request_fields(r, 0, &fields);

    if (!fields)
        return status;
    problem = confirms ? NULL : identity_origin_check_sign_in(r);
    if (!problem)
        problem = confirms && !confirmation ? identity_internal_error(r) : read_registration(r, fields, &registration);
    if (!problem)
        problem = validate(r, &registration);
    if (!problem)
        problem = hash_password(r, registration.password, &hash);
    if (!problem)
        problem = write_account(r, &registration, hash, confirmation, &registered);
    if (!problem)
        problem = refusal(r, registered.outcome);
    if (problem)
        return trestle_answer_problem(r, problem);
    return confirms ? answer_pending(r, &registered, confirmation) : answer_signed_in(r, &registered);
}

/* 1 for a UUID as we give them out. */
static int is_confirmation(const char *text)
{
    for (int i = 0; i < CONFIRMATION_LENGTH; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
            return 0;
    return !text[CONFIRMATION_LENGTH];
}

/* A code as text or, as some clients send it, as a number. */
static const char *read_code(request_rec *r, const json_t *fields, apr_array_header_t *errors)
{
    const json_t *code = json_object_get(fields, "code");

    if (json_is_integer(code))
        return apr_psprintf(r->pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(code));
    return apr_pstrdup(r->pool, identity_form_text(fields, "code", CODE_MOST, errors));
}

/* The account that the code has confirmed gets its profile, and is told by the answer function. */
static const trestle_problem_t *take_code(request_rec *r, const char *confirmation, const char *code, const char **body)
{
    const identity_config_t *config = identity_config_of(r);
    const char *values[] = { confirmation, code, config->profile ? "t" : "f" }, *bodies[] = { *body }, *outcome;
    identity_batch_t batch = identity_batch(r, "{}", 0);
    const trestle_problem_t *problem;
    int answer = -1;

    identity_batch_add(&batch, "select outcome from trestle.register_confirm($1::uuid, $2::text, $3::boolean)", values,
                       3);
    if (config->profile)
        identity_batch_add(&batch,
                           apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, config->profile),
                                       "(account_id, fields) from trestle.decided_registration()", NULL),
                           NULL, 0);
    if (config->answer)
        answer = identity_batch_add(&batch,
                                    apr_pstrcat(r->pool, "select ", identity_function_text(r->pool, config->answer),
                                                "(account, $1::jsonb) from trestle.decided_account() account", NULL),
                                    bodies, 1);
    if ((problem = identity_batch_run(&batch)))
        return problem;
    outcome = identity_batch_value(&batch, 0, 0);
    if (!strcmp(outcome, "username_taken"))
        return username_taken(r);
    if (strcmp(outcome, "confirmed"))
        return trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_CODE", "The code is wrong or has expired.", "code");
    return identity_answer_take(&batch, answer, body);
}

int identity_confirm(request_rec *r)
{
    apr_array_header_t *errors = identity_errors(r);
    const char *confirmation, *code, *body = "{\"confirmed\":true}";
    const trestle_problem_t *problem;
    json_t *fields;
    int status = identity_request_fields(r, 0, &fields);

    if (!fields)
        return status;
    confirmation = apr_pstrdup(r->pool, identity_form_text(fields, "confirmation", IDENTITY_NAME_MOST, errors));
    code = read_code(r, fields, errors);
    problem = identity_errors_problem(r, errors);
    if (!problem)
        problem = is_confirmation(confirmation) ? take_code(r, confirmation, code, &body)
                                                : trestle_problem_make(r, HTTP_BAD_REQUEST, "INVALID_CODE",
                                                                       "The code is wrong or has expired.", "code");
    return problem ? trestle_answer_problem(r, problem)
                   : trestle_body_send(r, TRESTLE_OR(identity_config_of(r)->status, HTTP_OK), "application/json", body,
                                       strlen(body));
}
