#include "encoding.h"

#include "text.h"

#include <apr_general.h>
#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *trestle_base64url_encode(apr_pool_t *pool, const unsigned char *bytes, apr_size_t n)
{
    char *text = apr_palloc(pool, (n + 2) / 3 * 4 + 1), *out = text;
    apr_size_t i;

    for (i = 0; i + 2 < n; i += 3) {
        unsigned v = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];

        *out++ = ALPHABET[v >> 18];
        *out++ = ALPHABET[v >> 12 & 63];
        *out++ = ALPHABET[v >> 6 & 63];
        *out++ = ALPHABET[v & 63];
    }
    if (i < n) {
        unsigned v = (unsigned)bytes[i] << 16 | (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0);

        *out++ = ALPHABET[v >> 18];
        *out++ = ALPHABET[v >> 12 & 63];
        if (i + 1 < n)
            *out++ = ALPHABET[v >> 6 & 63];
    }
    *out = '\0';
    return text;
}

/* The value of each character of the alphabet, -1 for others. A table, because the branches of comparisons mispredict. */
static const signed char VALUES[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};

apr_status_t trestle_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t length, unsigned char **bytes,
                                      apr_size_t *n)
{
    unsigned char *out;
    unsigned bits = 0, have = 0;
    apr_size_t i;

    if (length % 4 == 1)
        return APR_EINVAL;
    *bytes = out = apr_palloc(pool, length / 4 * 3 + 3);
    for (i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        int v = c < 128 ? VALUES[c] : -1;

        if (v < 0)
            return APR_EINVAL;
        bits = bits << 6 | (unsigned)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (unsigned char)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    if (bits != 0)
        return APR_EINVAL;
    *n = (apr_size_t)(out - *bytes);
    *out = '\0';
    return APR_SUCCESS;
}

char *trestle_hex(apr_pool_t *pool, const unsigned char *bytes, apr_size_t n)
{
    char *text = apr_palloc(pool, n * 2 + 1), *out = text;

    for (apr_size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
    return text;
}

int trestle_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

apr_ssize_t trestle_form_decode(const char *text, apr_size_t n, char *out)
{
    apr_size_t length = 0;

    for (apr_size_t i = 0; i < n; i++) {
        char c = text[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < n ? trestle_hex_digit(text[i + 1]) : -1;
            int low = i + 2 < n ? trestle_hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c)
            return -1;
        out[length++] = c;
    }
    return trestle_utf8_valid(out, length) ? (apr_ssize_t)length : -1;
}

char *trestle_uuid(apr_pool_t *pool)
{
    unsigned char random[16];
    char *hex, *text = apr_palloc(pool, 37);

    if (apr_generate_random_bytes(random, sizeof(random)) != APR_SUCCESS)
        return NULL;
    random[6] = (random[6] & 0x0F) | 0x40;
    random[8] = (random[8] & 0x3F) | 0x80;
    hex = trestle_hex(pool, random, sizeof(random));
    memcpy(text, hex, 8);
    text[8] = text[13] = text[18] = text[23] = '-';
    memcpy(text + 9, hex + 8, 4);
    memcpy(text + 14, hex + 12, 4);
    memcpy(text + 19, hex + 16, 4);
    memcpy(text + 24, hex + 20, 13);
    return text;
}

int trestle_uuid_valid(const char *text)
{
    for (int i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : trestle_hex_digit(text[i]) < 0)
            return 0;
    return !text[36];
}
