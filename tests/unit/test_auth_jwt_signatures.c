/* Signatures: the vectors of the RFCs, every algorithm, and signatures that must not pass. */
#include "auth_jwt_tokens.h"

/* RFC 7515 appendix A.1. */
static void hs256_of_rfc_7515(void **state)
{
    static const char secret[] =
        "\x03\x23\x35\x4b\x2b\x0f\xa5\xbc\x83\x7e\x06\x65\x77\x7b\xa6\x8f\x5a\xb3\x28\xe6\xf0\x54"
        "\xc9\x28\xa9\x0f\x84\xb2\xd2\x50\x2e\xbf\xd3\xfb\x5a\x92\xd2\x06\x47\xef\x96\x8a\xb4\xc3"
        "\x77\x62\x3d\x22\x3d\x2e\x21\x72\x05\x2e\x4f\x08\xc0\xcd\x9a\xf5\x67\xd0\x80\xa3";
    static const char text[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    (void)state;
    assert_true(verifies(key_of("HS256", secret, NULL), text));
}

/* RFC 7515 appendices A.2, A.3, A.4; RFC 8037 appendix A.4. */
static const struct {
    const char *algorithm, *token, *key;
} VECTORS[] = {
    { "RS256",
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
      "pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q"
      "c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
      "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I"
      "eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
      "-----BEGIN PUBLIC KEY-----\n"
      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
      "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
      "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
      "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
      "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
      "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
      "oQIDAQAB\n"
      "-----END PUBLIC KEY-----\n" },
    { "ES256",
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
      "pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP"
      "P3-Kg6NU1Q",
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
      "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
      "-----END PUBLIC KEY-----\n" },
    { "ES512",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq"
      "wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9E"
      "RBXukOXolLzeO_Jn",
      "-----BEGIN PUBLIC KEY-----\n"
      "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB6SkFDxJPxrxVx9U5M2Xfne9KsMIs\n"
      "sleY+TTrBOPGuuNwGlenkQ6dgb82MVno68sVXWNJ9L22zPipTFxZx6rBAaQANKZE\n"
      "DjdnUNI3H9G9wsjztx0vTuXqNDLIFcyjFWD+XZOH7HdLVYOGMOXLv1qMvgqR3QBk\n"
      "xpmaH25uZ/rd7eTIyPY=\n"
      "-----END PUBLIC KEY-----\n" },
    { "EdDSA",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI"
      "bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
      "-----END PUBLIC KEY-----\n" },
};

static void public_keys_of_the_rfcs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++)
        assert_true(verifies(key_of(VECTORS[i].algorithm, VECTORS[i].key, NULL), VECTORS[i].token));
}

static EVP_PKEY *private_key(const char *algorithm)
{
    switch (jwt_algorithm(algorithm)->family) {
    case JWT_HMAC:
        return NULL;
    case JWT_ECDSA:
        return EVP_EC_gen(jwt_algorithm(algorithm)->curve);
    case JWT_EDDSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default:
        return EVP_RSA_gen(2048);
    }
}

static const char *const ALL[] = { "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                   "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA" };

static const char *last_part(const char *token)
{
    return strrchr(token, '.') + 1;
}

/* The token with another signature. */
static const char *resigned(const char *token, const unsigned char *signature, apr_size_t n)
{
    return apr_pstrcat(pool, apr_pstrmemdup(pool, token, (apr_size_t)(last_part(token) - token)),
                       trestle_base64url_encode(pool, signature, n), NULL);
}

static void every_algorithm_verifies_and_no_changed_signature_passes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++) {
        EVP_PKEY *private = private_key(ALL[i]);
        const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", ALL[i]);
        const jwt_key_t *key = key_of(ALL[i], private ? pem_of(private, 0) : SECRET, NULL);
        const char *token = forge(header, "{\"sub\":\"1\"}", ALL[i], private);
        unsigned char *signature;
        apr_size_t n;

        assert_true(verifies(key, token));
        assert_int_equal(trestle_base64url_decode(pool, last_part(token), strlen(last_part(token)), &signature, &n),
                         APR_SUCCESS);
        assert_false(verifies(key, resigned(token, signature, n - 1)));
        assert_false(verifies(key, resigned(token, signature, 1)));
        for (unsigned bit = 0; bit < 8 * n; bit += 37) {
            signature[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_false(verifies(key, resigned(token, signature, n)));
            signature[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        EVP_PKEY_free(private);
    }
}

/* A key must not verify by another algorithm than its own, whatever a token says. */
static void algorithms_are_not_confused(void **state)
{
    static const char payload[] = "{\"sub\":\"1\"}";
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *p256 = EVP_EC_gen("P-256");
    const char *public = pem_of(rsa, 0), *forged;
    unsigned char mac[32];
    unsigned n;

    (void)state;
    assert_false(verifies(key_of("RS256", public, NULL), forge("{\"alg\":\"PS256\"}", payload, "PS256", rsa)));
    assert_false(verifies(key_of("PS256", public, NULL), forge("{\"alg\":\"RS256\"}", payload, "RS256", rsa)));
    assert_false(verifies(key_of("RS256", public, NULL), forge("{\"alg\":\"RS512\"}", payload, "RS512", rsa)));
    assert_false(verifies(key_of("HS512", SECRET, NULL), forge("{\"alg\":\"HS256\"}", payload, "HS256", NULL)));
    assert_false(verifies(key_of("ES256", pem_of(p256, 0), NULL), forge("{\"alg\":\"RS256\"}", payload, "RS256", rsa)));

    /* The public key's text as HMAC secret, the classic: the token names HS256, the key is for RS256. */
    forged = apr_pstrcat(pool, encoded("{\"alg\":\"HS256\"}"), ".", encoded(payload), NULL);
    assert_non_null(
        HMAC(EVP_sha256(), public, (int)strlen(public), (const unsigned char *)forged, strlen(forged), mac, &n));
    forged = apr_pstrcat(pool, forged, ".", trestle_base64url_encode(pool, mac, n), NULL);
    assert_false(verifies(key_of("RS256", public, NULL), forged));
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p256);
}

/* r or s of zero, or as large as the group's order; DER instead of the raw form. */
static void ecdsa_numbers_are_in_range(void **state)
{
    static const char order[] = "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
                                "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    EVP_PKEY *private = EVP_EC_gen("P-256");
    const jwt_key_t *key = key_of("ES256", pem_of(private, 0), NULL);
    const char *token = forge("{\"alg\":\"ES256\"}", "{}", "ES256", private);
    unsigned char signature[72], good[64], *decoded;
    apr_size_t n;

    (void)state;
    assert_int_equal(trestle_base64url_decode(pool, last_part(token), strlen(last_part(token)), &decoded, &n),
                     APR_SUCCESS);
    memcpy(good, decoded, 64);
    memset(signature, 0, sizeof(signature));
    assert_false(verifies(key, resigned(token, signature, 64)));
    memcpy(signature, good, 64);
    memset(signature, 0, 32);
    assert_false(verifies(key, resigned(token, signature, 64)));
    memcpy(signature, good, 64);
    memset(signature + 32, 0, 32);
    assert_false(verifies(key, resigned(token, signature, 64)));
    memcpy(signature, order, 32);
    memcpy(signature + 32, order, 32);
    assert_false(verifies(key, resigned(token, signature, 64)));
    memset(signature, 0xFF, 64);
    assert_false(verifies(key, resigned(token, signature, 64)));
    memset(signature, 1, 72);
    assert_false(verifies(key, resigned(token, signature, 70)));
    assert_false(verifies(key, resigned(token, signature, 72)));
    EVP_PKEY_free(private);
}

/* A salt of another length than the digest's is not what RFC 7518 section 3.5 says. */
static void pss_salts_have_the_digests_length(void **state)
{
    EVP_PKEY *private = EVP_RSA_gen(2048);
    const jwt_key_t *key = key_of("PS256", pem_of(private, 0), NULL);
    const char *token = forge("{\"alg\":\"PS256\"}", "{}", "PS256", private);
    const apr_size_t signed_length = (apr_size_t)(last_part(token) - token) - 1;

    (void)state;
    for (int salt = 0; salt <= 64; salt += 16) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char signature[256];
        size_t n = sizeof(signature);
        EVP_PKEY_CTX *parameters;

        assert_int_equal(EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, private), 1);
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) > 0);
        assert_int_equal(EVP_DigestSign(context, signature, &n, (const unsigned char *)token, signed_length), 1);
        assert_int_equal(verifies(key, resigned(token, signature, n)), salt == 32);
        EVP_MD_CTX_free(context);
    }
    EVP_PKEY_free(private);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hs256_of_rfc_7515),
        cmocka_unit_test(public_keys_of_the_rfcs),
        cmocka_unit_test(every_algorithm_verifies_and_no_changed_signature_passes),
        cmocka_unit_test(algorithms_are_not_confused),
        cmocka_unit_test(ecdsa_numbers_are_in_range),
        cmocka_unit_test(pss_salts_have_the_digests_length),
    };

    return cmocka_run_group_tests_name("auth_jwt signatures", tests, setup, teardown);
}
