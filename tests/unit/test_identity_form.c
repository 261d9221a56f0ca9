/* Bodies of sign-ins, claims of tokens, cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "cookie.h"
#include "identity/identity_claims.h"
#include "identity/identity_form.h"
#include "trestle_problem.h"

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static const char FORM[] = "application/x-www-form-urlencoded";

static identity_form_e read_text(const char *type, const char *text, json_t **fields)
{
    return identity_form_read(IDENTITY_TYPES_ANY, type, text, strlen(text), fields);
}

static void is_malformed(const char *type, const char *text)
{
    json_t *fields;

    assert_int_equal(read_text(type, text, &fields), IDENTITY_FORM_MALFORMED);
    assert_null(fields);
}

/* The value of field a. */
static const char *value(const char *type, const char *text)
{
    json_t *fields;
    const char *copy;

    assert_int_equal(read_text(type, text, &fields), IDENTITY_FORM_OK);
    copy = apr_pstrdup(pool, json_string_value(json_object_get(fields, "a")));
    json_decref(fields);
    return copy;
}

static void forms_are_decoded_strictly(void **state)
{
    (void)state;
    assert_string_equal(value(FORM, "a=1"), "1");
    assert_string_equal(value(FORM, "&&b=2&a=x+y%2B%26%3d&"), "x y+&=");
    assert_string_equal(value("APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8", "a=%ED%95%9C"), "\xED\x95\x9C");
    assert_string_equal(value(FORM, "a"), "");
    assert_string_equal(value(FORM, "a=b=c"), "b=c");
    assert_null(value(FORM, ""));
    is_malformed(FORM, "a=1&a=2");
    is_malformed(FORM, "a=%");
    is_malformed(FORM, "a=%4");
    is_malformed(FORM, "a=%4&b=1");
    is_malformed(FORM, "a=%gg");
    is_malformed(FORM, "a=%00");
    is_malformed(FORM, "a=%ff");
    is_malformed(FORM, "%ff=a");
    is_malformed(FORM, "a=\xED\xA0\x80");
}

static void everything_else_may_be_json(void **state)
{
    json_t *fields;

    (void)state;
    assert_string_equal(value(NULL, "{\"a\":\"1\"}"), "1");
    assert_string_equal(value("text/plain", " {\"a\":\"1\"} "), "1");
    assert_string_equal(value("application/x-www-form-urlencodedx", "{\"a\":\"1\"}"), "1");
    is_malformed("application/json", "");
    is_malformed("application/json", "a=1");
    is_malformed("application/json", "[1]");
    is_malformed("application/json", "{\"a\":\"1\",\"a\":\"1\"}");
    is_malformed("application/json", "{\"a\":\"\\u0000\"}");
    assert_int_equal(read_text("multipart/form-data; boundary=x", "", &fields), IDENTITY_FORM_UNSUPPORTED);
}

static void media_types_are_told_apart(void **state)
{
    static const struct {
        identity_types_e types;
        const char *type, *text;
        identity_form_e outcome;
    } cases[] = {
        { IDENTITY_TYPES_STRICT, "application/json", "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_STRICT, "Application/JSON ; charset=utf-8", "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_STRICT, "application/merge-patch+json;x=y", "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_STRICT, FORM, "a=1", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_STRICT, NULL, "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "+json", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "text/plain", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "text/plain; +json", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "application/jsonx", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "application/json, text/plain", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_STRICT, "application/json;x, text/plain", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_JSON, "application/json", "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_JSON, FORM, "a=1", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_JSON, "text/plain", "{}", IDENTITY_FORM_UNSUPPORTED },
        { IDENTITY_TYPES_ANY, NULL, "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_ANY, "text/plain", "{}", IDENTITY_FORM_OK },
        { IDENTITY_TYPES_ANY, "multipart/form-data", "{}", IDENTITY_FORM_UNSUPPORTED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        json_t *fields;

        assert_int_equal(identity_form_read(cases[i].types, cases[i].type, text, strlen(text), &fields),
                         cases[i].outcome);
        assert_int_equal(fields != NULL, cases[i].outcome == IDENTITY_FORM_OK);
        json_decref(fields);
    }
}

static const char *checked(const char *text, apr_size_t most, const char *code)
{
    apr_array_header_t *errors = apr_array_make(pool, 1, sizeof(trestle_field_error_t));
    json_t *fields;
    const char *found;

    assert_int_equal(read_text(NULL, text, &fields), IDENTITY_FORM_OK);
    found = apr_pstrdup(pool, identity_form_text(fields, "a", most, errors));
    json_decref(fields);
    assert_int_equal(errors->nelts, code ? 1 : 0);
    if (code) {
        assert_string_equal(APR_ARRAY_IDX(errors, 0, trestle_field_error_t).code, code);
        assert_string_equal(APR_ARRAY_IDX(errors, 0, trestle_field_error_t).field, "a");
    }
    return found;
}

static void fields_say_what_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(checked("{\"a\":\"xyz\"}", 3, NULL), "xyz");
    assert_string_equal(checked("{\"a\":\"\xED\x95\x9C\xED\x95\x9C\"}", 2, NULL), "\xED\x95\x9C\xED\x95\x9C");
    assert_null(checked("{\"a\":\"wxyz\"}", 3, "VALIDATION_ERROR"));
    assert_null(checked("{\"a\":1}", 3, "VALIDATION_ERROR"));
    assert_null(checked("{\"a\":{}}", 3, "VALIDATION_ERROR"));
    assert_null(checked("{\"a\":\"\"}", 3, "REQUIRED_FIELD_MISSING"));
    assert_null(checked("{\"a\":null}", 3, "REQUIRED_FIELD_MISSING"));
    assert_null(checked("{}", 3, "REQUIRED_FIELD_MISSING"));
}

static void wiped_fields_are_gone(void **state)
{
    json_t *fields;

    (void)state;
    assert_int_equal(read_text(NULL, "{\"a\":\"secret\",\"b\":1}", &fields), IDENTITY_FORM_OK);
    identity_form_wipe(fields, "a");
    identity_form_wipe(fields, "b");
    identity_form_wipe(fields, "c");
    assert_memory_equal(json_string_value(json_object_get(fields, "a")), "\0\0\0\0\0\0", 6);
    json_decref(fields);
}

static void our_claims_win(void **state)
{
    identity_claims_t claims = { "7", "s", "j", "https://a.example", "shop", 1000000, 61000000 };

    (void)state;
    assert_string_equal(identity_claims_text(pool, &claims, NULL),
                        "{\"sub\":\"7\",\"sid\":\"s\",\"jti\":\"j\",\"iss\":\"https://a.example\",\"aud\":\"shop\","
                        "\"iat\":1,\"exp\":61}");
    assert_string_equal(identity_claims_text(pool, &claims, "{\"sub\":\"1\",\"exp\":9,\"x\":\"\xED\x95\x9C\"}"),
                        "{\"sub\":\"7\",\"exp\":61,\"x\":\"\xED\x95\x9C\",\"sid\":\"s\",\"jti\":\"j\","
                        "\"iss\":\"https://a.example\",\"aud\":\"shop\",\"iat\":1}");
    claims.issuer = NULL;
    assert_null(strstr(identity_claims_text(pool, &claims, "{\"iss\":\"forged\"}"), "iss"));
    assert_null(identity_claims_text(pool, &claims, "[]"));
    assert_null(identity_claims_text(pool, &claims, ""));
}

static void cookies_are_safe_by_default(void **state)
{
    trestle_cookie_t cookie = trestle_cookie_make("c");

    (void)state;
    assert_string_equal(trestle_cookie_text(pool, &cookie, "v", 60, 0),
                        "c=v; Max-Age=60; Path=/; SameSite=Lax; Secure; HttpOnly");
    assert_null(trestle_cookie_attribute(pool, "samesite=none", &cookie));
    assert_null(trestle_cookie_attribute(pool, "Path=/a", &cookie));
    assert_null(trestle_cookie_attribute(pool, "Domain=a.example", &cookie));
    assert_string_equal(trestle_cookie_text(pool, &cookie, "", 0, 0),
                        "c=; Max-Age=0; Path=/a; Domain=a.example; SameSite=None; Secure; HttpOnly");
    assert_string_equal(trestle_cookie_text(pool, &cookie, "v", 1, 1),
                        "c=v; Max-Age=1; Path=/a; Domain=a.example; SameSite=Lax; HttpOnly");
    assert_non_null(trestle_cookie_attribute(pool, "Path=a", &cookie));
    assert_non_null(trestle_cookie_attribute(pool, "Path=/a; Secure", &cookie));
    assert_non_null(trestle_cookie_attribute(pool, "Domain=", &cookie));
    assert_non_null(trestle_cookie_attribute(pool, "HttpOnly", &cookie));
    assert_null(trestle_cookie_check_name(pool, "__Host-sid"));
    cookie = trestle_cookie_make("__Secure-sid");
    assert_null(trestle_cookie_check(pool, &cookie));
    assert_string_equal(trestle_cookie_text(pool, &cookie, "v", 1, 1),
                        "__Secure-sid=v; Max-Age=1; Path=/; SameSite=Lax; Secure; HttpOnly");
    cookie.domain = "a.example";
    assert_null(trestle_cookie_check(pool, &cookie));
    cookie.name = "__HOST-sid";
    assert_non_null(trestle_cookie_check(pool, &cookie));
    cookie.domain = NULL;
    assert_null(trestle_cookie_check(pool, &cookie));
    cookie.path = "/a";
    assert_non_null(trestle_cookie_check(pool, &cookie));
    assert_non_null(trestle_cookie_check_name(pool, ""));
    assert_non_null(trestle_cookie_check_name(pool, "a b"));
    assert_non_null(trestle_cookie_check_name(pool, "a=b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_decoded_strictly),  cmocka_unit_test(everything_else_may_be_json),
        cmocka_unit_test(media_types_are_told_apart),  cmocka_unit_test(fields_say_what_is_wrong),
        cmocka_unit_test(wiped_fields_are_gone),       cmocka_unit_test(our_claims_win),
        cmocka_unit_test(cookies_are_safe_by_default),
    };

    return cmocka_run_group_tests_name("identity form", tests, setup, teardown);
}
