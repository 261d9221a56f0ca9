/* modules/common/template: what templates become, and what is said about those that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "template.h"

static apr_pool_t *pool;

static const char *const columns[] = { "field", "detail", NULL };
static const trestle_template_name_t vocabulary[] = { { "status", NULL }, { "title", NULL },     { "missing", NULL },
                                                      { "raw", NULL },    { "errors", columns }, { "none", columns },
                                                      { NULL, NULL } };
enum { STATUS, TITLE, MISSING, RAW, ERRORS, NONE, VALUES };

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

/* The document that the template gives: three errors, of which two have the field "a" and one has none. */
static const char *document(const char *source)
{
    const trestle_template_t *compiled;
    const char *problem = trestle_template_compile(pool, source, vocabulary, &compiled);
    trestle_template_value_t values[VALUES] = { { 0 } }, cells[6];
    trestle_text_t out = trestle_text_make(pool, 0);

    if (problem)
        return problem;
    for (int i = 0; i < 3; i++) {
        cells[2 * i] = trestle_template_text(i == 1 ? NULL : "a");
        cells[2 * i + 1] = trestle_template_text(apr_psprintf(pool, "d%d", i));
    }
    values[STATUS] = trestle_template_number(404);
    values[TITLE] = trestle_template_text("\"\xEB\x81\x9D\"");
    values[RAW].kind = TRESTLE_VALUE_JSON;
    values[RAW].text = "[1]";
    values[ERRORS].kind = values[NONE].kind = TRESTLE_VALUE_LIST;
    values[ERRORS].rows = 3;
    values[ERRORS].cells = cells;
    trestle_template_render(compiled, values, &out);
    return out.bytes;
}

static void values_keep_their_types(void **state)
{
    (void)state;
    assert_string_equal(document("\"{status}\""), "404");
    assert_string_equal(document("\"{title}\""), "\"\\\"\xEB\x81\x9D\\\"\"");
    assert_string_equal(document("\"{missing}\""), "null");
    assert_string_equal(document("\"{raw}\""), "[1]");
    assert_string_equal(document(" [ 1 , -0.5e+3, true,false , null, \"\", {}, [] ] "),
                        "[1,-0.5e+3,true,false,null,\"\",{},[]]");
    assert_string_equal(document("\"\\u0041\\uD83D\\uDE00\\n\\/\""), "\"A\xF0\x9F\x98\x80\\n/\"");
}

static void text_is_filled_in(void **state)
{
    (void)state;
    assert_string_equal(document("\"no {status}: {title|'x'}.\""), "\"no 404: \\\"\xEB\x81\x9D\\\".\"");
    assert_string_equal(document("\"no {missing}\""), "null");
    assert_string_equal(document("\"{missing|'say'}\""), "\"say\"");
    assert_string_equal(document("\"{missing|status}\""), "404");
    assert_string_equal(document("\"{{status}}\""), "\"{status}\"");
    assert_string_equal(document("\"a{raw}\""), "\"a[1]\"");
}

static void members_can_be_left_out(void **state)
{
    (void)state;
    assert_string_equal(document("{\"a?\": \"{missing}\", \"b?\": \"{status}\", \"c\": \"{missing}\", \"d??\": 1}"),
                        "{\"b\":404,\"c\":null,\"d?\":1}");
    assert_string_equal(document("{\"a?\": {\"b?\": \"{missing}\"}, \"c?\": [\"{each none}\", 1], \"d?\": null}"),
                        "{}");
    assert_string_equal(document("{\"a?\": {\"b\": \"{missing}\"}}"), "{\"a\":{\"b\":null}}");
    assert_string_equal(document("{\"a?\": {\"{each none as .field}\": 1}}"), "{}");
}

static void rows_are_repeated(void **state)
{
    (void)state;
    assert_string_equal(document("[\"{each errors}\", [\"{.field}\", \"{.detail|title}\"]]"),
                        "[[\"a\",\"d0\"],[null,\"d1\"],[\"a\",\"d2\"]]");
    assert_string_equal(document("[\"{each errors with .field}\", \"{.detail} {status}\"]"), "[\"d0 404\",\"d2 404\"]");
    assert_string_equal(document("[\"{each errors without .field}\", \"{.detail}\"]"), "[\"d1\"]");
    assert_string_equal(document("[\"{each none}\", 1]"), "[]");
    assert_string_equal(document("{\"x\": 1, \"{each errors by .field|'other'}\": \"{.detail}\", \"y\": 2}"),
                        "{\"x\":1,\"a\":[\"d0\",\"d2\"],\"other\":[\"d1\"],\"y\":2}");
    assert_string_equal(document("{\"{each errors as .field}\": {\"is\": \"{.detail}\"}}"), "{\"a\":{\"is\":\"d0\"}}");
}

static void one_case_of_several(void **state)
{
    (void)state;
    assert_string_equal(document("{\"{case status}\": {\"400|404\": \"yes\", \"*\": \"no\"}}"), "\"yes\"");
    assert_string_equal(document("{\"{case status}\": {\"400\": \"yes\", \"*\": \"no\"}}"), "\"no\"");
    assert_string_equal(document("{\"{case missing}\": {\"400\": \"yes\", \"*\": \"no\"}}"), "\"no\"");
    assert_string_equal(document("{\"a?\": {\"{case status}\": {\"400\": 1}}, \"b\": {\"{case status}\": {\"4\": 1}}}"),
                        "{\"b\":null}");
    assert_string_equal(document("[\"{each errors}\", {\"{case .field}\": {\"a\": 1, \"*\": 2}}]"), "[1,2,1]");
}

static void mistakes_name_their_place_and_mend(void **state)
{
    static const struct {
        const char *source, *place, *mend;
    } cases[] = {
        { "", "line 1, column 1:", "ends too early" },
        { "{\"a\": \"{nothing}\"}", "line 1, column 7:", "known are status title" },
        { "{\n  \"\xEB\x81\x9D\": \"{nothing}\"}", "line 2, column 8:", "unknown name 'nothing'" },
        { "[\"{each errors}\", \"{.nothing}\"]", "column 19:", "known are .field .detail" },
        { "\"{.field}\"", "column 1:", "not inside {each" },
        { "\"{errors}\"", "column 1:", "write [\"{each errors}\", element]" },
        { "[\"{each status}\", 1]", "column 2:", "not a list" },
        { "[\"{each errors}\"]", "column 17:", "element must follow" },
        { "[\"{each errors}\", 1, 2]", "column 20:", "one element follows" },
        { "[\"{each errors by .field}\", 1]", "column 2:", "write \"{each list}\"" },
        { "{\"{each errors}\": 1}", "column 2:", "as .member" },
        { "[\"{each errors}\", [\"{each none}\", 1]]", "column 20:", "rows hold no lists" },
        { "\"{each errors}\"", "column 1:", "stands first in an array" },
        { "\"{case status}\"", "column 1:", "only member" },
        { "{\"a\": 1, \"{case status}\": {}}", "column 10:", "only member" },
        { "{\"{case status}\": {\"4\": 1}, \"a\": 1}", "column 27:", "alone in its object" },
        { "{\"{case status}\": {\"|\": 1}}", "column 20:", "no label" },
        { "{\"{case status} x\": {\"4\": 1}}", "column 2:", "nothing may follow" },
        { "{\"a\": 1, \"a?\": 2}", "column 10:", "same name" },
        { "\"a } b\"", "column 1:", "{{ or }}" },
        { "\"{status\"", "column 1:", "a placeholder is written" },
        { "\"{missing|'a}\"", "column 1:", "no closing '" },
        { "{\"a\": 1", "column 8:", "a comma or }" },
        { "{\"a\" 1}", "column 6:", "a colon" },
        { "{a: 1}", "column 2:", "name in quotes" },
        { "[1 2]", "column 4:", "a comma or ]" },
        { "[01]", "column 2:", "leading zero" },
        { "[1.]", "column 2:", "digits must follow" },
        { "[1e]", "column 2:", "digits must follow" },
        { "[nul]", "column 2:", "a JSON value" },
        { "\"a", "column 1:", "no closing quote" },
        { "\"\\x\"", "column 3:", "unknown escape" },
        { "\"\\u0000\"", "column 4:", "four hexadecimal digits" },
        { "\"\\uD800x\"", "column 8:", "four hexadecimal digits" },
        { "1 1", "column 3:", "follows the end" },
        { "\"\xFF\"", "", "UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const trestle_template_t *compiled;
        const char *problem = trestle_template_compile(pool, cases[i].source, vocabulary, &compiled);

        if (!problem || !strstr(problem, cases[i].place) || !strstr(problem, cases[i].mend))
            fail_msg("%s: %s", cases[i].source, problem ? problem : "no message");
    }
}

static void depth_is_bounded(void **state)
{
    char deep[80];

    (void)state;
    memset(deep, '[', 40);
    memset(deep + 40, ']', 40);
    deep[72] = '\0';
    assert_non_null(strstr(document(deep), "32 levels"));
    deep[40 + 32] = '\0';
    assert_string_equal(document(deep + 8), "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_types), cmocka_unit_test(text_is_filled_in),
        cmocka_unit_test(members_can_be_left_out), cmocka_unit_test(rows_are_repeated),
        cmocka_unit_test(one_case_of_several),     cmocka_unit_test(mistakes_name_their_place_and_mend),
        cmocka_unit_test(depth_is_bounded),
    };

    return cmocka_run_group_tests_name("template", tests, setup, teardown);
}
