/*
 * Keys that verify tokens. The algorithm is a property of the key, never of the token (RFC 8725 section 3.1).
 */
#ifndef JWT_KEY_H
#define JWT_KEY_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <openssl/evp.h>

typedef enum { JWT_HMAC, JWT_RSA, JWT_RSA_PSS, JWT_ECDSA, JWT_EDDSA } jwt_family_e;

/* An algorithm of RFC 7518 section 3.1 or RFC 8037 section 3.1. Constant. */
typedef struct {
    const char *name; /* as "alg" spells it */
    jwt_family_e family;
    const char *digest; /* OpenSSL's name; NULL for EdDSA */
    const char *curve;  /* OpenSSL's name, for ECDSA */
    apr_size_t size;    /* bytes: of the digest for HMAC, of one coordinate for ECDSA, of the signature for EdDSA */
} jwt_algorithm_t;

/* A key. Immutable once made, so that any thread may use it; lives as long as the pool it was made in. */
typedef struct {
    const jwt_algorithm_t *algorithm;
    const char *id;       /* kid; NULL if it has none */
    EVP_PKEY *public_key; /* of all families but HMAC */
    EVP_MD *digest;       /* of all families but EdDSA */
    EVP_MAC_CTX *mac;     /* of HMAC: initialised with the secret, to be duplicated */
} jwt_key_t;

/* The algorithm of that exact name; NULL for every other, "none" among them. */
const jwt_algorithm_t *jwt_algorithm(const char *name);

/* The names of all algorithms for a message: "HS256, HS384, …". */
const char *jwt_algorithm_names(apr_pool_t *pool);

/*
 * Makes a key from n bytes: for HMAC the secret itself, for the others a PEM public key, or a PEM private key whose
 * public half is taken. id may be NULL. Returns NULL and *key, or the end of a sentence that names the mend
 * ("… is too short: …"). Refused are secrets shorter than the digest, RSA moduli outside 2048-8192 bits, RSA exponents
 * that are even or below 3, other curves than the algorithm's, and points that prove nothing.
 */
const char *jwt_key_make(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                         const char *id, jwt_key_t **key);

/* As jwt_key_make, from a secret of n bytes for an HMAC algorithm. */
const char *jwt_key_make_secret(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                                const char *id, jwt_key_t **key);

/* As jwt_key_make, from a public key for another algorithm; it belongs to *key then, and is freed if it is refused. */
const char *jwt_key_make_public(apr_pool_t *pool, const jwt_algorithm_t *algorithm, EVP_PKEY *public_key,
                                const char *id, jwt_key_t **key);

/*
 * 1 if keys, an array of jwt_key_t *, has a key that no token could tell from added: with the same kid, or without kid
 * for the same algorithm. The message that names the mend is in *mend.
 */
int jwt_key_collides(apr_pool_t *pool, const apr_array_header_t *keys, const jwt_key_t *added, const char **mend);

/*
 * The key of an array of jwt_key_t * for a token: that with the token's kid; for a token without one the only key of its
 * algorithm that has no kid either, else the only one that has. NULL if there is none or the key has another algorithm
 * than the token names.
 */
const jwt_key_t *jwt_key_find(const apr_array_header_t *keys, const char *algorithm, const char *id);

/*
 * The PEM private key in n bytes of memory; NULL if there is none (a passphrase is never asked for). The caller frees
 * it.
 */
EVP_PKEY *jwt_key_private(const char *bytes, apr_size_t n);

#endif
