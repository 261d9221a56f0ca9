#include "identity_stored.h"

#include <apr_strings.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    STORED_MOST = 512,
    SALT_MOST = 128,
    PBKDF2_MOST = 10000000,
    BCRYPT_LENGTH = 60,
    BCRYPT_READS = 72, /* bytes of a password; it ignores the rest */
    SCRYPT_N_MOST = 1 << 17,
    SCRYPT_R_MOST = 8,
    SCRYPT_P_MOST = 10,
    DIGEST_MOST = 64
};

/* A text between "$" signs. */
typedef struct {
    const char *bytes;
    size_t n;
} part_t;

/* Splits text at each "$" into exactly count parts. 0 if there are more or less. */
static int split(const char *text, part_t *parts, int count)
{
    for (int i = 0; i < count; i++) {
        parts[i].bytes = text;
        parts[i].n = strcspn(text, "$");
        text += parts[i].n;
        if ((*text == '$') != (i + 1 < count))
            return 0;
        text++;
    }
    return 1;
}

/* A decimal number from 1 to most without sign and leading zeros; 0 if it is none. */
static long number_of(part_t part, long most)
{
    if (!part.n || part.n > 8 || *part.bytes == '0' || strspn(part.bytes, "0123456789") < part.n)
        return 0;
    return strtol(part.bytes, NULL, 10) <= most ? strtol(part.bytes, NULL, 10) : 0;
}

static int is_salt(part_t part)
{
    return part.n >= 1 && part.n <= SALT_MOST;
}

/* What a hash in base64 is compared with: n bytes, in the spelling of passlib (no padding, "." for "+") or the usual. */
static int is_base64_of(part_t stored, const unsigned char *digest, apr_size_t n, int passlib)
{
    char text[(DIGEST_MOST + 2) / 3 * 4 + 1];
    size_t length = (size_t)EVP_EncodeBlock((unsigned char *)text, digest, (int)n);

    for (; passlib && text[length - 1] == '='; length--)
        ;
    for (size_t i = 0; passlib && i < length; i++)
        if (text[i] == '+')
            text[i] = '.';
    return stored.n == length && !CRYPTO_memcmp(stored.bytes, text, length);
}

/* 1 if a part has the length and letters of the base64 of n bytes. */
static int could_be_base64(part_t part, apr_size_t n, int passlib)
{
    size_t letters = (n * 8 + 5) / 6, padding = passlib ? 0 : (3 - n % 3) % 3;
    const char *alphabet = passlib ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./"
                                   : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return part.n == letters + padding && strspn(part.bytes, alphabet) >= letters
           && strspn(part.bytes + letters, "=") == padding;
}

/* The bytes of passlib's base64; their number, 0 if it is malformed or too long. */
static size_t read_passlib(part_t part, unsigned char *bytes)
{
    char text[SALT_MOST + 1];
    size_t n;

    if (!is_salt(part))
        return 0;
    memcpy(text, part.bytes, part.n);
    for (size_t i = 0; i < part.n; i++)
        if (text[i] == '.' || text[i] == '+')
            text[i] = text[i] == '.' ? '+' : '!';
    return sodium_base642bin(bytes, SALT_MOST, text, part.n, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)
               ? 0
               : n;
}

static identity_password_e outcome_of(int matches)
{
    return matches ? IDENTITY_PASSWORD_MATCHES : IDENTITY_PASSWORD_DIFFERS;
}

/* Each scheme's function verifies the text behind its prefix; with password NULL it only says MATCHES for a text whose
 * form and cost it accepts. */
typedef identity_password_e verify_t(const char *text, const char *password, apr_size_t n);

static identity_password_e verify_argon2(const char *text, const char *password, apr_size_t n)
{
    return password ? identity_password_verify(text, password, n) : outcome_of(identity_password_is_known(text));
}

static identity_password_e verify_pbkdf2(const char *text, const char *password, apr_size_t n, const EVP_MD *digest,
                                         int passlib)
{
    unsigned char decoded[SALT_MOST], hash[DIGEST_MOST];
    const unsigned char *salt = decoded;
    size_t size = (size_t)EVP_MD_size(digest), salt_length;
    part_t parts[3];
    long rounds;

    if (!split(text, parts, 3) || !(rounds = number_of(parts[0], PBKDF2_MOST)) || !is_salt(parts[1])
        || !could_be_base64(parts[2], size, passlib))
        return IDENTITY_PASSWORD_DIFFERS;
    salt_length = parts[1].n;
    if (!passlib)
        salt = (const unsigned char *)parts[1].bytes;
    else if (!(salt_length = read_passlib(parts[1], decoded)))
        return IDENTITY_PASSWORD_DIFFERS;
    if (!password)
        return IDENTITY_PASSWORD_MATCHES;
    if (!PKCS5_PBKDF2_HMAC(password, (int)n, salt, (int)salt_length, (int)rounds, digest, (int)size, hash))
        return IDENTITY_PASSWORD_FAILED;
    return outcome_of(is_base64_of(parts[2], hash, size, passlib));
}

static identity_password_e verify_pbkdf2_sha256(const char *text, const char *password, apr_size_t n)
{
    return verify_pbkdf2(text, password, n, EVP_sha256(), 0);
}

static identity_password_e verify_pbkdf2_sha1(const char *text, const char *password, apr_size_t n)
{
    return verify_pbkdf2(text, password, n, EVP_sha1(), 0);
}

static identity_password_e verify_passlib_sha256(const char *text, const char *password, apr_size_t n)
{
    return verify_pbkdf2(text, password, n, EVP_sha256(), 1);
}

/* crypt_r takes any other prefix for DES: nothing but what is surely bcrypt may reach it. */
static int is_bcrypt(const char *text)
{
    return strlen(text) == BCRYPT_LENGTH && !strncmp(text, "$2", 2) && strchr("aby", text[2]) && text[3] == '$'
           && ((text[4] == '0' && text[5] >= '4' && text[5] <= '9')
               || (text[4] == '1' && text[5] >= '0' && text[5] <= '5'))
           && text[6] == '$'
           && strspn(text + 7, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == BCRYPT_LENGTH - 7;
}

static identity_password_e verify_bcrypt(const char *text, const char *password, apr_size_t n)
{
    char read[BCRYPT_READS + 1];
    struct crypt_data *data;
    const char *hash;
    identity_password_e outcome = IDENTITY_PASSWORD_FAILED;

    if (!is_bcrypt(text))
        return IDENTITY_PASSWORD_DIFFERS;
    if (!password)
        return IDENTITY_PASSWORD_MATCHES;
    if (!(data = calloc(1, sizeof(*data))))
        return IDENTITY_PASSWORD_FAILED;
    apr_cpystrn(read, password, (n < BCRYPT_READS ? n : BCRYPT_READS) + 1);
    hash = crypt_r(read, text, data);
    if (hash && *hash != '*')
        outcome = outcome_of(strlen(hash) == BCRYPT_LENGTH && !CRYPTO_memcmp(hash, text, BCRYPT_LENGTH));
    sodium_memzero(read, sizeof(read));
    sodium_memzero(data, sizeof(*data));
    free(data);
    return outcome;
}

/* Django's way round the 72 bytes: bcrypt of the SHA-256 in hexadecimal. */
static identity_password_e verify_bcrypt_sha256(const char *text, const char *password, apr_size_t n)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    identity_password_e outcome;

    if (!password)
        return verify_bcrypt(text, NULL, 0);
    SHA256((const unsigned char *)password, n, digest);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    outcome = verify_bcrypt(text, hex, sizeof(hex) - 1);
    sodium_memzero(digest, sizeof(digest));
    sodium_memzero(hex, sizeof(hex));
    return outcome;
}

static identity_password_e verify_scrypt(const char *text, const char *password, apr_size_t n)
{
    const uint64_t memory = 256ULL * 1024 * 1024;
    unsigned char hash[DIGEST_MOST];
    part_t parts[5];
    long cost, block, lanes;

    if (!split(text, parts, 5) || !(cost = number_of(parts[0], SCRYPT_N_MOST)) || cost < 2 || (cost & (cost - 1))
        || !is_salt(parts[1]) || !(block = number_of(parts[2], SCRYPT_R_MOST))
        || !(lanes = number_of(parts[3], SCRYPT_P_MOST)) || !could_be_base64(parts[4], sizeof(hash), 0))
        return IDENTITY_PASSWORD_DIFFERS;
    if (!password)
        return IDENTITY_PASSWORD_MATCHES;
    if (!EVP_PBE_scrypt(password, n, (const unsigned char *)parts[1].bytes, parts[1].n, (uint64_t)cost, (uint64_t)block,
                        (uint64_t)lanes, memory, hash, sizeof(hash)))
        return IDENTITY_PASSWORD_FAILED;
    return outcome_of(is_base64_of(parts[4], hash, sizeof(hash), 0));
}

static const struct {
    const char *prefix;
    int length; /* of what the function does not get */
    identity_stored_e kind;
    verify_t *verify;
} schemes[] = {
    { "$argon2", 0, IDENTITY_STORED_ARGON2, verify_argon2 },
    { "argon2$", 6, IDENTITY_STORED_INHERITED, verify_argon2 },
    { "pbkdf2_sha256$", 14, IDENTITY_STORED_INHERITED, verify_pbkdf2_sha256 },
    { "pbkdf2_sha1$", 12, IDENTITY_STORED_INHERITED, verify_pbkdf2_sha1 },
    { "$pbkdf2-sha256$", 15, IDENTITY_STORED_INHERITED, verify_passlib_sha256 },
    { "$2", 0, IDENTITY_STORED_INHERITED, verify_bcrypt },
    { "bcrypt$", 7, IDENTITY_STORED_INHERITED, verify_bcrypt },
    { "bcrypt_sha256$", 14, IDENTITY_STORED_INHERITED, verify_bcrypt_sha256 },
    { "scrypt$", 7, IDENTITY_STORED_INHERITED, verify_scrypt },
};

/* The index of the scheme that accepts the text; -1 if none does. */
static int scheme_of(const char *stored)
{
    if (strlen(stored) <= STORED_MOST)
        for (int i = 0; i < (int)(sizeof(schemes) / sizeof(schemes[0])); i++)
            if (!strncmp(stored, schemes[i].prefix, strlen(schemes[i].prefix)))
                return schemes[i].verify(stored + schemes[i].length, NULL, 0) == IDENTITY_PASSWORD_MATCHES ? i : -1;
    return -1;
}

identity_stored_e identity_stored_kind(const char *stored)
{
    int scheme = scheme_of(stored);

    return scheme < 0 ? IDENTITY_STORED_UNKNOWN : schemes[scheme].kind;
}

identity_password_e identity_stored_verify(const char *stored, const char *password, apr_size_t n)
{
    int scheme = scheme_of(stored);

    return scheme < 0 ? IDENTITY_PASSWORD_DIFFERS
                      : schemes[scheme].verify(stored + schemes[scheme].length, password, n);
}

const char *identity_stored_dummy(apr_pool_t *pool, const char *kind, int cost)
{
    const char *dummy = NULL;

    if (!strcmp(kind, "pbkdf2_sha256"))
        dummy = apr_psprintf(pool, "pbkdf2_sha256$%d$trestle dummy$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", cost);
    else if (!strcmp(kind, "bcrypt"))
        dummy = apr_psprintf(pool, "$2b$%02d$.....................................................", cost);
    return dummy && identity_stored_kind(dummy) != IDENTITY_STORED_UNKNOWN ? dummy : NULL;
}
