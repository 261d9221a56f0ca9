/*
 * Signatures of tokens (RFC 7515 section 5.2, RFC 7518 section 3, RFC 8037 section 3.1).
 */
#ifndef JWT_VERIFY_H
#define JWT_VERIFY_H

#include "jwt_key.h"
#include "jwt_token.h"

/*
 * 1 if the token's signature was made with the other half of key, by key's algorithm; 0 in every other case. The token
 * must be one that jwt_token_parse filled. Thread-safe. Leaves OpenSSL's error queue empty.
 */
int jwt_verify(const jwt_key_t *key, const jwt_token_t *token);

#endif
