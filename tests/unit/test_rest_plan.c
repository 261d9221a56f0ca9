/* mod_rest: values, plans and SQL, against a catalogue made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_call.h"
#include "rest/rest_sql.h"

static apr_pool_t *pool;
static rest_catalogue_t *catalogue;

static const rest_type_t *type(const char *name)
{
    static unsigned oid = 1;

    return rest_catalogue_add_type(catalogue, pool, oid++, "pg_catalog", name);
}

static void make_catalogue(void)
{
    rest_type_t *array, *pair;
    rest_function_t *f;

    catalogue = rest_catalogue_make(pool, "api");
    array = rest_catalogue_add_type(catalogue, pool, 1000, "pg_catalog", "_int4");
    array->kind = REST_ARRAY;
    array->element = type("int4");
    pair = rest_catalogue_add_type(catalogue, pool, 1001, "api", "pair");
    pair->kind = REST_ROW;

    f = rest_catalogue_add_function(catalogue, pool, "make", 'v', type("jsonb"), 0);
    rest_catalogue_add_argument(f, pool, "id", type("int8"), 0);
    rest_catalogue_add_argument(f, pool, "name", type("text"), 0);
    rest_catalogue_add_argument(f, pool, "done", type("bool"), 1);
    rest_catalogue_add_argument(f, pool, "price", type("numeric"), 1);
    rest_catalogue_add_argument(f, pool, "tags", array, 1);
    rest_catalogue_add_argument(f, pool, "extra", type("jsonb"), 1);
    rest_catalogue_add_argument(f, pool, "pair", pair, 1);
    rest_catalogue_add_argument(f, pool, "day", type("date"), 1);
    f = rest_catalogue_add_function(catalogue, pool, "items", 's', type("record"), 1);
    f = rest_catalogue_add_function(catalogue, pool, "numbers", 's', type("int4"), 1);
    f = rest_catalogue_add_function(catalogue, pool, "clear", 'v', type("void"), 0);
    f = rest_catalogue_add_function(catalogue, pool, "size", 's', type("int4"), 0);
    f = rest_catalogue_add_function(catalogue, pool, "pick", 's', type("text"), 0);
    rest_catalogue_add_argument(f, pool, "a", type("int4"), 0);
    f = rest_catalogue_add_function(catalogue, pool, "pick", 's', type("text"), 0);
    rest_catalogue_add_argument(f, pool, "b", type("int4"), 0);
    f = rest_catalogue_add_function(catalogue, pool, "odd\"name", 'v', type("json"), 0);
    rest_catalogue_add_argument(f, pool, "a\"b", type("text"), 1);
    f = rest_catalogue_add_function(catalogue, pool, "all_of", 's', type("json"), 0);
    rest_catalogue_add_argument(f, pool, "list", array, 0)->variadic = 1;
}

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return 1;
    make_catalogue();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static rest_plan_t plan;
static rest_fault_t fault;

/* Plans a call with a path variable "name=value", a query and a JSON body (each may be NULL). */
static int call(const char *function, const char *path, const char *query, const char *json, int refuse_unknown)
{
    apr_array_header_t *given = apr_array_make(pool, 4, sizeof(rest_given_t));
    rest_json_mistake_t mistake;
    rest_json_t body;

    memset(&plan, 0, sizeof(plan));
    memset(&fault, 0, sizeof(fault));
    plan.rows_max = 50;
    if (path && !rest_query_parse(path, strlen(path), REST_IN_PATH, 1000, given, &fault))
        return 0;
    if (query && !rest_query_parse(query, strlen(query), REST_IN_QUERY, 1000, given, &fault))
        return 0;
    if (json && !rest_json_parse(json, strlen(json), &body, &mistake))
        return rest_refuse(&fault, 400, "INVALID_JSON", rest_json_complaint(pool, "The body", json, &mistake), NULL);
    if (json && body.type == TRESTLE_JSON_OBJECT && !rest_query_members(&body, 1000, given, &fault))
        return 0;
    return rest_call_plan(pool, rest_catalogue_function(catalogue, function), given, json ? &body : NULL,
                          refuse_unknown, &plan, &fault);
}

/* "sql | value value …" of the plan. */
static const char *sql(void)
{
    rest_statement_t statement;
    const char *text;

    rest_sql_build(pool, &plan, &statement);
    text = apr_pstrcat(pool, statement.sql, " |", NULL);
    for (int i = 0; i < statement.nparams; i++)
        text = apr_pstrcat(pool, text, " ", statement.values[i] ? statement.values[i] : "NULL", NULL);
    return text;
}

/* "status CODE field" of the fault. */
static const char *refusal(void)
{
    return apr_psprintf(pool, "%d %s %s", fault.status, fault.code, fault.field ? fault.field : "-");
}

#define SETTINGS                                                                                                       \
    "pg_catalog.current_setting('response.status', true), pg_catalog.current_setting('response.headers', true)"

static void functions_become_statements(void **state)
{
    (void)state;
    assert_true(call("make", "id=7", NULL, "{\"name\": \"x\"}", 1));
    assert_string_equal(sql(),
                        "SELECT s.body, " SETTINGS " FROM (SELECT \"api\".\"make\"(\"id\" => "
                        "$1::\"pg_catalog\".\"int8\", \"name\" => $2::\"pg_catalog\".\"text\") AS body OFFSET 0) AS s"
                        " | 7 x");
    assert_true(call("items", NULL, NULL, NULL, 1));
    assert_string_equal(sql(), "SELECT s.body, " SETTINGS
                               " FROM (SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t.*)), '[]') AS body "
                               "FROM (SELECT * FROM \"api\".\"items\"() AS f LIMIT 50) AS t) AS s |");
    assert_true(call("numbers", NULL, NULL, NULL, 1));
    assert_non_null(
        strstr(sql(), "json_agg(t.v), '[]') AS body FROM (SELECT * FROM \"api\".\"numbers\"() AS f(v) LIMIT"));
    assert_true(call("clear", NULL, NULL, NULL, 1));
    assert_non_null(strstr(sql(), "(SELECT \"api\".\"clear\"() AS body OFFSET 0)"));
    assert_true(call("size", NULL, NULL, NULL, 1));
    assert_non_null(strstr(sql(), "(SELECT pg_catalog.to_json(\"api\".\"size\"()) AS body OFFSET 0)"));
    assert_true(call("all_of", NULL, "list=1&list=2", NULL, 1));
    assert_non_null(strstr(sql(), "(VARIADIC \"list\" => $1::\"pg_catalog\".\"_int4\")"));
    assert_non_null(strstr(sql(), "| {\"1\",\"2\"}"));
    assert_true(call("make", "id=1", NULL, "{\"name\":\"\",\"pair\":{\"a\":1}}", 1));
    assert_non_null(strstr(sql(), "\"pair\" => pg_catalog.json_populate_record(NULL::\"api\".\"pair\", "
                                  "$3::pg_catalog.json)"));
}

static void text_depends_on_the_shape_only(void **state)
{
    rest_statement_t a, b;

    (void)state;
    assert_true(call("make", "id=7", NULL, "{\"name\": \"x\"}", 1));
    rest_sql_build(pool, &plan, &a);
    assert_true(call("make", "id=9223372036854775807", "name='); DROP TABLE item; --", NULL, 1));
    rest_sql_build(pool, &plan, &b);
    assert_string_equal(a.sql, b.sql);
    assert_string_equal(b.values[1], "'); DROP TABLE item; --");
}

static void the_path_wins_then_the_body(void **state)
{
    (void)state;
    assert_true(call("make", "id=7", "id=8&name=query", "{\"id\": 9, \"name\": \"body\"}", 1));
    assert_string_equal(strstr(sql(), "|"), "| 7 body");
    assert_true(call("make", "id=7", "name=query", NULL, 1));
    assert_string_equal(strstr(sql(), "|"), "| 7 query");
}

static void json_values_keep_their_digits(void **state)
{
    (void)state;
    assert_true(call("make", "id=7", NULL,
                     "{\"name\": \"a\\u00e9\\ud83d\\ude00\\n\", \"done\": false, \"price\": 0.10000000000000000005e-3,"
                     " \"tags\": [1, null, -2], \"extra\": {\"a\" : [1.50, \"\\\\\"]}, \"day\": \"2025-08-04\"}",
                     1));
    assert_string_equal(strstr(sql(), "|"), "| 7 a\xC3\xA9\xF0\x9F\x98\x80\n false 0.10000000000000000005e-3 "
                                            "{\"1\",NULL,\"-2\"} {\"a\" : [1.50, \"\\\\\"]} 2025-08-04");
    assert_true(call("make", "id=7", NULL, "{\"name\": null, \"extra\": null, \"done\": \"true\"}", 1));
    assert_string_equal(strstr(sql(), "|"), "| 7 NULL true NULL");
}

static void refuses(const char *path, const char *query, const char *json, const char *expected)
{
    if (call("make", path, query, json, 1))
        fail_msg("%s was taken", json ? json : query ? query : path);
    if (strcmp(refusal(), expected))
        fail_msg("%s: %s, not %s (%s)",
                 json    ? json
                 : query ? query
                         : path,
                 refusal(), expected, fault.cause ? fault.cause : "");
}

static void wrong_values_name_their_field(void **state)
{
    (void)state;
    refuses("id=x", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=9223372036854775808", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=+1", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=1%20", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=0x10", NULL, "{\"name\":\"a\"}", "404 NOT_FOUND -");
    refuses("id=1", NULL, NULL, "400 REQUIRED_FIELD_MISSING name");
    refuses(NULL, "name=a", NULL, "400 REQUIRED_FIELD_MISSING id");
    refuses(NULL, "name=a&id=1.0", NULL, "400 VALIDATION_ERROR id");
    refuses("id=1", NULL, "{\"name\":5}", "400 VALIDATION_ERROR name");
    refuses("id=1", NULL, "{\"name\":true}", "400 VALIDATION_ERROR name");
    refuses("id=1", NULL, "{\"name\":[\"a\"]}", "400 VALIDATION_ERROR name");
    refuses("id=1", NULL, "{\"name\":\"a\\u0000b\"}", "400 VALIDATION_ERROR name");
    refuses("id=1", NULL, "{\"name\":\"a\",\"done\":1}", "400 VALIDATION_ERROR done");
    refuses("id=1", NULL, "{\"name\":\"a\",\"done\":\"maybe\"}", "400 VALIDATION_ERROR done");
    refuses("id=1", NULL, "{\"name\":\"a\",\"tags\":5}", "400 VALIDATION_ERROR tags");
    refuses("id=1", NULL, "{\"name\":\"a\",\"tags\":[\"x\"]}", "400 VALIDATION_ERROR tags");
    refuses("id=1", NULL, "{\"name\":\"a\",\"tags\":[2147483648]}", "400 VALIDATION_ERROR tags");
    refuses("id=1", NULL, "{\"name\":\"a\",\"tags\":{}}", "400 VALIDATION_ERROR tags");
    refuses("id=1", NULL, "{\"name\":\"a\",\"pair\":[1]}", "400 VALIDATION_ERROR pair");
    refuses("id=1", NULL, "{\"name\":\"a\",\"day\":5}", "400 VALIDATION_ERROR day");
    refuses("id=1", "extra={", "{\"name\":\"a\"}", "400 VALIDATION_ERROR extra");
    refuses("id=1", NULL, "{\"name\":\"a\",\"name\":\"b\"}", "400 VALIDATION_ERROR name");
    refuses("id=1", "name=a&name=b", NULL, "400 VALIDATION_ERROR name");
    refuses("id=1", "name=a&nothing=b", NULL, "400 VALIDATION_ERROR nothing");
    refuses("id=1", "name=%ff", NULL, "400 VALIDATION_ERROR name");
    refuses("id=1", "name=a%00b", NULL, "400 VALIDATION_ERROR name");
    refuses("id=1", "name=%4", NULL, "400 VALIDATION_ERROR name");
    refuses("id=1", "na%zzme=x", NULL, "400 VALIDATION_ERROR -");
    refuses("nothing=1", NULL, "{\"name\":\"a\",\"id\":1}", "500 INTERNAL_SERVER_ERROR -");
    assert_non_null(strstr(fault.cause, "name the variable after an argument"));
    assert_true(call("make", "id=1", "name=a&nothing=b", "{\"neither\": 1}", 0));
}

static void bad_bodies(void **state)
{
    static const char *const bad[] = { "",
                                       "[]",
                                       "5",
                                       "{",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{\"a\":1,}",
                                       "{,}",
                                       "{\"a\":1}}",
                                       "{\"a\":01}",
                                       "{\"a\":1.}",
                                       "{\"a\":-}",
                                       "{\"a\":+1}",
                                       "{\"a\":1e}",
                                       "{a:1}",
                                       "{\"a\":'b'}",
                                       "{\"a\":nul}",
                                       "{\"a\":\"\\x\"}",
                                       "{\"a\":\"\\u12\"}",
                                       "{\"a\":\"\\ud800\"}",
                                       "{\"a\":\"\\ud800\\u0041\"}",
                                       "{\"a\":\"\\udc00\"}",
                                       "{\"a\":\"\t\"}",
                                       "{\"a\":\"\xff\"}",
                                       "{\"a\":NaN}",
                                       "\xEF\xBB\xBF{}" };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses("id=1", NULL, bad[i], "400 INVALID_JSON -");
}

static void nesting_has_a_limit(void **state)
{
    char body[400];

    (void)state;
    for (int depth = 63; depth <= 64; depth++) {
        char *out = body + sprintf(body, "{\"name\":\"a\",\"extra\":");

        memset(out, '[', (size_t)depth);
        memset(out + depth, ']', (size_t)depth);
        strcpy(out + 2 * depth, "}");
        if (depth == 63)
            assert_true(call("make", "id=1", NULL, body, 1));
        else
            refuses("id=1", NULL, body, "400 INVALID_JSON -");
    }
}

static void many_fields(void **state)
{
    char *query = apr_palloc(pool, 5000), *out = query;

    (void)state;
    for (int i = 0; i < 1001; i++)
        out += sprintf(out, "a=1&");
    assert_false(call("make", "id=1", query, NULL, 0));
    assert_string_equal(refusal(), "400 VALIDATION_ERROR -");
}

static void overloads_are_chosen_by_names(void **state)
{
    (void)state;
    assert_true(call("pick", NULL, "a=1", NULL, 1));
    assert_non_null(strstr(sql(), "(\"a\" => "));
    assert_true(call("pick", NULL, "b=1", NULL, 1));
    assert_non_null(strstr(sql(), "(\"b\" => "));
    assert_false(call("pick", NULL, "c=1", NULL, 1));
    assert_string_equal(refusal(), "400 VALIDATION_ERROR c");
}

static void names_are_quoted(void **state)
{
    (void)state;
    assert_string_equal(rest_quote(pool, "a\"b"), "\"a\"\"b\"");
    assert_true(call("odd\"name", NULL, "a%22b=c", NULL, 1));
    assert_non_null(strstr(sql(), "\"api\".\"odd\"\"name\"(\"a\"\"b\" => $1::"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_become_statements),   cmocka_unit_test(text_depends_on_the_shape_only),
        cmocka_unit_test(the_path_wins_then_the_body),   cmocka_unit_test(json_values_keep_their_digits),
        cmocka_unit_test(wrong_values_name_their_field), cmocka_unit_test(bad_bodies),
        cmocka_unit_test(nesting_has_a_limit),           cmocka_unit_test(many_fields),
        cmocka_unit_test(overloads_are_chosen_by_names), cmocka_unit_test(names_are_quoted),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
