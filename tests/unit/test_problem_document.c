/* modules/problem: languages, texts, and the documents of the applications that conf/problem serves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "problem/problem_document.h"
#include "problem/problem_texts.h"

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

static const trestle_template_t *compile(const char *source)
{
    const trestle_template_t *compiled;

    assert_null(trestle_template_compile(pool, source, problem_vocabulary, &compiled));
    return compiled;
}

/* The template of conf/problem/name; tests run in the project's root. */
static const trestle_template_t *compile_file(const char *name)
{
    char *text = apr_pcalloc(pool, 65536);
    apr_size_t n = 65535;
    apr_file_t *file;

    assert_int_equal(apr_file_open(&file, apr_pstrcat(pool, "conf/problem/", name, NULL), APR_FOPEN_READ, 0, pool), 0);
    apr_file_read(file, text, &n);
    apr_file_close(file);
    return compile(text);
}

static const problem_request_t request = { "GET", "/a b", "0a1b2c3d-0000-4000-8000-0123456789ab", 1735689600005000 };

static const char *written(const trestle_problem_t *problem, const problem_style_t *style, problem_language_e language,
                           int *localised)
{
    trestle_text_t out = trestle_text_make(pool, 0);
    int ignored;

    problem_document_write(problem, &request, style, language, &out, localised ? localised : &ignored);
    return out.bytes;
}

/* The document has the same value as expected. */
static void assert_document(const trestle_problem_t *problem, const problem_style_t *style, const char *expected)
{
    const char *text = written(problem, style, PROBLEM_ENGLISH, NULL);
    json_t *is = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *wanted = json_loads(expected, 0, NULL);

    assert_non_null(wanted);
    if (!is || !json_equal(is, wanted))
        fail_msg("%s\nis not\n%s", text, expected);
    json_decref(is);
    json_decref(wanted);
}

static const apr_array_header_t *field_errors(void)
{
    static const trestle_field_error_t errors[] = { { "name", "REQUIRED", "It is missing." },
                                                    { "query.items.3.size", NULL, NULL },
                                                    { NULL, NULL, "They differ." },
                                                    { "name", NULL, "It is odd." } };
    apr_array_header_t *array = apr_array_make(pool, 4, sizeof(trestle_field_error_t));

    for (int i = 0; i < 4; i++)
        APR_ARRAY_PUSH(array, trestle_field_error_t) = errors[i];
    return array;
}

static void accept_language(void **state)
{
    static const struct {
        const char *header;
        problem_language_e fallback, wanted;
    } cases[] = {
        { NULL, PROBLEM_KOREAN, PROBLEM_KOREAN },
        { "", PROBLEM_ENGLISH, PROBLEM_ENGLISH },
        { "ko", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "KO-kr", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "kok", PROBLEM_ENGLISH, PROBLEM_ENGLISH },
        { "ko-KR,ko;q=0.9,en;q=0.8", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "en;q=0.4 , ko ; q=0.5", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "en,ko", PROBLEM_KOREAN, PROBLEM_ENGLISH },
        { "ko,en", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "fr, *;q=0.1", PROBLEM_KOREAN, PROBLEM_KOREAN },
        { "en;q=0, *", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "*;q=0.5, en;q=0.1", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "fr, de;q=0.9", PROBLEM_KOREAN, PROBLEM_KOREAN },
        { "ko;q=0", PROBLEM_KOREAN, PROBLEM_KOREAN },
        { "ko;q=1.5, en;q=0.1", PROBLEM_KOREAN, PROBLEM_ENGLISH },
        { "ko;q=0.1234,en;q=0.1", PROBLEM_KOREAN, PROBLEM_ENGLISH },
        { "ko;q=1.000,en;q=0.999", PROBLEM_ENGLISH, PROBLEM_KOREAN },
        { "ko;r=1,en;q=0.1", PROBLEM_KOREAN, PROBLEM_ENGLISH },
        { ",,;,ko;,", PROBLEM_ENGLISH, PROBLEM_ENGLISH },
        { ", ,ko,", PROBLEM_ENGLISH, PROBLEM_KOREAN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (problem_language_negotiate(cases[i].header, cases[i].fallback) != cases[i].wanted)
            fail_msg("%s", cases[i].header);
}

static void every_status_has_texts(void **state)
{
    (void)state;
    for (int status = 400; status < 600; status++) {
        const problem_texts_t *texts = problem_texts_of(status);

        assert_true(texts->status == status || texts->status == (status < 500 ? 400 : 500));
        for (int i = 0; i < PROBLEM_LANGUAGES; i++)
            assert_true(texts->title[i][0] && texts->detail[i][0]);
    }
    assert_string_equal(problem_texts_of(404)->code, "NOT_FOUND");
    assert_int_equal(problem_texts_of(499)->status, 400);
    assert_int_equal(problem_texts_of(599)->status, 500);
}

static void the_standard_document(void **state)
{
    problem_style_t style = { .template = compile(problem_standard_template) };
    trestle_problem_t problem = { .status = 404 };

    (void)state;
    assert_document(&problem, &style,
                    "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"There is nothing at "
                    "this address.\",\"instance\":\"urn:uuid:0a1b2c3d-0000-4000-8000-0123456789ab\",\"code\":"
                    "\"NOT_FOUND\"}");
    problem.field = "name";
    problem.code = "NO_SUCH_NAME";
    problem.detail = "There is no such name.";
    style.type_base = "https://e.example/p/";
    assert_document(&problem, &style,
                    "{\"type\":\"https://e.example/p/no-such-name\",\"title\":\"Not Found\",\"status\":404,"
                    "\"detail\":\"There is no such name.\",\"instance\":"
                    "\"urn:uuid:0a1b2c3d-0000-4000-8000-0123456789ab\",\"code\":\"NO_SUCH_NAME\","
                    "\"errors\":[{\"field\":\"name\",\"code\":\"NO_SUCH_NAME\",\"detail\":\"There is no such "
                    "name.\"}]}");
}

static void every_code_has_details(void **state)
{
    static const char *const codes[] = { "VALIDATION_ERROR", "INVALID_TOKEN", "CONTENT_TOO_LARGE" };

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const problem_texts_t *texts = problem_texts_of_code(codes[i]);

        assert_non_null(texts);
        assert_string_equal(texts->code, codes[i]);
        for (int language = 0; language < PROBLEM_LANGUAGES; language++)
            assert_true(texts->detail[language][0]);
    }
    assert_null(problem_texts_of_code("NO_SUCH_CODE"));
    assert_null(problem_texts_of_code(""));
}

static const char title_and_detail[] = "\"{title}: {detail}\"";

static void wordings_have_an_order(void **state)
{
    problem_style_t style = { .template = compile(title_and_detail) };
    trestle_problem_t problem = { .status = 404, .code = "C", .detail = "of the module" };
    problem_wording_t *of_code, *of_status = problem_wording_make(pool, &style.wordings, "404");
    int localised;

    (void)state;
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, &localised), "\"Not Found: of the module\"");
    assert_true(localised);
    of_status->detail[PROBLEM_ENGLISH] = "of the status";
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, NULL), "\"Not Found: of the module\"");
    problem.detail = NULL;
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, &localised), "\"Not Found: of the status\"");
    assert_true(localised);
    problem.detail = "of the module";
    of_code = problem_wording_make(pool, &style.wordings, "C");
    of_code->detail[PROBLEM_ANY_LANGUAGE] = "of the code";
    of_code->title[PROBLEM_ANY_LANGUAGE] = "T";
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, &localised), "\"T: of the code\"");
    assert_false(localised);
    of_code->detail[PROBLEM_KOREAN] = of_code->title[PROBLEM_KOREAN] = "K";
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, &localised), "\"K: K\"");
    assert_true(localised);
}

static void what_modules_say_is_for_readers_of_english(void **state)
{
    problem_style_t style = { .template = compile(title_and_detail) };
    trestle_problem_t problem = { .status = 401, .code = "INVALID_TOKEN", .detail = "It has expired." };
    int localised;

    (void)state;
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, &localised), "\"Unauthorized: It has expired.\"");
    assert_true(localised);
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, &localised),
                        "\"인증 필요: 로그인 정보가 올바르지 않거나 만료되었습니다.\"");
    assert_true(localised);
    problem.code = "OF_SOMEONE_ELSE";
    problem.title = "Expired";
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, &localised),
                        "\"인증 필요: 유효한 인증 정보가 필요합니다.\"");
    problem.verbatim = 1;
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, &localised), "\"Expired: It has expired.\"");
    assert_false(localised);
    problem.code = "INVALID_TOKEN";
    problem.title = problem.detail = NULL;
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, &localised),
                        "\"Unauthorized: The credential is not valid or has expired.\"");
    assert_true(localised);
}

static void sentences_of_modules_are_told_in_korean(void **state)
{
    static const struct {
        const char *said, *korean;
    } cases[] = {
        { "The text is too long.", "텍스트가 너무 깁니다." },
        { "The value must be a whole number from -32768 to 32767.", "-32768에서 32767 사이의 정수여야 합니다." },
        { "There are more than 9 words.", "검색어가 9개를 넘었습니다." },
        { "There are more than  words.", NULL },
        { "There are more than - words.", NULL },
        { "There are more than 9", NULL },
        { "The text is too long. ", NULL },
        { "", NULL },
    };
    problem_style_t style = { .template = compile("\"{detail}\"") };
    trestle_problem_t problem = { .status = 400, .code = "VALIDATION_ERROR" };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *korean = cases[i].korean ? cases[i].korean : "올바르지 않은 값이 있습니다.";

        problem.detail = cases[i].said;
        assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, NULL),
                            apr_pstrcat(pool, "\"", korean, "\"", NULL));
        assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, NULL),
                            apr_pstrcat(pool, "\"", cases[i].said, "\"", NULL));
    }
}

static void fields_are_told_in_the_language_too(void **state)
{
    static const trestle_field_error_t errors[] = { { "a", "REQUIRED_FIELD_MISSING", "It is missing." },
                                                    { "b", "UNKNOWN", "It is odd." },
                                                    { "c", "MINE", NULL } };
    problem_style_t style = { .template = compile("[\"{each errors}\", \"{.detail|'-'}\"]") };
    trestle_problem_t problem = { .status = 400, .code = "VALIDATION_ERROR" };
    apr_array_header_t *array = apr_array_make(pool, 3, sizeof(trestle_field_error_t));

    (void)state;
    for (int i = 0; i < 3; i++)
        APR_ARRAY_PUSH(array, trestle_field_error_t) = errors[i];
    problem.errors = array;
    problem_wording_make(pool, &style.wordings, "MINE")->detail[PROBLEM_ANY_LANGUAGE] = "configured";
    assert_string_equal(written(&problem, &style, PROBLEM_ENGLISH, NULL),
                        "[\"It is missing.\",\"It is odd.\",\"configured\"]");
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, NULL),
                        "[\"필수 항목이 빠졌습니다.\",\"-\",\"configured\"]");
    problem.verbatim = 1;
    assert_string_equal(written(&problem, &style, PROBLEM_KOREAN, NULL),
                        "[\"It is missing.\",\"It is odd.\",\"configured\"]");
}

static void inner_wordings_win(void **state)
{
    apr_hash_t *outer = NULL, *inner = NULL, *merged;
    problem_wording_t *wording = problem_wording_make(pool, &outer, "404");
    int any = 0;

    (void)state;
    assert_ptr_equal(problem_wordings_merge(pool, NULL, outer), outer);
    assert_ptr_equal(problem_wordings_merge(pool, outer, NULL), outer);
    assert_null(problem_wordings_merge(pool, NULL, NULL));
    wording->detail[PROBLEM_KOREAN] = "outer ko";
    wording->title[PROBLEM_KOREAN] = "outer title";
    wording->detail[PROBLEM_ANY_LANGUAGE] = "outer any";
    problem_wording_make(pool, &outer, "C")->detail[PROBLEM_ENGLISH] = "kept";
    problem_wording_make(pool, &inner, "404")->detail[PROBLEM_ENGLISH] = "inner en";
    merged = problem_wordings_merge(pool, outer, inner);
    wording = problem_wording_make(pool, &merged, "404");
    assert_string_equal(problem_wording_text(wording->detail, PROBLEM_ENGLISH, &any), "inner en");
    assert_string_equal(problem_wording_text(wording->detail, PROBLEM_KOREAN, &any), "outer ko");
    assert_false(any);
    problem_wording_make(pool, &inner, "404")->detail[PROBLEM_ANY_LANGUAGE] = "inner any";
    merged = problem_wordings_merge(pool, outer, inner);
    wording = problem_wording_make(pool, &merged, "404");
    assert_string_equal(problem_wording_text(wording->detail, PROBLEM_ENGLISH, &any), "inner en");
    assert_string_equal(problem_wording_text(wording->detail, PROBLEM_KOREAN, &any), "inner any");
    assert_true(any);
    assert_string_equal(problem_wording_text(wording->title, PROBLEM_KOREAN, &any), "outer title");
    assert_null(problem_wording_text(wording->title, PROBLEM_ENGLISH, &any));
    assert_string_equal(problem_wording_make(pool, &merged, "C")->detail[PROBLEM_ENGLISH], "kept");
    assert_null(problem_wording_make(pool, &outer, "404")->detail[PROBLEM_ENGLISH]);
}

static void videoplanet(void **state)
{
    problem_style_t style = { .template = compile_file("videoplanet.json") };
    trestle_problem_t problem = { .status = 401, .code = "INVALID_TOKEN", .detail = "It has expired." };

    (void)state;
    assert_document(
        &problem, &style,
        "{\"success\":false,\"data\":null,\"result\":null,\"message\":\"NEED_ACCESS_TOKEN\",\"detail\":\"It has "
        "expired.\",\"error\":\"INVALID_TOKEN\",\"code\":\"INVALID_TOKEN\",\"error_code\":\"INVALID_TOKEN\","
        "\"error_message\":\"It has expired.\",\"field\":null,\"errors\":[{\"code\":\"INVALID_TOKEN\",\"message\":\"It "
        "has expired.\",\"field\":null,\"detail\":\"It has expired.\"}],\"statusCode\":401,\"path\":\"/a b\","
        "\"timestamp\":\"2025-01-01T00:00:00.005Z\",\"request_id\":\"0a1b2c3d-0000-4000-8000-0123456789ab\","
        "\"meta\":{\"timestamp\":\"2025-01-01T00:00:00.005Z\",\"version\":\"v1\",\"request_id\":"
        "\"0a1b2c3d-0000-4000-8000-0123456789ab\"}}");
    problem.status = 400;
    problem.code = "VALIDATION_ERROR";
    problem.errors = field_errors();
    style.template = compile("[\"{field}\", [\"{each causes}\", \"{.code|code} {.detail|detail}\"]]");
    assert_document(&problem, &style,
                    "[\"name\",[\"REQUIRED It is missing.\",\"VALIDATION_ERROR It has expired.\","
                    "\"VALIDATION_ERROR They differ.\",\"VALIDATION_ERROR It is odd.\"]]");
}

static void mentoring(void **state)
{
    problem_style_t style = { .template = compile_file("mentoring.json") };
    trestle_problem_t problem = { .status = 404, .detail = "Not Found" };

    (void)state;
    assert_document(&problem, &style, "{\"detail\":\"Not Found\"}");
    problem.status = 422;
    problem.code = "json_invalid";
    problem.field = "body.17";
    assert_document(&problem, &style,
                    "{\"detail\":[{\"type\":\"json_invalid\",\"loc\":[\"body\",17],\"msg\":\"Not Found\",\"input\":"
                    "null}]}");
    problem.errors = field_errors();
    assert_document(&problem, &style,
                    "{\"detail\":[{\"type\":\"REQUIRED\",\"loc\":[\"body\",\"name\"],\"msg\":\"It is missing.\","
                    "\"input\":null},{\"type\":\"json_invalid\",\"loc\":[\"query\",\"items\",3,\"size\"],\"msg\":"
                    "\"Not Found\",\"input\":null},{\"type\":\"json_invalid\",\"loc\":[\"body\"],\"msg\":\"They "
                    "differ.\",\"input\":null},{\"type\":\"json_invalid\",\"loc\":[\"body\",\"name\"],\"msg\":\"It is "
                    "odd.\",\"input\":null}]}");
}

static void mobilegpt(void **state)
{
    problem_style_t style = { .template = compile_file("mobilegpt.json"), .codes = apr_hash_make(pool) };
    trestle_problem_t problem = { .status = 401, .code = "INVALID_TOKEN", .detail = "It has expired." };

    (void)state;
    apr_hash_set(style.codes, "INVALID_TOKEN", APR_HASH_KEY_STRING, "UNKNOWN_ERROR");
    apr_hash_set(style.codes, "413", APR_HASH_KEY_STRING, "PAYLOAD_TOO_LARGE");
    assert_document(&problem, &style,
                    "{\"error\":{\"code\":\"UNKNOWN_ERROR\",\"message\":\"It has expired.\",\"details\":{\"detail\":"
                    "\"It has expired.\",\"code\":\"token_not_valid\"}},\"status\":401}");
    problem.status = 413;
    problem.code = NULL;
    problem.detail = "Too large.";
    assert_document(&problem, &style,
                    "{\"error\":{\"code\":\"PAYLOAD_TOO_LARGE\",\"message\":\"Too large.\"},\"status\":413}");
    problem.status = 400;
    problem.code = "VALIDATION_ERROR";
    problem.errors = field_errors();
    assert_document(&problem, &style,
                    "{\"error\":{\"code\":\"VALIDATION_ERROR\",\"message\":\"Too large.\",\"details\":"
                    "{\"non_field_errors\":[\"They differ.\"]},\"field_errors\":{\"name\":[\"It is missing.\",\"It is "
                    "odd.\"],\"query.items.3.size\":[\"Too large.\"]}},\"status\":400}");
    problem.errors = NULL;
    problem.field = "email";
    assert_document(&problem, &style,
                    "{\"error\":{\"code\":\"VALIDATION_ERROR\",\"message\":\"Too large.\",\"field_errors\":{\"email\":"
                    "[\"Too large.\"]}},\"status\":400}");
}

static void maplestory(void **state)
{
    problem_style_t style = { .template = compile_file("maplestory.json") };
    trestle_problem_t problem = { .status = 404, .code = "NOT_FOUND", .detail = "No such character." };

    (void)state;
    assert_document(&problem, &style,
                    "{\"error\":\"No such character.\",\"status_code\":404,\"detail\":\"No such character.\"}");
    problem.status = 429;
    problem.code = NULL;
    assert_document(&problem, &style, "{\"detail\":\"No such character.\"}");
    problem.status = 401;
    problem.code = "INVALID_TOKEN";
    assert_document(&problem, &style,
                    "{\"detail\":\"No such character.\",\"code\":\"token_not_valid\",\"messages\":[{\"token_class\":"
                    "\"AccessToken\",\"token_type\":\"access\",\"message\":\"No such character.\"}]}");
    problem.status = 400;
    problem.code = "VALIDATION_ERROR";
    assert_document(&problem, &style, "{\"non_field_errors\":[\"No such character.\"]}");
    problem.errors = field_errors();
    assert_document(&problem, &style,
                    "{\"name\":[\"It is missing.\",\"It is odd.\"],\"query.items.3.size\":[\"No such character.\"],"
                    "\"non_field_errors\":[\"They differ.\"]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_language),
        cmocka_unit_test(every_status_has_texts),
        cmocka_unit_test(the_standard_document),
        cmocka_unit_test(every_code_has_details),
        cmocka_unit_test(wordings_have_an_order),
        cmocka_unit_test(what_modules_say_is_for_readers_of_english),
        cmocka_unit_test(sentences_of_modules_are_told_in_korean),
        cmocka_unit_test(fields_are_told_in_the_language_too),
        cmocka_unit_test(inner_wordings_win),
        cmocka_unit_test(videoplanet),
        cmocka_unit_test(mentoring),
        cmocka_unit_test(mobilegpt),
        cmocka_unit_test(maplestory),
    };

    return cmocka_run_group_tests_name("problem", tests, setup, teardown);
}
