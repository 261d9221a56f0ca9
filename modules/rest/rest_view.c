#include "rest_view.h"

#include <stdlib.h>
#include <string.h>

/* What has been read of a target list's entry. */
typedef struct {
    long column, relation, origin;
} entry_t;

/* The value of a field (":resno 3") at the beginning of text; -1 if another one stands there. */
static long field(const char *text, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(text, name, n) ? strtol(text + n, NULL, 10) : -1;
}

static void read_field(const char *text, entry_t *entry)
{
    long value;

    if ((value = field(text, ":resno ")) > 0)
        entry->column = value;
    else if ((value = field(text, ":resorigtbl ")) > 0)
        entry->relation = value;
    else if ((value = field(text, ":resorigcol ")) > 0)
        entry->origin = value;
}

/*
 * Nodes are in braces, lists in parentheses; a backslash makes the next character part of a name. Depth 1 is the
 * outermost query, depth 2 an entry of its target list.
 */
void rest_view_origins(const char *tree, rest_view_fn *tell, void *baton)
{
    entry_t entry = { 0, 0, 0 };
    int depth = 0, in_list = 0;

    for (const char *at = tree; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '{') {
            if (++depth == 2)
                entry = (entry_t){ 0, 0, 0 };
        } else if (*at == '}') {
            if (depth-- == 2 && in_list && entry.column && entry.relation && entry.origin)
                tell(baton, (int)entry.column, (unsigned)entry.relation, (int)entry.origin);
        } else if (*at == ':' && depth == 1) {
            in_list = !strncmp(at, ":targetList ", 12);
        } else if (*at == ':' && depth == 2 && in_list) {
            read_field(at, &entry);
        }
    }
}
