/* Keys that are refused while configuring, the choice among keys, and signing; libjwt as second opinion. */
#include "auth_jwt_tokens.h"

#include "auth_jwt/jwt_sign.h"

#include <jwt.h>
#include <sodium.h>

static const char *mend(const char *algorithm, const char *bytes)
{
    jwt_key_t *key;

    return jwt_key_make(pool, jwt_algorithm(algorithm), bytes, strlen(bytes), NULL, &key);
}

static void algorithms_have_one_name(void **state)
{
    (void)state;
    assert_non_null(jwt_algorithm("HS256"));
    assert_non_null(jwt_algorithm("EdDSA"));
    assert_null(jwt_algorithm("none"));
    assert_null(jwt_algorithm("None"));
    assert_null(jwt_algorithm("NONE"));
    assert_null(jwt_algorithm("hs256"));
    assert_null(jwt_algorithm("HS256 "));
    assert_null(jwt_algorithm("ES256K"));
    assert_null(jwt_algorithm(""));
}

static void secrets_are_as_long_as_the_digest(void **state)
{
    (void)state;
    assert_non_null(mend("HS256", ""));
    assert_non_null(mend("HS256", "1234567890123456789012345678901"));
    assert_null(mend("HS256", "12345678901234567890123456789012"));
    assert_non_null(mend("HS384", "12345678901234567890123456789012"));
    assert_null(mend("HS512", SECRET));
    assert_non_null(strstr(mend("HS256", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAO"), "PEM"));
}

/* An RSA public key of these numbers, as PEM text. */
static const char *rsa_pem(const BIGNUM *n, unsigned long e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *exponent = BN_new();
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters;
    const char *text;

    BN_set_word(exponent, e);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    text = pem_of(key, 0);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(exponent);
    return text;
}

static void hostile_rsa_keys_are_refused(void **state)
{
    EVP_PKEY *good = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024);
    BIGNUM *n = NULL, *small_n = NULL;

    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(good, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(small, OSSL_PKEY_PARAM_RSA_N, &small_n), 1);
    assert_null(mend("RS256", rsa_pem(n, 65537)));
    assert_null(mend("PS512", rsa_pem(n, 3)));
    assert_non_null(mend("RS256", rsa_pem(n, 1)));
    assert_non_null(mend("RS256", rsa_pem(n, 2)));
    assert_non_null(mend("RS256", rsa_pem(n, 65536)));
    assert_non_null(strstr(mend("RS256", rsa_pem(small_n, 65537)), "1024 bits"));
    BN_clear_bit(n, 0);
    assert_non_null(mend("RS256", rsa_pem(n, 65537)));
    EVP_PKEY_free(good);
    EVP_PKEY_free(small);
    BN_free(n);
    BN_free(small_n);
}

static void keys_fit_their_algorithm(void **state)
{
    static const char *const curves[] = { "P-256", "P-384", "P-521", "secp256k1" };
    static const char *const algorithms[] = { "ES256", "ES384", "ES512" };
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *rsa = EVP_RSA_gen(2048);

    (void)state;
    for (unsigned c = 0; c < 4; c++) {
        EVP_PKEY *key = EVP_EC_gen(curves[c]);

        for (unsigned a = 0; a < 3; a++)
            assert_int_equal(mend(algorithms[a], pem_of(key, 0)) == NULL, a == c);
        assert_non_null(mend("RS256", pem_of(key, 0)));
        assert_non_null(mend("EdDSA", pem_of(key, 0)));
        EVP_PKEY_free(key);
    }
    assert_null(mend("EdDSA", pem_of(ed25519, 0)));
    assert_null(mend("EdDSA", pem_of(ed25519, 1)));
    assert_non_null(mend("ES256", pem_of(ed25519, 0)));
    assert_non_null(mend("ES256", pem_of(rsa, 0)));
    assert_non_null(mend("RS256", SECRET));
    assert_non_null(mend("RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    EVP_PKEY_free(ed25519);
    EVP_PKEY_free(rsa);
}

static void ed25519_points_of_small_order_are_refused(void **state)
{
    static const char *const y[] = { "0000000000000000000000000000000000000000000000000000000000000000",
                                     "0100000000000000000000000000000000000000000000000000000000000000",
                                     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" };

    (void)state;
    for (unsigned i = 0; i < sizeof(y) / sizeof(y[0]); i++)
        for (int sign = 0; sign < 2; sign++) {
            unsigned char point[32];
            EVP_PKEY *key;

            assert_int_equal(sodium_hex2bin(point, 32, y[i], 64, NULL, NULL, NULL), 0);
            point[31] |= (unsigned char)(sign << 7);
            assert_int_equal(crypto_core_ed25519_is_valid_point(point), 0);
            key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, 32);
            assert_non_null(strstr(mend("EdDSA", pem_of(key, 0)), "small order"));
            EVP_PKEY_free(key);
        }
}

static void keys_are_found_by_kid_or_algorithm(void **state)
{
    apr_array_header_t *keys = apr_array_make(pool, 4, sizeof(jwt_key_t *));
    jwt_key_t *old = key_of("HS256", SECRET, NULL), *new = key_of("HS256", SECRET, "2026");
    jwt_key_t *other = key_of("HS512", SECRET, "512");

    (void)state;
    assert_null(jwt_key_find(keys, "HS256", NULL));
    APR_ARRAY_PUSH(keys, jwt_key_t *) = new;
    assert_ptr_equal(jwt_key_find(keys, "HS256", NULL), new);
    APR_ARRAY_PUSH(keys, jwt_key_t *) = old;
    APR_ARRAY_PUSH(keys, jwt_key_t *) = other;
    assert_ptr_equal(jwt_key_find(keys, "HS256", NULL), old);
    assert_ptr_equal(jwt_key_find(keys, "HS256", "2026"), new);
    assert_ptr_equal(jwt_key_find(keys, "HS512", NULL), other);
    assert_null(jwt_key_find(keys, "HS256", "512"));
    assert_null(jwt_key_find(keys, "HS512", "2026"));
    assert_null(jwt_key_find(keys, "HS256", "2027"));
    assert_null(jwt_key_find(keys, "none", NULL));
    assert_null(jwt_key_find(keys, "none", "2026"));
    assert_null(jwt_key_find(keys, "HS384", NULL));
    APR_ARRAY_PUSH(keys, jwt_key_t *) = key_of("HS512", SECRET, "512b");
    assert_null(jwt_key_find(keys, "HS512", NULL));
}

static void signer_refuses(const char *algorithm, const char *bytes)
{
    jwt_signer_t *signer;

    assert_non_null(jwt_signer_make(pool, jwt_algorithm(algorithm), bytes, strlen(bytes), NULL, &signer));
}

/* What we sign, we and libjwt accept, with the claims as they were. */
static void signing_agrees_with_libjwt(void **state)
{
    static const char *const algorithms[] = { "HS256", "HS384", "HS512", "RS256", "RS384",
                                              "RS512", "ES256", "ES384", "ES512" };
    static const char claims[] = "{\"exp\":1900000000,\"name\":\"\xED\x95\x9C\",\"roles\":[\"a\"],\"sub\":\"1\"}";
    EVP_PKEY *rsa = EVP_RSA_gen(2048);

    (void)state;
    for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        const jwt_algorithm_t *algorithm = jwt_algorithm(algorithms[i]);
        EVP_PKEY *ec = algorithm->curve ? EVP_EC_gen(algorithm->curve) : NULL, *key = ec ? ec : rsa;
        const char *private = algorithm->family == JWT_HMAC ? SECRET : pem_of(key, 1);
        const char *public = algorithm->family == JWT_HMAC ? SECRET : pem_of(key, 0);
        int rounds = ec ? 300 : 1; /* numbers with leading zeros come about once in 128 */
        jwt_signer_t *signer;
        const char *token;
        jwt_t *jwt;

        assert_null(jwt_signer_make(pool, algorithm, private, strlen(private), "k1", &signer));
        while (rounds--) {
            assert_int_equal(jwt_sign(pool, signer, claims, &token), APR_SUCCESS);
            assert_true(verifies(key_of(algorithms[i], public, NULL), token));
        }
        assert_int_equal(jwt_decode(&jwt, token, (const unsigned char *)public, (int)strlen(public)), 0);
        assert_string_equal(jwt_get_grant(jwt, "name"), "\xED\x95\x9C");
        assert_string_equal(jwt_get_header(jwt, "kid"), "k1");
        assert_string_equal(jwt_get_header(jwt, "typ"), "JWT");
        jwt_free(jwt);
        EVP_PKEY_free(ec);
    }
    EVP_PKEY_free(rsa);
}

static void unusable_signing_keys_are_refused(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *p384 = EVP_EC_gen("P-384");

    (void)state;
    signer_refuses("HS256", "");
    signer_refuses("HS256", "short");
    signer_refuses("RS256", pem_of(rsa, 0));
    signer_refuses("PS256", pem_of(rsa, 1));
    signer_refuses("EdDSA", SECRET);
    signer_refuses("ES256", pem_of(p384, 1));
    signer_refuses("RS256", SECRET);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
}

static void only_objects_are_signed(void **state)
{
    static const char *const bad[] = { "", "[]", "\"a\"", "{\"a\":1,\"a\":2}", "{\"a\":", "{}x", "{\"a\":\"\xFF\"}" };
    jwt_signer_t *signer;
    const char *token;

    (void)state;
    assert_null(jwt_signer_make(pool, jwt_algorithm("HS256"), SECRET, strlen(SECRET), NULL, &signer));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(jwt_sign(pool, signer, bad[i], &token), APR_EINVAL);
    assert_int_equal(jwt_sign(pool, signer, "{}", &token), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algorithms_have_one_name),
        cmocka_unit_test(secrets_are_as_long_as_the_digest),
        cmocka_unit_test(hostile_rsa_keys_are_refused),
        cmocka_unit_test(keys_fit_their_algorithm),
        cmocka_unit_test(ed25519_points_of_small_order_are_refused),
        cmocka_unit_test(keys_are_found_by_kid_or_algorithm),
        cmocka_unit_test(signing_agrees_with_libjwt),
        cmocka_unit_test(unusable_signing_keys_are_refused),
        cmocka_unit_test(only_objects_are_signed),
    };

    return cmocka_run_group_tests_name("auth_jwt keys", tests, setup, teardown);
}
