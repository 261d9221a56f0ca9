#include "jwt_verify.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/* The longest DER form of an ECDSA signature of two 66-byte numbers: 2 * (3 + 66) and a header of 3. */
enum { DER_SIGNATURE_MOST = 144 };

static int verify_hmac(const jwt_key_t *key, const jwt_token_t *token)
{
    unsigned char computed[EVP_MAX_MD_SIZE];
    EVP_MAC_CTX *mac;
    size_t n = 0;
    int ok;

    if (token->signature_length != key->algorithm->size || !(mac = EVP_MAC_CTX_dup(key->mac)))
        return 0;
    ok = EVP_MAC_update(mac, (const unsigned char *)token->signed_part, token->signed_length)
         && EVP_MAC_final(mac, computed, &n, sizeof(computed)) && n == token->signature_length
         && CRYPTO_memcmp(computed, token->signature, n) == 0;
    EVP_MAC_CTX_free(mac);
    return ok;
}

/* One number of a raw signature as a DER INTEGER: no leading zeros but the one that keeps it positive. */
static apr_size_t der_integer(unsigned char *out, const unsigned char *number, apr_size_t n)
{
    apr_size_t length = 0;

    while (n > 1 && *number == 0)
        number++, n--;
    out[length++] = 0x02;
    out[length++] = (unsigned char)(n + (*number >> 7));
    if (*number >> 7)
        out[length++] = 0;
    for (apr_size_t i = 0; i < n; i++)
        out[length++] = number[i];
    return length;
}

/* r and s of RFC 7518 section 3.4 as the SEQUENCE that OpenSSL reads; size bytes each. */
static apr_size_t der_signature(unsigned char *out, const unsigned char *raw, apr_size_t size)
{
    unsigned char numbers[DER_SIGNATURE_MOST];
    apr_size_t n = der_integer(numbers, raw, size), length = 0;

    n += der_integer(numbers + n, raw + size, size);
    out[length++] = 0x30;
    if (n > 127)
        out[length++] = 0x81;
    out[length++] = (unsigned char)n;
    for (apr_size_t i = 0; i < n; i++)
        out[length++] = numbers[i];
    return length;
}

/* Padding as RFC 7518 section 3.5 has it: MGF1 with the same digest, a salt as long as the digest. */
static int use_pss(EVP_PKEY_CTX *context, const EVP_MD *digest)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0
           && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0
           && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static int verify_public(const jwt_key_t *key, const jwt_token_t *token)
{
    const unsigned char *signature = token->signature;
    unsigned char der[DER_SIGNATURE_MOST];
    apr_size_t n = token->signature_length, size = key->algorithm->size;
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context;
    int ok;

    if (key->algorithm->family == JWT_ECDSA) {
        if (n != 2 * size)
            return 0;
        n = der_signature(der, signature, size);
        signature = der;
    } else if (n != (apr_size_t)EVP_PKEY_get_size(key->public_key)) {
        return 0;
    }
    if (!(context = EVP_MD_CTX_new()))
        return 0;
    ok = EVP_DigestVerifyInit(context, &parameters, key->digest, NULL, key->public_key) == 1
         && (key->algorithm->family != JWT_RSA_PSS || use_pss(parameters, key->digest))
         && EVP_DigestVerify(context, signature, n, (const unsigned char *)token->signed_part, token->signed_length)
                == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

int jwt_verify(const jwt_key_t *key, const jwt_token_t *token)
{
    int ok = key->algorithm->family == JWT_HMAC ? verify_hmac(key, token) : verify_public(key, token);

    /* What is left in the queue would be read as its own by mod_ssl on this thread. */
    if (!ok)
        ERR_clear_error();
    return ok;
}
