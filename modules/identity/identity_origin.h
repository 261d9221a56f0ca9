/*
 * Requests that a browser was made to send from elsewhere (CSRF).
 */
#ifndef IDENTITY_ORIGIN_H
#define IDENTITY_ORIGIN_H

#include "trestle_problem.h"

#include "httpd.h"

/*
 * Judges a request that changes something by the power of a cookie. NULL if it comes from a page of TrestlePublicURL or
 * of an IdentityOrigin, by the headers Sec-Fetch-Site, Origin and Referer; else the problem to answer with.
 */
const trestle_problem_t *identity_origin_check(request_rec *r);

#endif
