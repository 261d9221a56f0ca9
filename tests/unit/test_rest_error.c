/* mod_rest: what refusals of the database mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_error.h"

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

static rest_fault_t fault;

/* "status CODE field" */
static const char *meaning(trestle_pg_error_t error, int anonymous)
{
    const char *values[] = { "7", "x" }, *fields[] = { "id", "name" };
    int in_path[] = { 1, 0 };
    rest_statement_t statement = { "SELECT", 2, values, fields, in_path, 0, NULL, NULL };

    apr_array_header_t *given = apr_array_make(pool, 4, sizeof(rest_given_t));
    const rest_attempt_t attempt = { .statement = &statement, .given = given, .anonymous = anonymous };

    rest_query_add(given, "title", REST_IN_BODY, "x", NULL);
    rest_query_add(given, "email", REST_IN_BODY, "x", NULL);
    rest_error_translate(pool, &error, &attempt, &fault);
    return apr_psprintf(pool, "%d %s %s", fault.status, fault.code ? fault.code : "-", fault.field ? fault.field : "-");
}

static const char *plain(const char *sqlstate)
{
    return meaning((trestle_pg_error_t){ .sqlstate = sqlstate, .message = "relation \"secret\" at /path" }, 0);
}

static void states_have_statuses(void **state)
{
    static const char *const cases[][2] = {
        { "22P02", "400 VALIDATION_ERROR -" },
        { "22003", "400 VALIDATION_ERROR -" },
        { "22007", "400 VALIDATION_ERROR -" },
        { "22008", "400 VALIDATION_ERROR -" },
        { "22001", "400 VALIDATION_ERROR -" },
        { "22021", "400 VALIDATION_ERROR -" },
        { "22012", "400 VALIDATION_ERROR -" },
        { "23502", "400 REQUIRED_FIELD_MISSING -" },
        { "23503", "409 CONFLICT -" },
        { "23505", "409 ALREADY_EXISTS -" },
        { "23514", "400 VALIDATION_ERROR -" },
        { "25006", "405 METHOD_NOT_ALLOWED -" },
        { "57014", "503 SERVICE_UNAVAILABLE -" },
        { "53300", "503 SERVICE_UNAVAILABLE -" },
        { "57P01", "503 SERVICE_UNAVAILABLE -" },
        { "40001", "409 CONFLICT -" },
        { "54000", "400 VALIDATION_ERROR -" },
        { "428C9", "400 VALIDATION_ERROR -" },
        { "44000", "400 VALIDATION_ERROR -" },
        { "40P01", "409 CONFLICT -" },
        { "42P01", "500 INTERNAL_SERVER_ERROR -" },
        { "XX000", "500 INTERNAL_SERVER_ERROR -" },
        { "PT200", "500 INTERNAL_SERVER_ERROR -" },
        { "PT600", "500 INTERNAL_SERVER_ERROR -" },
        { "PT4xx", "500 INTERNAL_SERVER_ERROR -" },
        { "57P04", "503 SERVICE_UNAVAILABLE -" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(plain(cases[i][0]), cases[i][1]);
        assert_true(!fault.detail || !strstr(fault.detail, "secret"));
        assert_int_equal(fault.cause != NULL, fault.status == 500);
    }
}

static void rights_depend_on_being_signed_in(void **state)
{
    (void)state;
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "42501" }, 0), "403 PERMISSION_DENIED -");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "42501" }, 1), "401 AUTHENTICATION_REQUIRED -");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "42501", .statement = -1 }, 1),
                        "500 INTERNAL_SERVER_ERROR -");
    assert_non_null(strstr(fault.cause, "grant the role"));
}

static void applications_refuse_in_their_own_words(void **state)
{
    (void)state;
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "PT403",
                                                      .message = "PERMISSION_DENIED",
                                                      .detail = "Not yours.",
                                                      .hint = "" },
                                1),
                        "403 PERMISSION_DENIED -");
    assert_string_equal(fault.detail, "Not yours.");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "PT422", .message = "TOO_SHORT", .hint = "name" }, 0),
                        "422 TOO_SHORT name");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "PT404", .message = "No such thing" }, 0), "404 - -");
    assert_string_equal(fault.detail, "No such thing");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "P0001", .message = "Too late" }, 0),
                        "400 VALIDATION_ERROR -");
    assert_string_equal(fault.detail, "Too late");
}

static void fields_are_named(void **state)
{
    (void)state;
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22P02", .context = "unnamed portal parameter $2 = '...'" }, 0),
        "400 VALIDATION_ERROR name");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22007", .context = "SQL function \"f\" portal parameter $1" }, 0),
        "400 VALIDATION_ERROR -");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22007", .context = "unnamed portal parameter $1" }, 0),
        "404 NOT_FOUND -");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22P02", .context = "unnamed portal parameter $9" }, 0),
        "400 VALIDATION_ERROR -");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22P02",
                                      .context = "JSON data, line 1: x\nunnamed portal parameter $2 = 'x'" },
                0),
        "400 VALIDATION_ERROR name");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "22P02", .context = "이름 없는 포털 매개변수 $2" }, 0),
        "400 VALIDATION_ERROR name");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "23502", .column = "title" }, 0),
                        "400 REQUIRED_FIELD_MISSING title");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "23502", .column = "secret" }, 0),
                        "400 REQUIRED_FIELD_MISSING -");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "23505", .detail = "Key (secret)=(1) already exists." }, 0),
        "409 ALREADY_EXISTS -");
    assert_string_equal(meaning((trestle_pg_error_t){ .sqlstate = "P0001", .message = "Too late", .column = "day" }, 0),
                        "400 VALIDATION_ERROR day");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "23505", .detail = "Key (email)=(a@b) already exists." }, 0),
        "409 ALREADY_EXISTS email");
    assert_string_equal(
        meaning((trestle_pg_error_t){ .sqlstate = "23505", .detail = "Key (lower(email))=(a@b) already exists." }, 0),
        "409 ALREADY_EXISTS -");
}

static void only_top_level_errors_are_stale(void **state)
{
    (void)state;
    assert_true(rest_error_is_stale(&(trestle_pg_error_t){ .sqlstate = "42883" }));
    assert_false(rest_error_is_stale(&(trestle_pg_error_t){ .sqlstate = "42883", .context = "PL/pgSQL function f()" }));
    assert_false(rest_error_is_stale(&(trestle_pg_error_t){ .sqlstate = "42501" }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_statuses),
        cmocka_unit_test(rights_depend_on_being_signed_in),
        cmocka_unit_test(applications_refuse_in_their_own_words),
        cmocka_unit_test(fields_are_named),
        cmocka_unit_test(only_top_level_errors_are_stale),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
