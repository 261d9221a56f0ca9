/* modules/common: text, encodings, settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>

#include "encoding.h"
#include "setting.h"
#include "text.h"

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

static const char *json(const char *bytes, size_t n)
{
    trestle_text_t text = trestle_text_make(pool, 0);

    trestle_text_add_json_bytes(&text, bytes, n);
    return text.bytes;
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(json("a\"b\\c\n\x01", 7), "\"a\\\"b\\\\c\\n\\u0001\"");
    assert_string_equal(json("a\0b", 3), "\"a\\u0000b\"");
    assert_string_equal(json("\xED\x95\x9C", 3), "\"\xED\x95\x9C\"");
    assert_string_equal(json("\xED\xA0\x80", 3), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_string_equal(json("\xC0\xAF", 2), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void text_grows(void **state)
{
    trestle_text_t text = trestle_text_make(pool, 0);

    (void)state;
    for (int i = 0; i < 1000; i++)
        trestle_text_addf(&text, "%d,", i);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(strlen(text.bytes), text.length);
}

static void base64url_has_one_spelling(void **state)
{
    unsigned char *bytes;
    apr_size_t n;

    (void)state;
    assert_string_equal(trestle_base64url_encode(pool, (const unsigned char *)"\xFB\xFF\xFE\x00", 4), "-__-AA");
    assert_int_equal(trestle_base64url_decode(pool, "-__-AA", 6, &bytes, &n), APR_SUCCESS);
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "\xFB\xFF\xFE\x00", 4);
    assert_int_equal(trestle_base64url_decode(pool, "-__-AB", 6, &bytes, &n), APR_EINVAL);
    assert_int_equal(trestle_base64url_decode(pool, "AAAAA", 5, &bytes, &n), APR_EINVAL);
    assert_int_equal(trestle_base64url_decode(pool, "AA==", 4, &bytes, &n), APR_EINVAL);
    assert_int_equal(trestle_base64url_decode(pool, "A+/A", 4, &bytes, &n), APR_EINVAL);
    assert_int_equal(trestle_base64url_decode(pool, "", 0, &bytes, &n), APR_SUCCESS);
    assert_int_equal(n, 0);
}

/* The decoded text, or "-" for one that is malformed. */
static const char *decoded(const char *text, size_t n)
{
    static char out[64];
    apr_ssize_t length = trestle_form_decode(text, n, out);

    out[length < 0 ? 0 : length] = '\0';
    return length < 0 ? "-" : out;
}

static void form_texts_are_decoded(void **state)
{
    (void)state;
    assert_string_equal(decoded("a+b%20c%2B%2b", 13), "a b c++");
    assert_string_equal(decoded("%ED%95%9c", 9), "\xED\x95\x9C");
    assert_string_equal(decoded("", 0), "");
    assert_string_equal(decoded("abc", 2), "ab");
    assert_string_equal(decoded("%41", 2), "-"); /* the escape goes past the end */
    assert_string_equal(decoded("%4", 2), "-");
    assert_string_equal(decoded("%", 1), "-");
    assert_string_equal(decoded("%4g", 3), "-");
    assert_string_equal(decoded("%g4", 3), "-");
    assert_string_equal(decoded("a%00", 4), "-");
    assert_string_equal(decoded("a\0b", 3), "-");
    assert_string_equal(decoded("%FF", 3), "-");
}

static void hexadecimal_digits_have_values(void **state)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *digit = c ? strchr(digits, c) : NULL;

        assert_int_equal(trestle_hex_digit((char)c), digit ? (digit - digits) % 16 : -1);
    }
}

static void uuids_are_told_from_other_texts(void **state)
{
    char text[] = "01234567-89ab-cdef-ABCD-EF0123456789";

    (void)state;
    assert_true(trestle_uuid_valid(text));
    assert_true(trestle_uuid_valid(trestle_uuid(pool)));
    for (size_t i = 0; i < 36; i++) {
        char c = text[i];

        text[i] = c == '-' ? '0' : 'g';
        assert_false(trestle_uuid_valid(text));
        text[i] = '\0';
        assert_false(trestle_uuid_valid(text));
        text[i] = c;
    }
    assert_false(trestle_uuid_valid("01234567-89ab-cdef-abcd-ef01234567890"));
}

static void settings_say_the_mend(void **state)
{
    apr_interval_time_t t;
    apr_int64_t n;

    (void)state;
    assert_null(trestle_setting_duration(pool, "250ms", 1000, APR_USEC_PER_SEC * 3600LL, &t));
    assert_int_equal(t, 250000);
    assert_null(trestle_setting_duration(pool, "5", 1000, APR_USEC_PER_SEC * 3600LL, &t));
    assert_int_equal(t, 5000000);
    assert_non_null(strstr(trestle_setting_duration(pool, "30sXYZ", 1000, 1000000, &t), "write for example"));
    assert_non_null(trestle_setting_duration(pool, "2h", 1000, APR_USEC_PER_SEC * 3600LL, &t));
    assert_non_null(trestle_setting_duration(pool, "99999999999999999999s", 1000, 1000000, &t));
    assert_null(trestle_setting_size(pool, "64K", 1, 1 << 20, &n));
    assert_int_equal(n, 65536);
    assert_non_null(trestle_setting_size(pool, "64k", 1, 1 << 20, &n));
    assert_null(trestle_setting_number(pool, "7", 1, 10, &n));
    assert_non_null(trestle_setting_number(pool, "-7", 1, 10, &n));
    assert_non_null(trestle_setting_number(pool, "11", 1, 10, &n));
    assert_true(trestle_setting_is_identifier("videoplanet_login"));
    assert_false(trestle_setting_is_identifier("9x"));
    assert_false(trestle_setting_is_identifier("a-b"));
    assert_false(trestle_setting_is_identifier(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_strings_are_escaped),       cmocka_unit_test(text_grows),
        cmocka_unit_test(base64url_has_one_spelling),     cmocka_unit_test(form_texts_are_decoded),
        cmocka_unit_test(hexadecimal_digits_have_values), cmocka_unit_test(uuids_are_told_from_other_texts),
        cmocka_unit_test(settings_say_the_mend),
    };

    return cmocka_run_group_tests_name("common", tests, setup, teardown);
}
