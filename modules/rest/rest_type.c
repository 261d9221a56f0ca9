#include "rest_type.h"

#include "rest_json.h"

#include "encoding.h"

#include <apr.h>
#include <string.h>
#include <strings.h>

rest_kind_e rest_kind_of(const char *name)
{
    static const struct {
        const char *name;
        rest_kind_e kind;
    } kinds[] = { { "bool", REST_BOOLEAN },
                  { "int2", REST_INT2 },
                  { "int4", REST_INT4 },
                  { "int8", REST_INT8 },
                  { "numeric", REST_NUMBER },
                  { "float4", REST_NUMBER },
                  { "float8", REST_NUMBER },
                  { "text", REST_TEXT },
                  { "varchar", REST_TEXT },
                  { "bpchar", REST_TEXT },
                  { "name", REST_TEXT },
                  { "uuid", REST_UUID },
                  { "json", REST_JSON },
                  { "jsonb", REST_JSON },
                  { "void", REST_VOID },
                  { "record", REST_ROW },
                  { "date", REST_DATE },
                  { "timestamp", REST_TIMESTAMP },
                  { "timestamptz", REST_TIMESTAMP } };

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].name, name))
            return kinds[i].kind;
    return REST_OTHER;
}

/* Digits with an optional minus, within ±(most, plus one below zero). */
static int is_integer(const char *text, apr_uint64_t most)
{
    int negative = *text == '-';
    apr_uint64_t n = 0, limit = most + (negative ? 1 : 0);

    text += negative;
    if (!*text)
        return 0;
    for (; *text; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';

        if (digit > 9 || n > (limit - digit) / 10)
            return 0;
        n = n * 10 + digit;
    }
    return 1;
}

static int is_boolean(const char *text)
{
    static const char *const words[] = { "true", "false", "1", "0", "on", "off" }; /* a checkbox of a form is on */

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(text, words[i]))
            return 1;
    return 0;
}

static const char *skip_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

/* What numeric and float8 read, white space aside; their range is the database's to judge. */
static int is_number(const char *text)
{
    const char *digits = text + (*text == '-' || *text == '+'), *at = skip_digits(digits);
    int any = at > digits;

    if (!strcasecmp(digits, "Infinity") || !strcasecmp(text, "NaN"))
        return 1;
    if (*at == '.') {
        digits = at + 1;
        at = skip_digits(digits);
        any |= at > digits;
    }
    if (any && (*at == 'e' || *at == 'E')) {
        digits = at + 1 + (at[1] == '-' || at[1] == '+');
        at = skip_digits(digits);
        any = at > digits;
    }
    return any && !*at;
}

int rest_type_accepts(const rest_type_t *type, const char *text)
{
    rest_json_t json;
    rest_json_mistake_t mistake;

    switch (type->kind) {
    case REST_INT2:
        return is_integer(text, APR_INT16_MAX);
    case REST_INT4:
        return is_integer(text, APR_INT32_MAX);
    case REST_INT8:
        return is_integer(text, APR_INT64_MAX);
    case REST_NUMBER:
        return is_number(text);
    case REST_UUID:
        return trestle_uuid_valid(text);
    case REST_BOOLEAN:
        return is_boolean(text);
    case REST_JSON:
        return rest_json_parse(text, strlen(text), &json, &mistake);
    case REST_ROW:
        return rest_json_parse(text, strlen(text), &json, &mistake) && json.type == TRESTLE_JSON_OBJECT;
    default:
        return 1;
    }
}

const char *rest_type_wish(const rest_type_t *type)
{
    switch (type->kind) {
    case REST_INT2:
        return "a whole number from -32768 to 32767";
    case REST_INT4:
        return "a whole number from -2147483648 to 2147483647";
    case REST_INT8:
        return "a whole number of at most 64 bits";
    case REST_NUMBER:
        return "a number";
    case REST_UUID:
        return "a UUID";
    case REST_BOOLEAN:
        return "true or false";
    case REST_JSON:
        return "JSON";
    case REST_ARRAY:
        return "an array";
    case REST_ROW:
        return "an object";
    case REST_DATE:
        return "a date such as 2025-12-31";
    case REST_TIMESTAMP:
        return "a time such as 2025-12-31T23:59:59Z";
    default:
        return "text";
    }
}
