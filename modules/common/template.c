#include "template_compile.h"

#include <apr_strings.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

static const trestle_template_t *compile_value(template_compiler_t *c);

static void skip_space(template_compiler_t *c)
{
    c->at += strspn(c->at, " \t\r\n");
}

/* 1 and past it if the next character but for space is wanted. */
static int skip_past(template_compiler_t *c, char wanted)
{
    skip_space(c);
    if (*c->at != wanted)
        return 0;
    c->at++;
    return 1;
}

/* Compiles the next value as what is repeated. */
static int compile_body(template_compiler_t *c, template_each_t *each)
{
    int outer = c->list;

    c->list = each->list;
    each->body = compile_value(c);
    c->list = outer;
    return each->body != NULL;
}

/* Compiles an array, c->at behind its bracket. */
static const trestle_template_t *compile_array(template_compiler_t *c)
{
    trestle_template_t *node = template_make_node(c, NODE_ARRAY);
    apr_array_header_t *items = apr_array_make(c->pool, 4, sizeof(const trestle_template_t *));

    node->items = items;
    skip_space(c);
    if (!strncmp(c->at, "\"{each ", 7)) {
        const char *header = template_read_string(c);
        template_each_t *each = header ? template_read_each(c, header + 6, 0) : NULL;

        if (!each)
            return NULL;
        if (!skip_past(c, ','))
            return template_fail_here(c, "a comma and the element must follow {each …}");
        if (!compile_body(c, each))
            return NULL;
        node->kind = NODE_EACH;
        node->each = each;
        return skip_past(c, ']') ? node : template_fail_here(c, "one element follows {each …}, and then ]");
    }
    if (skip_past(c, ']'))
        return node;
    do {
        const trestle_template_t *item = compile_value(c);

        if (!item)
            return NULL;
        APR_ARRAY_PUSH(items, const trestle_template_t *) = item;
    } while (skip_past(c, ','));
    return skip_past(c, ']') ? node : template_fail_here(c, "a comma or ] must stand here");
}

/* The name of a member as it is written: "name?" is optional, "name??" ends in a question mark. */
static const char *member_name(template_compiler_t *c, const char *written, int *optional)
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
static const trestle_template_t *compile_case(template_compiler_t *c, const char *header)
{
    trestle_template_t *node = template_make_node(c, NODE_CASE);
    apr_array_header_t *branches = apr_array_make(c->pool, 4, sizeof(template_member_t));
    const char *rest;

    node->members = branches;
    if (!(node->subject = template_read_references(c, header + 6, c->list, &rest)))
        return NULL;
    if (rest[1])
        return template_fail(c, "nothing may follow the } of {case …}");
    if (!skip_past(c, ':') || !skip_past(c, '{'))
        return template_fail_here(c,
                                  "{case …} is followed by an object of branches, {\"404|410\": value, \"*\": value}");
    do {
        const trestle_template_t *value;
        const char *labels;
        char *label, *last = NULL;

        skip_space(c);
        if (*c->at != '"')
            return template_fail_here(c, "a branch begins with its label in quotes, for example \"404\" or \"*\"");
        if (!(labels = template_read_string(c)))
            return NULL;
        if (!labels[strspn(labels, "|")])
            return template_fail(c, "a branch has no label; write \"*\" for any other value");
        if (!skip_past(c, ':'))
            return template_fail_here(c, "a colon must stand here");
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
        return template_fail_here(
            c, "a comma, or }} after the last branch, must stand here: a case is alone in its object");
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
static int compile_member(template_compiler_t *c, const char *written, apr_array_header_t *members)
{
    template_member_t member = { 0 };
    template_each_t *each = NULL;

    if (!strncmp(written, "{each ", 6)) {
        if (!(each = template_read_each(c, written + 6, 1)))
            return 0;
    } else {
        member.name = template_quote(c->pool, member_name(c, written, &member.optional));
        if (is_taken(members, member.name))
            return template_fail(c, "an earlier member of this object has the same name") != NULL;
    }
    if (!skip_past(c, ':'))
        return template_fail_here(c, "a colon must stand here") != NULL;
    member.each = each;
    if (each ? !compile_body(c, each) : !(member.value = compile_value(c)))
        return 0;
    APR_ARRAY_PUSH(members, template_member_t) = member;
    return 1;
}

/* Compiles an object, c->at behind its brace. */
static const trestle_template_t *compile_object(template_compiler_t *c)
{
    trestle_template_t *node = template_make_node(c, NODE_OBJECT);
    apr_array_header_t *members = apr_array_make(c->pool, 8, sizeof(template_member_t));

    node->members = members;
    if (skip_past(c, '}'))
        return node;
    do {
        const char *name;

        skip_space(c);
        if (*c->at != '"')
            return template_fail_here(c, "a member begins with its name in quotes");
        if (!(name = template_read_string(c)))
            return NULL;
        if (!strncmp(name, "{case ", 6))
            return members->nelts ? template_fail(c, "{case …} must be the only member of its object")
                                  : compile_case(c, name);
        if (!compile_member(c, name, members))
            return NULL;
    } while (skip_past(c, ','));
    return skip_past(c, '}') ? node : template_fail_here(c, "a comma or } must stand here");
}

/* A number (RFC 8259 section 6), kept as it is written. */
static const trestle_template_t *compile_number(template_compiler_t *c)
{
    const char *start = c->at, *s = start + (*start == '-');
    apr_size_t n = strspn(s, "0123456789");

    c->token = start;
    if (n == 0 || (n > 1 && *s == '0'))
        return template_fail(c, "a number starts with its digits, without a leading zero");
    s += n;
    if (*s == '.') {
        if (!(n = strspn(++s, "0123456789")))
            return template_fail(c, "digits must follow the point of a number");
        s += n;
    }
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '+' || s[1] == '-' ? 2 : 1;
        if (!(n = strspn(s, "0123456789")))
            return template_fail(c, "digits must follow the e of a number");
        s += n;
    }
    c->at = s;
    return template_make_literal(c, apr_pstrmemdup(c->pool, start, (apr_size_t)(s - start)));
}

static const trestle_template_t *compile_value(template_compiler_t *c)
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
            return template_fail(c, "more than 32 levels of brackets");
        node = *c->at++ == '{' ? compile_object(c) : compile_array(c);
        c->depth--;
        return node;
    case '"':
        return (text = template_read_string(c)) ? template_compile_string(c, text) : NULL;
    default:
        if (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))
            return compile_number(c);
        for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strspn(c->at, "abcdefghijklmnopqrstuvwxyz") == strlen(words[i])
                && !strncmp(c->at, words[i], strlen(words[i]))) {
                c->at += strlen(words[i]);
                return template_make_literal(c, words[i]);
            }
        return template_fail(c, *c->at ? "a JSON value must stand here" : "the template ends too early");
    }
}

const char *trestle_template_compile(apr_pool_t *pool, const char *source, const trestle_template_name_t *vocabulary,
                                     const trestle_template_t **compiled)
{
    template_compiler_t c = { .pool = pool, .source = source, .at = source, .vocabulary = vocabulary, .list = -1 };

    if (!trestle_utf8_valid(source, strlen(source)))
        return "it is not UTF-8; save it in that encoding";
    if (!(*compiled = compile_value(&c)))
        return c.problem;
    skip_space(&c);
    if (*c.at) {
        *compiled = template_fail_here(&c, "something follows the end of the value");
        return c.problem;
    }
    return NULL;
}
