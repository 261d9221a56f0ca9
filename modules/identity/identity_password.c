#include "identity_password.h"

#include <apr_strings.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MOST = 1048576, PASSES_MOST = 10, LANES_MOST = 16, STORED_MOST = 512 };

/* Reads "prefix" and a number of at most 7 digits without leading zero; the text behind it, or NULL. */
static const char *number_after(const char *text, const char *prefix, long *number)
{
    size_t n = strlen(prefix), digits;

    if (!text || strncmp(text, prefix, n))
        return NULL;
    text += n;
    digits = strspn(text, "0123456789");
    if (!digits || digits > 7 || *text == '0')
        return NULL;
    *number = strtol(text, NULL, 10);
    return text + digits;
}

/* Reads "$" and least to most characters of base64 without padding; the text behind it, or NULL. */
static const char *base64_after(const char *text, size_t least, size_t most)
{
    size_t n;

    if (!text || *text != '$')
        return NULL;
    n = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    return n >= least && n <= most ? text + 1 + n : NULL;
}

int identity_password_is_known(const char *stored)
{
    long memory = 0, passes = 0, lanes = 0;
    const char *rest;

    if (strlen(stored) > STORED_MOST)
        return 0;
    if (strncmp(stored, "$argon2id$v=19$", 15) == 0)
        rest = stored + 14;
    else if (strncmp(stored, "$argon2i$v=19$", 14) == 0)
        rest = stored + 13;
    else
        return 0;
    rest = number_after(rest, "$m=", &memory);
    rest = number_after(rest, ",t=", &passes);
    rest = number_after(rest, ",p=", &lanes);
    rest = base64_after(rest, 11, 86);
    rest = base64_after(rest, 22, 86);
    return rest && !*rest && memory >= 8 * lanes && memory <= MEMORY_MOST && passes <= PASSES_MOST
           && lanes <= LANES_MOST;
}

identity_password_e identity_password_verify(const char *stored, const char *password, apr_size_t n)
{
    errno = 0;
    if (crypto_pwhash_str_verify(stored, password, n) == 0)
        return IDENTITY_PASSWORD_MATCHES;
    return errno == ENOMEM ? IDENTITY_PASSWORD_FAILED : IDENTITY_PASSWORD_DIFFERS;
}

const char *identity_password_hash(apr_pool_t *pool, const char *password, apr_size_t n, const identity_cost_t *cost)
{
    char *hash = apr_palloc(pool, crypto_pwhash_STRBYTES);

    return crypto_pwhash_str(hash, password, n, (unsigned long long)cost->passes, (size_t)cost->memory) == 0 ? hash
                                                                                                             : NULL;
}

/* What a hash of that cost begins with. */
static void write_cost(const identity_cost_t *cost, char *text, size_t size)
{
    apr_snprintf(text, size, "$argon2id$v=19$m=%ld,t=%d,p=1$", (long)(cost->memory / 1024), cost->passes);
}

int identity_password_has_cost(const char *stored, const identity_cost_t *cost)
{
    char start[64];

    write_cost(cost, start, sizeof(start));
    return identity_password_is_known(stored) && !strncmp(stored, start, strlen(start));
}

const char *identity_password_dummy(apr_pool_t *pool, const identity_cost_t *cost)
{
    char start[64];

    write_cost(cost, start, sizeof(start));
    return apr_pstrcat(pool, start, "dHJlc3RsZSBkdW1teSAhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
}
