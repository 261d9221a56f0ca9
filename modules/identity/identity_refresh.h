/*
 * Renewal of a session by its refresh token.
 */
#ifndef IDENTITY_REFRESH_H
#define IDENTITY_REFRESH_H

#include "identity_refresh_token.h"
#include "trestle_problem.h"

#include "httpd.h"

#include <jansson.h>

/* Handler identity-refresh: takes a refresh token, answers with a token and the successor. */
int identity_refresh(request_rec *r);

/* Where a refresh token was found. */
typedef enum {
    IDENTITY_REFRESH_ABSENT,
    IDENTITY_REFRESH_GOOD,
    IDENTITY_REFRESH_BAD /* not one that this server made, or several */
} identity_refresh_e;

/*
 * Looks for the refresh token of r: in fields (refresh_token or refresh), else in the cookie of IdentityRefreshCookie.
 * *text is the token as it came, if it is good; *in_cookie tells where it stood.
 */
identity_refresh_e identity_refresh_find(request_rec *r, const json_t *fields, identity_refresh_token_t *token,
                                         const char **text, int *in_cookie);

#endif
