#include "template_compile.h"

#include "encoding.h"

#include <apr_strings.h>
#include <string.h>

void *template_fail(template_compiler_t *c, const char *problem)
{
    int line = 1, column = 1;

    for (const char *s = c->source; s < c->token; s++) {
        if (*s == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*s & 0xC0) != 0x80) {
            column++;
        }
    }
    if (!c->problem)
        c->problem = apr_psprintf(c->pool, "line %d, column %d: %s", line, column, problem);
    return NULL;
}

void *template_fail_here(template_compiler_t *c, const char *problem)
{
    c->token = c->at;
    return template_fail(c, problem);
}

trestle_template_t *template_make_node(template_compiler_t *c, int kind)
{
    trestle_template_t *node = apr_pcalloc(c->pool, sizeof(*node));

    node->kind = kind;
    return node;
}

const trestle_template_t *template_make_literal(template_compiler_t *c, const char *json)
{
    trestle_template_t *node = template_make_node(c, NODE_LITERAL);

    node->literal = json;
    return node;
}

const char *template_quote(apr_pool_t *pool, const char *string)
{
    trestle_text_t text = trestle_text_make(pool, strlen(string) + 3);

    trestle_text_add_json(&text, string);
    return text.bytes;
}

/* The four hexadecimal digits of \uXXXX, or -1. */
static int hex4(const char *s)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = trestle_hex_digit(s[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Decodes \uXXXX (RFC 8259 section 7), c->at behind the u. 0 if it is not one, or U+0000, or half a surrogate pair. */
static int decode_unicode(template_compiler_t *c, trestle_text_t *text)
{
    int code = hex4(c->at), low;

    if (code <= 0 || (code >= 0xDC00 && code <= 0xDFFF))
        return 0;
    c->at += 4;
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (c->at[0] != '\\' || c->at[1] != 'u' || (low = hex4(c->at + 2)) < 0xDC00 || low > 0xDFFF)
            return 0;
        c->at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        trestle_text_addc(text, (char)(0xF0 | code >> 18));
        trestle_text_addc(text, (char)(0x80 | (code >> 12 & 0x3F)));
        trestle_text_addc(text, (char)(0x80 | (code >> 6 & 0x3F)));
        trestle_text_addc(text, (char)(0x80 | (code & 0x3F)));
    } else if (code >= 0x800) {
        trestle_text_addc(text, (char)(0xE0 | code >> 12));
        trestle_text_addc(text, (char)(0x80 | (code >> 6 & 0x3F)));
        trestle_text_addc(text, (char)(0x80 | (code & 0x3F)));
    } else if (code >= 0x80) {
        trestle_text_addc(text, (char)(0xC0 | code >> 6));
        trestle_text_addc(text, (char)(0x80 | (code & 0x3F)));
    } else {
        trestle_text_addc(text, (char)code);
    }
    return 1;
}

const char *template_read_string(template_compiler_t *c)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    trestle_text_t text = trestle_text_make(c->pool, 32);

    c->token = c->at++;
    while (*c->at != '"') {
        const char *escape;

        if (!*c->at || *c->at == '\n')
            return template_fail(c, "this string has no closing quote");
        if ((unsigned char)*c->at < 0x20)
            return template_fail_here(c, "a control character in a string; write it as \\u00XX");
        if (*c->at != '\\') {
            trestle_text_addc(&text, *c->at++);
            continue;
        }
        c->at++;
        if (*c->at == 'u') {
            c->at++;
            if (!decode_unicode(c, &text))
                return template_fail_here(c, "\\u needs four hexadecimal digits of a character other than U+0000");
        } else if (*c->at && (escape = strchr(escapes, *c->at))) {
            trestle_text_addc(&text, meanings[escape - escapes]);
            c->at++;
        } else {
            return template_fail_here(c, "an unknown escape; write \\\\ for a backslash");
        }
    }
    c->at++;
    return text.bytes;
}

static int is_word(const char *word, const char *text, apr_size_t n)
{
    return strlen(word) == n && !strncmp(word, text, n);
}

/* The message about an unknown name, with the names that are known. */
static void *fail_unknown(template_compiler_t *c, const char *name, apr_size_t n, const char *const *columns)
{
    trestle_text_t text = trestle_text_make(c->pool, 256);

    trestle_text_addf(&text, "unknown name '%s%.*s'; known are", columns ? "." : "", (int)n, name);
    if (columns)
        for (; *columns; columns++)
            trestle_text_addf(&text, " .%s", *columns);
    else
        for (const trestle_template_name_t *v = c->vocabulary; v->name; v++)
            trestle_text_addf(&text, " %s", v->name);
    return template_fail(c, text.bytes);
}

/* The place of the n bytes of name in the vocabulary, or -1. */
static int find_name(template_compiler_t *c, const char *name, apr_size_t n)
{
    for (int i = 0; c->vocabulary[i].name; i++)
        if (is_word(c->vocabulary[i].name, name, n))
            return i;
    fail_unknown(c, name, n, NULL);
    return -1;
}

/* The place of the n bytes of name among the members of list's rows, or -1. */
static int find_column(template_compiler_t *c, int list, const char *name, apr_size_t n)
{
    const char *const *columns;

    if (list < 0) {
        template_fail(
            c, apr_psprintf(c->pool, "'.%.*s' is a member of a row, and this is not inside {each …}", (int)n, name));
        return -1;
    }
    columns = c->vocabulary[list].columns;
    for (int i = 0; columns[i]; i++)
        if (is_word(columns[i], name, n))
            return i;
    fail_unknown(c, name, n, columns);
    return -1;
}

static apr_size_t word_length(const char *s)
{
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

const apr_array_header_t *template_read_references(template_compiler_t *c, const char *s, int list, const char **rest)
{
    apr_array_header_t *references = apr_array_make(c->pool, 2, sizeof(template_reference_t));

    do {
        template_reference_t *reference = apr_array_push(references);
        apr_size_t n;

        if (*s == '\'') {
            const char *end = strchr(++s, '\'');

            if (!end)
                return template_fail(c, "a text in a placeholder has no closing '");
            reference->scope = REFERENCE_TEXT;
            reference->text = apr_pstrmemdup(c->pool, s, (apr_size_t)(end - s));
            s = end + 1;
        } else if (*s == '.') {
            n = word_length(++s);
            reference->scope = REFERENCE_COLUMN;
            if ((reference->index = find_column(c, list, s, n)) < 0)
                return NULL;
            s += n;
        } else {
            n = word_length(s);
            reference->scope = REFERENCE_VALUE;
            if ((reference->index = find_name(c, s, n)) < 0)
                return NULL;
            if (c->vocabulary[reference->index].columns)
                return template_fail(c, apr_psprintf(c->pool, "'%.*s' is a list; write [\"{each %.*s}\", element]",
                                                     (int)n, s, (int)n, s));
            s += n;
        }
    } while (*s == '|' && s++);
    if (*s != '}')
        return template_fail(c,
                             "a placeholder is written {name}, {.member}, or {name|other|'text'}; a brace is {{ or }}");
    *rest = s;
    return references;
}

const trestle_template_t *template_compile_string(template_compiler_t *c, const char *s)
{
    apr_array_header_t *pieces = apr_array_make(c->pool, 2, sizeof(template_piece_t));
    trestle_text_t fixed = trestle_text_make(c->pool, strlen(s));
    trestle_template_t *node;

    if (!strncmp(s, "{each ", 6))
        return template_fail(c, "{each …} stands first in an array, or in the name of a member");
    if (!strncmp(s, "{case ", 6))
        return template_fail(c, "{case …} is the name of an object's only member");
    while (*s) {
        template_piece_t piece = { NULL, NULL };

        if ((*s == '{' || *s == '}') && s[1] == *s) {
            trestle_text_addc(&fixed, *s);
            s += 2;
        } else if (*s == '}') {
            return template_fail(c, "a } without its {; a brace that is text is {{ or }}");
        } else if (*s == '{') {
            if (fixed.length) {
                template_piece_t before = { apr_pstrdup(c->pool, fixed.bytes), NULL };

                APR_ARRAY_PUSH(pieces, template_piece_t) = before;
                fixed.length = 0;
            }
            if (!(piece.references = template_read_references(c, s + 1, c->list, &s)))
                return NULL;
            APR_ARRAY_PUSH(pieces, template_piece_t) = piece;
            s++;
        } else {
            trestle_text_addc(&fixed, *s++);
        }
    }
    if (!pieces->nelts)
        return template_make_literal(c, template_quote(c->pool, fixed.length ? fixed.bytes : ""));
    if (fixed.length) {
        template_piece_t after = { fixed.bytes, NULL };

        APR_ARRAY_PUSH(pieces, template_piece_t) = after;
    }
    node = template_make_node(c, NODE_STRING);
    node->pieces = pieces;
    return node;
}

template_each_t *template_read_each(template_compiler_t *c, const char *s, int keyed)
{
    static const char form_array[] = "write \"{each list}\", with 'with .member' or 'without .member' if need be";
    static const char form_name[] = "write \"{each list as .member}\" or \"{each list by .member}\"";
    const char *form = keyed ? form_name : form_array;
    template_each_t *each = apr_pcalloc(c->pool, sizeof(*each));
    apr_size_t n = word_length(s);

    if (c->list >= 0)
        return template_fail(c, "{each …} stands inside another one; rows hold no lists");
    if ((each->list = find_name(c, s, n)) < 0)
        return NULL;
    if (!c->vocabulary[each->list].columns)
        return template_fail(c, apr_psprintf(c->pool, "'%.*s' is not a list", (int)n, s));
    while (c->vocabulary[each->list].columns[each->columns])
        each->columns++;
    s += n;
    if (!strncmp(s, " with .", 7) || !strncmp(s, " without .", 10)) {
        each->filter = s[5] == ' ' ? ROWS_WITH : ROWS_WITHOUT;
        s += s[5] == ' ' ? 7 : 10;
        n = word_length(s);
        if ((each->column = find_column(c, each->list, s, n)) < 0)
            return NULL;
        s += n;
    }
    if (keyed) {
        if (strncmp(s, " as ", 4) && strncmp(s, " by ", 4))
            return template_fail(c, form);
        each->grouped = s[1] == 'b';
        if (!(each->key = template_read_references(c, s + 4, each->list, &s)))
            return NULL;
    }
    return s[0] == '}' && !s[1] ? each : template_fail(c, form);
}
