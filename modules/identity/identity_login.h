/*
 * Sign-in by name and password.
 */
#ifndef IDENTITY_LOGIN_H
#define IDENTITY_LOGIN_H

#include "trestle_problem.h"

#include "httpd.h"

/* Handler identity-login: verifies the credentials in the body, writes a session, answers with its tokens. */
int identity_login(request_rec *r);

/* The application's further claims of an account, as JSON text; *claims is NULL where no function is configured. */
const trestle_problem_t *identity_claims_ask(request_rec *r, const char *account, const char **claims);

#endif
