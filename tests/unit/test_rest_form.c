/* mod_rest and modules/common: media types, parameters, and forms that arrive in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "multipart.h"
#include "parameters.h"
#include "rest/rest_form.h"
#include "rest/rest_media.h"

static apr_pool_t *pool;
static rest_fault_t fault;

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

/* "name=value|name=value" of the parameters, with "!" at the end if they are malformed. */
static const char *parameters(const char *text)
{
    const char *all = "", *name, *value;
    int more;

    while ((more = trestle_parameters_next(pool, &text, &name, &value)) == 1)
        all = apr_pstrcat(pool, all, *all ? "|" : "", name, "=", value, NULL);
    return more < 0 ? apr_pstrcat(pool, all, "!", NULL) : all;
}

static void parameters_are_tokens_or_quoted(void **state)
{
    (void)state;
    assert_string_equal(parameters(""), "");
    assert_string_equal(parameters("  "), "");
    assert_string_equal(parameters("; A=b"), "a=b");
    assert_string_equal(parameters(";"), "");
    assert_string_equal(parameters("; ;A=b; "), "a=b");
    assert_string_equal(parameters(" ;a=b;c=\"d; e=f\" ; g=h"), "a=b|c=d; e=f|g=h");
    assert_string_equal(parameters("; a=\"\""), "a=");
    assert_string_equal(parameters("; a=\"x\\\"y\\z\""), "a=x\"y\\z");
    assert_string_equal(parameters("; a=\"한\""), "a=한");
    assert_string_equal(parameters("; a=\"x"), "!");
    assert_string_equal(parameters("; a=\"x\\\""), "!");
    assert_string_equal(parameters("; a=\"x\x01\""), "!");
    assert_string_equal(parameters("; a"), "!");
    assert_string_equal(parameters("; a="), "!");
    assert_string_equal(parameters("; a=b;"), "a=b");
    assert_string_equal(parameters("; a =b"), "!");
    assert_string_equal(parameters("; a=b c"), "a=b!");
    assert_string_equal(parameters("x"), "!");
}

/* The kind and boundary of a body's type, or the status of the refusal. */
static const char *media(const char *type, rest_types_e types)
{
    static const char *const kinds[] = { "none", "text", "json", "form", "multipart", "other" };
    rest_media_t found;

    if (!rest_media_of_body(pool, type, types, &found, &fault))
        return apr_itoa(pool, fault.status);
    return found.boundary ? apr_pstrcat(pool, kinds[found.kind], " ", found.boundary, NULL) : kinds[found.kind];
}

static void media_types_of_bodies(void **state)
{
    static const char *const cases[][3] = {
        { NULL, "none", "json" },
        { "application/json", "json", "json" },
        { "Application/JSON ; charset=\"UTF-8\"", "json", "json" },
        { "application/json; charset=latin1", "415", "415" },
        { "application/x-www-form-urlencoded;charset=utf-8", "form", "form" },
        { "multipart/form-data; boundary=abc", "multipart abc", "multipart abc" },
        { "multipart/form-data; boundary=\"a b\"", "multipart a b", "multipart a b" },
        { "multipart/form-data", "400", "400" },
        { "multipart/form-data; boundary=a; boundary=b", "400", "400" },
        { "multipart/form-data; boundary=\"a\\b\"", "400", "400" },
        { "multipart/mixed; boundary=a", "415", "json" },
        { "text/plain", "415", "json" },
        { "text/plain, application/json", "415", "415" },
        { "application/json, application/json", "415", "415" },
        { "nothing", "415", "json" },
        { "nothing, more", "415", "415" },
        { "", "415", "json" },
        { "application/json; boundary=a", "json", "json" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(media(cases[i][0], REST_TYPES_STRICT), cases[i][1]);
        assert_string_equal(media(cases[i][0], REST_TYPES_ANY), cases[i][2]);
    }
}

static void json_only(void **state)
{
    (void)state;
    assert_string_equal(media("application/json", REST_TYPES_JSON), "json");
    assert_string_equal(media(NULL, REST_TYPES_JSON), "none");
    assert_string_equal(media("application/x-www-form-urlencoded", REST_TYPES_JSON), "415");
    assert_string_equal(media("multipart/form-data; boundary=a", REST_TYPES_JSON), "415");
    assert_string_equal(media("text/plain", REST_TYPES_JSON), "415");
}

static void boundaries(void **state)
{
    char longest[72];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[70] = '\0';
    assert_true(trestle_boundary_is_valid(longest));
    longest[70] = 'a';
    longest[71] = '\0';
    assert_false(trestle_boundary_is_valid(longest));
    assert_true(trestle_boundary_is_valid("----WebKitFormBoundary7MA4YWxkTrZu0gW"));
    assert_true(trestle_boundary_is_valid("a'()+_,-./:=? b"));
    assert_false(trestle_boundary_is_valid(""));
    assert_false(trestle_boundary_is_valid("a "));
    assert_false(trestle_boundary_is_valid("a\r"));
    assert_false(trestle_boundary_is_valid("a;b"));
    assert_false(trestle_boundary_is_valid("가"));
}

/* The fields of a form that arrives in pieces of so many bytes: "name=text|name:json", or "status code field". */
static const char *form(const char *bytes, apr_size_t n, apr_size_t piece, apr_int64_t most)
{
    apr_array_header_t *given = apr_array_make(pool, 4, sizeof(rest_given_t));
    rest_form_t *reader = rest_form_make("b--b", most, given);
    const char *all = "";
    int ok = 1;

    for (apr_size_t at = 0; ok && at < n; at += piece)
        ok = rest_form_feed(reader, bytes + at, n - at < piece ? n - at : piece, &fault);
    if (!ok || !rest_form_end(reader, &fault))
        return apr_psprintf(pool, "%d %s %s", fault.status, fault.code, fault.field ? fault.field : "-");
    for (int i = 0; i < given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);

        assert_int_equal(item->place, REST_IN_BODY);
        all = apr_pstrcat(pool, all, *all ? "|" : "", item->name, item->text ? "=" : ":",
                          item->text ? item->text : apr_pstrmemdup(pool, item->json.bytes, item->json.length), NULL);
    }
    return all;
}

/* Checks a body in pieces of every size. */
static void reads_n(const char *bytes, apr_size_t n, const char *expected)
{
    for (apr_size_t piece = 1; piece <= n; piece++) {
        const char *found = form(bytes, n, piece, 3);

        if (strcmp(found, expected))
            fail_msg("in pieces of %d bytes: %s, not %s", (int)piece, found, expected);
    }
}

static void reads(const char *body, const char *expected)
{
    reads_n(body, strlen(body), expected);
}

#define PART(name, more) "--b--b\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n\r\n"
#define END              "\r\n--b--b--\r\n"

static void forms_in_pieces(void **state)
{
    (void)state;
    reads(PART("a", "") "one\r\n" PART("b", "") "two" END, "a=one|b=two");
    reads(PART("a", "") END, "a=");
    reads(PART("a", "") "\r\r\n\r\n-\r\n--\r\n--b\r\n--b-\r\n--b--\r\n--b--a" END,
          "a=\r\r\n\r\n-\r\n--\r\n--b\r\n--b-\r\n--b--\r\n--b--a");
    reads(PART("a", "") "\r\r\r\r" END, "a=\r\r\r\r");
    reads("\r\n" PART("a", "") "x\r\n--b--b--", "a=x");
    reads("--b--b--", "");
    reads("--b--b--\r\n", "");
    reads(PART("한\\\"\\z", "") "x" END, "한\"\\z=x");
    reads("--b--b\r\ncontent-type: text/plain\r\nX-Other: y\r\nCONTENT-DISPOSITION:form-data;name=a\r\n\r\nx" END,
          "a=x");
    reads(PART("a", "\r\nContent-Type: application/json") " {\"k\": 1.0} " END, "a:{\"k\": 1.0}");
    reads(PART("f", "; filename=\"\"\r\nContent-Type: application/octet-stream") "\r\n" PART("a", "") "x" END, "a=x");
    reads(PART("a", "\r\nContent-Transfer-Encoding: 8BIT") "x" END, "a=x");
}

static void malformed_forms(void **state)
{
    static const char *const bodies[] = {
        "",
        "--b--b",
        "--b--b\r\n",
        "--b--bx",
        "--b--b-",
        "--b--b--x",
        "--b--b--\r\nx",
        "--b--b--\r\n\r\n",
        "--b--b--\r",
        "x--b--b--",
        "\r\n\r\n--b--b--",
        "\n--b--b--",
        PART("a", "") "x",
        PART("a", "") "x\n--b--b--\n",
        PART("a", "") "x\r\n--b--b \r\n",
        PART("", "") "x" END,
        PART("a", "; name=\"b\"") "x" END,
        PART("a", "; filename*=UTF-8''x") "x" END,
        PART("a", "\r\nContent-Disposition: form-data; name=\"a\"") "x" END,
        PART("a", "\r\nContent-Type: text/plain\r\nContent-Type: text/plain") "x" END,
        PART("a", "\r\n folded: x") "x" END,
        PART("a", "\r\nno colon") "x" END,
        PART("a", "\r\n: x") "x" END,
        PART("a", "\r\nContent-Transfer-Encoding: quoted-printable") "x" END,
        PART("a", "\nX: y") "x" END,
        PART("a\xff", "") "x" END,
        PART("a\x7f", "") "x" END,
        "--b--b\r\nContent-Disposition: form-data; name=\"a\n\"\r\n\r\nx" END,
        "--b--b\r\nContent-Disposition: form-data\r\n\r\nx" END,
        "--b--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx" END,
        "--b--b\r\n\r\nx" END,
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        reads(bodies[i], "400 VALIDATION_ERROR -");
        assert_string_equal(form(bodies[i], strlen(bodies[i]), 4096, 3), "400 VALIDATION_ERROR -");
    }
}

static void refusals_name_the_field(void **state)
{
    static const char nul[] = PART("a", "") "x\0y" END;

    (void)state;
    reads(PART("f", "; filename=\"x\"") END, "415 FILES_NOT_ACCEPTED f");
    reads(PART("f", "; filename=\"\"") "x" END, "415 FILES_NOT_ACCEPTED f");
    reads(PART("a", "\r\nContent-Type: image/png") END, "415 UNSUPPORTED_MEDIA_TYPE a");
    reads(PART("a", "\r\nContent-Type: text") END, "415 UNSUPPORTED_MEDIA_TYPE a");
    reads(PART("a", "\r\nContent-Type: application/json") "{" END, "400 INVALID_JSON a");
    reads(PART("a", "\r\nContent-Type: application/json") "\"\\u0000\"" END, "400 VALIDATION_ERROR a");
    reads(PART("a", "") "\xff" END, "400 VALIDATION_ERROR a");
    reads_n(nul, sizeof(nul) - 1, "400 VALIDATION_ERROR a");
    reads(PART("a", "") "1\r\n" PART("a", "") "2\r\n" PART("a", "") "3\r\n" PART("a", "") "4" END,
          "400 VALIDATION_ERROR -");
}

static void headers_have_a_limit(void **state)
{
    char *body;

    (void)state;
    for (int over = 0; over <= 1; over++) {
        int fixed = (int)strlen("Content-Disposition: form-data; name=\"a\"\r\nX: \r\n\r\n");
        char *filler = apr_pcalloc(pool, TRESTLE_PART_HEADER_MAX);

        memset(filler, 'y', (size_t)(TRESTLE_PART_HEADER_MAX - fixed + over));
        body = apr_pstrdup(pool, PART("a", ""));
        body[strlen(body) - 2] = '\0';
        body = apr_pstrcat(pool, body, "X: ", filler, "\r\n\r\nx", END, NULL);
        assert_string_equal(form(body, strlen(body), 100, 3), over ? "400 VALIDATION_ERROR -" : "a=x");
        assert_string_equal(form(body, strlen(body), 100000, 3), over ? "400 VALIDATION_ERROR -" : "a=x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_tokens_or_quoted),
        cmocka_unit_test(media_types_of_bodies),
        cmocka_unit_test(json_only),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(forms_in_pieces),
        cmocka_unit_test(malformed_forms),
        cmocka_unit_test(refusals_name_the_field),
        cmocka_unit_test(headers_have_a_limit),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
