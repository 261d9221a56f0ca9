/*
 * Origins (RFC 6454), and by them which requests a browser was made to send by another site's page (CSRF).
 */
#ifndef TRESTLE_ORIGIN_H
#define TRESTLE_ORIGIN_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * The origin of an http or https URL as browsers write it in Origin (RFC 6454 section 6.2): scheme and host in small
 * letters, the port unless it is the scheme's own. In pool; NULL if url is none, or names a user.
 */
const char *trestle_origin_of_url(apr_pool_t *pool, const char *url);

/* What a request says about where it comes from, and who may send it. NULL: not said, not known, none. */
typedef struct {
    const char *site;                  /* Sec-Fetch-Site */
    const char *origin;                /* Origin */
    const char *referer;               /* Referer */
    const char *own;                   /* origin that the request was sent to */
    const char *canonical;             /* origin of the site's public address */
    const apr_array_header_t *trusted; /* const char *: further origins */
} trestle_origin_facts_t;

typedef enum {
    TRESTLE_ORIGIN_TRUSTED, /* from a page of an origin that may, or typed in by the user */
    TRESTLE_ORIGIN_FOREIGN, /* from elsewhere, or from who hides it */
    TRESTLE_ORIGIN_MISSING  /* no word of it: no browser, or one that was told to be silent */
} trestle_origin_e;

/*
 * Judges a request. Origin decides where it is sent: byte for byte one of those that may; "null" and two values are none.
 * Without it Sec-Fetch-Site does: same-origin and none are trusted, same-site and cross-site are not, another value is no
 * word. Without either the origin of Referer does. What is looked at last can never heal what was found before.
 */
trestle_origin_e trestle_origin_judge(apr_pool_t *pool, const trestle_origin_facts_t *facts);

#endif
