/*
 * Keys and tokens for the tests of mod_auth_jwt's core. What is made here is made with OpenSSL alone, so that it is an
 * opinion of its own.
 */
#ifndef AUTH_JWT_TOKENS_H
#define AUTH_JWT_TOKENS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth_jwt/jwt_key.h"
#include "auth_jwt/jwt_token.h"
#include "auth_jwt/jwt_verify.h"
#include "encoding.h"

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static const char SECRET[] = "an HMAC secret for tests, of 64 bytes, which is enough for HS512";

/* The PEM text of a key's public half, or of the whole key. */
static inline const char *pem_of(EVP_PKEY *key, int private)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes, *text;
    long n;

    assert_true(private ? PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL)
                        : PEM_write_bio_PUBKEY(memory, key));
    n = BIO_get_mem_data(memory, &bytes);
    text = apr_pstrmemdup(pool, bytes, (apr_size_t)n);
    BIO_free(memory);
    return text;
}

static inline const char *encoded(const char *text)
{
    return trestle_base64url_encode(pool, (const unsigned char *)text, strlen(text));
}

/* The raw signature of RFC 7518 section 3.4 from OpenSSL's DER. */
static inline size_t raw_signature(const unsigned char *der, size_t n, unsigned char *raw, int size)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);

    assert_non_null(signature);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, size), size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + size, size), size);
    ECDSA_SIG_free(signature);
    return 2 * (size_t)size;
}

/* header.payload.signature, signed by the named algorithm with key (NULL: with SECRET), whatever the header says. */
static inline const char *forge(const char *header, const char *payload, const char *algorithm, EVP_PKEY *key)
{
    const jwt_algorithm_t *by = jwt_algorithm(algorithm);
    const char *text = apr_pstrcat(pool, encoded(header), ".", encoded(payload), NULL);
    unsigned char signature[1100], raw[132];
    size_t n = sizeof(signature);
    unsigned mac_length;

    if (by->family == JWT_HMAC) {
        assert_non_null(HMAC(EVP_get_digestbyname(by->digest), SECRET, (int)strlen(SECRET), (const unsigned char *)text,
                             strlen(text), signature, &mac_length));
        n = mac_length;
    } else {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *parameters;

        assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, by->digest, NULL, NULL, key, NULL), 1);
        if (by->family == JWT_RSA_PSS) {
            assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
            assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
        }
        assert_int_equal(EVP_DigestSign(context, signature, &n, (const unsigned char *)text, strlen(text)), 1);
        EVP_MD_CTX_free(context);
        if (by->family == JWT_ECDSA) {
            n = raw_signature(signature, n, raw, (int)by->size);
            memcpy(signature, raw, n);
        }
    }
    return apr_pstrcat(pool, text, ".", trestle_base64url_encode(pool, signature, n), NULL);
}

/* A key of bytes that must be good. */
static inline jwt_key_t *key_of(const char *algorithm, const char *bytes, const char *id)
{
    jwt_key_t *key = NULL;

    assert_null(jwt_key_make(pool, jwt_algorithm(algorithm), bytes, strlen(bytes), id, &key));
    return key;
}

/* 1 if text is a token and its signature is of key. */
static inline int verifies(const jwt_key_t *key, const char *text)
{
    jwt_token_t token;

    return jwt_token_parse(pool, text, strlen(text), 65536, &token) == NULL && jwt_verify(key, &token);
}

#endif
