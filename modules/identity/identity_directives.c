#include "identity_config.h"

#include "identity_gate.h"
#include "identity_operation.h"
#include "identity_stored.h"

#include "directive.h"
#include "keyfile.h"
#include "origin_request.h"
#include "setting.h"
#include "trestle.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

enum { KEY_LEAST = 32, KEY_MOST = 4096, KEY_ID_MOST = 32767, NAME_MOST = 64 };

#define DAYS(n) IDENTITY_SECONDS((n)*86400LL)

static const trestle_range_t lifetime = { APR_OFFSETOF(identity_config_t, lifetime), IDENTITY_SECONDS(10), DAYS(400) };
static const trestle_range_t grace = { APR_OFFSETOF(identity_config_t, grace), 0, IDENTITY_SECONDS(60) };
static const trestle_range_t code_lifetime = { APR_OFFSETOF(identity_config_t, code_lifetime), IDENTITY_SECONDS(10),
                                               DAYS(1) };

static const char *const status_words[] = { "200", "201", "202", NULL };
static const int statuses[] = { HTTP_OK, HTTP_CREATED, HTTP_ACCEPTED };
static const trestle_words_t status = { APR_OFFSETOF(identity_config_t, status), status_words, statuses };

static const char *const refusal_words[] = { "401", "403", NULL };
static const int refusals[] = { HTTP_UNAUTHORIZED, HTTP_FORBIDDEN };
static const trestle_words_t refusal = { APR_OFFSETOF(identity_config_t, refusal), refusal_words, refusals };

static const char *const taken_words[] = { "hide", "400", "409", "422", NULL };
static const int taken_statuses[] = { IDENTITY_TAKEN_HIDE, HTTP_BAD_REQUEST, HTTP_CONFLICT, HTTP_UNPROCESSABLE_ENTITY };
static const trestle_words_t taken = { APR_OFFSETOF(identity_config_t, taken), taken_words, taken_statuses };

/* In the order of identity_types_e. */
static const char *const type_words[] = { "strict", "any", "json", NULL };
static const trestle_words_t content_types = { APR_OFFSETOF(identity_config_t, content_types), type_words, NULL };

static const char *set_function(cmd_parms *cmd, void *dir, const char *arg)
{
    identity_function_t *function = apr_palloc(cmd->pool, sizeof(*function));
    const char *dot = strchr(arg, '.');

    function->schema = dot ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(dot - arg)) : "";
    function->name = dot ? dot + 1 : "";
    if (!trestle_setting_is_identifier(function->schema) || !trestle_setting_is_identifier(function->name))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not schema.name of an SQL function (a-z, 0-9 and _ only); write for example "
                            "shop.login_claims",
                            cmd->cmd->name, arg);
    *(const identity_function_t **)((char *)dir + (apr_size_t)cmd->info) = function;
    return NULL;
}

/* 1 if name can be that of a field, or of a client: letters, digits, _, - and . */
static int is_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    return n > 0 && n <= NAME_MOST && !name[n];
}

static const char *add_text(cmd_parms *cmd, void *dir, const char *text)
{
    apr_array_header_t **texts = (apr_array_header_t **)(void *)((char *)dir + (apr_size_t)cmd->info);

    if (!*texts)
        *texts = apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(*texts, const char *) = text;
    return NULL;
}

static const char *add_field(cmd_parms *cmd, void *dir, const char *arg)
{
    return is_name(arg) ? add_text(cmd, dir, arg)
                        : apr_psprintf(cmd->pool,
                                       "%s: '%s' is no name of a field: use 1-%d letters, digits, _, - and ., for "
                                       "example username",
                                       cmd->cmd->name, arg, NAME_MOST);
}

static const char *set_client(cmd_parms *cmd, void *dir, const char *arg)
{
    ((identity_config_t *)dir)->client = arg;
    return is_name(arg) ? NULL
                        : apr_psprintf(cmd->pool,
                                       "IdentityClient: '%s' is no name: 1-%d letters, digits, _, - and .; write for "
                                       "example web",
                                       arg, NAME_MOST);
}

static const char *set_confirm(cmd_parms *cmd, void *dir, const char *how, const char *duration)
{
    identity_config_t *config = dir;

    config->confirm = !strcasecmp(how, "email");
    if (!config->confirm && strcasecmp(how, "Off"))
        return apr_psprintf(cmd->pool, "IdentityConfirm: '%s' is no way to confirm; write email or Off", how);
    if (duration && !config->confirm)
        return "IdentityConfirm Off takes no duration; write email 10min, or Off alone";
    return duration ? trestle_set_duration(cmd, dir, duration) : NULL;
}

static const char *set_refresh_lifetime(cmd_parms *cmd, void *dir, const char *idle, const char *absolute)
{
    identity_config_t *config = dir;
    const char *mend = trestle_setting_duration(cmd->pool, idle, IDENTITY_SECONDS(1), DAYS(400), &config->idle);

    if (!mend)
        mend = trestle_setting_duration(cmd->pool, absolute, IDENTITY_SECONDS(1), DAYS(400), &config->absolute);
    if (!mend && config->idle > config->absolute)
        mend = "a session cannot idle longer than it lives; write for example 336h 1440h";
    return mend ? apr_pstrcat(cmd->pool, "IdentityRefreshLifetime: ", mend, NULL) : NULL;
}

static const char *set_refresh_grace(cmd_parms *cmd, void *dir, const char *duration, const char *uses)
{
    const char *mend = trestle_set_duration(cmd, dir, duration);
    apr_int64_t number = IDENTITY_GRACE_USES;

    if (!mend && uses && (mend = trestle_setting_number(cmd->pool, uses, 1, 1000, &number)))
        mend = apr_pstrcat(cmd->pool, "IdentityRefreshGrace: ", mend, NULL);
    ((identity_config_t *)dir)->grace_uses = (int)number;
    return mend;
}

static const char *set_password_length(cmd_parms *cmd, void *dir, const char *least, const char *most)
{
    identity_config_t *config = dir;
    apr_int64_t number = 0;
    const char *mend = trestle_setting_number(cmd->pool, least, 1, 128, &number);

    config->password_least = (int)number;
    number = IDENTITY_PASSWORD_MOST;
    if (!mend && most)
        mend = trestle_setting_number(cmd->pool, most, 64, IDENTITY_PASSWORD_MOST, &number);
    config->password_most = (int)number;
    if (!mend && config->password_least > config->password_most)
        mend = "the first number is greater than the second; write for example 12 256";
    return mend ? apr_pstrcat(cmd->pool, "IdentityPasswordLength: ", mend, NULL) : NULL;
}

static const char *read_key(cmd_parms *cmd, const char *name, identity_refresh_key_t *key)
{
    trestle_keyfile_t file;
    const char *mend = trestle_keyfile_read(cmd, name, &file);

    if (mend || (mend = trestle_keyfile_check_secret(cmd, &file, 1)))
        return mend;
    if (file.length < KEY_LEAST || file.length > KEY_MOST)
        return apr_psprintf(cmd->pool, "%s: the key in '%s' is not %d to %d bytes long; write another into it",
                            cmd->cmd->name, name, KEY_LEAST, KEY_MOST);
    key->bytes = (const unsigned char *)file.bytes;
    key->n = file.length;
    return NULL;
}

static const char *add_refresh_key(cmd_parms *cmd, void *dir, const char *file, const char *number)
{
    identity_config_t *config = dir;
    identity_refresh_key_t key = { 0, NULL, 0 };
    apr_int64_t id = 1;
    const char *mend = number ? trestle_setting_number(cmd->pool, number, 1, KEY_ID_MOST, &id) : NULL;

    key.id = (int)id;
    if (!config->refresh_keys)
        config->refresh_keys = apr_array_make(cmd->pool, 1, sizeof(key));
    for (int i = 0; !mend && i < config->refresh_keys->nelts; i++)
        if (APR_ARRAY_IDX(config->refresh_keys, i, identity_refresh_key_t).id == key.id)
            mend = apr_psprintf(cmd->pool, "there is a key %d here already; write another number behind '%s'", key.id,
                                file);
    if (mend)
        return apr_pstrcat(cmd->pool, "IdentityRefreshKey: ", mend, NULL);
    if ((mend = read_key(cmd, file, &key)))
        return mend;
    APR_ARRAY_PUSH(config->refresh_keys, identity_refresh_key_t) = key;
    return NULL;
}

/* The core's directive, which names a handler: httpd calls every module that has one of the name. */
static const char *check_handler(cmd_parms *cmd, void *dir, const char *arg)
{
    if (!identity_operation_is_ours(arg))
        return NULL;
    if (!identity_operation_find(arg))
        return apr_psprintf(cmd->pool, "SetHandler: '%s' is no operation of mod_identity; write one of %s", arg,
                            identity_operation_names(cmd->pool));
    if (!ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        identity_note_operation(cmd, dir, arg);
    return NULL;
}

/* Another module's directive, alike: operations need it. Without that module it means nothing. */
static const char *check_needed(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg TRESTLE_UNUSED)
{
    const char *needed = cmd->info;

    return ap_find_linked_module(apr_pstrcat(cmd->temp_pool, needed, ".c", NULL))
               ? NULL
               : apr_psprintf(cmd->pool, "%s: load %s, which this directive belongs to", cmd->cmd->name, needed);
}

static const char *set_cookie(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    trestle_cookie_t *cookie = apr_palloc(cmd->pool, sizeof(*cookie));
    const char *mend = argc < 1 ? "write the name of a cookie, then its attributes, or Off" : NULL;
    int is_refresh = (apr_size_t)cmd->info == APR_OFFSETOF(identity_config_t, refresh_cookie);

    *cookie = trestle_cookie_make(argc < 1 || !strcasecmp(argv[0], "Off") ? NULL : argv[0]);
    if (is_refresh)
        cookie->same_site = "Strict";
    if (cookie->name)
        mend = trestle_cookie_check_name(cmd->pool, cookie->name);
    for (int i = 1; !mend && i < argc; i++)
        mend = trestle_cookie_attribute(cmd->pool, argv[i], cookie);
    if (!mend && cookie->name)
        mend = trestle_cookie_check(cmd->pool, cookie);
    if (!mend && cookie->name && trestle_cookie_is_secure(cookie->name))
        identity_note_secure_cookie(cmd, dir);
    *(const trestle_cookie_t **)(void *)((char *)dir + (apr_size_t)cmd->info) = cookie;
    return mend ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", mend, NULL) : NULL;
}

static const char *set_plain_cookies(cmd_parms *cmd, void *dir, int on)
{
    ((identity_config_t *)dir)->plain_cookies = on;
    if (on)
        identity_note_plain_cookies(cmd);
    return NULL;
}

static const char *set_places(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t places;

    if (!mend && !(mend = trestle_setting_number(cmd->pool, arg, 1, IDENTITY_GATE_PLACES_MOST, &places)))
        identity_server_config(cmd->server)->places = (int)places;
    return mend;
}

static const char *set_queue(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t queue;

    if (!mend && !(mend = trestle_setting_number(cmd->pool, arg, 0, IDENTITY_GATE_QUEUE_MOST, &queue)))
        identity_server_config(cmd->server)->queue = (int)queue;
    return mend;
}

static const char *set_patience(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *arg)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return mend ? mend
                : trestle_setting_duration(cmd->pool, arg, 1000, IDENTITY_SECONDS(60),
                                           &identity_server_config(cmd->server)->patience);
}

static const char *set_cost(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *memory, const char *passes)
{
    identity_cost_t *cost = &identity_server_config(cmd->server)->cost;
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t value;

    if (mend || (mend = trestle_setting_size(cmd->pool, memory, 8192, 1 << 30, &value)))
        return mend;
    if (value % 1024)
        return apr_psprintf(cmd->pool, "IdentityHashCost: %s is not a multiple of 1024 bytes; write for example 19M",
                            memory);
    cost->memory = value;
    mend = trestle_setting_number(cmd->pool, passes, 1, 10, &value);
    cost->passes = (int)value;
    return mend;
}

static const char *set_inherited(cmd_parms *cmd, void *dir TRESTLE_UNUSED, const char *kind, const char *cost)
{
    const char *mend = ap_check_cmd_context(cmd, GLOBAL_ONLY),
               **dummy = &identity_server_config(cmd->server)->inherited;
    apr_int64_t value = 0;

    *dummy = NULL;
    if (mend || (!cost && !strcasecmp(kind, "Off")))
        return mend;
    if (!cost || trestle_setting_number(cmd->pool, cost, 1, 10000000, &value)
        || !(*dummy = identity_stored_dummy(cmd->pool, kind, (int)value)))
        return "IdentityInheritedHash: write Off, pbkdf2_sha256 with its rounds (1 to 10000000), or bcrypt with its "
               "cost "
               "(4 to 15), for example pbkdf2_sha256 720000";
    return NULL;
}

#define ANYWHERE       (RSRC_CONF | ACCESS_CONF)
#define MEMBER(member) ((void *)APR_OFFSETOF(identity_config_t, member))

const command_rec identity_commands[] = {
    AP_INIT_TAKE1("SetHandler", check_handler, NULL, OR_FILEINFO,
                  "identity-login and others: an operation on accounts"),
    AP_INIT_RAW_ARGS("PgUse", check_needed, "mod_pg", ANYWHERE, "the database of operations on accounts"),
    AP_INIT_RAW_ARGS("AuthJWTSigningKey", check_needed, "mod_auth_jwt", ANYWHERE,
                     "the key of tokens that sign-ins give"),
    AP_INIT_TAKE1("IdentityValidateFunction", set_function, MEMBER(validate), ANYWHERE,
                  "SQL function (email text, fields jsonb) that judges a registration"),
    AP_INIT_TAKE1("IdentityProfileFunction", set_function, MEMBER(profile), ANYWHERE,
                  "SQL function (account bigint, fields jsonb) that completes a registration"),
    AP_INIT_TAKE1("IdentityClaimsFunction", set_function, MEMBER(claims), ANYWHERE,
                  "SQL function (account bigint) with more claims for tokens, as jsonb"),
    AP_INIT_TAKE1("IdentityAnswerFunction", set_function, MEMBER(answer), ANYWHERE,
                  "SQL function (account bigint, body jsonb) with the body of the answer, as json"),
    AP_INIT_TAKE1("IdentityStatus", trestle_set_word, (void *)&status, ANYWHERE,
                  "status of a success: 200, 201 or 202"),
    AP_INIT_TAKE1("IdentityRefusal", trestle_set_word, (void *)&refusal, ANYWHERE,
                  "status of wrong credentials: 401 or 403"),
    AP_INIT_TAKE1("IdentityContentType", trestle_set_word, (void *)&content_types, ANYWHERE,
                  "strict: JSON and forms by their type; any: all but forms is read as JSON; json: only JSON"),
    AP_INIT_ITERATE("IdentityNameField", add_field, MEMBER(names), ANYWHERE, "fields that may hold the sign-in name"),
    AP_INIT_TAKE12("IdentityConfirm", set_confirm, (void *)&code_lifetime, ANYWHERE,
                   "email: registrations need a code that is sent by mail, and how long it lives; or Off"),
    AP_INIT_TAKE1("IdentityTaken", trestle_set_word, (void *)&taken, ANYWHERE,
                  "status for an address that has an account: hide, 400, 409 or 422"),
    AP_INIT_TAKE12("IdentityPasswordLength", set_password_length, NULL, ANYWHERE,
                   "least and most characters of new passwords"),
    AP_INIT_ITERATE("IdentityPasswordRepeat", add_field, MEMBER(repeats), ANYWHERE,
                    "fields that, where they are sent, must repeat the new password"),
    AP_INIT_TAKE1("IdentityTokenLifetime", trestle_set_duration, (void *)&lifetime, ANYWHERE,
                  "how long a token is good"),
    AP_INIT_TAKE12("IdentityRefreshKey", add_refresh_key, NULL, ANYWHERE,
                   "file and number of a key that makes refresh tokens"),
    AP_INIT_TAKE2("IdentityRefreshLifetime", set_refresh_lifetime, NULL, ANYWHERE,
                  "how long a session may idle, and how long it lives"),
    AP_INIT_TAKE12("IdentityRefreshGrace", set_refresh_grace, (void *)&grace, ANYWHERE,
                   "how long a refresh token may come again, and how often"),
    AP_INIT_TAKE_ARGV("IdentityRefreshCookie", set_cookie, MEMBER(refresh_cookie), ANYWHERE,
                      "name and attributes of the cookie that carries the refresh token, or Off"),
    AP_INIT_TAKE1("IdentityClient", set_client, NULL, ANYWHERE, "name of the client whose sessions these are"),
    AP_INIT_ITERATE("IdentityOrigin", trestle_origin_add, MEMBER(origins), ANYWHERE,
                    "origins besides our own whose pages may use and get the cookies"),
    AP_INIT_TAKE_ARGV("IdentityCookie", set_cookie, MEMBER(cookie), ANYWHERE,
                      "name and attributes of the cookie that carries the token, or Off"),
    AP_INIT_FLAG("IdentityPlainCookies", set_plain_cookies, NULL, ANYWHERE,
                 "On: cookies without Secure on plain HTTP over loopback"),
    AP_INIT_TAKE1("IdentityHashGate", set_places, NULL, RSRC_CONF, "how many passwords are hashed at once"),
    AP_INIT_TAKE1("IdentityHashQueue", set_queue, NULL, RSRC_CONF, "how many sign-ins wait for their turn to hash"),
    AP_INIT_TAKE1("IdentityHashWait", set_patience, NULL, RSRC_CONF, "how long a sign-in waits for its turn to hash"),
    AP_INIT_TAKE2("IdentityHashCost", set_cost, NULL, RSRC_CONF, "memory and passes of Argon2id"),
    AP_INIT_TAKE12("IdentityInheritedHash", set_inherited, NULL, RSRC_CONF,
                   "kind and cost of the hashes that accounts were inherited with, or Off"),
    { NULL }
};
