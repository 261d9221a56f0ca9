/*
 * Refresh tokens: "rt1_" and the base64url of session id (16 bytes), number (LEB128), HMAC-SHA-256 of both under a key
 * of this server. Nobody without the key can guess one, and the same number of a session always has the same token: its
 * successor need not be stored to be given out twice.
 */
#ifndef IDENTITY_REFRESH_TOKEN_H
#define IDENTITY_REFRESH_TOKEN_H

#include <apr_errno.h>
#include <apr_pools.h>

/* A key. Built while configuring; immutable. */
typedef struct {
    int id; /* stands with the sessions whose tokens it makes */
    const unsigned char *bytes;
    apr_size_t n;
} identity_refresh_key_t;

/* A token that one of our keys has made. */
typedef struct {
    const char *session; /* UUID */
    int number;
    const identity_refresh_key_t *key;
} identity_refresh_token_t;

/* The token with that number of a session (UUID as text), in pool; NULL if session is no UUID or OpenSSL fails. */
const char *identity_refresh_token_make(apr_pool_t *pool, const identity_refresh_key_t *key, const char *session,
                                        int number);

/*
 * Reads a token of length bytes. APR_SUCCESS; APR_EINVAL unless it is one, in its only spelling, that one of the keys
 * (identity_refresh_key_t, count of them) has made.
 */
apr_status_t identity_refresh_token_read(apr_pool_t *pool, const identity_refresh_key_t *keys, int count,
                                         const char *text, apr_size_t length, identity_refresh_token_t *token);

/* What the database keeps of a token: its SHA-256, written as a bytea, in pool. */
const char *identity_refresh_token_hash(apr_pool_t *pool, const char *token);

#endif
