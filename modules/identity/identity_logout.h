/*
 * The end of a session.
 */
#ifndef IDENTITY_LOGOUT_H
#define IDENTITY_LOGOUT_H

#include "httpd.h"

/* Handler identity-logout: ends the session of the token, or of the refresh token, that the request carries. */
int identity_logout(request_rec *r);

#endif
