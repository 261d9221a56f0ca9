#include "template_node.h"

#include <apr_strings.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

/* The state of a compilation. A function that fails returns NULL (or 0) after having set problem. */
typedef struct {
    apr_pool_t *pool;
    const char *source;
    const char *at;    /* the next character */
    const char *token; /* where the value or member under way began: what a message points to */
    const trestle_template_name_t *vocabulary;
    int list; /* the list whose row is current; -1 outside rows */
    int depth;
    const char *problem;
} compiler_t;

static const trestle_template_t *compile_value(compiler_t *c);

/* Sets the message, which points to the current token, and returns NULL. */
static void *fail(compiler_t *c, const char *problem)
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

static void *fail_here(compiler_t *c, const char *problem)
{
    c->token = c->at;
    return fail(c, problem);
}

static void skip_space(compiler_t *c)
{
    c->at += strspn(c->at, " \t\r\n");
}

/* 1 and past it if the next character but for space is wanted. */
static int skip_past(compiler_t *c, char wanted)
{
    skip_space(c);
    if (*c->at != wanted)
        return 0;
    c->at++;
    return 1;
}

static trestle_template_t *make_node(compiler_t *c, int kind)
{
    trestle_template_t *node = apr_pcalloc(c->pool, sizeof(*node));

    node->kind = kind;
    return node;
}

static const trestle_template_t *make_literal(compiler_t *c, const char *json)
{
    trestle_template_t *node = make_node(c, NODE_LITERAL);

    node->literal = json;
    return node;
}

static const char *quoted(apr_pool_t *pool, const char *string)
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
        const char *digit = s[i] ? strchr("0123456789abcdef", s[i] | (s[i] >= 'A' && s[i] <= 'F' ? 0x20 : 0)) : NULL;

        if (!digit)
            return -1;
        value = value << 4 | (int)(digit - "0123456789abcdef");
    }
    return value;
}

/* Decodes \uXXXX (RFC 8259 section 7), c->at behind the u. 0 if it is not one, or U+0000, or half a surrogate pair. */
static int decode_unicode(compiler_t *c, trestle_text_t *text)
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

/* Reads a JSON string whose quote is next; the decoded text. */
static const char *read_string(compiler_t *c)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    trestle_text_t text = trestle_text_make(c->pool, 32);

    c->token = c->at++;
    while (*c->at != '"') {
        const char *escape;

        if (!*c->at || *c->at == '\n')
            return fail(c, "this string has no closing quote");
        if ((unsigned char)*c->at < 0x20)
            return fail_here(c, "a control character in a string; write it as \\u00XX");
        if (*c->at != '\\') {
            trestle_text_addc(&text, *c->at++);
            continue;
        }
        c->at++;
        if (*c->at == 'u') {
            c->at++;
            if (!decode_unicode(c, &text))
                return fail_here(c, "\\u needs four hexadecimal digits of a character other than U+0000");
        } else if (*c->at && (escape = strchr(escapes, *c->at))) {
            trestle_text_addc(&text, meanings[escape - escapes]);
            c->at++;
        } else {
            return fail_here(c, "an unknown escape; write \\\\ for a backslash");
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
static void *fail_unknown(compiler_t *c, const char *name, apr_size_t n, const char *const *columns)
{
    trestle_text_t text = trestle_text_make(c->pool, 256);

    trestle_text_addf(&text, "unknown name '%s%.*s'; known are", columns ? "." : "", (int)n, name);
    if (columns)
        for (; *columns; columns++)
            trestle_text_addf(&text, " .%s", *columns);
    else
        for (const trestle_template_name_t *v = c->vocabulary; v->name; v++)
            trestle_text_addf(&text, " %s", v->name);
    return fail(c, text.bytes);
}

/* The place of the n bytes of name in the vocabulary, or -1. */
static int find_name(compiler_t *c, const char *name, apr_size_t n)
{
    for (int i = 0; c->vocabulary[i].name; i++)
        if (is_word(c->vocabulary[i].name, name, n))
            return i;
    fail_unknown(c, name, n, NULL);
    return -1;
}

/* The place of the n bytes of name among the members of list's rows, or -1. */
static int find_column(compiler_t *c, int list, const char *name, apr_size_t n)
{
    const char *const *columns;

    if (list < 0) {
        fail(c, apr_psprintf(c->pool, "'.%.*s' is a member of a row, and this is not inside {each …}", (int)n, name));
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

/*
 * The alternatives of a placeholder, name|.column|'text', up to stop (a character that ends them); *rest is left on it.
 * Columns are those of list.
 */
static const apr_array_header_t *read_references(compiler_t *c, const char *s, char stop, int list, const char **rest)
{
    apr_array_header_t *references = apr_array_make(c->pool, 2, sizeof(template_reference_t));

    do {
        template_reference_t *reference = apr_array_push(references);
        apr_size_t n;

        if (*s == '\'') {
            const char *end = strchr(++s, '\'');

            if (!end)
                return fail(c, "a text in a placeholder has no closing '");
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
                return fail(c, apr_psprintf(c->pool, "'%.*s' is a list; write [\"{each %.*s}\", element]", (int)n, s,
                                            (int)n, s));
            s += n;
        }
    } while (*s == '|' && s++);
    if (*s != stop)
        return fail(c, "a placeholder is written {name}, {.member}, or {name|other|'text'}; a brace is {{ or }}");
    *rest = s;
    return references;
}

/* A string that is a value: fixed, or with placeholders. */
static const trestle_template_t *compile_string(compiler_t *c, const char *s)
{
    apr_array_header_t *pieces = apr_array_make(c->pool, 2, sizeof(template_piece_t));
    trestle_text_t fixed = trestle_text_make(c->pool, strlen(s));
    trestle_template_t *node;

    if (!strncmp(s, "{each ", 6))
        return fail(c, "{each …} stands first in an array, or in the name of a member");
    if (!strncmp(s, "{case ", 6))
        return fail(c, "{case …} is the name of an object's only member");
    while (*s) {
        template_piece_t piece = { NULL, NULL };

        if ((*s == '{' || *s == '}') && s[1] == *s) {
            trestle_text_addc(&fixed, *s);
            s += 2;
        } else if (*s == '}') {
            return fail(c, "a } without its {; a brace that is text is {{ or }}");
        } else if (*s == '{') {
            if (fixed.length) {
                template_piece_t before = { apr_pstrdup(c->pool, fixed.bytes), NULL };

                APR_ARRAY_PUSH(pieces, template_piece_t) = before;
                fixed.length = 0;
            }
            if (!(piece.references = read_references(c, s + 1, '}', c->list, &s)))
                return NULL;
            APR_ARRAY_PUSH(pieces, template_piece_t) = piece;
            s++;
        } else {
            trestle_text_addc(&fixed, *s++);
        }
    }
    if (!pieces->nelts)
        return make_literal(c, quoted(c->pool, fixed.length ? fixed.bytes : ""));
    if (fixed.length) {
        template_piece_t after = { fixed.bytes, NULL };

        APR_ARRAY_PUSH(pieces, template_piece_t) = after;
    }
    node = make_node(c, NODE_STRING);
    node->pieces = pieces;
    return node;
}

/*
 * "{each LIST [with .c|without .c] [as REFERENCES|by REFERENCES]}", s behind "{each ". keyed: the last part must be
 * there (name of a member) or must not (array). The body is still to be compiled.
 */
static template_each_t *read_each(compiler_t *c, const char *s, int keyed)
{
    static const char form_array[] = "write \"{each list}\", with 'with .member' or 'without .member' if need be";
    static const char form_name[] = "write \"{each list as .member}\" or \"{each list by .member}\"";
    const char *form = keyed ? form_name : form_array;
    template_each_t *each = apr_pcalloc(c->pool, sizeof(*each));
    apr_size_t n = word_length(s);

    if (c->list >= 0)
        return fail(c, "{each …} stands inside another one; rows hold no lists");
    if ((each->list = find_name(c, s, n)) < 0)
        return NULL;
    if (!c->vocabulary[each->list].columns)
        return fail(c, apr_psprintf(c->pool, "'%.*s' is not a list", (int)n, s));
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
            return fail(c, form);
        each->grouped = s[1] == 'b';
        if (!(each->key = read_references(c, s + 4, '}', each->list, &s)))
            return NULL;
    }
    return s[0] == '}' && !s[1] ? each : fail(c, form);
}

/* Compiles the next value as what is repeated. */
static int compile_body(compiler_t *c, template_each_t *each)
{
    int outer = c->list;

    c->list = each->list;
    each->body = compile_value(c);
    c->list = outer;
    return each->body != NULL;
}

/* Compiles an array, c->at behind its bracket. */
static const trestle_template_t *compile_array(compiler_t *c)
{
    trestle_template_t *node = make_node(c, NODE_ARRAY);
    apr_array_header_t *items = apr_array_make(c->pool, 4, sizeof(const trestle_template_t *));

    node->items = items;
    skip_space(c);
    if (!strncmp(c->at, "\"{each ", 7)) {
        const char *header = read_string(c);
        template_each_t *each = header ? read_each(c, header + 6, 0) : NULL;

        if (!each)
            return NULL;
        if (!skip_past(c, ','))
            return fail_here(c, "a comma and the element must follow {each …}");
        if (!compile_body(c, each))
            return NULL;
        node->kind = NODE_EACH;
        node->each = each;
        return skip_past(c, ']') ? node : fail_here(c, "one element follows {each …}, and then ]");
    }
    if (skip_past(c, ']'))
        return node;
    do {
        const trestle_template_t *item = compile_value(c);

        if (!item)
            return NULL;
        APR_ARRAY_PUSH(items, const trestle_template_t *) = item;
    } while (skip_past(c, ','));
    return skip_past(c, ']') ? node : fail_here(c, "a comma or ] must stand here");
}

/* The name of a member as it is written: "name?" is optional, "name??" ends in a question mark. */
static const char *member_name(compiler_t *c, const char *written, int *optional)
{
    apr_size_t n = strlen(written);

    *optional = n > 0 && written[n - 1] == '?';
    if (n > 1 && *optional && written[n - 2] == '?')
        *optional = 0;
    else if (!*optional)
        return written;
    return apr_pstrmemdup(c->pool, written, n - 1);
}

/* Compiles the branches of a case, whose header has been read, and the end of its object. */
static const trestle_template_t *compile_case(compiler_t *c, const char *header)
{
    trestle_template_t *node = make_node(c, NODE_CASE);
    apr_array_header_t *branches = apr_array_make(c->pool, 4, sizeof(template_member_t));
    const char *rest;

    node->members = branches;
    if (!(node->subject = read_references(c, header + 6, '}', c->list, &rest)))
        return NULL;
    if (rest[1])
        return fail(c, "nothing may follow the } of {case …}");
    if (!skip_past(c, ':') || !skip_past(c, '{'))
        return fail_here(c, "{case …} is followed by an object of branches, {\"404|410\": value, \"*\": value}");
    do {
        const trestle_template_t *value;
        const char *labels;
        char *label, *last = NULL;

        skip_space(c);
        if (*c->at != '"')
            return fail_here(c, "a branch begins with its label in quotes, for example \"404\" or \"*\"");
        if (!(labels = read_string(c)))
            return NULL;
        if (!labels[strspn(labels, "|")])
            return fail(c, "a branch has no label; write \"*\" for any other value");
        if (!skip_past(c, ':'))
            return fail_here(c, "a colon must stand here");
        if (!(value = compile_value(c)))
            return NULL;
        for (label = apr_strtok(apr_pstrdup(c->pool, labels), "|", &last); label;
             label = apr_strtok(NULL, "|", &last)) {
            template_member_t *branch = apr_array_push(branches);

            branch->name = strcmp(label, "*") ? label : NULL;
            branch->value = value;
        }
    } while (skip_past(c, ','));
    if (!skip_past(c, '}') || !skip_past(c, '}'))
        return fail_here(c, "a comma, or }} after the last branch, must stand here: a case is alone in its object");
    return node;
}

/* 1 if the members hold that name already. */
static int is_taken(const apr_array_header_t *members, const char *name)
{
    for (int i = 0; i < members->nelts; i++) {
        const template_member_t *member = &APR_ARRAY_IDX(members, i, template_member_t);

        if (member->name && !strcmp(member->name, name))
            return 1;
    }
    return 0;
}

/* Compiles one member; its name has been read. */
static int compile_member(compiler_t *c, const char *written, apr_array_header_t *members)
{
    template_member_t member = { 0 };
    template_each_t *each = NULL;

    if (!strncmp(written, "{each ", 6)) {
        if (!(each = read_each(c, written + 6, 1)))
            return 0;
    } else {
        member.name = quoted(c->pool, member_name(c, written, &member.optional));
        if (is_taken(members, member.name))
            return fail(c, "an earlier member of this object has the same name") != NULL;
    }
    if (!skip_past(c, ':'))
        return fail_here(c, "a colon must stand here") != NULL;
    member.each = each;
    if (each ? !compile_body(c, each) : !(member.value = compile_value(c)))
        return 0;
    APR_ARRAY_PUSH(members, template_member_t) = member;
    return 1;
}

/* Compiles an object, c->at behind its brace. */
static const trestle_template_t *compile_object(compiler_t *c)
{
    trestle_template_t *node = make_node(c, NODE_OBJECT);
    apr_array_header_t *members = apr_array_make(c->pool, 8, sizeof(template_member_t));

    node->members = members;
    if (skip_past(c, '}'))
        return node;
    do {
        const char *name;

        skip_space(c);
        if (*c->at != '"')
            return fail_here(c, "a member begins with its name in quotes");
        if (!(name = read_string(c)))
            return NULL;
        if (!strncmp(name, "{case ", 6))
            return members->nelts ? fail(c, "{case …} must be the only member of its object") : compile_case(c, name);
        if (!compile_member(c, name, members))
            return NULL;
    } while (skip_past(c, ','));
    return skip_past(c, '}') ? node : fail_here(c, "a comma or } must stand here");
}

/* A number (RFC 8259 section 6), kept as it is written. */
static const trestle_template_t *compile_number(compiler_t *c)
{
    const char *start = c->at, *s = start + (*start == '-');
    apr_size_t n = strspn(s, "0123456789");

    c->token = start;
    if (n == 0 || (n > 1 && *s == '0'))
        return fail(c, "a number starts with its digits, without a leading zero");
    s += n;
    if (*s == '.') {
        if (!(n = strspn(++s, "0123456789")))
            return fail(c, "digits must follow the point of a number");
        s += n;
    }
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '+' || s[1] == '-' ? 2 : 1;
        if (!(n = strspn(s, "0123456789")))
            return fail(c, "digits must follow the e of a number");
        s += n;
    }
    c->at = s;
    return make_literal(c, apr_pstrmemdup(c->pool, start, (apr_size_t)(s - start)));
}

static const trestle_template_t *compile_value(compiler_t *c)
{
    static const char *const words[] = { "true", "false", "null" };
    const trestle_template_t *node;
    const char *text;

    skip_space(c);
    c->token = c->at;
    switch (*c->at) {
    case '{':
    case '[':
        if (++c->depth > MAX_DEPTH)
            return fail(c, "more than 32 levels of brackets");
        node = *c->at++ == '{' ? compile_object(c) : compile_array(c);
        c->depth--;
        return node;
    case '"':
        return (text = read_string(c)) ? compile_string(c, text) : NULL;
    default:
        if (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))
            return compile_number(c);
        for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (is_word(words[i], c->at, word_length(c->at))) {
                c->at += strlen(words[i]);
                return make_literal(c, words[i]);
            }
        return fail(c, *c->at ? "a JSON value must stand here" : "the template ends too early");
    }
}

const char *trestle_template_compile(apr_pool_t *pool, const char *source, const trestle_template_name_t *vocabulary,
                                     const trestle_template_t **compiled)
{
    compiler_t c = { .pool = pool, .source = source, .at = source, .vocabulary = vocabulary, .list = -1 };

    if (!trestle_utf8_valid(source, strlen(source)))
        return "it is not UTF-8; save it in that encoding";
    if (!(*compiled = compile_value(&c)))
        return c.problem;
    skip_space(&c);
    if (*c.at) {
        *compiled = fail_here(&c, "something follows the end of the value");
        return c.problem;
    }
    return NULL;
}
