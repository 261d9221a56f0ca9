/*
 * Requests that a browser was made to send from elsewhere (CSRF).
 */
#ifndef IDENTITY_ORIGIN_H
#define IDENTITY_ORIGIN_H

#include "trestle_problem.h"

#include "httpd.h"

/*
 * Judges a request that changes something by the power of a cookie, by the rules of origin.h. NULL if it comes from a
 * page of the site itself or of an IdentityOrigin; else the problem to answer with.
 */
const trestle_problem_t *identity_origin_check(request_rec *r);

/*
 * Judges a request that will be answered with a cookie: another site must not sign its visitors in as somebody else
 * (login CSRF). Who sends no word of an origin is no browser, and passes. NULL, or the problem.
 */
const trestle_problem_t *identity_origin_check_sign_in(request_rec *r);

#endif
