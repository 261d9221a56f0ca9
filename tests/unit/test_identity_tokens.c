/* Refresh tokens: one spelling, one maker. Sign-in names: which can be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "encoding.h"
#include "identity/identity_address.h"
#include "identity/identity_refresh_token.h"

static apr_pool_t *pool;

static const identity_refresh_key_t keys[] = {
    { 7, (const unsigned char *)"the first key of these tests, 40 bytes..", 40 },
    { 8, (const unsigned char *)"another key, by which nothing new is made", 40 },
};
static const char SESSION[] = "01234567-89ab-4def-8123-456789abcdef";

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

static int reads(const char *text, int count, identity_refresh_token_t *token)
{
    return identity_refresh_token_read(pool, keys, count, text, strlen(text), token) == APR_SUCCESS;
}

static void tokens_come_back(void **state)
{
    static const int numbers[] = { 0, 1, 127, 128, 16383, 16384, INT_MAX };
    identity_refresh_token_t token;

    (void)state;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        for (int k = 0; k < 2; k++) {
            const char *text = identity_refresh_token_make(pool, &keys[k], SESSION, numbers[i]);

            assert_int_equal(strncmp(text, "rt1_", 4), 0);
            assert_string_equal(text, identity_refresh_token_make(pool, &keys[k], SESSION, numbers[i]));
            assert_true(reads(text, 2, &token));
            assert_string_equal(token.session, SESSION);
            assert_int_equal(token.number, numbers[i]);
            assert_int_equal(token.key->id, keys[k].id);
            assert_int_equal(reads(text, 1, &token), k == 0);
            assert_false(reads(text, 0, &token));
        }
    assert_null(identity_refresh_token_make(pool, keys, "01234567-89AB-4def-8123-456789abcdef", 0));
    assert_null(identity_refresh_token_make(pool, keys, "", 0));
}

static void a_changed_token_is_none(void **state)
{
    const char *good = identity_refresh_token_make(pool, keys, SESSION, 300);
    identity_refresh_token_t token;
    size_t n = strlen(good);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char *text = apr_pstrdup(pool, good);

        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_false(reads(text, 2, &token));
        text[i] = '\0';
        assert_false(reads(text, 2, &token));
    }
    assert_false(reads(apr_pstrcat(pool, good, "A", NULL), 2, &token));
    assert_false(reads(apr_pstrcat(pool, good, "=", NULL), 2, &token));
    assert_false(reads("rt1_", 2, &token));
    assert_false(reads("", 2, &token));
}

/* What is signed rightly but not in the shortest form cannot be made by us either; it is refused all the same. */
static void numbers_have_one_form(void **state)
{
    static const char *const numbers[] = { "\x80\x00", "\x00\x01", "\xFF\xFF\xFF\xFF\x7F", "\x80" };
    identity_refresh_token_t token;

    (void)state;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        unsigned char bytes[64] = { 0 };
        size_t n = i == 2 ? 5 : i == 3 ? 1 : 2;

        memcpy(bytes + 16, numbers[i], n);
        assert_false(reads(apr_pstrcat(pool, "rt1_", trestle_base64url_encode(pool, bytes, 48 + n), NULL), 2, &token));
    }
}

static void a_hash_is_written_as_a_bytea(void **state)
{
    (void)state;
    assert_string_equal(identity_refresh_token_hash(pool, "abc"),
                        "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void addresses(void **state)
{
    static const char *const good[] = {
        "a@b.cd",
        "first.last+tag@sub.example.org",
        "o'neil@example.org",
        " padded@example.org\n",
        "a@localhost",
        "\xED\x95\x9C@\xED\x95\x9C\xEA\xB8\x80.kr",
        "a@xn--9t4b11yi5a.com",
        "1234567890123456789012345678901234567890123456789012345678901234@a.b",
    };
    static const char *const bad[] = {
        "",
        "a",
        "@",
        "a@",
        "@b.cd",
        "a@b",
        "a b@c.de",
        "a@b c.de",
        "a@b@c.de",
        ".a@b.cd",
        "a.@b.cd",
        "a..b@c.de",
        "a@.b.cd",
        "a@b.cd.",
        "a@b..cd",
        "a@-b.cd",
        "a@b-.cd",
        "\"a\"@b.cd",
        "a(comment)@b.cd",
        "a@[127.0.0.1]",
        "a\x01@b.cd",
        "a@b.c\x7F",
        "a\n@b.cd",
        "<a@b.cd>",
        "a@b_c.de",
        "12345678901234567890123456789012345678901234567890123456789012345@a.b",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(identity_is_address(good[i]));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(identity_is_address(bad[i]));
}

static void usernames(void **state)
{
    (void)state;
    assert_true(identity_is_username("player_1"));
    assert_true(identity_is_username("\xED\x95\x9C"));
    assert_false(identity_is_username(""));
    assert_false(identity_is_username("  "));
    assert_false(identity_is_username("a b"));
    assert_false(identity_is_username("a@b"));
    assert_false(identity_is_username("a\x01"));
    assert_int_equal(identity_characters("a\xED\x95\x9C"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_back),
        cmocka_unit_test(a_changed_token_is_none),
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(a_hash_is_written_as_a_bytea),
        cmocka_unit_test(addresses),
        cmocka_unit_test(usernames),
    };

    return cmocka_run_group_tests_name("identity tokens", tests, setup, teardown);
}
