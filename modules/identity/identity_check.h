/*
 * What configtest compares: operations with what they need, cookies with where they are set. Setters note what they see
 * on the way; nothing is noted from .htaccess.
 */
#ifndef IDENTITY_CHECK_H
#define IDENTITY_CHECK_H

#include "httpd.h"
#include "http_config.h"

typedef struct identity_notes_t identity_notes_t;

identity_notes_t *identity_notes_make(apr_pool_t *pool);

/* SetHandler with one of our operations. section: its configuration, as a setter gets it. */
void identity_note_operation(cmd_parms *cmd, const void *section, const char *handler);

/* A cookie that browsers take with Secure only. */
void identity_note_secure_cookie(cmd_parms *cmd, const void *section);

/* IdentityPlainCookies On. */
void identity_note_plain_cookies(cmd_parms *cmd);

/* Hook check_config: OK, or !OK with the mend in the log. */
int identity_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* 1 if address is a loopback address, IPv4 or IPv6. */
int identity_is_loopback(const apr_sockaddr_t *address);

#endif
