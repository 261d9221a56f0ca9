/*
 * Parsing of compact JWS tokens (RFC 7515 section 7.1), strictly: what could be read in two ways is refused.
 *
 * Every check of this module's core answers NULL for "good", else the reason as a constant text. Reasons are for the
 * log: a client is never told which check failed.
 */
#ifndef JWT_TOKEN_H
#define JWT_TOKEN_H

#include <apr_pools.h>

/* A token whose form is right. Nothing in it is to be believed before jwt_verify has said so. */
typedef struct {
    const char *algorithm;          /* "alg" of the header; lives in the pool */
    const char *key_id;             /* "kid", see jwt_token_is_key_id; NULL if absent; lives in the pool */
    int is_access_token;            /* 1 if "typ" is at+jwt (RFC 9068) */
    const char *signed_part;        /* header "." payload as they came; points into the text */
    apr_size_t signed_length;       /* bytes */
    const unsigned char *signature; /* decoded; lives in the pool */
    apr_size_t signature_length;    /* bytes, at least 1 */
    const char *payload;            /* decoded, NUL-terminated, not yet looked at; lives in the pool */
    apr_size_t payload_length;      /* bytes */
} jwt_token_t;

/*
 * Parses length bytes of text, which may be at most limit bytes long. Fills *token and returns NULL, or returns the
 * reason why this is no token for us. text must live as long as *token.
 */
const char *jwt_token_parse(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t limit,
                            jwt_token_t *token);

/* 1 if id can be a kid: 1-128 bytes of [A-Za-z0-9._~:@=+/-], which holds what issuers use: names, addresses, digests in
 * base64 or hexadecimal. */
int jwt_token_is_key_id(const char *id);

#endif
