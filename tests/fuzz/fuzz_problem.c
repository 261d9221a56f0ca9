/*
 * Problem documents and Accept-Language: five lines (the header, code, detail, field, path) from a client or another
 * module become a JSON document in the standard shape, whatever they hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "problem/problem_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    static const trestle_template_t *standard, *loc;
    const char *lines[5] = { NULL };
    trestle_problem_t problem = { .status = 400 + (int)(size % 200) };
    problem_request_t request = { .request_id = "id", .time = (apr_time_t)size };
    problem_style_t style = { NULL, size % 2 ? "/p/" : NULL, NULL, NULL };
    problem_language_e language;
    apr_pool_t *pool;
    char *rest;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        if (trestle_template_compile(root, problem_standard_template, problem_vocabulary, &standard)
            || trestle_template_compile(root, "[\"{each causes}\", \"{.loc}\"]", problem_vocabulary, &loc))
            abort();
    }
    apr_pool_create(&pool, root);
    rest = apr_pstrmemdup(pool, (const char *)data, size);
    for (int i = 0; i < 5 && rest; i++)
        lines[i] = strsep(&rest, "\n");
    language = problem_language_negotiate(lines[0], PROBLEM_KOREAN);
    if (language >= PROBLEM_LANGUAGES)
        abort();
    problem.code = lines[1];
    problem.detail = lines[2];
    problem.field = lines[3];
    request.path = lines[4];
    for (int i = 0; i < 2; i++) {
        trestle_text_t out = trestle_text_make(pool, 0);
        json_t *parsed;
        int localised;

        style.template = i ? loc : standard;
        problem_document_write(&problem, &request, &style, language, &out, &localised);
        if (!(parsed = json_loads(out.bytes, JSON_REJECT_DUPLICATES, NULL)))
            abort();
        json_decref(parsed);
    }
    apr_pool_destroy(pool);
    return 0;
}
