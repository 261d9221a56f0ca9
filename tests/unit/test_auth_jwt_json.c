/* JSON as tokens have it: what is read, what is refused, how values compare; jansson as second opinion. */
#include "auth_jwt_tokens.h"

#include "auth_jwt/jwt_json.h"
#include "auth_jwt/jwt_path.h"
#include "auth_jwt/jwt_require.h"

#include <jansson.h>

static const jwt_json_t *parse(const char *text)
{
    return jwt_json_parse(pool, text, strlen(text));
}

static const char *string_of(const char *text)
{
    return jwt_json_string(pool, parse(text));
}

static void values_are_read(void **state)
{
    const jwt_json_t *object = parse(" {\"a\" : [1, {\"b\":null}, []], \"c\":\"x\",\"\":false,\"d\":{}} \r\n\t"), *item;
    double number;

    (void)state;
    assert_non_null(object);
    assert_int_equal(object->type, TRESTLE_JSON_OBJECT);
    assert_true(jwt_json_is(jwt_json_member(object, "c"), "x"));
    assert_int_equal(jwt_json_member(object, "")->type, TRESTLE_JSON_BOOLEAN);
    assert_int_equal(jwt_json_member(object, "d")->type, TRESTLE_JSON_OBJECT);
    assert_null(jwt_json_first(jwt_json_member(object, "d")));
    assert_null(jwt_json_member(object, "b"));
    assert_null(jwt_json_member(object, "ab"));
    assert_null(jwt_json_member(jwt_json_member(object, "c"), "x"));
    assert_null(jwt_json_member(NULL, "x"));
    item = jwt_json_first(jwt_json_member(object, "a"));
    assert_true(jwt_json_number(item, &number) && number == 1);
    item = jwt_json_next(jwt_json_member(object, "a"), item);
    assert_int_equal(jwt_json_member(item, "b")->type, TRESTLE_JSON_NULL);
    item = jwt_json_next(jwt_json_member(object, "a"), item);
    assert_int_equal(item->type, TRESTLE_JSON_ARRAY);
    assert_int_equal(item->length, 2);
    assert_null(jwt_json_next(jwt_json_member(object, "a"), item));
    assert_null(jwt_json_object(pool, "[1]", 3));
    assert_null(jwt_json_object(pool, "\"a\"", 3));
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    assert_string_equal(string_of("\"\""), "");
    assert_string_equal(string_of("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\""), "a\"\\/\b\f\n\r\tz");
    assert_string_equal(string_of("\"\\u0041\\u00e9\\ud55c\\uD83D\\uDE00!\""),
                        "A\xC3\xA9\xED\x95\x9C\xF0\x9F\x98\x80!");
    assert_string_equal(string_of("\"\xED\x95\x9C\""), "\xED\x95\x9C");
    assert_true(jwt_json_is(jwt_json_member(parse("{\"s\\u0075b\":\"1\"}"), "sub"), "1"));
    assert_null(jwt_json_string(pool, parse("1")));
    assert_null(jwt_json_string(pool, NULL));
}

static const char *const REFUSED[] = {
    "",
    " ",
    "{",
    "}",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1}x",
    "{}{}",
    "'a'",
    "\"a",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"\\u0000\"",
    "\"a\nb\"",
    "\"\\n\n\"",
    "\"\x01\"",
    "\"\xFF\"",
    "\"\xED\xA0\x80\"",
    "\"\xC0\xAF\"",
    "\xEF\xBB\xBF{}",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "[-1e999]",
    "tru",
    "truex",
    "nul",
    "True",
    "// a\n1",
    "{\"sub\":\"1\",\"sub\":\"2\"}",
    "{\"sub\":\"1\",\"s\\u0075b\":\"2\"}",
    "{\"a\":{\"b\":[1],\"c\":2,\"b\":3}}",
    "[{\"a\":1},{\"a\":1,\"a\":1}]",
    "{\"\":1,\"\":2}",
};

static const char *const ACCEPTED[] = {
    "{}",
    "[]",
    "0",
    "-0",
    "-1.5e-3",
    "1E5",
    "123456789012345678901234567890",
    "\"\\u007f\"",
    "true",
    "null",
    "{\"a\":1,\"A\":2,\"a \":3}",
    "[{\"a\":1},{\"a\":1}]",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "1.7976931348623157e308",
    "4.9e-324",
};

static void malformed_texts_are_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        json_t *theirs = json_loads(REFUSED[i], JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

        if (parse(REFUSED[i]) || theirs)
            fail_msg("accepted: %s", REFUSED[i]);
    }
    for (unsigned i = 0; i < sizeof(ACCEPTED) / sizeof(ACCEPTED[0]); i++)
        if (!parse(ACCEPTED[i]))
            fail_msg("refused: %s", ACCEPTED[i]);
    assert_null(jwt_json_parse(pool, "{\"sub\":\"1\"}\0{}", 14));
    assert_null(jwt_json_parse(pool, "{\"sub\":\"1\0\"}", 12));
    assert_null(jwt_json_parse(pool, "1\0", 2));
}

static void size_and_depth_are_limited(void **state)
{
    char *deep = apr_pcalloc(pool, 6001), *many = apr_pstrdup(pool, "{\"m\":0");

    (void)state;
    memset(deep, '[', 6000);
    assert_null(jwt_json_parse(pool, deep, 6000));
    memset(deep + 32, ']', 32);
    assert_non_null(jwt_json_parse(pool, apr_pstrmemdup(pool, deep, 64), 64));
    memset(deep, '[', 6000);
    memset(deep + 33, ']', 33);
    assert_null(jwt_json_parse(pool, apr_pstrmemdup(pool, deep, 66), 66));
    for (int i = 1; i < 512; i++)
        many = apr_psprintf(pool, "%s,\"m%d\":%d", many, i, i);
    assert_non_null(parse(apr_pstrcat(pool, many, "}", NULL)));
    assert_null(parse(apr_pstrcat(pool, many, ",\"n\":1}", NULL)));
}

static void long_lists_are_whole(void **state)
{
    const char *text = "[0";
    const jwt_json_t *array, *item;

    (void)state;
    for (int i = 1; i < 300; i++)
        text = apr_psprintf(pool, i % 3 ? "%s,%d" : i % 2 ? "%s,\"%d\"" : "%s,\"\\u0023%d\"", text, i);
    array = item = parse(apr_pstrcat(pool, text, "]", NULL));
    assert_int_equal(array->nodes, 301);
    for (int i = 0; i < 300; i++) {
        const char *wanted = apr_psprintf(pool, i && i % 6 == 0 ? "#%d" : "%d", i);

        item++;
        assert_int_equal(item->type, i && i % 3 == 0 ? TRESTLE_JSON_STRING : TRESTLE_JSON_NUMBER);
        assert_int_equal(item->length, strlen(wanted));
        assert_memory_equal(item->text, wanted, item->length);
    }
    for (text = "[[]", array = NULL; !array || array->nodes < 300; text = apr_pstrcat(pool, text, ",[]", NULL))
        array = parse(apr_pstrcat(pool, text, "]", NULL));
    for (item = jwt_json_first(array); item; item = jwt_json_next(array, item))
        assert_true(item->nodes == 1 && item->length == 2);
}

/* Random texts from pieces of JSON: never another opinion than jansson's about which are JSON. */
static void jansson_agrees(void **state)
{
    static const char *const pieces[] = { "{",     "}",           "[",  "]",    ",",   ":",       "\"a\"",
                                          "\"b\"", "\"\\u0041\"", "1",  "-2.5", "1e3", "true",    "false",
                                          "null",  " ",           "\"", "\\",   "0",   "\xC3\xA9" };
    unsigned random = 12345;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[128] = "";
        apr_pool_t *scratch;
        json_t *theirs;
        int ours;

        for (int n = 1 + i % 9; n > 0; n--) {
            random = random * 1103515245 + 12345;
            strcat(text, pieces[random / 65536 % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        apr_pool_create(&scratch, pool);
        ours = jwt_json_parse(scratch, text, strlen(text)) != NULL;
        theirs = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        if (ours != (theirs != NULL))
            fail_msg("%s: %d", text, ours);
        json_decref(theirs);
        apr_pool_destroy(scratch);
    }
}

static int equal(const char *a, const char *b)
{
    int one = jwt_json_equal(parse(a), parse(b));

    assert_int_equal(jwt_json_equal(parse(b), parse(a)), one);
    return one;
}

static void values_compare_by_type(void **state)
{
    (void)state;
    assert_true(equal("1", "1"));
    assert_true(equal("1", "1.0"));
    assert_true(equal("10", "1e1"));
    assert_true(equal("-0", "0"));
    assert_true(equal("100", "1.00E+2"));
    assert_false(equal("1", "2"));
    assert_false(equal("1", "\"1\""));
    assert_false(equal("1", "true"));
    assert_false(equal("true", "\"true\""));
    assert_false(equal("true", "false"));
    assert_true(equal("false", "false"));
    assert_true(equal("null", "null"));
    assert_true(equal("\"a\"", "\"\\u0061\""));
    assert_false(equal("\"a\"", "\"A\""));
    assert_false(equal("\"a\"", "\"a \""));
    assert_false(equal("[]", "[]"));
    assert_false(equal("{}", "{}"));
    assert_false(equal("9007199254740993", "9007199254740992")); /* one double, two numbers */
    assert_true(equal("9223372036854775807", "9223372036854775807"));
    assert_false(equal("123456789012345678901234567890", "123456789012345678901234567891"));
}

static const jwt_json_t *found(const char *path_text, const char *claims)
{
    jwt_path_t path;

    assert_null(jwt_path_parse(pool, path_text, &path));
    return jwt_path_find(&path, parse(claims));
}

static void paths_lead_to_claims(void **state)
{
    static const char claims[] =
        "{\"role\":\"a\",\"https://x.example/roles\":\"b\",\"a.b\":\"c\",\"realm_access\":{\"roles\":"
        "[\"d\",\"e\",{\"f\":\"g\"}],\"\":\"h\"},\"/x\":\"i\",\"a/b\":{\"m~n\":\"j\"},\"01\":\"k\"}";
    static const struct {
        const char *path, *value;
    } cases[] = { { "role", "a" },
                  { "/role", "a" },
                  { "https://x.example/roles", "b" },
                  { "/https:~1~1x.example~1roles", "b" },
                  { "a.b", "c" },
                  { "/realm_access/roles/0", "d" },
                  { "/realm_access/roles/1", "e" },
                  { "/realm_access/roles/2/f", "g" },
                  { "/realm_access/", "h" },
                  { "/~1x", "i" },
                  { "/a~1b/m~0n", "j" },
                  { "/01", "k" } };
    static const char *const absent[] = { "Role",
                                          "realm_access/roles",
                                          "realm_access.roles",
                                          "/realm_access/roles/3",
                                          "/realm_access/roles/00",
                                          "/realm_access/roles/-",
                                          "/realm_access/roles/",
                                          "/realm_access/roles/999999999999",
                                          "/role/x",
                                          "/x/y" };
    jwt_path_t path;

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(jwt_json_is(found(cases[i].path, claims), cases[i].value));
    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_null(found(absent[i], claims));
    assert_non_null(jwt_path_parse(pool, "", &path));
    assert_non_null(jwt_path_parse(pool, "/a~2", &path));
    assert_non_null(jwt_path_parse(pool, "/a~", &path));
    assert_null(jwt_path_find(NULL, parse(claims)));
    assert_null(jwt_path_find(&path, NULL));
}

static apr_array_header_t *words(const char *first, ...)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    va_list arguments;

    va_start(arguments, first);
    for (const char *word = first; word; word = va_arg(arguments, const char *))
        APR_ARRAY_PUSH(list, const char *) = word;
    va_end(arguments);
    return list;
}

static int claim_is(const char *claims, const char *value)
{
    jwt_require_t require;

    assert_null(jwt_require_parse_claim(pool, words("c", value, NULL), &require));
    return jwt_require_claim(&require, parse(claims));
}

static void required_claims_are_typed(void **state)
{
    jwt_require_t require;

    (void)state;
    assert_true(claim_is("{\"c\":5}", "5"));
    assert_true(claim_is("{\"c\":5.0}", "5"));
    assert_true(claim_is("{\"c\":[1,5]}", "5"));
    assert_false(claim_is("{\"c\":\"5\"}", "5"));
    assert_true(claim_is("{\"c\":\"5\"}", "\"5\""));
    assert_false(claim_is("{\"c\":5}", "\"5\""));
    assert_true(claim_is("{\"c\":true}", "true"));
    assert_false(claim_is("{\"c\":\"true\"}", "true"));
    assert_true(claim_is("{\"c\":\"sales\"}", "sales"));
    assert_true(claim_is("{\"c\":[\"it\",\"sales\"]}", "sales"));
    assert_false(claim_is("{\"c\":[[\"sales\"]]}", "sales"));
    assert_false(claim_is("{\"c\":{\"sales\":true}}", "sales"));
    assert_false(claim_is("{\"c\":\"sales it\"}", "sales"));
    assert_false(claim_is("{\"d\":\"sales\"}", "sales"));
    assert_true(claim_is("{\"c\":\"null\"}", "null"));
    assert_false(claim_is("{\"c\":null}", "null"));
    assert_true(claim_is("{\"c\":\"[1]\"}", "[1]"));
    assert_true(claim_is("{\"c\":[]}", NULL));
    assert_true(claim_is("{\"c\":false}", NULL));
    assert_false(claim_is("{\"c\":null}", NULL));
    assert_false(claim_is("{}", NULL));
    assert_null(jwt_require_parse_claim(pool, words("c", "a", "7", NULL), &require));
    assert_true(jwt_require_claim(&require, parse("{\"c\":7}")));
    assert_true(jwt_require_claim(&require, parse("{\"c\":\"a\"}")));
    assert_false(jwt_require_claim(&require, NULL));
    assert_non_null(jwt_require_parse_claim(pool, words(NULL), &require));
    assert_non_null(jwt_require_parse_claim(pool, words("/a~", NULL), &require));
}

static int scope_holds(const char *claim)
{
    jwt_require_t require;

    assert_null(jwt_require_parse_names(pool, "scope", words("read", "orders:write", NULL), &require));
    assert_string_equal(jwt_require_scope_text(pool, &require), "read orders:write");
    return jwt_require_scope(&require, claim ? parse(claim) : NULL);
}

static void scopes_are_whole_words(void **state)
{
    jwt_require_t require;

    (void)state;
    assert_true(scope_holds("\"orders:write read\""));
    assert_true(scope_holds("\" read  orders:write x\""));
    assert_true(scope_holds("[\"x\",\"read\",\"orders:write\"]"));
    assert_false(scope_holds("\"read\""));
    assert_false(scope_holds("\"reader orders:write\""));
    assert_false(scope_holds("\"read,orders:write\""));
    assert_false(scope_holds("[\"read orders:write\"]"));
    assert_false(scope_holds("[\"read\",[\"orders:write\"]]"));
    assert_false(scope_holds("\"\""));
    assert_false(scope_holds("7"));
    assert_false(scope_holds(NULL));
    assert_non_null(jwt_require_parse_names(pool, "scope", words("a b", NULL), &require));
    assert_non_null(jwt_require_parse_names(pool, "scope", words("a\"b", NULL), &require));
    assert_non_null(jwt_require_parse_names(pool, "scope", words("", NULL), &require));
    assert_non_null(jwt_require_parse_names(pool, "scope", words(NULL), &require));
    assert_null(jwt_require_parse_names(pool, "role", words("chief editor", NULL), &require));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(size_and_depth_are_limited),
        cmocka_unit_test(long_lists_are_whole),
        cmocka_unit_test(jansson_agrees),
        cmocka_unit_test(values_compare_by_type),
        cmocka_unit_test(paths_lead_to_claims),
        cmocka_unit_test(required_claims_are_typed),
        cmocka_unit_test(scopes_are_whole_words),
    };

    return cmocka_run_group_tests_name("auth_jwt json", tests, setup, teardown);
}
