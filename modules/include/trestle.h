/*
 * What mod_trestle offers: the facts that every module of the suite shares about a request.
 * All functions are optional functions: fetch them in ap_hook_optional_fn_retrieve and cope with NULL, since a
 * module of the suite also works alone. modules/common/request.h wraps them with their fall-backs.
 */
#ifndef TRESTLE_H
#define TRESTLE_H

#include "httpd.h"
#include "apr_optional.h"

/* A parameter that a hook's signature demands and this function does not need. */
#define TRESTLE_UNUSED __attribute__((unused))

/*
 * The application that answers r (directive TrestleApplication): the first part of every key in shared stores.
 * [a-z][a-z0-9_]*, at most 32 bytes; "default" where none is configured. Lives as long as the configuration.
 */
APR_DECLARE_OPTIONAL_FN(const char *, trestle_application, (request_rec * r));

/*
 * The canonical origin of r's virtual host (directive TrestlePublicURL), for example "https://localhost:8444": no
 * trailing slash, no path. NULL where none is configured: never derive it from the Host header.
 */
APR_DECLARE_OPTIONAL_FN(const char *, trestle_public_url, (request_rec * r));

/*
 * The request id: the client's X-Request-ID if it is 1-128 bytes of [A-Za-z0-9._-], else a new one. The same for
 * internal redirects and subrequests of one request. Lives in the initial request's pool.
 */
APR_DECLARE_OPTIONAL_FN(const char *, trestle_request_id, (request_rec * r));

#endif
