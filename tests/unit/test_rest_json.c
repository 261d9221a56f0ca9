/* mod_rest: JSON as slices, and where a mistake stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_json.h"

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

/* The value's own bytes, or the complaint; read from memory that ends with the text. */
static const char *parse(const char *text, apr_size_t n, rest_json_t *value)
{
    char *bytes = malloc(n ? n : 1);
    rest_json_mistake_t mistake;
    const char *found;

    memcpy(bytes, text, n);
    if (rest_json_parse(bytes, n, value, &mistake))
        found = apr_pstrmemdup(pool, value->bytes, value->length);
    else
        found = rest_json_complaint(pool, "It", bytes, &mistake);
    free(bytes);
    return found;
}

static void values_are_slices(void **state)
{
    static const struct {
        const char *text;
        trestle_json_e type;
        const char *slice;
    } cases[] = {
        { " null\n", TRESTLE_JSON_NULL, "null" },
        { "true", TRESTLE_JSON_BOOLEAN, "true" },
        { "\tfalse\r\n", TRESTLE_JSON_BOOLEAN, "false" },
        { "-0.10e+05", TRESTLE_JSON_NUMBER, "-0.10e+05" },
        { "123456789012345678901234567890", TRESTLE_JSON_NUMBER, "123456789012345678901234567890" },
        { " \"a\\\"b\" ", TRESTLE_JSON_STRING, "\"a\\\"b\"" },
        { " [1 , [ ] ] ", TRESTLE_JSON_ARRAY, "[1 , [ ] ]" },
        { "{ \"a\" : { } }", TRESTLE_JSON_OBJECT, "{ \"a\" : { } }" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rest_json_t value;

        assert_string_equal(parse(cases[i].text, strlen(cases[i].text), &value), cases[i].slice);
        assert_int_equal(value.type, cases[i].type);
    }
}

static void mistakes_have_a_place(void **state)
{
    static const char *const cases[][3] = {
        { "", "a value is missing", "(line 1, column 1)" },
        { " \n ", "a value is missing", "(line 2, column 2)" },
        { "\xEF\xBB\xBF{}", "byte order mark", "(line 1, column 1)" },
        { "{\"a\": \"\xED\xA0\x80\"}", "not UTF-8", "(line 1, column 8)" },
        { "{\"가\": nul}", "no value", "(line 1, column 7)" },
        { "[1,\n 2,\n x]", "no value", "(line 3, column 2)" },
        { "[1 2]", "a comma or a closing bracket", "(line 1, column 4)" },
        { "[1,]", "no value", "(line 1, column 4)" },
        { "{\"a\" 1}", "a colon is missing", "(line 1, column 6)" },
        { "{\"a\":1,}", "has no name", "(line 1, column 8)" },
        { "{a:1}", "has no name", "(line 1, column 2)" },
        { "{\"a\":1}}", "something follows", "(line 1, column 8)" },
        { "01", "something follows", "(line 1, column 2)" },
        { "1.", "a number is malformed", "(line 1, column 3)" },
        { "-", "a number is malformed", "(line 1, column 2)" },
        { "1e+", "a number is malformed", "(line 1, column 4)" },
        { "\"a", "a string has no end", "(line 1, column 3)" },
        { "\"\t\"", "a control character", "(line 1, column 2)" },
        { "\"\\x\"", "unknown escape", "(line 1, column 3)" },
        { "\"\\u12", "cut off", "(line 1, column 4)" },
        { "\"\\u12G4\"", "malformed", "(line 1, column 7)" },
        { "\"\\ud800\"", "half of a surrogate pair", "(line 1, column 8)" },
        { "\"\\ud800\\u0041\"", "half of a surrogate pair", "(line 1, column 14)" },
        { "\"\\udc00\"", "half of a surrogate pair", "(line 1, column 8)" },
        { "NaN", "no value", "(line 1, column 1)" },
        { "/* */ 1", "no value", "(line 1, column 1)" },
        { "'a'", "no value", "(line 1, column 1)" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rest_json_t value;
        const char *found = parse(cases[i][0], strlen(cases[i][0]), &value);

        if (!strstr(found, cases[i][1]) || !strstr(found, cases[i][2]))
            fail_msg("%s: %s", cases[i][0], found);
    }
    assert_non_null(strstr(parse("[\0]", 3, &(rest_json_t){ 0 }), "no value"));
}

static void depth_has_a_limit(void **state)
{
    rest_json_t value;

    (void)state;
    for (int depth = 64; depth <= 65; depth++) {
        char text[300], *out = text;

        for (int i = 0; i < depth; i++)
            out += sprintf(out, i % 2 ? "[" : "{\"\":");
        *out++ = '1';
        for (int i = depth - 1; i >= 0; i--)
            *out++ = i % 2 ? ']' : '}';
        assert_int_equal(strstr(parse(text, (size_t)(out - text), &value), "deeper than 64 levels") != NULL,
                         depth == 65);
    }
}

static void members_and_elements(void **state)
{
    static const char text[] = "{\"a\" : [1 , {\"x\": \"]}\"}, \"\\\\\"], \"b\\u0041\":{} , \"c\":-1}";
    const char *at = NULL, *inner = NULL;
    rest_json_mistake_t mistake;
    rest_json_t object, name, value, element;
    int n = 0;

    (void)state;
    assert_true(rest_json_parse(text, sizeof(text) - 1, &object, &mistake));
    assert_true(rest_json_next_member(&object, &at, &name, &value));
    assert_string_equal(rest_json_string(pool, &name), "a");
    while (rest_json_next_element(&value, &inner, &element))
        n++;
    assert_int_equal(n, 3);
    assert_string_equal(rest_json_string(pool, &element), "\\");
    assert_true(rest_json_next_member(&object, &at, &name, &value));
    assert_string_equal(rest_json_string(pool, &name), "bA");
    assert_int_equal(value.length, 2);
    assert_true(rest_json_next_member(&object, &at, &name, &value));
    assert_int_equal(value.type, TRESTLE_JSON_NUMBER);
    assert_false(rest_json_next_member(&object, &at, &name, &value));
}

static void nul_is_found(void **state)
{
    static const struct {
        const char *text;
        int has_nul;
    } cases[] = { { "\"\\u0000\"", 1 },      { "\"\\\\u0000\"", 0 },   { "\"\\\\\\u0000\"", 1 },  { "\"\\u00001\"", 1 },
                  { "\"\\u0001\"", 0 },      { "{\"\\u0000\":1}", 1 }, { "[[\"a\\u0000\"]]", 1 }, { "0", 0 },
                  { "\"u0000\\\"\\\\\"", 0 } };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rest_json_mistake_t mistake;
        rest_json_t value;

        assert_true(rest_json_parse(cases[i].text, strlen(cases[i].text), &value, &mistake));
        assert_int_equal(rest_json_has_nul(&value), cases[i].has_nul);
        if (value.type == TRESTLE_JSON_STRING)
            assert_int_equal(rest_json_string(pool, &value) == NULL, cases[i].has_nul);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_slices), cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(depth_has_a_limit), cmocka_unit_test(members_and_elements),
        cmocka_unit_test(nul_is_found),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
