/*
 * Templates: any bytes either get a message with a place, or compile into something that renders as JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "template.h"

static const char *const columns[] = { "field", "loc", "code", "detail", NULL };
static const trestle_template_name_t vocabulary[] = { { "status", NULL },    { "title", NULL },   { "missing", NULL },
                                                      { "errors", columns }, { "none", columns }, { NULL, NULL } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    trestle_template_value_t values[5] = { { 0 } }, cells[12] = { { 0 } };
    static apr_pool_t *root;
    const trestle_template_t *compiled;
    const char *source, *problem;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&pool, root);
    source = apr_pstrmemdup(pool, (const char *)data, size);
    problem = trestle_template_compile(pool, source, vocabulary, &compiled);
    if (problem && !*problem)
        abort();
    if (!problem) {
        trestle_text_t out = trestle_text_make(pool, 0);
        json_error_t error;
        json_t *parsed;

        values[0] = trestle_template_number(404);
        values[1] = trestle_template_text("t\xFF\"\\");
        for (int i = 0; i < 3; i++) {
            cells[4 * i] = trestle_template_text(i == 1 ? NULL : "f");
            cells[4 * i + 1].kind = TRESTLE_VALUE_JSON;
            cells[4 * i + 1].text = "[\"body\",1]";
            cells[4 * i + 3] = trestle_template_text("d\n");
        }
        values[3].kind = values[4].kind = TRESTLE_VALUE_LIST;
        values[3].rows = 3;
        values[3].cells = cells;
        trestle_template_render(compiled, values, &out);
        parsed = json_loads(out.bytes, JSON_DECODE_ANY, &error);
        /* Numbers are passed on as the template has them, beyond what a double holds too. */
        if (!parsed && json_error_code(&error) != json_error_numeric_overflow)
            abort();
        json_decref(parsed);
    }
    apr_pool_destroy(pool);
    return 0;
}
