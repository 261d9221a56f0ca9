/*
 * Signing of our own tokens, through libjwt: HS, RS and ES, with typ JWT.
 */
#ifndef JWT_SIGN_H
#define JWT_SIGN_H

#include "jwt_key.h"

/* A key that signs. Immutable; any thread may use it; lives as long as the pool it was made in. */
typedef struct jwt_signer_t jwt_signer_t;

/* 1 if tokens can be signed with the algorithm: PS and EdDSA are verified only. */
int jwt_sign_offers(const jwt_algorithm_t *algorithm);

/*
 * Makes a signer from n bytes: for HMAC the secret itself, for the others a PEM private key. id may be NULL. Returns
 * NULL and *signer, or the end of a sentence that names the mend, as jwt_key_make does. A trial token has been signed
 * and verified when it succeeds.
 */
const char *jwt_signer_make(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                            const char *id, jwt_signer_t **signer);

/*
 * Signs claims, the text of a JSON object. APR_SUCCESS and *token in pool; APR_EINVAL for claims that are no JSON
 * object (RFC 7519 section 7.1); APR_EGENERAL when the library refused.
 */
apr_status_t jwt_sign(apr_pool_t *pool, const jwt_signer_t *signer, const char *claims, const char **token);

#endif
