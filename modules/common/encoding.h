/*
 * Base64url (RFC 4648 section 5, without padding) and random identifiers.
 */
#ifndef TRESTLE_ENCODING_H
#define TRESTLE_ENCODING_H

#include <apr_pools.h>

/* n bytes as base64url without padding, in pool. */
char *trestle_base64url_encode(apr_pool_t *pool, const unsigned char *bytes, apr_size_t n);

/*
 * Strict decoding: only the alphabet, no padding, no impossible length, unused low bits zero, so that every value has
 * one spelling. *bytes (in pool, with a NUL after its *n bytes) and *n on APR_SUCCESS; APR_EINVAL otherwise.
 */
apr_status_t trestle_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t length, unsigned char **bytes,
                                      apr_size_t *n);

/* n bytes as lower-case hexadecimal, in pool. */
char *trestle_hex(apr_pool_t *pool, const unsigned char *bytes, apr_size_t n);

/* A random UUID (RFC 9562 version 4) in its 36-character form, from the system's generator; NULL if that failed. */
char *trestle_uuid(apr_pool_t *pool);

#endif
