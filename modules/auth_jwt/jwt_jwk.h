/*
 * JSON Web Keys and sets of them (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
 */
#ifndef JWT_JWK_H
#define JWT_JWK_H

#include "jwt_key.h"

/*
 * Makes keys from n bytes, one JWK or a JWK Set, with a NUL behind them, and adds them to keys (jwt_key_t *). algorithm
 * is that of RSA and oct keys that name none ("alg"); NULL: each must name its own. *is_secret says whether the text
 * holds a secret or a private key, of which the public half is taken.
 *
 * Passed over, as RFC 7517 section 5 wants, are keys that are not for us: for another use ("use", "key_ops"), or of a
 * kind or algorithm that is not among ours. Returns NULL, or the end of a sentence that names the key and the mend: for
 * malformed, weak or hostile keys (see jwt_key.h), keys that no token could tell apart, and when no key is left.
 */
const char *jwt_jwk_read(apr_pool_t *pool, const char *bytes, apr_size_t n, const jwt_algorithm_t *algorithm,
                         apr_array_header_t *keys, int *is_secret);

#endif
