#include "identity_refresh_token.h"

#include "encoding.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <limits.h>
#include <string.h>

static const char PREFIX[] = "rt1_";

enum {
    PREFIX_LENGTH = sizeof(PREFIX) - 1,
    SESSION_LENGTH = 16,
    NUMBER_MOST = 5,
    MAC_LENGTH = 32,
    BYTES_MOST = SESSION_LENGTH + NUMBER_MOST + MAC_LENGTH,
    TEXT_MOST = 128
};

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The 16 bytes of a UUID in small letters. 0 if it is none. */
static int read_uuid(const char *text, unsigned char *bytes)
{
    int n = 0;

    for (int i = 0; i < 36; i++) {
        int high, low;

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return 0;
            continue;
        }
        if ((high = hexadecimal(text[i])) < 0 || (low = hexadecimal(text[i + 1])) < 0)
            return 0;
        bytes[n++] = (unsigned char)(high << 4 | low);
        i++;
    }
    return !text[36];
}

static const char *uuid_text(apr_pool_t *pool, const unsigned char *bytes)
{
    const char *hex = trestle_hex(pool, bytes, SESSION_LENGTH);

    return apr_psprintf(pool, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* LEB128. The number of bytes written. */
static apr_size_t write_number(unsigned number, unsigned char *bytes)
{
    apr_size_t n = 0;

    for (; number >= 0x80; number >>= 7)
        bytes[n++] = (unsigned char)(number | 0x80);
    bytes[n++] = (unsigned char)number;
    return n;
}

/* Reads all n bytes as a number in its shortest form, 0 to INT_MAX. -1 if they are none. */
static int read_number(const unsigned char *bytes, apr_size_t n)
{
    apr_uint64_t number = 0;

    for (apr_size_t i = 0; i < n; i++) {
        if ((bytes[i] & 0x80) != 0 ? i + 1 == n : i + 1 < n)
            return -1;
        number |= (apr_uint64_t)(bytes[i] & 0x7F) << 7 * i;
    }
    return (n > 1 && !bytes[n - 1]) || number > INT_MAX ? -1 : (int)number;
}

/* The HMAC of the prefix and n bytes. 0 if OpenSSL fails. */
static int sign(const identity_refresh_key_t *key, const unsigned char *bytes, apr_size_t n, unsigned char *mac)
{
    unsigned char input[PREFIX_LENGTH + BYTES_MOST];

    memcpy(input, PREFIX, PREFIX_LENGTH);
    memcpy(input + PREFIX_LENGTH, bytes, n);
    return HMAC(EVP_sha256(), key->bytes, (int)key->n, input, PREFIX_LENGTH + n, mac, NULL) != NULL;
}

const char *identity_refresh_token_make(apr_pool_t *pool, const identity_refresh_key_t *key, const char *session,
                                        int number)
{
    unsigned char bytes[BYTES_MOST];
    apr_size_t n;

    if (!read_uuid(session, bytes))
        return NULL;
    n = SESSION_LENGTH + write_number((unsigned)number, bytes + SESSION_LENGTH);
    if (!sign(key, bytes, n, bytes + n))
        return NULL;
    return apr_pstrcat(pool, PREFIX, trestle_base64url_encode(pool, bytes, n + MAC_LENGTH), NULL);
}

apr_status_t identity_refresh_token_read(apr_pool_t *pool, const identity_refresh_key_t *keys, int count,
                                         const char *text, apr_size_t length, identity_refresh_token_t *token)
{
    unsigned char *bytes, mac[MAC_LENGTH];
    apr_size_t n, signed_length;

    if (length < PREFIX_LENGTH || length > TEXT_MOST || memcmp(text, PREFIX, PREFIX_LENGTH)
        || trestle_base64url_decode(pool, text + PREFIX_LENGTH, length - PREFIX_LENGTH, &bytes, &n) != APR_SUCCESS
        || n <= SESSION_LENGTH + MAC_LENGTH || n > BYTES_MOST)
        return APR_EINVAL;
    signed_length = n - MAC_LENGTH;
    token->key = NULL;
    for (int i = 0; i < count; i++)
        if (sign(&keys[i], bytes, signed_length, mac) && !CRYPTO_memcmp(mac, bytes + signed_length, MAC_LENGTH))
            token->key = &keys[i];
    token->number = read_number(bytes + SESSION_LENGTH, signed_length - SESSION_LENGTH);
    token->session = uuid_text(pool, bytes);
    return token->key && token->number >= 0 ? APR_SUCCESS : APR_EINVAL;
}

const char *identity_refresh_token_hash(apr_pool_t *pool, const char *token)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)token, strlen(token), digest);
    return apr_pstrcat(pool, "\\x", trestle_hex(pool, digest, sizeof(digest)), NULL);
}
