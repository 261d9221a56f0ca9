#include "jwt_key.h"

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192, HMAC_SECRET_MOST = 4096 };

static const jwt_algorithm_t ALGORITHMS[] = {
    { "HS256", JWT_HMAC, "SHA256", NULL, 32 },
    { "HS384", JWT_HMAC, "SHA384", NULL, 48 },
    { "HS512", JWT_HMAC, "SHA512", NULL, 64 },
    { "RS256", JWT_RSA, "SHA256", NULL, 0 },
    { "RS384", JWT_RSA, "SHA384", NULL, 0 },
    { "RS512", JWT_RSA, "SHA512", NULL, 0 },
    { "PS256", JWT_RSA_PSS, "SHA256", NULL, 0 },
    { "PS384", JWT_RSA_PSS, "SHA384", NULL, 0 },
    { "PS512", JWT_RSA_PSS, "SHA512", NULL, 0 },
    { "ES256", JWT_ECDSA, "SHA256", "prime256v1", 32 },
    { "ES384", JWT_ECDSA, "SHA384", "secp384r1", 48 },
    { "ES512", JWT_ECDSA, "SHA512", "secp521r1", 66 },
    { "EdDSA", JWT_EDDSA, NULL, NULL, 64 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const jwt_algorithm_t *jwt_algorithm(const char *name)
{
    for (unsigned i = 0; i < COUNT(ALGORITHMS); i++)
        if (!strcmp(name, ALGORITHMS[i].name))
            return &ALGORITHMS[i];
    return NULL;
}

const char *jwt_algorithm_names(apr_pool_t *pool)
{
    const char *names = ALGORITHMS[0].name;

    for (unsigned i = 1; i < COUNT(ALGORITHMS); i++)
        names = apr_pstrcat(pool, names, ", ", ALGORITHMS[i].name, NULL);
    return names;
}

static apr_status_t release(void *data)
{
    jwt_key_t *key = data;

    EVP_PKEY_free(key->public_key);
    EVP_MAC_CTX_free(key->mac);
    EVP_MD_free(key->digest);
    return APR_SUCCESS;
}

static int is_pem(const char *bytes, apr_size_t n)
{
    return n > 11 && !memcmp(bytes, "-----BEGIN ", 11);
}

/* The part of a key that all families have. */
static const char *begin(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *id, jwt_key_t **made)
{
    jwt_key_t *key = *made = apr_pcalloc(pool, sizeof(*key));

    key->algorithm = algorithm;
    key->id = id ? apr_pstrdup(pool, id) : NULL;
    apr_pool_cleanup_register(pool, key, release, apr_pool_cleanup_null);
    if (algorithm->digest && !(key->digest = EVP_MD_fetch(NULL, algorithm->digest, NULL)))
        return "cannot be used: OpenSSL does not offer the digest of this algorithm";
    return NULL;
}

const char *jwt_key_make_secret(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                                const char *id, jwt_key_t **made)
{
    const char *mend = begin(pool, algorithm, id, made);
    OSSL_PARAM parameters[2];
    jwt_key_t *key = *made;
    EVP_MAC *mac;

    if (mend)
        return mend;
    if (n < algorithm->size)
        return apr_psprintf(pool,
                            "is too short: a secret for %s has at least %d bytes; make one with openssl rand "
                            "-base64 64",
                            algorithm->name, (int)algorithm->size);
    if (n > HMAC_SECRET_MOST)
        return apr_psprintf(pool, "is longer than %d bytes: it is no secret", HMAC_SECRET_MOST);
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    key->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)algorithm->digest, 0);
    parameters[1] = OSSL_PARAM_construct_end();
    return key->mac && EVP_MAC_init(key->mac, (const unsigned char *)bytes, n, parameters)
               ? NULL
               : "cannot be used: OpenSSL offers no HMAC with this digest";
}

/* Without a passphrase an encrypted key is unreadable; OpenSSL's own callback would ask at the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

EVP_PKEY *jwt_key_private(const char *bytes, apr_size_t n)
{
    BIO *memory = BIO_new_mem_buf(bytes, (int)n);
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;

    BIO_free(memory);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *public_half(const char *bytes, apr_size_t n)
{
    BIO *memory = BIO_new_mem_buf(bytes, (int)n);
    EVP_PKEY *key = memory ? PEM_read_bio_PUBKEY(memory, NULL, no_passphrase, NULL) : NULL;

    BIO_free(memory);
    ERR_clear_error();
    return key ? key : jwt_key_private(bytes, n);
}

/* public_check passes short moduli and refuses e = 1, e = 2 and even n; hence both (measured with OpenSSL 3.0). */
static const char *check_rsa(apr_pool_t *pool, EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    if (!EVP_PKEY_is_a(key, "RSA"))
        return "is not an RSA key (a key restricted to RSA-PSS counts as another kind); make one with openssl genpkey "
               "-algorithm RSA -pkeyopt rsa_keygen_bits:3072";
    if (bits < RSA_BITS_LEAST || bits > RSA_BITS_MOST)
        return apr_psprintf(pool, "has %d bits: an RSA key has %d to %d; make one of 3072 bits", bits, RSA_BITS_LEAST,
                            RSA_BITS_MOST);
    return NULL;
}

static const char *check_ecdsa(apr_pool_t *pool, EVP_PKEY *key, const jwt_algorithm_t *algorithm)
{
    char curve[64];
    size_t n;

    if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, curve, sizeof(curve), &n)
        || strcmp(curve, algorithm->curve))
        return apr_psprintf(pool,
                            "is not a key on the curve that %s means; make one with openssl genpkey -algorithm EC "
                            "-pkeyopt ec_paramgen_curve:%s",
                            algorithm->name, algorithm->curve);
    return NULL;
}

/* With a point of small order signatures of anybody verify. The y of all such points, sign bit left out. */
static int has_small_order(const unsigned char *point)
{
    static const unsigned char order8[2][32] = {
        { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
          0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
        { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
          0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
    };
    unsigned char y[32], all_or = 0, all_and = 0xFF;

    memcpy(y, point, 32);
    y[31] &= 0x7F;
    for (int i = 1; i < 31; i++) {
        all_or |= y[i];
        all_and &= y[i];
    }
    return (all_or == 0 && y[31] == 0 && y[0] <= 1)              /* y = 0, 1 */
           || (all_and == 0xFF && y[31] == 0x7F && y[0] >= 0xEC) /* y = p - 1, and p, p + 1 as other spellings */
           || !memcmp(y, order8[0], 32) || !memcmp(y, order8[1], 32);
}

static const char *check_eddsa(EVP_PKEY *key)
{
    unsigned char point[32];
    size_t n = sizeof(point);

    if (!EVP_PKEY_is_a(key, "ED25519"))
        return "is not an Ed25519 key; make one with openssl genpkey -algorithm ED25519";
    if (!EVP_PKEY_get_raw_public_key(key, point, &n) || n != sizeof(point) || has_small_order(point))
        return "is an Ed25519 point of small order, under which anybody can sign: make a new key";
    return NULL;
}

static int passes_public_check(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int ok = context && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return ok;
}

static const char *check_family(apr_pool_t *pool, EVP_PKEY *key, const jwt_algorithm_t *algorithm)
{
    switch (algorithm->family) {
    case JWT_RSA:
    case JWT_RSA_PSS:
        return check_rsa(pool, key);
    case JWT_ECDSA:
        return check_ecdsa(pool, key, algorithm);
    case JWT_EDDSA:
        return check_eddsa(key);
    default:
        return "is a public key, but the algorithm needs a shared secret";
    }
}

const char *jwt_key_make_public(apr_pool_t *pool, const jwt_algorithm_t *algorithm, EVP_PKEY *public_key,
                                const char *id, jwt_key_t **made)
{
    const char *mend = begin(pool, algorithm, id, made);

    (*made)->public_key = public_key;
    if (!mend)
        mend = check_family(pool, public_key, algorithm);
    if (!mend && !passes_public_check(public_key))
        mend = "is not a sound public key (OpenSSL's check refuses it): make a new one";
    return mend;
}

const char *jwt_key_make(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                         const char *id, jwt_key_t **made)
{
    EVP_PKEY *public_key;

    if (algorithm->family == JWT_HMAC && !is_pem(bytes, n))
        return jwt_key_make_secret(pool, algorithm, bytes, n, id, made);
    if (algorithm->family == JWT_HMAC)
        return apr_psprintf(pool,
                            "holds a PEM key, but %s needs a shared secret: name the algorithm of that key, for "
                            "example RS256 or ES256",
                            algorithm->name);
    if (!is_pem(bytes, n) || !(public_key = public_half(bytes, n)))
        return apr_psprintf(pool,
                            "is not a PEM public key (nor an unencrypted PEM private key), which %s needs; write one "
                            "with openssl pkey -in private.pem -pubout",
                            algorithm->name);
    return jwt_key_make_public(pool, algorithm, public_key, id, made);
}

int jwt_key_collides(apr_pool_t *pool, const apr_array_header_t *keys, const jwt_key_t *added, const char **mend)
{
    for (int i = 0; i < keys->nelts; i++) {
        const jwt_key_t *key = APR_ARRAY_IDX(keys, i, const jwt_key_t *);

        if (added->id && key->id && !strcmp(added->id, key->id)) {
            *mend = apr_psprintf(pool, "two keys have the kid '%s'; give each its own", added->id);
            return 1;
        }
        if (!added->id && !key->id && added->algorithm == key->algorithm) {
            *mend = apr_psprintf(pool,
                                 "two keys for %s have no kid, so that no token could say which one it means; give one "
                                 "of them a kid",
                                 added->algorithm->name);
            return 1;
        }
    }
    return 0;
}

/* The only key of the algorithm that has a kid (or has none); NULL if there is not exactly one. */
static const jwt_key_t *only_key(const apr_array_header_t *keys, const char *algorithm, int with_id)
{
    const jwt_key_t *found = NULL;

    for (int i = 0; i < keys->nelts; i++) {
        const jwt_key_t *key = APR_ARRAY_IDX(keys, i, const jwt_key_t *);

        if ((key->id != NULL) == with_id && !strcmp(algorithm, key->algorithm->name)) {
            if (found)
                return NULL;
            found = key;
        }
    }
    return found;
}

const jwt_key_t *jwt_key_find(const apr_array_header_t *keys, const char *algorithm, const char *id)
{
    const jwt_key_t *key;

    if (!id)
        return (key = only_key(keys, algorithm, 0)) ? key : only_key(keys, algorithm, 1);
    for (int i = 0; i < keys->nelts; i++) {
        key = APR_ARRAY_IDX(keys, i, const jwt_key_t *);
        if (key->id && !strcmp(id, key->id))
            return strcmp(algorithm, key->algorithm->name) ? NULL : key;
    }
    return NULL;
}
