#include "json_lexer.h"

#include "encoding.h"

#include <string.h>

trestle_json_e trestle_json_type(char first)
{
    switch (first) {
    case '{':
        return TRESTLE_JSON_OBJECT;
    case '[':
        return TRESTLE_JSON_ARRAY;
    case '"':
        return TRESTLE_JSON_STRING;
    case 't':
    case 'f':
        return TRESTLE_JSON_BOOLEAN;
    case 'n':
        return TRESTLE_JSON_NULL;
    default:
        return TRESTLE_JSON_NUMBER;
    }
}

int trestle_json_wrong(trestle_json_lexer_t *lexer, const char *mistake)
{
    if (!lexer->mistake) {
        lexer->mistake = mistake;
        lexer->place = lexer->at;
    }
    return 0;
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits. */
static int read_unit(trestle_json_lexer_t *lexer, unsigned *unit)
{
    *unit = 0;
    if (lexer->end - lexer->at < 4)
        return trestle_json_wrong(lexer, "an escape in a string is cut off");
    for (int i = 0; i < 4; i++) {
        int digit = trestle_hex_digit(*lexer->at++);

        if (digit < 0)
            return trestle_json_wrong(lexer, "an escape in a string is malformed");
        *unit = *unit << 4 | (unsigned)digit;
    }
    return 1;
}

/* What follows a backslash. A surrogate must have its other half (section 7). */
static int read_escape(trestle_json_lexer_t *lexer)
{
    unsigned unit, low;
    int c = trestle_json_peek(lexer);

    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return trestle_json_wrong(lexer, "a string has an unknown escape");
    lexer->at++;
    if (c != 'u')
        return 1;
    if (!read_unit(lexer, &unit))
        return 0;
    if (unit < 0xD800 || unit > 0xDFFF)
        return 1;
    if (unit > 0xDBFF || lexer->end - lexer->at < 2 || lexer->at[0] != '\\' || lexer->at[1] != 'u')
        return trestle_json_wrong(lexer, "a string has half of a surrogate pair");
    lexer->at += 2;
    if (!read_unit(lexer, &low))
        return 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return trestle_json_wrong(lexer, "a string has half of a surrogate pair");
    return 1;
}

/* What does not stand for itself in a string. */
static const unsigned char is_special[256] = { [0 ... 0x1F] = 1, ['"'] = 1, ['\\'] = 1 };

int trestle_json_string(trestle_json_lexer_t *lexer)
{
    lexer->escaped = 0;
    for (lexer->at++;;) {
        const char *at = lexer->at, *end = lexer->end;

        while (at < end && !is_special[(unsigned char)*at])
            at++;
        lexer->at = at;
        if (at == end)
            return trestle_json_wrong(lexer, "a string has no end");
        if ((unsigned char)*at < 0x20)
            return trestle_json_wrong(lexer, "a string holds a control character");
        lexer->at++;
        if (*at == '"')
            return 1;
        lexer->escaped = 1;
        if (!read_escape(lexer))
            return 0;
    }
}

static int read_digits(trestle_json_lexer_t *lexer)
{
    const char *at = lexer->at;

    while (at < lexer->end && is_digit(*at))
        at++;
    if (at == lexer->at)
        return trestle_json_wrong(lexer, "a number is malformed");
    lexer->at = at;
    return 1;
}

static int read_number(trestle_json_lexer_t *lexer)
{
    if (trestle_json_peek(lexer) == '-')
        lexer->at++;
    if (trestle_json_peek(lexer) == '0')
        lexer->at++;
    else if (!read_digits(lexer))
        return 0;
    if (trestle_json_peek(lexer) == '.') {
        lexer->at++;
        if (!read_digits(lexer))
            return 0;
    }
    if (trestle_json_peek(lexer) == 'e' || trestle_json_peek(lexer) == 'E') {
        lexer->at++;
        if (trestle_json_peek(lexer) == '+' || trestle_json_peek(lexer) == '-')
            lexer->at++;
        return read_digits(lexer);
    }
    return 1;
}

static int read_word(trestle_json_lexer_t *lexer, const char *word)
{
    apr_size_t n = strlen(word);

    if ((apr_size_t)(lexer->end - lexer->at) < n || memcmp(lexer->at, word, n))
        return trestle_json_wrong(lexer, "this is no value");
    lexer->at += n;
    return 1;
}

int trestle_json_scalar(trestle_json_lexer_t *lexer)
{
    int c = trestle_json_peek(lexer);

    switch (c) {
    case '"':
        return trestle_json_string(lexer);
    case 't':
        return read_word(lexer, "true");
    case 'f':
        return read_word(lexer, "false");
    case 'n':
        return read_word(lexer, "null");
    case -1:
        return trestle_json_wrong(lexer, "a value is missing");
    default:
        return c == '-' || is_digit(c) ? read_number(lexer) : trestle_json_wrong(lexer, "this is no value");
    }
}

/* Four hexadecimal digits that were read before. */
static unsigned unit_at(const char *at)
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

apr_size_t trestle_json_unescape(const char *in, apr_size_t n, char *out)
{
    static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
    const char *end = in + n, *start = out;

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
        c = unit_at(in);
        in += 4;
        if (c >= 0xD800 && c <= 0xDBFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (unit_at(in + 2) - 0xDC00);
            in += 6;
        }
        out = put_utf8(out, c);
    }
    return (apr_size_t)(out - start);
}
