/*
 * Compiling a template: the state, and what template.c (JSON's structure) and template_string.c (strings, placeholders
 * and headers) use of each other. For these two only.
 */
#ifndef TRESTLE_TEMPLATE_COMPILE_H
#define TRESTLE_TEMPLATE_COMPILE_H

#include "template_node.h"

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
} template_compiler_t;

/* Sets the message, which points to the current token or to the next character, and returns NULL. */
void *template_fail(template_compiler_t *c, const char *problem);
void *template_fail_here(template_compiler_t *c, const char *problem);

/* A node of that kind, zeroed; a literal node of that JSON text. */
trestle_template_t *template_make_node(template_compiler_t *c, int kind);
const trestle_template_t *template_make_literal(template_compiler_t *c, const char *json);

/* string as JSON text, in pool. */
const char *template_quote(apr_pool_t *pool, const char *string);

/* Reads a JSON string whose quote is next; the decoded text. */
const char *template_read_string(template_compiler_t *c);

/* The node of a string that is a value: fixed, or with placeholders. */
const trestle_template_t *template_compile_string(template_compiler_t *c, const char *string);

/*
 * The alternatives of a placeholder, name|.column|'text', from s to its closing brace; *rest is left on it. Columns are
 * those of list.
 */
const apr_array_header_t *template_read_references(template_compiler_t *c, const char *s, int list, const char **rest);

/*
 * "{each LIST [with .c|without .c] [as REFERENCES|by REFERENCES]}", s behind "{each ". keyed: the last part must be
 * there (name of a member) or must not (array). The body is still to be compiled.
 */
template_each_t *template_read_each(template_compiler_t *c, const char *s, int keyed);

#endif
