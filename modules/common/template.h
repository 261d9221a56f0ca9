/*
 * Templates of JSON documents: JSON whose strings hold placeholders. Compiled once while configuring, rendered as often
 * as needed. docs/mod_problem.md has the reference; in short:
 *   "{status}"                       the value with its own type, null where it is not known
 *   "{title|code|'text'}"            the first that is known
 *   "job {code}: {detail}"           text; null where one of them is not known; {{ and }} are braces
 *   "name?": …                       the member is left out where its value is null or has no rows (?? is a ?)
 *   ["{each errors}", element]       one element a row; {.field} is a member of the row
 *   {"{each checks as .name}": value}   one member a row; "by .field": one array of values for each name
 *   each … with .field | without .field   only rows where it is known | not known
 *   {"{case status}": {"404|410": value, "*": value}}   one of several
 */
#ifndef TRESTLE_TEMPLATE_H
#define TRESTLE_TEMPLATE_H

#include "text.h"

typedef struct trestle_template_t trestle_template_t; /* compiled; immutable; lives as long as its pool */

/* A name that templates may use. The vocabulary is an array of them, ended by a NULL name. */
typedef struct {
    const char *name;           /* a letter, then letters, digits and _ */
    const char *const *columns; /* NULL for a single value; for a list the members of its rows, ended by NULL */
} trestle_template_name_t;

typedef enum {
    TRESTLE_VALUE_UNKNOWN,
    TRESTLE_VALUE_TEXT,
    TRESTLE_VALUE_NUMBER,
    TRESTLE_VALUE_JSON,
    TRESTLE_VALUE_LIST
} trestle_value_e;

/* What a name stands for in one document. Zeroed memory is an unknown value. */
typedef struct trestle_template_value_t {
    trestle_value_e kind;
    const char *text;                             /* TEXT: UTF-8; JSON: JSON text */
    apr_int64_t number;                           /* NUMBER */
    int rows;                                     /* LIST */
    const struct trestle_template_value_t *cells; /* LIST: rows times the number of columns, row by row */
} trestle_template_value_t;

/* A text, unknown for NULL; a number. */
trestle_template_value_t trestle_template_text(const char *text);
trestle_template_value_t trestle_template_number(apr_int64_t number);

/*
 * Compiles source (NUL-terminated) into *compiled, in pool; source need not outlive the call, vocabulary must live as
 * long as the template. NULL, or a message that says line, column and the mend.
 */
const char *trestle_template_compile(apr_pool_t *pool, const char *source, const trestle_template_name_t *vocabulary,
                                     const trestle_template_t **compiled);

/*
 * Appends the document to out. values stands in the order of the vocabulary that the template was compiled with.
 * Thread-safe for different outs.
 */
void trestle_template_render(const trestle_template_t *compiled, const trestle_template_value_t *values,
                             trestle_text_t *out);

#endif
