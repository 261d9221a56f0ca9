/*
 * The directives of mod_identity: configuration records, setters, checks.
 */
#ifndef IDENTITY_CONFIG_H
#define IDENTITY_CONFIG_H

#include "cookie.h"
#include "identity_password.h"

#include "httpd.h"
#include "http_config.h"

/* The name of an SQL function: schema.name, both plain identifiers. */
typedef struct {
    const char *schema;
    const char *name;
} identity_function_t;

/* Per directory. NULL or TRESTLE_UNSET inherits. */
typedef struct {
    const identity_function_t *claims; /* (bigint) → jsonb, the application's claims; unset: none */
    const identity_function_t *answer; /* (bigint, text) → jsonb, the body of the answer; unset: the default body */
    const trestle_cookie_t *cookie;    /* name NULL for Off; unset: no cookie */
    apr_interval_time_t lifetime;      /* microseconds; default 15 minutes */
    int status;                        /* of a successful sign-in; default 200 */
    int refusal;                       /* of wrong credentials: 401 (default) or 403 */
    int plain_cookies;                 /* 1: without Secure on plain HTTP over loopback; default 0 */
} identity_config_t;

/* A section with a cookie that demands Secure, for configtest. */
typedef struct {
    const ap_directive_t *directive;
    const identity_config_t *section;
} identity_secure_cookie_t;

/* Of the whole server. TRESTLE_UNSET: the default. */
typedef struct {
    int places;                   /* that hash at once; default: the number of cores */
    int queue;                    /* that wait for it; default: four for each place */
    apr_interval_time_t patience; /* microseconds at the gate; default 2 s */
    identity_cost_t cost;         /* of the dummy; memory TRESTLE_UNSET: 19 MiB, 2 passes */
    apr_array_header_t *secure;  /* identity_secure_cookie_t: where cookies are set that demand Secure; NULL: nowhere */
    const ap_directive_t *plain; /* the first IdentityPlainCookies On of this server or virtual host */
} identity_server_config_t;

extern const command_rec identity_commands[];

void *identity_config_create_dir(apr_pool_t *p, char *dir);
void *identity_config_merge_dir(apr_pool_t *p, void *base, void *add);
void *identity_config_create_server(apr_pool_t *p, server_rec *s);

/* Hook check_config: OK, or !OK with the mend in the log. */
int identity_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* The configuration that applies to r. */
const identity_config_t *identity_config_of(request_rec *r);

/* Settings with their defaults. */
apr_interval_time_t identity_config_lifetime(const identity_config_t *config);
int identity_config_places(server_rec *main_server);
int identity_config_queue(server_rec *main_server);
apr_interval_time_t identity_config_patience(server_rec *main_server);
identity_cost_t identity_config_cost(server_rec *main_server);

/* 1 if address is a loopback address, IPv4 or IPv6. */
int identity_is_loopback(const apr_sockaddr_t *address);

#endif
