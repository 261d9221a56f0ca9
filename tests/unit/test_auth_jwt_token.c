/* The form of tokens: what is one, what is none, and where a request carries it. */
#include "auth_jwt_tokens.h"

#include "auth_jwt/jwt_credential.h"

#include <apr_tables.h>

static const char *reason(const char *text, apr_size_t length)
{
    jwt_token_t token;

    return jwt_token_parse(pool, text, length, 8192, &token);
}

static const char *header_reason(const char *header)
{
    const char *text = apr_pstrcat(pool, encoded(header), ".e30.AAAA", NULL);

    return reason(text, strlen(text));
}

static void parts_are_taken_apart(void **state)
{
    const char *text = apr_pstrcat(pool, encoded("{\"alg\":\"HS256\",\"kid\":\"2026:a~1\",\"typ\":\"JWT\"}"), ".",
                                   encoded("{\"sub\":\"1\"}"), ".AAEC", NULL);
    jwt_token_t token;

    (void)state;
    assert_null(jwt_token_parse(pool, text, strlen(text), 8192, &token));
    assert_string_equal(token.algorithm, "HS256");
    assert_string_equal(token.key_id, "2026:a~1");
    assert_string_equal(token.payload, "{\"sub\":\"1\"}");
    assert_int_equal(token.payload_length, 11);
    assert_int_equal(token.signature_length, 3);
    assert_memory_equal(token.signature, "\0\1\2", 3);
    assert_int_equal(token.signed_length, strlen(text) - 5);
}

static void malformed_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "eyJhbGciOiJIUzI1NiJ9.e30",
        "eyJhbGciOiJIUzI1NiJ9.e30.",               /* no signature */
        "eyJhbGciOiJIUzI1NiJ9..AAAA",              /* no payload */
        ".e30.AAAA",                               /* no header */
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA",      /* four parts */
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA.AAAA", /* JWE */
        "eyJhbGciOiJIUzI1NiJ9=.e30.AAAA",          /* padding */
        "eyJhbGciOiJIUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA==",
        "eyJhbGciOiJIUzI1NiJ9.e30.A+/A", /* the other base64 */
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AB", /* unused bits that are not zero: a second spelling of AA */
        "eyJhbGciOiJIUzI1NiJ9.e31.AAAA",
        " eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA\n",
        "eyJhbGciOiJIUzI1NiJ9.e3 0.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA\xC3\xA4",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(reason(bad[i], strlen(bad[i])));
    assert_null(reason("eyJhbGciOiJIUzI1NiJ9.e30.AAAA", 29));
    assert_non_null(reason("eyJhbGciOiJIUzI1NiJ9.e30.AAAA\0", 30));
}

static void length_is_limited(void **state)
{
    const char *start = "eyJhbGciOiJIUzI1NiJ9.e30.";
    char *text = apr_palloc(pool, 20000001);

    (void)state;
    memset(text, 'A', 20000000);
    memcpy(text, start, strlen(start));
    assert_null(reason(text, 8191));
    assert_non_null(reason(text, 8193));
    assert_non_null(reason(text, 20000000));
}

static void headers_are_strict(void **state)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "\"HS256\"",
        "{}",
        "{\"alg\":null}",
        "{\"alg\":1}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":\"HS256\"",
        "{\"alg\":\"HS256\"}x",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}",
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}",
        "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
        "{\"alg\":\"HS256\",\"jku\":\"https://evil.example/\"}",
        "{\"alg\":\"HS256\",\"x5u\":\"https://evil.example/\"}",
        "{\"alg\":\"HS256\",\"x5c\":[]}",
        "{\"alg\":\"HS256\",\"typ\":1}",
        "{\"alg\":\"HS256\",\"typ\":\"refresh+jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"application/\"}",
        "{\"alg\":\"HS256\",\"kid\":1}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a b\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a' or '1'='1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}",
        "{\"alg\":\"HS256\\u0000\"}",
        "{\"alg\":\"HS256\xFF\"}",
    };
    char *id = apr_pcalloc(pool, 130);

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(header_reason(bad[i]));
    assert_null(header_reason("{\"alg\":\"HS256\",\"typ\":\"jwt\"}"));
    assert_null(header_reason("{\"alg\":\"HS256\",\"kid\":\"bilbo.baggins@hobbiton.example\"}"));
    assert_null(header_reason("{\"alg\":\"HS256\",\"kid\":\"nZPWVtP9xTqDfJ6+8wk/4oBKRnOqhKKWG1pLDkBmJ9A=\"}"));
    assert_null(header_reason("{\"alg\":\"HS256\",\"typ\":\"at+JWT\"}"));
    assert_null(header_reason("{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\",\"cty\":\"x\"}"));
    memset(id, 'k', 128);
    assert_null(header_reason(apr_psprintf(pool, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", id)));
    id[128] = 'k';
    assert_non_null(header_reason(apr_psprintf(pool, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", id)));
}

static jwt_credential_e find(const char *header, const char *value, apr_array_header_t *sources,
                             jwt_credential_t *found)
{
    apr_table_t *headers = apr_table_make(pool, 1);

    if (value)
        apr_table_set(headers, header, value);
    return jwt_credential_find(headers, sources, found);
}

static void credentials_are_found_in_order(void **state)
{
    apr_array_header_t *sources = apr_array_make(pool, 3, sizeof(jwt_source_t));
    apr_table_t *headers = apr_table_make(pool, 3);
    jwt_credential_t found;

    (void)state;
    APR_ARRAY_PUSH(sources, jwt_source_t) = (jwt_source_t){ JWT_FROM_BEARER, NULL };
    APR_ARRAY_PUSH(sources, jwt_source_t) = (jwt_source_t){ JWT_FROM_COOKIE, "session" };
    APR_ARRAY_PUSH(sources, jwt_source_t) = (jwt_source_t){ JWT_FROM_HEADER, "X-Token" };

    assert_int_equal(find("Authorization", NULL, sources, &found), JWT_CREDENTIAL_ABSENT);
    assert_int_equal(find("Authorization", "Bearer a.b.c", sources, &found), JWT_CREDENTIAL_FOUND);
    assert_int_equal(found.length, 5);
    assert_int_equal(find("Authorization", "bEARER   a.b.c", sources, &found), JWT_CREDENTIAL_FOUND);
    assert_int_equal(found.length, 5);
    assert_int_equal(find("Authorization", "Bearer", sources, &found), JWT_CREDENTIAL_MALFORMED);
    assert_int_equal(find("Authorization", "Bearer ", sources, &found), JWT_CREDENTIAL_MALFORMED);
    assert_int_equal(find("Authorization", "Bearer a b", sources, &found), JWT_CREDENTIAL_MALFORMED);
    assert_int_equal(find("Authorization", "Bearer a, Bearer b", sources, &found), JWT_CREDENTIAL_MALFORMED);
    assert_int_equal(find("Authorization", "Bearera", sources, &found), JWT_CREDENTIAL_REFUSED);
    assert_int_equal(find("Authorization", "Basic YTpi", sources, &found), JWT_CREDENTIAL_REFUSED);
    assert_int_equal(find("Authorization", "", sources, &found), JWT_CREDENTIAL_REFUSED);

    assert_int_equal(find("Cookie", "a=1; session=x.y.z ; b=2", sources, &found), JWT_CREDENTIAL_FOUND);
    assert_int_equal(found.length, 5);
    assert_memory_equal(found.text, "x.y.z", 5);
    assert_int_equal(find("Cookie", "xsession=1; session2=2; Session=3", sources, &found), JWT_CREDENTIAL_ABSENT);
    assert_int_equal(find("Cookie", "session=1; session=2", sources, &found), JWT_CREDENTIAL_REFUSED);
    assert_int_equal(find("Cookie", "session=1, session=1", sources, &found), JWT_CREDENTIAL_REFUSED);
    assert_int_equal(find("Cookie", "session", sources, &found), JWT_CREDENTIAL_ABSENT);
    assert_int_equal(find("Cookie", "session=", sources, &found), JWT_CREDENTIAL_FOUND);
    assert_int_equal(found.length, 0);
    assert_int_equal(find("Cookie", ";;, ;", sources, &found), JWT_CREDENTIAL_ABSENT);

    assert_int_equal(find("x-token", "t", sources, &found), JWT_CREDENTIAL_FOUND);
    assert_string_equal(jwt_source_name(found.source), "header");
    assert_int_equal(find("X-Token", "t, t", sources, &found), JWT_CREDENTIAL_MALFORMED);

    /* The first place decides alone. */
    apr_table_set(headers, "Cookie", "session=good");
    apr_table_set(headers, "Authorization", "Basic bad");
    assert_int_equal(jwt_credential_find(headers, sources, &found), JWT_CREDENTIAL_REFUSED);
    assert_string_equal(jwt_source_name(found.source), "bearer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_taken_apart),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(length_is_limited),
        cmocka_unit_test(headers_are_strict),
        cmocka_unit_test(credentials_are_found_in_order),
    };

    return cmocka_run_group_tests_name("auth_jwt token", tests, setup, teardown);
}
