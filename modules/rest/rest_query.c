#include "rest_query.h"

#include "encoding.h"
#include "text.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

/* Decodes n bytes into a string in pool; NULL if they are malformed. */
static const char *decode(apr_pool_t *pool, const char *bytes, apr_size_t n)
{
    char *text = apr_palloc(pool, n + 1);
    apr_ssize_t length = trestle_form_decode(bytes, n, text);

    if (length < 0)
        return NULL;
    text[length] = '\0';
    return text;
}

void rest_query_add(apr_array_header_t *given, const char *name, rest_place_e place, const char *text,
                    const rest_json_t *json)
{
    rest_given_t *item = apr_array_push(given);

    memset(item, 0, sizeof(*item));
    item->name = name;
    item->place = place;
    item->text = text;
    if (json)
        item->json = *json;
}

int rest_query_too_many(apr_pool_t *pool, apr_int64_t most, rest_fault_t *fault)
{
    return rest_refuse(fault, 400, "VALIDATION_ERROR",
                       apr_psprintf(pool, "The request has more than %" APR_INT64_T_FMT " fields.", most), NULL);
}

int rest_query_parse(const char *bytes, apr_size_t n, rest_place_e place, apr_int64_t most, apr_array_header_t *given,
                     rest_fault_t *fault)
{
    const char *end = bytes + n, *next;
    apr_int64_t count = 0;

    for (; bytes < end; bytes = next + 1) {
        const char *equals, *name, *text;

        if (!(next = memchr(bytes, '&', (apr_size_t)(end - bytes))))
            next = end;
        if (next == bytes)
            continue;
        if (++count > most)
            return rest_query_too_many(given->pool, most, fault);
        if (!(equals = memchr(bytes, '=', (apr_size_t)(next - bytes))))
            equals = next;
        if (!(name = decode(given->pool, bytes, (apr_size_t)(equals - bytes))))
            return rest_refuse(fault, 400, "VALIDATION_ERROR",
                               "A field's name is not percent-encoded UTF-8 without NUL.", NULL);
        text = equals < next ? decode(given->pool, equals + 1, (apr_size_t)(next - equals - 1)) : "";
        if (!text)
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "The value is not percent-encoded UTF-8 without NUL.",
                               name);
        rest_query_add(given, name, place, text, NULL);
    }
    return 1;
}

int rest_query_members(const rest_json_t *object, apr_int64_t most, apr_array_header_t *given, rest_fault_t *fault)
{
    apr_hash_t *seen = apr_hash_make(given->pool);
    int has_nul = rest_json_has_nul(object);
    const char *at = NULL, *name;
    rest_json_t key, value;

    while (rest_json_next_member(object, &at, &key, &value)) {
        if (!(name = rest_json_string(given->pool, &key)))
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "A field's name holds a NUL.", NULL);
        if (has_nul && rest_json_has_nul(&value))
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "The value holds a NUL, which cannot be stored.", name);
        if (apr_hash_get(seen, name, APR_HASH_KEY_STRING))
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "The field is given more than once.", name);
        apr_hash_set(seen, name, APR_HASH_KEY_STRING, name);
        if (apr_hash_count(seen) > most)
            return rest_query_too_many(given->pool, most, fault);
        rest_query_add(given, name, REST_IN_BODY, NULL, &value);
    }
    return 1;
}

/* The items of a body by name: an array of arrays of const rest_given_t *, in the order of their first ones. */
static apr_array_header_t *group(apr_pool_t *pool, const apr_array_header_t *given)
{
    apr_array_header_t *groups = apr_array_make(pool, 8, sizeof(apr_array_header_t *)), *items;
    apr_hash_t *by_name = apr_hash_make(pool);

    for (int i = 0; i < given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);

        if (item->place != REST_IN_BODY)
            continue;
        if (!(items = apr_hash_get(by_name, item->name, APR_HASH_KEY_STRING))) {
            items = apr_array_make(pool, 1, sizeof(const rest_given_t *));
            apr_hash_set(by_name, item->name, APR_HASH_KEY_STRING, items);
            APR_ARRAY_PUSH(groups, apr_array_header_t *) = items;
        }
        APR_ARRAY_PUSH(items, const rest_given_t *) = item;
    }
    return groups;
}

static void add_group(trestle_text_t *text, const apr_array_header_t *items)
{
    trestle_text_add_json(text, APR_ARRAY_IDX(items, 0, const rest_given_t *)->name);
    trestle_text_adds(text, items->nelts > 1 ? ":[" : ":");
    for (int i = 0; i < items->nelts; i++) {
        const rest_given_t *item = APR_ARRAY_IDX(items, i, const rest_given_t *);

        if (i > 0)
            trestle_text_addc(text, ',');
        if (item->text)
            trestle_text_add_json(text, item->text);
        else
            trestle_text_add(text, item->json.bytes, item->json.length);
    }
    if (items->nelts > 1)
        trestle_text_addc(text, ']');
}

const char *rest_query_object(apr_pool_t *pool, const apr_array_header_t *given)
{
    const apr_array_header_t *groups = group(pool, given);
    trestle_text_t text = trestle_text_make(pool, 256);

    for (int i = 0; i < groups->nelts; i++) {
        trestle_text_addc(&text, i == 0 ? '{' : ',');
        add_group(&text, APR_ARRAY_IDX(groups, i, apr_array_header_t *));
    }
    trestle_text_addc(&text, '}');
    return groups->nelts ? text.bytes : NULL;
}
