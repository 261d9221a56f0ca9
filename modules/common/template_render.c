#include "template_node.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

/* What placeholders are looked up in. */
typedef struct {
    const trestle_template_value_t *values;
    const trestle_template_value_t *row; /* NULL outside rows */
} scope_t;

static const trestle_template_value_t unknown;

trestle_template_value_t trestle_template_text(const char *text)
{
    trestle_template_value_t value = { .kind = text ? TRESTLE_VALUE_TEXT : TRESTLE_VALUE_UNKNOWN, .text = text };

    return value;
}

trestle_template_value_t trestle_template_number(apr_int64_t number)
{
    trestle_template_value_t value = { .kind = TRESTLE_VALUE_NUMBER, .number = number };

    return value;
}

/* The first known alternative. */
static trestle_template_value_t resolve(const apr_array_header_t *references, const scope_t *scope)
{
    for (int i = 0; i < references->nelts; i++) {
        const template_reference_t *reference = &APR_ARRAY_IDX(references, i, template_reference_t);

        if (reference->scope == REFERENCE_TEXT)
            return trestle_template_text(reference->text);
        if (reference->scope == REFERENCE_VALUE && scope->values[reference->index].kind != TRESTLE_VALUE_UNKNOWN)
            return scope->values[reference->index];
        if (reference->scope == REFERENCE_COLUMN && scope->row[reference->index].kind != TRESTLE_VALUE_UNKNOWN)
            return scope->row[reference->index];
    }
    return unknown;
}

/* A resolved value as text; NULL if it is unknown. */
static const char *text_of(apr_pool_t *pool, trestle_template_value_t value)
{
    if (value.kind == TRESTLE_VALUE_NUMBER)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, value.number);
    return value.text;
}

/* The list's next row at or after *row that the filter lets through, or NULL; *row becomes its number. */
static const trestle_template_value_t *next_row(const template_each_t *each, const scope_t *scope, int *row)
{
    const trestle_template_value_t *list = &scope->values[each->list];

    for (; *row < list->rows; ++*row) {
        const trestle_template_value_t *cells = list->cells + (apr_size_t)*row * (apr_size_t)each->columns;

        if (each->filter == ROWS_ALL
            || (each->filter == ROWS_WITH) == (cells[each->column].kind != TRESTLE_VALUE_UNKNOWN))
            return cells;
    }
    return NULL;
}

static int has_rows(const template_each_t *each, const scope_t *scope)
{
    int row = 0;

    return next_row(each, scope, &row) != NULL;
}

/* The branch of a case that counts, or NULL. */
static const trestle_template_t *branch_of(const trestle_template_t *node, const scope_t *scope, apr_pool_t *pool)
{
    const char *subject = text_of(pool, resolve(node->subject, scope));

    for (int i = 0; i < node->members->nelts; i++) {
        const template_member_t *branch = &APR_ARRAY_IDX(node->members, i, template_member_t);

        if (!branch->name || (subject && !strcmp(branch->name, subject)))
            return branch->value;
    }
    return NULL;
}

/* 1 if the node has something to say: what decides whether an optional member is left out. */
static int is_known(const trestle_template_t *node, const scope_t *scope, apr_pool_t *pool)
{
    switch (node->kind) {
    case NODE_LITERAL:
        return strcmp(node->literal, "null") != 0;
    case NODE_STRING:
        for (int i = 0; i < node->pieces->nelts; i++) {
            const template_piece_t *piece = &APR_ARRAY_IDX(node->pieces, i, template_piece_t);

            if (!piece->text && resolve(piece->references, scope).kind == TRESTLE_VALUE_UNKNOWN)
                return 0;
        }
        return 1;
    case NODE_OBJECT:
        for (int i = 0; i < node->members->nelts; i++) {
            const template_member_t *member = &APR_ARRAY_IDX(node->members, i, template_member_t);

            if (member->each ? has_rows(member->each, scope)
                             : !member->optional || is_known(member->value, scope, pool))
                return 1;
        }
        return 0;
    case NODE_ARRAY:
        return 1;
    case NODE_EACH:
        return has_rows(node->each, scope);
    case NODE_CASE:
        node = branch_of(node, scope, pool);
        return node && is_known(node, scope, pool);
    }
    return 0;
}

static void render(const trestle_template_t *node, const scope_t *scope, trestle_text_t *out);

static void render_string(const trestle_template_t *node, const scope_t *scope, trestle_text_t *out)
{
    trestle_text_t text;

    if (node->pieces->nelts == 1) {
        const template_piece_t *piece = &APR_ARRAY_IDX(node->pieces, 0, template_piece_t);
        trestle_template_value_t value = resolve(piece->references, scope);

        if (value.kind == TRESTLE_VALUE_NUMBER)
            trestle_text_addf(out, "%" APR_INT64_T_FMT, value.number);
        else if (value.kind == TRESTLE_VALUE_JSON)
            trestle_text_adds(out, value.text);
        else
            trestle_text_add_json(out, value.text);
        return;
    }
    if (!is_known(node, scope, out->pool)) {
        trestle_text_add_json(out, NULL);
        return;
    }
    text = trestle_text_make(out->pool, 128);
    for (int i = 0; i < node->pieces->nelts; i++) {
        const template_piece_t *piece = &APR_ARRAY_IDX(node->pieces, i, template_piece_t);

        trestle_text_adds(&text, piece->text ? piece->text : text_of(out->pool, resolve(piece->references, scope)));
    }
    trestle_text_add_json(out, text.bytes);
}

static void add_comma(int *count, trestle_text_t *out)
{
    if ((*count)++)
        trestle_text_addc(out, ',');
}

static void render_rows(const template_each_t *each, const scope_t *scope, trestle_text_t *out)
{
    scope_t inner = { scope->values, NULL };
    int count = 0;

    trestle_text_addc(out, '[');
    for (int row = 0; (inner.row = next_row(each, scope, &row)); row++) {
        add_comma(&count, out);
        render(each->body, &inner, out);
    }
    trestle_text_addc(out, ']');
}

/* Members made from rows, in the order in which their names come first. Rows without a name are left out. */
static void render_row_members(const template_each_t *each, const scope_t *scope, trestle_text_t *out, int *count)
{
    apr_array_header_t *names = apr_array_make(out->pool, 8, sizeof(const char *));
    apr_hash_t *groups = apr_hash_make(out->pool);
    scope_t inner = { scope->values, NULL };

    for (int row = 0; (inner.row = next_row(each, scope, &row)); row++) {
        const char *name = text_of(out->pool, resolve(each->key, &inner));
        apr_array_header_t *rows;

        if (!name)
            continue;
        if (!(rows = apr_hash_get(groups, name, APR_HASH_KEY_STRING))) {
            rows = apr_array_make(out->pool, 2, sizeof(const trestle_template_value_t *));
            apr_hash_set(groups, name, APR_HASH_KEY_STRING, rows);
            APR_ARRAY_PUSH(names, const char *) = name;
        }
        APR_ARRAY_PUSH(rows, const trestle_template_value_t *) = inner.row;
    }
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const apr_array_header_t *rows = apr_hash_get(groups, name, APR_HASH_KEY_STRING);

        add_comma(count, out);
        trestle_text_add_json(out, name);
        trestle_text_adds(out, each->grouped ? ":[" : ":");
        for (int j = 0; j < (each->grouped ? rows->nelts : 1); j++) {
            if (j)
                trestle_text_addc(out, ',');
            inner.row = APR_ARRAY_IDX(rows, j, const trestle_template_value_t *);
            render(each->body, &inner, out);
        }
        if (each->grouped)
            trestle_text_addc(out, ']');
    }
}

static void render_object(const trestle_template_t *node, const scope_t *scope, trestle_text_t *out)
{
    int count = 0;

    trestle_text_addc(out, '{');
    for (int i = 0; i < node->members->nelts; i++) {
        const template_member_t *member = &APR_ARRAY_IDX(node->members, i, template_member_t);

        if (member->each) {
            render_row_members(member->each, scope, out, &count);
        } else if (!member->optional || is_known(member->value, scope, out->pool)) {
            add_comma(&count, out);
            trestle_text_adds(out, member->name);
            trestle_text_addc(out, ':');
            render(member->value, scope, out);
        }
    }
    trestle_text_addc(out, '}');
}

static void render_array(const trestle_template_t *node, const scope_t *scope, trestle_text_t *out)
{
    int count = 0;

    trestle_text_addc(out, '[');
    for (int i = 0; i < node->items->nelts; i++) {
        add_comma(&count, out);
        render(APR_ARRAY_IDX(node->items, i, const trestle_template_t *), scope, out);
    }
    trestle_text_addc(out, ']');
}

static void render(const trestle_template_t *node, const scope_t *scope, trestle_text_t *out)
{
    switch (node->kind) {
    case NODE_LITERAL:
        trestle_text_adds(out, node->literal);
        break;
    case NODE_STRING:
        render_string(node, scope, out);
        break;
    case NODE_OBJECT:
        render_object(node, scope, out);
        break;
    case NODE_ARRAY:
        render_array(node, scope, out);
        break;
    case NODE_EACH:
        render_rows(node->each, scope, out);
        break;
    case NODE_CASE:
        node = branch_of(node, scope, out->pool);
        if (node)
            render(node, scope, out);
        else
            trestle_text_add_json(out, NULL);
        break;
    }
}

void trestle_template_render(const trestle_template_t *compiled, const trestle_template_value_t *values,
                             trestle_text_t *out)
{
    scope_t scope = { values, NULL };

    render(compiled, &scope, out);
}
