/*
 * What a token costs: CPU time of one verification (parse, signature, claims, caller) and of one signature, in
 * microseconds, a line each.
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth_jwt/jwt_caller.h"
#include "auth_jwt/jwt_claims.h"
#include "auth_jwt/jwt_sign.h"
#include "auth_jwt/jwt_token.h"
#include "auth_jwt/jwt_verify.h"

static const char CLAIMS[] = "{\"user_id\":12,\"token_type\":\"session\",\"sub\":\"12\","
                             "\"sid\":\"6f1f0b39-9b7b-4b7e-9d3f-1c2d3e4f5a6b\","
                             "\"jti\":\"6f1f0b39-9b7b-4b7e-9d3f-1c2d3e4f5a6c\",\"iss\":\"https://localhost:8444\","
                             "\"aud\":\"videoplanet\",\"iat\":1799999000,\"exp\":1802000000}";
static const jwt_rules_t RULES = { "https://localhost:8444", "videoplanet", NULL, 30 * APR_USEC_PER_SEC, 0 };
static const jwt_mapping_t MAPPING = { "videoplanet_user", NULL, NULL, NULL };

static double cpu_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void verify(apr_pool_t *pool, const jwt_key_t *key, const char *text)
{
    jwt_token_t token;
    const jwt_json_t *claims;

    if (jwt_token_parse(pool, text, strlen(text), 8192, &token) || !jwt_verify(key, &token)
        || !(claims = jwt_json_object(pool, token.payload, token.payload_length))
        || jwt_claims_check(claims, &RULES, apr_time_from_sec(1800000000)))
        abort();
    jwt_caller_make(pool, claims, token.payload, &MAPPING, "bearer");
}

static const char *private_pem(apr_pool_t *pool, EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes, *text;
    long n;

    if (!PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL))
        abort();
    n = BIO_get_mem_data(memory, &bytes);
    text = apr_pstrmemdup(pool, bytes, (apr_size_t)n);
    BIO_free(memory);
    EVP_PKEY_free(key);
    return text;
}

static void measure(apr_pool_t *pool, const char *algorithm, const char *secret, int rounds)
{
    apr_pool_t *scratch;
    jwt_signer_t *signer;
    const char *token;
    jwt_key_t *key;
    double start;

    apr_pool_create(&scratch, pool);
    if (jwt_key_make(pool, jwt_algorithm(algorithm), secret, strlen(secret), NULL, &key)
        || jwt_signer_make(pool, jwt_algorithm(algorithm), secret, strlen(secret), NULL, &signer)
        || jwt_sign(pool, signer, CLAIMS, &token) != APR_SUCCESS)
        abort();
    start = cpu_time();
    for (int i = 0; i < rounds; i++, apr_pool_clear(scratch))
        verify(scratch, key, token);
    printf("jwt verify %s %.2f us\n", algorithm, (cpu_time() - start) / rounds);
    rounds = rounds / 10;
    start = cpu_time();
    for (int i = 0; i < rounds; i++, apr_pool_clear(scratch))
        if (jwt_sign(scratch, signer, CLAIMS, &token) != APR_SUCCESS)
            abort();
    printf("jwt sign %s %.2f us\n", algorithm, (cpu_time() - start) / rounds);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    measure(pool, "HS256", "a secret for measurements, of 64 bytes or so, which do not matter", 200000);
    measure(pool, "RS256", private_pem(pool, EVP_RSA_gen(2048)), 3000);
    measure(pool, "ES256", private_pem(pool, EVP_EC_gen("P-256")), 3000);
    apr_pool_destroy(pool);
    return 0;
}
