/* JSON Web Keys: those of the RFCs with their tokens, sets, and keys that are refused. */
#include "auth_jwt_tokens.h"

#include "auth_jwt/jwt_jwk.h"

static apr_array_header_t *keys;
static int is_secret;

/* Reads text into a fresh keys; NULL or the mend. */
static const char *read_keys(const char *text, const char *algorithm)
{
    keys = apr_array_make(pool, 2, sizeof(jwt_key_t *));
    return jwt_jwk_read(pool, text, strlen(text), algorithm ? jwt_algorithm(algorithm) : NULL, keys, &is_secret);
}

static const jwt_key_t *only_key(const char *text, const char *algorithm)
{
    const char *mend = read_keys(text, algorithm);

    if (mend)
        fail_msg("%s", mend);
    assert_int_equal(keys->nelts, 1);
    return APR_ARRAY_IDX(keys, 0, const jwt_key_t *);
}

/* RFC 7520 sections 3.3, 3.1, 3.5: the public keys and the secret of section 4. */
static const char JWK_RSA[] =
    "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7"
    "bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-Qt"
    "iWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJl"
    "sde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRh"
    "uaxwUkRz5iaiQkqgc5gHdrNP5zw\",\"e\":\"AQAB\"}";
static const char JWK_EC[] =
    "{\"kty\":\"EC\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"crv\":\"P-521\",\"x\":"
    "\"AHKZLLOsCOzz5c"
    "Y97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\",\"y\":\"AdymlHvOiLxXkEh"
    "ayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}";
static const char JWK_OCT[] =
    "{\"kty\":\"oct\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037\",\"use\":\"sig\",\"alg\":"
    "\"HS256\",\"k\":\"hJtXIZ2"
    "uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg\"}";

/* RFC 7520 sections 4.1 to 4.4. */
#define PAYLOAD                                                                                                        \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb2"                       \
    "50byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcg"                       \
    "d2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
static const struct {
    const char *key, *algorithm, *token;
} COOKBOOK[] = {
    { JWK_RSA, "RS256",
      "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD "."
      "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7P"
      "NDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9e"
      "Ro4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4"
      "uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg" },
    { JWK_RSA, "PS384",
      "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD "."
      "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dD"
      "DItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ij"
      "Q7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAj"
      "VKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw" },
    { JWK_EC, "ES512",
      "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD "."
      "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPB"
      "u_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2" },
    { JWK_OCT, "HS256",
      "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." PAYLOAD "."
      "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0" },
};

static void cookbook_of_rfc_7520(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(COOKBOOK) / sizeof(COOKBOOK[0]); i++) {
        const jwt_key_t *key = only_key(COOKBOOK[i].key, COOKBOOK[i].algorithm);
        char *changed = apr_pstrdup(pool, COOKBOOK[i].token);
        jwt_token_t token;

        assert_string_equal(key->algorithm->name, COOKBOOK[i].algorithm);
        assert_true(verifies(key, COOKBOOK[i].token));
        assert_null(jwt_token_parse(pool, COOKBOOK[i].token, strlen(COOKBOOK[i].token), 8192, &token));
        assert_ptr_equal(jwt_key_find(keys, token.algorithm, token.key_id), key);
        assert_int_equal(is_secret, key->algorithm->family == JWT_HMAC);
        strchr(changed, '.')[5] ^= 1;
        assert_false(verifies(key, changed));
    }
}

/* RFC 7515 appendix A.1; RFC 8037 appendices A.1, A.2 and A.4. */
static void keys_of_other_rfcs(void **state)
{
    static const char secret[] =
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Y"
        "j0iPS4hcgUuTwjAzZr1Z9CAow\"}";
    static const char signed_by_secret[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    static const char private[] =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    static const char public[] =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    static const char signed_by_private[] =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI"
        "bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    (void)state;
    assert_true(verifies(only_key(secret, "HS256"), signed_by_secret));
    assert_true(is_secret);
    assert_true(verifies(only_key(public, NULL), signed_by_private));
    assert_false(is_secret);
    assert_true(verifies(only_key(private, NULL), signed_by_private));
    assert_true(is_secret);
}

/* RFC 7517 appendix A.1: one key for encryption, one for signatures. */
static const char SET[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":\"4Etl6S"
    "RW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"},{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuP"
    "iLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
    "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBni"
    "Iqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}";

static void sets_give_what_is_for_signatures(void **state)
{
    static const char several[] =
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"a\",\"k\":"
        "\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\"},"
        "{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"b\",\"key_ops\":[\"sign\",\"verify\"],"
        "\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\"},"
        "{\"kty\":\"oct\",\"kid\":\"c\",\"key_ops\":[\"encrypt\"],\"k\":\"AA\"},"
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"},{\"kty\":\"EC\",\"crv\":\"secp256k1\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"alg\":\"ES256\"},{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\"},{\"kty\":\"new\"}]"
        "}";
    const jwt_key_t *key = only_key(SET, NULL);

    (void)state;
    assert_string_equal(key->id, "2011-04-29");
    assert_string_equal(key->algorithm->name, "RS256");
    assert_false(is_secret);
    assert_null(read_keys(several, NULL));
    assert_int_equal(keys->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(keys, 1, const jwt_key_t *)->id, "b");
}

static void refused(const char *text, const char *algorithm, const char *mend)
{
    const char *got = read_keys(text, algorithm);

    if (!got || !strstr(got, mend))
        fail_msg("%s: %s", text, got ? got : "accepted");
}

/* The JWK with another value (between its quotes) for a member. */
static const char *with(const char *jwk, const char *member, const char *value)
{
    const char *at = strstr(jwk, apr_psprintf(pool, "\"%s\":\"", member)), *end;

    assert_non_null(at);
    at += strlen(member) + 4;
    end = strchr(at, '"');
    return apr_pstrcat(pool, apr_pstrmemdup(pool, jwk, (apr_size_t)(at - jwk)), value, end, NULL);
}

static const char *number(EVP_PKEY *key, const char *parameter)
{
    unsigned char bytes[1100];
    BIGNUM *value = NULL;
    int n;

    assert_int_equal(EVP_PKEY_get_bn_param(key, parameter, &value), 1);
    n = BN_bn2bin(value, bytes);
    BN_free(value);
    return trestle_base64url_encode(pool, bytes, (apr_size_t)n);
}

static void malformed_texts_are_refused(void **state)
{
    (void)state;
    refused("", NULL, "must be a JSON object");
    refused("[]", NULL, "must be a JSON object");
    refused("{\"kty\":\"oct\",\"kty\":\"RSA\"}", NULL, "no member twice");
    refused("{\"keys\":{}}", NULL, "a set with an array keys");
    refused("{\"keys\":[]}", NULL, "has no key that verifies");
    refused("{\"keys\":[1]}", NULL, "key 1 is no JWK");
    refused("{\"k\":\"AA\"}", NULL, "needs a kty");
    refused("{\"kty\":\"EC\",\"crv\":\"secp256k1\"}", NULL, "has no key that verifies");
    refused(JWK_RSA, NULL, "names no alg");
    refused(JWK_RSA, "HS256", "names no alg");
    refused(JWK_RSA, "ES256", "names no alg");
    refused(with(JWK_OCT, "alg", "none"), NULL, "has no key that verifies");
    refused(with(JWK_OCT, "alg", "RS256"), NULL, "has no key that verifies");
    refused(with(JWK_OCT, "kid", "a b"), NULL, "no proper kid");
    refused(apr_pstrcat(pool, "{\"keys\":[", JWK_OCT, ",", JWK_OCT, "]}", NULL), NULL,
            "key 2 cannot be told from another");
}

static void hostile_keys_are_refused(void **state)
{
    EVP_PKEY *small = EVP_RSA_gen(1024), *p384 = EVP_EC_gen("P-384");
    const char *small_key = with(JWK_RSA, "n", number(small, OSSL_PKEY_PARAM_RSA_N));

    (void)state;
    refused(with(JWK_OCT, "alg", "HS512"), NULL, "is too short");
    refused(with(JWK_OCT, "k", "AAAA"), NULL, "is too short");
    refused(with(JWK_OCT, "k", ""), NULL, "k must be base64url");
    refused(with(JWK_OCT, "k", "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYh"), NULL,
            "k must be base64url"); /* unused bits */
    refused(with(JWK_OCT, "k", "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg"), NULL, "k must be base64url");
    refused(with(JWK_RSA, "e", "AQ"), "RS256", "not a sound public key");
    refused(with(JWK_RSA, "e", "Ag"), "RS256", "not a sound public key");
    refused(with(JWK_RSA, "e", "AQAA"), "RS256", "not a sound public key");
    refused(with(JWK_RSA, "e", "AAEAAQ"), "RS256", "without leading zeros");
    refused(with(JWK_RSA, "e", "AQAB="), "RS256", "without leading zeros");
    refused(with(JWK_RSA, "n", ""), "PS256", "without leading zeros");
    refused(small_key, "RS256", "has 1024 bits");
    refused(apr_pstrcat(pool, "{\"keys\":[", JWK_OCT, ",", small_key, "]}", NULL), "RS256", "key 2 has 1024 bits");
    refused(
        with(JWK_EC, "y", "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR2"),
        NULL, "on the curve");
    refused(with(JWK_EC, "x", number(p384, OSSL_PKEY_PARAM_EC_PUB_X)), NULL, "as long as the curve's field");
    refused(with(JWK_EC, "crv", "P-256"), NULL, "as long as the curve's field");
    refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
            "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
            NULL, "on the curve");
    refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", NULL,
            "small order");
    refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", NULL, "32 bytes");
    EVP_PKEY_free(small);
    EVP_PKEY_free(p384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookbook_of_rfc_7520),
        cmocka_unit_test(keys_of_other_rfcs),
        cmocka_unit_test(sets_give_what_is_for_signatures),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(hostile_keys_are_refused),
    };

    return cmocka_run_group_tests_name("auth_jwt jwk", tests, setup, teardown);
}
