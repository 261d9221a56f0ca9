/*
 * Everything that a stranger's token goes through: finding it in headers, parsing, signature, claims. The first line of
 * the input is the Authorization header, the rest the Cookie header; and the whole is tried as payload, which only a
 * signer could make us parse.
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth_jwt/jwt_caller.h"
#include "auth_jwt/jwt_claims.h"
#include "auth_jwt/jwt_credential.h"
#include "auth_jwt/jwt_key.h"
#include "auth_jwt/jwt_require.h"
#include "auth_jwt/jwt_token.h"
#include "auth_jwt/jwt_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *configuration;
static jwt_key_t *keys[2];
static apr_array_header_t *sources;
static jwt_path_t path;
static jwt_require_t claim, scope;

/* The leak checker does not look into APR's memory for what OpenSSL allocated. */
static void release(void)
{
    apr_pool_destroy(configuration);
}

static void configure(void)
{
    apr_array_header_t *words;
    static const char secret[] = "an HMAC secret for fuzzing, of enough bytes for HS256";
    static const char point[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                                "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                                "-----END PUBLIC KEY-----\n";

    apr_initialize();
    apr_pool_create(&configuration, NULL);
    atexit(release);
    if (jwt_key_make(configuration, jwt_algorithm("HS256"), secret, strlen(secret), NULL, &keys[0])
        || jwt_key_make(configuration, jwt_algorithm("ES256"), point, strlen(point), NULL, &keys[1]))
        abort();
    words = apr_array_make(configuration, 2, sizeof(const char *));
    APR_ARRAY_PUSH(words, const char *) = "/a~1b/c";
    APR_ARRAY_PUSH(words, const char *) = "10";
    if (jwt_path_parse(configuration, "/roles/0", &path) || jwt_require_parse_claim(configuration, words, &claim)
        || jwt_require_parse_names(configuration, "scope", words, &scope))
        abort();
    sources = apr_array_make(configuration, 2, sizeof(jwt_source_t));
    APR_ARRAY_PUSH(sources, jwt_source_t) = (jwt_source_t){ JWT_FROM_BEARER, NULL };
    APR_ARRAY_PUSH(sources, jwt_source_t) = (jwt_source_t){ JWT_FROM_COOKIE, "session" };
}

static void try_claims(apr_pool_t *pool, const char *text, size_t size)
{
    const jwt_rules_t rules = { "https://a.example", "shop", NULL, 0, apr_time_from_sec(60) };
    const jwt_rules_t lax = { NULL, NULL, NULL, apr_time_from_sec(30), 0 };
    const jwt_mapping_t mapping = { "user", &path, NULL, &path };
    const jwt_json_t *claims = jwt_json_object(pool, text, size);

    if (claims) {
        jwt_claims_check(claims, &rules, apr_time_from_sec(1000));
        if (!jwt_claims_check(claims, &lax, apr_time_from_sec(1000)))
            jwt_caller_make(pool, claims, text, &mapping, "bearer");
        jwt_require_claim(&claim, claims);
        jwt_require_scope(&scope, jwt_json_member(claims, "scope"));
    }
}

static void try_token(apr_pool_t *pool, const char *text, size_t size)
{
    jwt_token_t token;

    if (jwt_token_parse(pool, text, size, 8192, &token))
        return;
    for (unsigned i = 0; i < 2; i++)
        if (jwt_verify(keys[i], &token))
            try_claims(pool, token.payload, token.payload_length);
    try_claims(pool, token.payload, token.payload_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jwt_credential_t credential;
    apr_table_t *headers;
    apr_pool_t *pool;
    char *text, *line_end;

    if (!configuration)
        configure();
    apr_pool_create(&pool, NULL);
    text = apr_pstrmemdup(pool, (const char *)data, size);
    try_token(pool, text, size);
    try_claims(pool, text, size);

    headers = apr_table_make(pool, 2);
    if ((line_end = strchr(text, '\n'))) {
        *line_end = '\0';
        apr_table_setn(headers, "Cookie", line_end + 1);
    }
    if (*text)
        apr_table_setn(headers, "Authorization", text);
    if (jwt_credential_find(headers, sources, &credential) == JWT_CREDENTIAL_FOUND)
        try_token(pool, credential.text, credential.length);
    apr_pool_destroy(pool);
    return 0;
}
