#include "rest_json.h"

#include "encoding.h"
#include "text.h"

#include <apr_strings.h>
#include <string.h>

/* The text still to be read. */
typedef struct {
    const char *at;
    const char *end;
    const char *mistake;
    const char *place; /* of the mistake */
} reader_t;

/* Notes the first mistake, at the place that has been reached. */
static int wrong(reader_t *reader, const char *mistake)
{
    if (!reader->mistake) {
        reader->mistake = mistake;
        reader->place = reader->at;
    }
    return 0;
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static int peek(const reader_t *reader)
{
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits at reader->at. */
static int read_hex4(reader_t *reader, unsigned *unit)
{
    *unit = 0;
    if (reader->end - reader->at < 4)
        return wrong(reader, "an escape in a string is cut off");
    for (int i = 0; i < 4; i++) {
        int digit = trestle_hex_digit(*reader->at++);

        if (digit < 0)
            return wrong(reader, "an escape in a string is malformed");
        *unit = *unit << 4 | (unsigned)digit;
    }
    return 1;
}

/* What follows a backslash. A surrogate must have its other half (RFC 8259 section 7). */
static int read_escape(reader_t *reader)
{
    unsigned unit, low;
    int c = peek(reader);

    if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == 0)
        return wrong(reader, "a string has an unknown escape");
    reader->at++;
    if (c != 'u')
        return 1;
    if (!read_hex4(reader, &unit))
        return 0;
    if (unit < 0xD800 || unit > 0xDFFF)
        return 1;
    if (unit > 0xDBFF || reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
        return wrong(reader, "a string has half of a surrogate pair");
    reader->at += 2;
    if (!read_hex4(reader, &low))
        return 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return wrong(reader, "a string has half of a surrogate pair");
    return 1;
}

static int read_string(reader_t *reader)
{
    for (reader->at++;;) {
        int c = peek(reader);

        if (c < 0)
            return wrong(reader, "a string has no end");
        if (c < 0x20)
            return wrong(reader, "a string holds a control character");
        reader->at++;
        if (c == '"')
            return 1;
        if (c == '\\' && !read_escape(reader))
            return 0;
    }
}

static int read_digits(reader_t *reader)
{
    if (!is_digit(peek(reader)))
        return wrong(reader, "a number is malformed");
    while (is_digit(peek(reader)))
        reader->at++;
    return 1;
}

static int read_number(reader_t *reader)
{
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) == '0')
        reader->at++;
    else if (!read_digits(reader))
        return 0;
    if (peek(reader) == '.') {
        reader->at++;
        if (!read_digits(reader))
            return 0;
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        return read_digits(reader);
    }
    return 1;
}

static int read_word(reader_t *reader, const char *word)
{
    apr_size_t n = strlen(word);

    if ((apr_size_t)(reader->end - reader->at) < n || memcmp(reader->at, word, n))
        return wrong(reader, "this is no value");
    reader->at += n;
    return 1;
}

static int read_value(reader_t *reader, int depth);

/* The members of an object or the elements of an array, from its opening bracket to its closing one. */
static int read_container(reader_t *reader, int depth)
{
    int is_object = *reader->at == '{', close = is_object ? '}' : ']';

    if (depth == REST_JSON_DEPTH)
        return wrong(reader, "it is nested deeper than 64 levels");
    reader->at = skip_space(reader->at + 1, reader->end);
    if (peek(reader) == close) {
        reader->at++;
        return 1;
    }
    for (;;) {
        if (is_object) {
            reader->at = skip_space(reader->at, reader->end);
            if (peek(reader) != '"' || !read_string(reader))
                return wrong(reader, "an object's member has no name");
            reader->at = skip_space(reader->at, reader->end);
            if (peek(reader) != ':')
                return wrong(reader, "a colon is missing");
            reader->at++;
        }
        if (!read_value(reader, depth + 1))
            return 0;
        reader->at = skip_space(reader->at, reader->end);
        if (peek(reader) == close) {
            reader->at++;
            return 1;
        }
        if (peek(reader) != ',')
            return wrong(reader, "a comma or a closing bracket is missing");
        reader->at++;
    }
}

static int read_value(reader_t *reader, int depth)
{
    reader->at = skip_space(reader->at, reader->end);
    switch (peek(reader)) {
    case '{':
    case '[':
        return read_container(reader, depth);
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, "true");
    case 'f':
        return read_word(reader, "false");
    case 'n':
        return read_word(reader, "null");
    case -1:
        return wrong(reader, "a value is missing");
    default:
        return peek(reader) == '-' || is_digit(peek(reader)) ? read_number(reader) : wrong(reader, "this is no value");
    }
}

static rest_json_e type_of(char first)
{
    switch (first) {
    case '{':
        return REST_JSON_OBJECT;
    case '[':
        return REST_JSON_ARRAY;
    case '"':
        return REST_JSON_STRING;
    case 't':
    case 'f':
        return REST_JSON_BOOLEAN;
    case 'n':
        return REST_JSON_NULL;
    default:
        return REST_JSON_NUMBER;
    }
}

int rest_json_parse(const char *bytes, apr_size_t n, rest_json_t *value, rest_json_mistake_t *mistake)
{
    const char *start = skip_space(bytes, bytes + n), *end = bytes + n;
    reader_t reader = { bytes, end, NULL, NULL };
    apr_size_t text = trestle_utf8_span(bytes, n);

    if (n >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        wrong(&reader, "it begins with a byte order mark, which JSON must not have");
    } else if (text < n) {
        reader.at = bytes + text;
        wrong(&reader, "this is not UTF-8");
    } else if (read_value(&reader, 0)) {
        *value = (rest_json_t){ type_of(*start), start, (apr_size_t)(reader.at - start) };
        if ((reader.at = skip_space(reader.at, end)) == end)
            return 1;
        wrong(&reader, "something follows the value");
    }
    *mistake = (rest_json_mistake_t){ reader.mistake, (apr_size_t)(reader.place - bytes) };
    return 0;
}

const char *rest_json_complaint(apr_pool_t *pool, const char *subject, const char *bytes,
                                const rest_json_mistake_t *mistake)
{
    unsigned line = 1, column = 1;

    for (apr_size_t i = 0; i < mistake->at; i++) {
        if (bytes[i] == '\n') {
            line++;
            column = 1;
        } else if ((bytes[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    return apr_psprintf(pool, "%s is not valid JSON: %s (line %u, column %u).", subject, mistake->what, line, column);
}

int rest_json_has_nul(const rest_json_t *value)
{
    const char *end = value->bytes + value->length;

    for (const char *at = value->bytes; (at = memchr(at, '\\', (apr_size_t)(end - at))); at += 2)
        if (end - at >= 6 && !memcmp(at + 1, "u0000", 5))
            return 1;
    return 0;
}

/* The end of the value at at, which was parsed before. */
static const char *skip_value(const char *at, const char *end)
{
    int depth = 0;

    if (*at != '{' && *at != '[' && *at != '"') {
        while (at < end && !strchr(",]} \t\r\n", *at))
            at++;
        return at;
    }
    do {
        if (*at == '"') {
            for (at++; *at != '"'; at++)
                if (*at == '\\')
                    at++;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        }
        at++;
    } while (depth > 0);
    return at;
}

static rest_json_t slice(const char **at, const char *end)
{
    const char *start = *at;

    *at = skip_value(start, end);
    return (rest_json_t){ type_of(*start), start, (apr_size_t)(*at - start) };
}

/* Moves *at to the next member or element of a container; 0 at its closing bracket. */
static int advance(const rest_json_t *container, const char **at)
{
    const char *end = container->bytes + container->length - 1;

    *at = skip_space(*at ? *at : container->bytes + 1, end);
    if (*at < end && **at == ',')
        *at = skip_space(*at + 1, end);
    return *at < end;
}

int rest_json_next_member(const rest_json_t *object, const char **at, rest_json_t *name, rest_json_t *value)
{
    const char *end = object->bytes + object->length - 1;

    if (!advance(object, at))
        return 0;
    *name = slice(at, end);
    *at = skip_space(skip_space(*at, end) + 1, end);
    *value = slice(at, end);
    return 1;
}

int rest_json_next_element(const rest_json_t *array, const char **at, rest_json_t *value)
{
    if (!advance(array, at))
        return 0;
    *value = slice(at, array->bytes + array->length - 1);
    return 1;
}

/* Four hexadecimal digits that were checked when parsing. */
static unsigned hex4(const char *at)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (unsigned)trestle_hex_digit(at[i]);
    return unit;
}

/* Writes a code point as UTF-8 and returns the place behind it. */
static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

const char *rest_json_string(apr_pool_t *pool, const rest_json_t *string)
{
    static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
    const char *in = string->bytes + 1, *end = string->bytes + string->length - 1;
    char *text, *out;

    if (!memchr(in, '\\', (apr_size_t)(end - in)))
        return apr_pstrmemdup(pool, in, (apr_size_t)(end - in));
    text = out = apr_palloc(pool, (apr_size_t)(end - in) + 1);
    while (in < end) {
        const char *letter;
        unsigned c;

        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        in += 2;
        if (in[-1] != 'u') {
            letter = strchr(letters, in[-1]);
            *out++ = letter ? controls[letter - letters] : in[-1];
            continue;
        }
        c = hex4(in);
        in += 4;
        if (c >= 0xD800 && c <= 0xDBFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (hex4(in + 2) - 0xDC00);
            in += 6;
        }
        if (c == 0)
            return NULL;
        out = put_utf8(out, c);
    }
    *out = '\0';
    return text;
}
