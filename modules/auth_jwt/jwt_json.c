#include "jwt_json.h"

#include "text.h"

#include <apr_strings.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 32, MEMBERS_MOST = 512, NODES_AT_FIRST = 32 };

/* Integers of at most that many digits are doubles, digit by digit. */
enum { DIGITS_EXACT = 15 };

typedef struct {
    apr_pool_t *pool;
    trestle_json_lexer_t lexer;
    jwt_json_t *list;
    int count;
    int capacity;
} reader_t;

/* A new value at the end of the list. It stays where it is until the next. */
static jwt_json_t *push(reader_t *reader, trestle_json_e type, const char *text)
{
    if (reader->count == reader->capacity) {
        jwt_json_t *longer = apr_palloc(reader->pool, 2 * (apr_size_t)reader->capacity * sizeof(*longer));

        memcpy(longer, reader->list, (apr_size_t)reader->count * sizeof(*longer));
        reader->list = longer;
        reader->capacity *= 2;
    }
    reader->list[reader->count] = (jwt_json_t){ type, 1, text, 0 };
    return &reader->list[reader->count++];
}

/* The next byte behind white space; -1 at the end. */
static int next(reader_t *reader)
{
    reader->lexer.at = trestle_json_space(reader->lexer.at, reader->lexer.end);
    return trestle_json_peek(&reader->lexer);
}

/* A string's characters are slices of the text where nothing is escaped. */
static int read_string(reader_t *reader)
{
    const char *quote = reader->lexer.at;
    jwt_json_t *node = push(reader, TRESTLE_JSON_STRING, quote + 1);
    char *text;

    if (!trestle_json_string(&reader->lexer))
        return 0;
    node->length = (apr_size_t)(reader->lexer.at - quote) - 2;
    if (!reader->lexer.escaped)
        return 1;
    text = apr_palloc(reader->pool, node->length);
    node->length = trestle_json_unescape(node->text, node->length, text);
    node->text = text;
    return !memchr(text, '\0', node->length);
}

static int read_scalar(reader_t *reader)
{
    const char *start = reader->lexer.at;
    jwt_json_t *node = push(reader, trestle_json_type(*start), start);
    double number;

    if (!trestle_json_scalar(&reader->lexer))
        return 0;
    node->length = (apr_size_t)(reader->lexer.at - start);
    return node->type != TRESTLE_JSON_NUMBER || jwt_json_number(node, &number);
}

static int same_text(const jwt_json_t *a, const jwt_json_t *b)
{
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

/* 1 if the last value of the list is a name that the object at index has already. */
static int is_double(const reader_t *reader, int object)
{
    const jwt_json_t *name = &reader->list[reader->count - 1], *other = &reader->list[object + 1];

    while (other < name) {
        if (same_text(other, name))
            return 1;
        other += 1 + other[1].nodes;
    }
    return 0;
}

static int read_value(reader_t *reader, int depth);

static int read_name(reader_t *reader, int object)
{
    if (next(reader) != '"' || !read_string(reader) || is_double(reader, object) || next(reader) != ':')
        return 0;
    reader->lexer.at++;
    return 1;
}

static int read_container(reader_t *reader, int depth)
{
    const char *start = reader->lexer.at++;
    trestle_json_e type = trestle_json_type(*start);
    int node = reader->count, close = type == TRESTLE_JSON_OBJECT ? '}' : ']';

    push(reader, type, start);
    if (depth == DEPTH_MOST)
        return 0;
    if (next(reader) != close)
        for (int members = 1;; members++) {
            int c;

            if ((type == TRESTLE_JSON_OBJECT && (members > MEMBERS_MOST || !read_name(reader, node)))
                || !read_value(reader, depth + 1))
                return 0;
            if ((c = next(reader)) == close)
                break;
            if (c != ',')
                return 0;
            reader->lexer.at++;
        }
    reader->lexer.at++;
    reader->list[node].nodes = reader->count - node;
    reader->list[node].length = (apr_size_t)(reader->lexer.at - start);
    return 1;
}

static int read_value(reader_t *reader, int depth)
{
    switch (next(reader)) {
    case -1:
        return 0;
    case '{':
    case '[':
        return read_container(reader, depth);
    case '"':
        return read_string(reader);
    default:
        return read_scalar(reader);
    }
}

const jwt_json_t *jwt_json_parse(apr_pool_t *pool, const char *text, apr_size_t n)
{
    reader_t reader = { pool, { text, text + n, 0, NULL, NULL }, NULL, 0, NODES_AT_FIRST };

    if (!trestle_utf8_valid(text, n))
        return NULL;
    reader.list = apr_palloc(pool, NODES_AT_FIRST * sizeof(*reader.list));
    return read_value(&reader, 0) && next(&reader) < 0 ? reader.list : NULL;
}

const jwt_json_t *jwt_json_object(apr_pool_t *pool, const char *text, apr_size_t n)
{
    const jwt_json_t *value = jwt_json_parse(pool, text, n);

    return value && value->type == TRESTLE_JSON_OBJECT ? value : NULL;
}

const jwt_json_t *jwt_json_first(const jwt_json_t *container)
{
    return container && container->nodes > 1 ? container + 1 : NULL;
}

const jwt_json_t *jwt_json_next(const jwt_json_t *container, const jwt_json_t *item)
{
    item += container->type == TRESTLE_JSON_OBJECT ? 1 + item[1].nodes : item->nodes;
    return item < container + container->nodes ? item : NULL;
}

const jwt_json_t *jwt_json_member(const jwt_json_t *object, const char *name)
{
    apr_size_t n = strlen(name);

    if (!object || object->type != TRESTLE_JSON_OBJECT)
        return NULL;
    for (const jwt_json_t *item = jwt_json_first(object); item; item = jwt_json_next(object, item))
        if (item->length == n && !memcmp(item->text, name, n))
            return item + 1;
    return NULL;
}

int jwt_json_is(const jwt_json_t *value, const char *text)
{
    return value && value->type == TRESTLE_JSON_STRING && value->length == strlen(text)
           && !memcmp(value->text, text, value->length);
}

const char *jwt_json_string(apr_pool_t *pool, const jwt_json_t *value)
{
    return value && value->type == TRESTLE_JSON_STRING ? apr_pstrmemdup(pool, value->text, value->length) : NULL;
}

/* 1 if value is written as an integer: digits, perhaps a sign. */
static int is_integer(const jwt_json_t *value)
{
    for (apr_size_t i = *value->text == '-'; i < value->length; i++)
        if (value->text[i] < '0' || value->text[i] > '9')
            return 0;
    return 1;
}

int jwt_json_number(const jwt_json_t *value, double *number)
{
    char *end;

    if (!value || value->type != TRESTLE_JSON_NUMBER)
        return 0;
    if (value->length <= DIGITS_EXACT && is_integer(value)) {
        apr_int64_t integer = 0;

        for (apr_size_t i = *value->text == '-'; i < value->length; i++)
            integer = 10 * integer + (value->text[i] - '0');
        *number = (double)(*value->text == '-' ? -integer : integer);
        return 1;
    }
    *number = strtod(value->text, &end);
    return end == value->text + value->length && isfinite(*number);
}

int jwt_json_equal(const jwt_json_t *a, const jwt_json_t *b)
{
    double one, other;

    if (a->type != b->type || a->type == TRESTLE_JSON_ARRAY || a->type == TRESTLE_JSON_OBJECT)
        return 0;
    if (same_text(a, b))
        return 1;
    if (a->type != TRESTLE_JSON_NUMBER || !jwt_json_number(a, &one) || !jwt_json_number(b, &other))
        return 0;
    /* JSON writes an integer in one way only, but for -0: beyond 2^53 different integers may be one double. */
    return one == other && (one == 0 || !is_integer(a) || !is_integer(b));
}
