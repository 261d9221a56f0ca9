/*
 * Hashing of passwords on behalf of requests: through the gate, at equal cost whether there is a hash or not.
 */
#ifndef IDENTITY_HASHING_H
#define IDENTITY_HASHING_H

#include "httpd.h"

typedef enum {
    IDENTITY_HASHING_MATCHES,
    IDENTITY_HASHING_DIFFERS, /* also for a hash of NULL and for one of an unknown format */
    IDENTITY_HASHING_BUSY     /* too many wait, no turn within IdentityHashWait, or no memory: try again later */
} identity_hashing_e;

/* For post_config: makes the gate, or keeps that of before a graceful restart. s: the main server. */
apr_status_t identity_hashing_prepare(apr_pool_t *pconf, server_rec *s);

/*
 * Verifies a password against the stored hash of account. Both may be NULL, for an account that there is not. *better
 * is a hash of IdentityHashCost, in r->pool, by which a matching one should be replaced; NULL where it should not, or
 * for want of memory. Blocks for the time of the hashes and at most IdentityHashWait before them, which only
 * IdentityHashQueue callers do at once.
 */
identity_hashing_e identity_hashing_verify(request_rec *r, const char *account, const char *stored,
                                           const char *password, const char **better);

/* A hash of IdentityHashCost in r->pool; NULL when too many wait or there is no memory: try again later. Blocks alike. */
const char *identity_hashing_make(request_rec *r, const char *password);

/* The section of server-status. */
int identity_hashing_status(request_rec *r, int flags);

#endif
