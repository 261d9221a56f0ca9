/*
 * Cookies that carry a credential (RFC 6265bis): written with safe defaults, cleared with the attributes they were set
 * with, read without guessing.
 */
#ifndef TRESTLE_COOKIE_H
#define TRESTLE_COOKIE_H

#include <apr_pools.h>

/* How a cookie is set. Built while configuring; immutable. HttpOnly is always set, Secure unless plain. */
typedef struct {
    const char *name;
    const char *same_site; /* "Lax" (default), "Strict" or "None" */
    const char *path;      /* "/" (default) or another absolute path */
    const char *domain;    /* NULL (default): the host only */
} trestle_cookie_t;

/* NULL if name can name a cookie (RFC 9110 token, at most 64 bytes), else a message that names the mend. */
const char *trestle_cookie_check_name(apr_pool_t *pool, const char *name);

/*
 * Reads one attribute of a directive (SameSite=…, Path=… or Domain=…) into cookie. NULL, or a message that names the
 * mend.
 */
const char *trestle_cookie_attribute(apr_pool_t *pool, const char *text, trestle_cookie_t *cookie);

/*
 * NULL if browsers take a cookie of that name with these attributes, else a message that names the mend: the prefix
 * __Host- demands Path=/ and no Domain (RFC 6265bis section 4.1.3).
 */
const char *trestle_cookie_check(apr_pool_t *pool, const trestle_cookie_t *cookie);

/* 1 if browsers take a cookie of that name with Secure only: it has the prefix __Secure- or __Host-. */
int trestle_cookie_is_secure(const char *name);

/* The defaults of a cookie of that name. */
trestle_cookie_t trestle_cookie_make(const char *name);

/*
 * The value of a Set-Cookie header, in pool. max_age: seconds; 0 clears the cookie. plain: for plain HTTP on loopback
 * only, leaves Secure out and weakens SameSite=None to Lax, which browsers want then; not of a cookie whose name demands
 * Secure.
 */
const char *trestle_cookie_text(apr_pool_t *pool, const trestle_cookie_t *cookie, const char *value,
                                apr_int64_t max_age, int plain);

/*
 * Finds the cookie of that name in the value of the request's Cookie header (httpd joins several with a comma). *value
 * points to its *length bytes. The number of cookies of that name: what to do with more than one is the caller's
 * decision; NULL as cookies is no cookie.
 */
int trestle_cookie_find(const char *cookies, const char *name, const char **value, apr_size_t *length);

#endif
