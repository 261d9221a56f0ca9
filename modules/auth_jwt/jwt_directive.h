/*
 * The directives of mod_auth_jwt: their setters, and what configtest checks beyond one value.
 */
#ifndef JWT_DIRECTIVE_H
#define JWT_DIRECTIVE_H

#include "httpd.h"
#include "http_config.h"

extern const command_rec jwt_commands[];

/* Hook check_config: OK, or !OK with the mend in the log. */
int jwt_directive_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
