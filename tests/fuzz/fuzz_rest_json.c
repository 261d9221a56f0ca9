/*
 * JSON: what mod_rest's reader takes, jansson takes, and the other way round; both see the same elements, members and
 * strings. They may differ on nesting past our limit, on numbers that jansson cannot hold, on \u0000 in a name, and on a
 * NUL between tokens, which jansson takes for the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "rest/rest_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(apr_pool_t *pool, const rest_json_t *ours, const json_t *theirs);

static void compare_elements(apr_pool_t *pool, const rest_json_t *ours, const json_t *theirs)
{
    const char *at = NULL;
    rest_json_t value;
    size_t n = 0;

    while (rest_json_next_element(ours, &at, &value))
        compare(pool, &value, json_array_get(theirs, n++));
    if (n != json_array_size(theirs))
        abort();
}

/* Of members with one name jansson keeps the last. */
static void compare_members(apr_pool_t *pool, const rest_json_t *ours, const json_t *theirs)
{
    const char *at = NULL, *text;
    rest_json_t name, value;

    while (rest_json_next_member(ours, &at, &name, &value)) {
        text = rest_json_string(pool, &name);
        if ((text == NULL) != rest_json_has_nul(&name))
            abort();
        if (text && !json_object_get(theirs, text))
            abort();
    }
}

static void compare(apr_pool_t *pool, const rest_json_t *ours, const json_t *theirs)
{
    const char *text;

    switch (ours->type) {
    case TRESTLE_JSON_NULL:
        if (!json_is_null(theirs))
            abort();
        break;
    case TRESTLE_JSON_BOOLEAN:
        if (!json_is_boolean(theirs) || json_is_true(theirs) != (*ours->bytes == 't'))
            abort();
        break;
    case TRESTLE_JSON_NUMBER:
        if (!json_is_number(theirs)
            || json_number_value(theirs) != strtod(apr_pstrmemdup(pool, ours->bytes, ours->length), NULL))
            abort();
        break;
    case TRESTLE_JSON_STRING:
        text = rest_json_string(pool, ours);
        if (!json_is_string(theirs) || (text == NULL) != rest_json_has_nul(ours)
            || (text && strcmp(text, json_string_value(theirs))))
            abort();
        break;
    case TRESTLE_JSON_ARRAY:
        if (!json_is_array(theirs))
            abort();
        compare_elements(pool, ours, theirs);
        break;
    case TRESTLE_JSON_OBJECT:
        if (!json_is_object(theirs))
            abort();
        compare_members(pool, ours, theirs);
        break;
    }
}

static void run(apr_pool_t *pool, const char *text, size_t size)
{
    rest_json_mistake_t mistake = { NULL, 0 };
    json_error_t error;
    json_t *theirs = json_loadb(text, size, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
    rest_json_t ours;

    if (!rest_json_parse(text, size, &ours, &mistake)) {
        if (!mistake.what || mistake.at > size || !*rest_json_complaint(pool, "It", text, &mistake))
            abort();
        if (theirs && !strstr(mistake.what, "deeper") && !memchr(text, '\0', size))
            abort();
    } else if (theirs) {
        compare(pool, &ours, theirs);
    } else if (json_error_code(&error) != json_error_numeric_overflow
               && json_error_code(&error) != json_error_null_byte_in_key) {
        abort();
    }
    json_decref(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;
    char *text;

    if (!root) {
        apr_initialize();
        if (apr_pool_create(&root, NULL) != APR_SUCCESS)
            return 0;
    }
    if (apr_pool_create(&pool, root) != APR_SUCCESS)
        return 0;
    /* On the heap, without a NUL behind it, so that a read past its end is seen. */
    text = malloc(size ? size : 1);
    memcpy(text, data, size);
    run(pool, text, size);
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
