#include "rest_query.h"

#include "text.h"

#include <apr_strings.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes n bytes into a string in pool; NULL if an escape is malformed, or a NUL or other than UTF-8 comes out. */
static const char *decode(apr_pool_t *pool, const char *bytes, apr_size_t n)
{
    char *text = apr_palloc(pool, n + 1), *out = text;

    for (apr_size_t i = 0; i < n; i++) {
        char c = bytes[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < n ? hex_value(bytes[i + 1]) : -1, low = i + 2 < n ? hex_value(bytes[i + 2]) : -1;

            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return NULL;
        *out++ = c;
    }
    *out = '\0';
    return trestle_utf8_valid(text, (apr_size_t)(out - text)) ? text : NULL;
}

static int too_many(rest_fault_t *fault)
{
    return rest_refuse(fault, 400, "VALIDATION_ERROR", "The request has more than 1000 fields.", NULL);
}

int rest_query_parse(const char *bytes, apr_size_t n, rest_place_e place, apr_array_header_t *given,
                     rest_fault_t *fault)
{
    const char *end = bytes + n, *next;
    int count = 0;

    for (; bytes < end; bytes = next + 1) {
        const char *equals;
        rest_given_t *pair;

        if (!(next = memchr(bytes, '&', (apr_size_t)(end - bytes))))
            next = end;
        if (next == bytes)
            continue;
        if (++count > REST_FIELDS_MAX)
            return too_many(fault);
        if (!(equals = memchr(bytes, '=', (apr_size_t)(next - bytes))))
            equals = next;
        pair = apr_array_push(given);
        memset(pair, 0, sizeof(*pair));
        pair->place = place;
        pair->name = decode(given->pool, bytes, (apr_size_t)(equals - bytes));
        if (!pair->name)
            return rest_refuse(fault, 400, "VALIDATION_ERROR",
                               "A field's name is not percent-encoded UTF-8 without NUL.", NULL);
        pair->text = equals < next ? decode(given->pool, equals + 1, (apr_size_t)(next - equals - 1)) : "";
        if (!pair->text)
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "The value is not percent-encoded UTF-8 without NUL.",
                               pair->name);
    }
    return 1;
}

int rest_query_parse_json(const char *bytes, apr_size_t n, apr_array_header_t *given, rest_fault_t *fault)
{
    rest_json_t body, name, value;
    const char *at = NULL, *mistake;
    int count = 0;

    if (!rest_json_parse(bytes, n, &body, &mistake))
        return rest_refuse(fault, 400, "INVALID_JSON", mistake, NULL);
    if (body.type != REST_JSON_OBJECT)
        return rest_refuse(fault, 400, "INVALID_JSON", "The body must be a JSON object.", NULL);
    while (rest_json_next_member(&body, &at, &name, &value)) {
        rest_given_t *member;

        if (++count > REST_FIELDS_MAX)
            return too_many(fault);
        member = apr_array_push(given);
        memset(member, 0, sizeof(*member));
        member->place = REST_IN_BODY;
        member->json = value;
        if (!(member->name = rest_json_string(given->pool, &name)))
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "A field's name holds a NUL.", NULL);
    }
    return 1;
}
