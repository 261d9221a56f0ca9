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
    const char *at; /* the text has a NUL at its end, which no value may hold: no need to look for the end */
    jwt_json_t *list;
    int count;
    int capacity;
} reader_t;

/* A new value at the end of the list: its index, because the list may move. */
static int push(reader_t *reader, jwt_json_e type, const char *text)
{
    if (reader->count == reader->capacity) {
        jwt_json_t *longer = apr_palloc(reader->pool, 2 * (apr_size_t)reader->capacity * sizeof(*longer));

        memcpy(longer, reader->list, (apr_size_t)reader->count * sizeof(*longer));
        reader->list = longer;
        reader->capacity *= 2;
    }
    reader->list[reader->count] = (jwt_json_t){ type, 1, text, 0 };
    return reader->count++;
}

static void skip_space(reader_t *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r')
        reader->at++;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits. */
static int read_unit(reader_t *reader, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = *reader->at, lower = (char)(c | 32);

        if (!is_digit(c) && (lower < 'a' || lower > 'f'))
            return 0;
        *unit = *unit << 4 | (unsigned)(is_digit(c) ? c - '0' : lower - 'a' + 10);
        reader->at++;
    }
    return 1;
}

static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xE0 | c >> 12);
        } else {
            *out++ = (char)(0xF0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 63));
        }
        *out++ = (char)(0x80 | (c >> 6 & 63));
    }
    *out++ = (char)(0x80 | (c & 63));
    return out;
}

/* What follows "\u": a character, or two halves of one. NULL if it is none. */
static char *read_unicode(reader_t *reader, char *out)
{
    unsigned c, low;

    if (!read_unit(reader, &c) || c == 0 || (c >= 0xDC00 && c <= 0xDFFF))
        return NULL;
    if (c < 0xD800 || c > 0xDFFF)
        return put_utf8(out, c);
    if (reader->at[0] != '\\' || reader->at[1] != 'u')
        return NULL;
    reader->at += 2;
    if (!read_unit(reader, &low) || low < 0xDC00 || low > 0xDFFF)
        return NULL;
    return put_utf8(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
}

/* What follows a backslash, written to out. */
static char *read_escape(reader_t *reader, char *out)
{
    static const char letters[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    const char *letter = *reader->at ? strchr(letters, *reader->at) : NULL;

    if (letter) {
        reader->at++;
        *out++ = characters[letter - letters];
        return out;
    }
    return *reader->at++ == 'u' ? read_unicode(reader, out) : NULL;
}

/* A string with escapes, from its first character; no longer when unescaped than it is written. */
static int read_escaped(reader_t *reader, int node)
{
    const char *quote = reader->at;
    char *text, *out;

    while (*quote != '"' && (unsigned char)*quote >= 0x20)
        quote += *quote == '\\' && quote[1] ? 2 : 1;
    text = out = apr_palloc(reader->pool, (apr_size_t)(quote - reader->at));
    while (*reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20)
            return 0;
        if (*reader->at != '\\')
            *out++ = *reader->at++;
        else if (reader->at++, !(out = read_escape(reader, out)))
            return 0;
    }
    reader->at++;
    reader->list[node].text = text;
    reader->list[node].length = (apr_size_t)(out - text);
    return 1;
}

static int read_string(reader_t *reader)
{
    const char *text = ++reader->at;
    int node = push(reader, JWT_STRING, text);

    while (*reader->at != '"' && *reader->at != '\\' && (unsigned char)*reader->at >= 0x20)
        reader->at++;
    if (*reader->at == '\\') {
        reader->at = text;
        return read_escaped(reader, node);
    }
    if (*reader->at != '"')
        return 0;
    reader->list[node].length = (apr_size_t)(reader->at++ - text);
    return 1;
}

static int skip_digits(reader_t *reader)
{
    const char *start = reader->at;

    while (is_digit(*reader->at))
        reader->at++;
    return reader->at > start;
}

static int read_number(reader_t *reader)
{
    int node = push(reader, JWT_NUMBER, reader->at);
    double number;

    reader->at += *reader->at == '-';
    if (*reader->at == '0')
        reader->at++;
    else if (!skip_digits(reader))
        return 0;
    if (*reader->at == '.' && (reader->at++, !skip_digits(reader)))
        return 0;
    if ((*reader->at | 32) == 'e') {
        reader->at++;
        reader->at += *reader->at == '-' || *reader->at == '+';
        if (!skip_digits(reader))
            return 0;
    }
    reader->list[node].length = (apr_size_t)(reader->at - reader->list[node].text);
    return jwt_json_number(&reader->list[node], &number);
}

static int read_word(reader_t *reader, jwt_json_e type, const char *word)
{
    int node = push(reader, type, reader->at);

    reader->list[node].length = strlen(word);
    if (strncmp(reader->at, word, reader->list[node].length))
        return 0;
    reader->at += reader->list[node].length;
    return 1;
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
    skip_space(reader);
    if (*reader->at != '"' || !read_string(reader) || is_double(reader, object))
        return 0;
    skip_space(reader);
    return *reader->at++ == ':';
}

static int read_container(reader_t *reader, jwt_json_e type, char close, int depth)
{
    int node = push(reader, type, reader->at++);

    if (depth == DEPTH_MOST)
        return 0;
    skip_space(reader);
    if (*reader->at != close)
        for (int members = 1;; members++) {
            if ((type == JWT_OBJECT && (members > MEMBERS_MOST || !read_name(reader, node)))
                || !read_value(reader, depth + 1))
                return 0;
            skip_space(reader);
            if (*reader->at == close)
                break;
            if (*reader->at++ != ',')
                return 0;
        }
    reader->at++;
    reader->list[node].nodes = reader->count - node;
    reader->list[node].length = (apr_size_t)(reader->at - reader->list[node].text);
    return 1;
}

static int read_value(reader_t *reader, int depth)
{
    skip_space(reader);
    switch (*reader->at) {
    case '{':
        return read_container(reader, JWT_OBJECT, '}', depth);
    case '[':
        return read_container(reader, JWT_ARRAY, ']', depth);
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, JWT_BOOLEAN, "true");
    case 'f':
        return read_word(reader, JWT_BOOLEAN, "false");
    case 'n':
        return read_word(reader, JWT_NULL, "null");
    default:
        return read_number(reader);
    }
}

const jwt_json_t *jwt_json_parse(apr_pool_t *pool, const char *text, apr_size_t n)
{
    reader_t reader = { pool, text, NULL, 0, NODES_AT_FIRST };

    if (!trestle_utf8_valid(text, n))
        return NULL;
    reader.list = apr_palloc(pool, NODES_AT_FIRST * sizeof(*reader.list));
    if (!read_value(&reader, 0))
        return NULL;
    skip_space(&reader);
    return reader.at == text + n ? reader.list : NULL;
}

const jwt_json_t *jwt_json_object(apr_pool_t *pool, const char *text, apr_size_t n)
{
    const jwt_json_t *value = jwt_json_parse(pool, text, n);

    return value && value->type == JWT_OBJECT ? value : NULL;
}

const jwt_json_t *jwt_json_first(const jwt_json_t *container)
{
    return container && container->nodes > 1 ? container + 1 : NULL;
}

const jwt_json_t *jwt_json_next(const jwt_json_t *container, const jwt_json_t *item)
{
    item += container->type == JWT_OBJECT ? 1 + item[1].nodes : item->nodes;
    return item < container + container->nodes ? item : NULL;
}

const jwt_json_t *jwt_json_member(const jwt_json_t *object, const char *name)
{
    apr_size_t n = strlen(name);

    if (!object || object->type != JWT_OBJECT)
        return NULL;
    for (const jwt_json_t *item = jwt_json_first(object); item; item = jwt_json_next(object, item))
        if (item->length == n && !memcmp(item->text, name, n))
            return item + 1;
    return NULL;
}

int jwt_json_is(const jwt_json_t *value, const char *text)
{
    return value && value->type == JWT_STRING && value->length == strlen(text)
           && !memcmp(value->text, text, value->length);
}

const char *jwt_json_string(apr_pool_t *pool, const jwt_json_t *value)
{
    return value && value->type == JWT_STRING ? apr_pstrmemdup(pool, value->text, value->length) : NULL;
}

/* 1 if value is written as an integer: digits, perhaps a sign. */
static int is_integer(const jwt_json_t *value)
{
    for (apr_size_t i = *value->text == '-'; i < value->length; i++)
        if (!is_digit(value->text[i]))
            return 0;
    return 1;
}

int jwt_json_number(const jwt_json_t *value, double *number)
{
    char *end;

    if (!value || value->type != JWT_NUMBER)
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

    if (a->type != b->type || a->type == JWT_ARRAY || a->type == JWT_OBJECT)
        return 0;
    if (same_text(a, b))
        return 1;
    if (a->type != JWT_NUMBER || !jwt_json_number(a, &one) || !jwt_json_number(b, &other))
        return 0;
    /* JSON writes an integer in one way only, but for -0: beyond 2^53 different integers may be one double. */
    return one == other && (one == 0 || !is_integer(a) || !is_integer(b));
}
