/*
 * Base64url (RFC 4648 section 5, without padding), hexadecimal, the encoding of forms, and UUIDs.
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

/* The value of a hexadecimal digit, small or capital; -1 for another character. */
int trestle_hex_digit(char c);

/*
 * Decodes a name or value of a query or form (application/x-www-form-urlencoded: plus is a space, %XX a byte) of n bytes
 * into out, which has room for n; out may be text. The length, no NUL behind it; -1 if an escape is malformed, or a NUL
 * or other than UTF-8 comes out.
 */
apr_ssize_t trestle_form_decode(const char *text, apr_size_t n, char *out);

/* A random UUID (RFC 9562 version 4) in its 36-character form, from the system's generator; NULL if that failed. */
char *trestle_uuid(apr_pool_t *pool);

/* 1 if text is a UUID in that form, in small or capital letters, of any version. */
int trestle_uuid_valid(const char *text);

#endif
