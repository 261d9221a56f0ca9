/*
 * The configuration of mod_identity: records, merging, settings with their defaults. The directives that fill it stand
 * in identity_directives.c, what configtest compares in identity_check.c.
 */
#ifndef IDENTITY_CONFIG_H
#define IDENTITY_CONFIG_H

#include "cookie.h"
#include "identity_check.h"
#include "identity_form.h"
#include "identity_password.h"
#include "identity_refresh_token.h"

#include "httpd.h"
#include "http_config.h"

/* The name of an SQL function: schema.name, both plain identifiers. */
typedef struct {
    const char *schema;
    const char *name;
} identity_function_t;

enum { IDENTITY_TAKEN_HIDE = 0 };

/* Per directory. NULL or TRESTLE_UNSET inherits. */
typedef struct {
    const identity_function_t *claims;   /* (bigint) → jsonb, the application's claims; unset: none */
    const identity_function_t *answer;   /* (bigint, jsonb) → json, the body of the answer; unset: the default body */
    const identity_function_t *validate; /* (text, jsonb) → void, judges a registration; unset: none */
    const identity_function_t *profile;  /* (bigint, jsonb) → void, completes one; unset: none */
    const trestle_cookie_t *cookie;      /* of the token; name NULL for Off; unset: no cookie */
    const trestle_cookie_t *refresh_cookie; /* alike, of the refresh token */
    const char *client;                     /* which sessions are refreshed here; unset: those without */
    apr_array_header_t *names;              /* const char *: fields with the sign-in name; unset: email */
    apr_array_header_t *repeats;            /* const char *: fields that must repeat the password; unset: none */
    apr_array_header_t *origins;            /* const char *: besides our own; unset: none */
    apr_array_header_t *refresh_keys;       /* identity_refresh_key_t, the first for new sessions; unset: none */
    apr_interval_time_t lifetime;           /* microseconds, as all durations; default 15 minutes */
    apr_interval_time_t idle;               /* of a session that is not refreshed; default 14 days */
    apr_interval_time_t absolute;           /* of any session with refresh tokens; default 60 days */
    apr_interval_time_t grace;              /* for the predecessor of a refresh token; default 10 s */
    apr_interval_time_t code_lifetime;      /* of a code that confirms; default 10 minutes */
    int grace_uses;                         /* default 10 */
    int confirm;                            /* 1: registrations are confirmed by mail, the default */
    int taken;                              /* status for a taken address, or IDENTITY_TAKEN_HIDE */
    int password_least, password_most;      /* characters; default 12 and 256 */
    int content_types;                      /* identity_types_e; default IDENTITY_TYPES_STRICT */
    int status;                             /* of a success; default by operation */
    int refusal;                            /* of wrong credentials: 401 (default) or 403 */
    int plain_cookies;                      /* 1: without Secure on plain HTTP over loopback; default 0 */
} identity_config_t;

/* Of the whole server. TRESTLE_UNSET: the default. */
typedef struct {
    int places;                   /* that hash at once; default: the number of cores */
    int queue;                    /* that wait for it; default: four for each place */
    apr_interval_time_t patience; /* microseconds at the gate; default 2 s */
    identity_cost_t cost;         /* of new hashes; memory TRESTLE_UNSET: 19 MiB, 2 passes */
    const char *inherited;        /* identity_stored_dummy; NULL: no hashes were inherited */
    identity_notes_t *notes;      /* for configtest, of this server or virtual host */
} identity_server_config_t;

extern const command_rec identity_commands[];

void *identity_config_create_dir(apr_pool_t *p, char *dir);
void *identity_config_merge_dir(apr_pool_t *p, void *base, void *add);
void *identity_config_create_server(apr_pool_t *p, server_rec *s);

/* The configuration that applies to r. */
const identity_config_t *identity_config_of(request_rec *r);

identity_server_config_t *identity_server_config(server_rec *s);

/* Settings with their defaults. */
apr_interval_time_t identity_config_lifetime(const identity_config_t *config);
/* 1 if a sign-in is answered with a cookie. */
int identity_config_has_cookies(const identity_config_t *config);
identity_types_e identity_config_types(const identity_config_t *config);
int identity_config_confirms(const identity_config_t *config);
int identity_config_taken(const identity_config_t *config);
const identity_refresh_key_t *identity_config_refresh_key(const identity_config_t *config);
int identity_config_places(server_rec *main_server);
int identity_config_queue(server_rec *main_server);
apr_interval_time_t identity_config_patience(server_rec *main_server);
identity_cost_t identity_config_cost(server_rec *main_server);
const char *identity_config_inherited(server_rec *main_server);

/* The seconds of a duration that is set, or of its default, for SQL: "864000". */
const char *identity_config_seconds(apr_pool_t *pool, apr_interval_time_t value, apr_interval_time_t fallback);

#define IDENTITY_SECONDS(n) ((apr_interval_time_t)(n)*APR_USEC_PER_SEC)

enum {
    IDENTITY_IDLE_SECONDS = 14 * 86400,
    IDENTITY_ABSOLUTE_SECONDS = 60 * 86400,
    IDENTITY_GRACE_SECONDS = 10,
    IDENTITY_GRACE_USES = 10,
    IDENTITY_CODE_SECONDS = 600,
    IDENTITY_PASSWORD_LEAST = 12,
    IDENTITY_PASSWORD_MOST = 256
};

#endif
