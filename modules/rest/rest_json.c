#include "rest_json.h"

#include "text.h"

#include <apr_strings.h>
#include <string.h>

static int read_value(trestle_json_lexer_t *lexer, int depth);

/* The members of an object or the elements of an array, from its opening bracket to its closing one. */
static int read_container(trestle_json_lexer_t *lexer, int depth)
{
    int is_object = *lexer->at == '{', close = is_object ? '}' : ']';

    if (depth == REST_JSON_DEPTH)
        return trestle_json_wrong(lexer, "it is nested deeper than 64 levels");
    lexer->at = trestle_json_space(lexer->at + 1, lexer->end);
    if (trestle_json_peek(lexer) == close) {
        lexer->at++;
        return 1;
    }
    for (;;) {
        if (is_object) {
            lexer->at = trestle_json_space(lexer->at, lexer->end);
            if (trestle_json_peek(lexer) != '"' || !trestle_json_string(lexer))
                return trestle_json_wrong(lexer, "an object's member has no name");
            lexer->at = trestle_json_space(lexer->at, lexer->end);
            if (trestle_json_peek(lexer) != ':')
                return trestle_json_wrong(lexer, "a colon is missing");
            lexer->at++;
        }
        if (!read_value(lexer, depth + 1))
            return 0;
        lexer->at = trestle_json_space(lexer->at, lexer->end);
        if (trestle_json_peek(lexer) == close) {
            lexer->at++;
            return 1;
        }
        if (trestle_json_peek(lexer) != ',')
            return trestle_json_wrong(lexer, "a comma or a closing bracket is missing");
        lexer->at++;
    }
}

static int read_value(trestle_json_lexer_t *lexer, int depth)
{
    int c;

    lexer->at = trestle_json_space(lexer->at, lexer->end);
    c = trestle_json_peek(lexer);
    return c == '{' || c == '[' ? read_container(lexer, depth) : trestle_json_scalar(lexer);
}

int rest_json_parse(const char *bytes, apr_size_t n, rest_json_t *value, rest_json_mistake_t *mistake)
{
    const char *start = trestle_json_space(bytes, bytes + n), *end = bytes + n;
    trestle_json_lexer_t lexer = { bytes, end, 0, NULL, NULL };
    apr_size_t text = trestle_utf8_span(bytes, n);

    if (n >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        trestle_json_wrong(&lexer, "it begins with a byte order mark, which JSON must not have");
    } else if (text < n) {
        lexer.at = bytes + text;
        trestle_json_wrong(&lexer, "this is not UTF-8");
    } else if (read_value(&lexer, 0)) {
        *value = (rest_json_t){ trestle_json_type(*start), start, (apr_size_t)(lexer.at - start) };
        if ((lexer.at = trestle_json_space(lexer.at, end)) == end)
            return 1;
        trestle_json_wrong(&lexer, "something follows the value");
    }
    *mistake = (rest_json_mistake_t){ lexer.mistake, (apr_size_t)(lexer.place - bytes) };
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
    return (rest_json_t){ trestle_json_type(*start), start, (apr_size_t)(*at - start) };
}

/* Moves *at to the next member or element of a container; 0 at its closing bracket. */
static int advance(const rest_json_t *container, const char **at)
{
    const char *end = container->bytes + container->length - 1;

    *at = trestle_json_space(*at ? *at : container->bytes + 1, end);
    if (*at < end && **at == ',')
        *at = trestle_json_space(*at + 1, end);
    return *at < end;
}

int rest_json_next_member(const rest_json_t *object, const char **at, rest_json_t *name, rest_json_t *value)
{
    const char *end = object->bytes + object->length - 1;

    if (!advance(object, at))
        return 0;
    *name = slice(at, end);
    *at = trestle_json_space(trestle_json_space(*at, end) + 1, end);
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

const char *rest_json_string(apr_pool_t *pool, const rest_json_t *string)
{
    apr_size_t n = string->length - 2;
    char *text = apr_palloc(pool, n + 1);

    n = trestle_json_unescape(string->bytes + 1, n, text);
    text[n] = '\0';
    return memchr(text, '\0', n) ? NULL : text;
}
