#include "text.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

trestle_text_t trestle_text_make(apr_pool_t *pool, apr_size_t capacity)
{
    trestle_text_t text = { pool, NULL, 0, capacity < 64 ? 64 : capacity };

    text.bytes = apr_palloc(pool, text.capacity);
    text.bytes[0] = '\0';
    return text;
}

/* Makes room for n more bytes and the NUL. Doubling wastes at most as much pool as is used. */
static void reserve(trestle_text_t *text, apr_size_t n)
{
    apr_size_t need = text->length + n + 1;
    char *bytes;

    if (need <= text->capacity)
        return;
    text->capacity = need > text->capacity * 2 ? need : text->capacity * 2;
    bytes = apr_palloc(text->pool, text->capacity);
    memcpy(bytes, text->bytes, text->length + 1);
    text->bytes = bytes;
}

void trestle_text_add(trestle_text_t *text, const char *bytes, apr_size_t n)
{
    reserve(text, n);
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
    text->bytes[text->length] = '\0';
}

void trestle_text_adds(trestle_text_t *text, const char *string)
{
    trestle_text_add(text, string, strlen(string));
}

void trestle_text_addc(trestle_text_t *text, char c)
{
    trestle_text_add(text, &c, 1);
}

void trestle_text_addf(trestle_text_t *text, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n <= 0)
        return;
    reserve(text, (apr_size_t)n);
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)n + 1, format, arguments);
    va_end(arguments);
    text->length += (apr_size_t)n;
}

/* The length of the UTF-8 sequence at s (RFC 3629 section 4), 0 if there is none within n bytes. */
static apr_size_t utf8_sequence(const unsigned char *s, apr_size_t n)
{
#define TAIL(i) ((s[i] & 0xC0) == 0x80)
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return n >= 2 && TAIL(1) ? 2 : 0;
    if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        if (n < 3 || !TAIL(1) || !TAIL(2) || (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0;
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if (n < 4 || !TAIL(1) || !TAIL(2) || !TAIL(3) || (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
#undef TAIL
}

apr_size_t trestle_utf8_span(const char *bytes, apr_size_t n)
{
    const unsigned char *s = (const unsigned char *)bytes, *end = s + n;

    while (s < end) {
        apr_size_t step = *s < 0x80 ? 1 : utf8_sequence(s, (apr_size_t)(end - s));

        if (step == 0)
            break;
        s += step;
    }
    return n - (apr_size_t)(end - s);
}

int trestle_utf8_valid(const char *bytes, apr_size_t n)
{
    return trestle_utf8_span(bytes, n) == n;
}

void trestle_text_add_json_bytes(trestle_text_t *text, const char *bytes, apr_size_t n)
{
    const unsigned char *s = (const unsigned char *)bytes;

    reserve(text, n + 2);
    trestle_text_addc(text, '"');
    while (n > 0) {
        apr_size_t step = utf8_sequence(s, n);

        if (step == 0) {
            trestle_text_add(text, "\xEF\xBF\xBD", 3);
            step = 1;
        } else if (*s == '"' || *s == '\\') {
            const char escaped[2] = { '\\', (char)*s };

            trestle_text_add(text, escaped, 2);
        } else if (*s == '\n') {
            trestle_text_add(text, "\\n", 2);
        } else if (*s == '\t') {
            trestle_text_add(text, "\\t", 2);
        } else if (*s == '\r') {
            trestle_text_add(text, "\\r", 2);
        } else if (*s < 0x20 || *s == 0x7F) {
            trestle_text_addf(text, "\\u%04x", *s);
        } else {
            trestle_text_add(text, (const char *)s, step);
        }
        s += step;
        n -= step;
    }
    trestle_text_addc(text, '"');
}

void trestle_text_add_json(trestle_text_t *text, const char *string)
{
    if (string)
        trestle_text_add_json_bytes(text, string, strlen(string));
    else
        trestle_text_add(text, "null", 4);
}
