/*
 * Sign-in by address and password.
 */
#ifndef IDENTITY_LOGIN_H
#define IDENTITY_LOGIN_H

#include "httpd.h"

/* Fetches other modules' functions, in optional_fn_retrieve. */
void identity_login_retrieve(void);

/*
 * Handler identity-login, for a POST: verifies the credentials in the body, writes a session, answers with a token.
 * Returns what the handler must return.
 */
int identity_login(request_rec *r);

#endif
