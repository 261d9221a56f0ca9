/* What names a row, in tables by their keys and in views by the keys of the tables behind them; and a comment's tags. */
#include "rest_catalogue.h"

#include <apr_strings.h>
#include <string.h>

static rest_key_t *make_key(apr_pool_t *pool, const apr_array_header_t *columns)
{
    rest_key_t *key = apr_palloc(pool, sizeof(*key));

    key->ncolumns = columns->nelts;
    key->columns = apr_pmemdup(pool, columns->elts, sizeof(*key->columns) * (size_t)columns->nelts);
    return key;
}

/* The columns that a tag names, separated by blanks or commas; those that are not there are left out. */
static apr_array_header_t *columns_of(const rest_relation_t *relation, apr_pool_t *pool, const char *names)
{
    apr_array_header_t *columns = apr_array_make(pool, 2, sizeof(const rest_column_t *));
    char *last = NULL, *copy = apr_pstrdup(pool, names);

    for (char *name = apr_strtok(copy, " ,\t", &last); name; name = apr_strtok(NULL, " ,\t", &last)) {
        const rest_column_t *column = rest_relation_column(relation, name);

        if (column)
            APR_ARRAY_PUSH(columns, const rest_column_t *) = column;
    }
    return columns;
}

/* The value of a tag at the beginning of line; NULL if it is another line. */
static const char *tag_value(const char *line, const char *tag)
{
    apr_size_t n = strlen(tag);

    return !strncmp(line, tag, n) && (line[n] == ' ' || line[n] == '\t') ? line + n + 1 : NULL;
}

void rest_catalogue_set_comment(rest_relation_t *relation, apr_pool_t *pool, const char *comment)
{
    char *last = NULL, *copy = comment ? apr_pstrdup(pool, comment) : NULL;
    const char *text = NULL, *value;

    for (char *line = copy ? apr_strtok(copy, "\r\n", &last) : NULL; line; line = apr_strtok(NULL, "\r\n", &last)) {
        if ((value = tag_value(line, "@key"))) {
            apr_array_header_t *columns = columns_of(relation, pool, value);

            if (columns->nelts > 0)
                relation->identity = make_key(pool, columns);
        } else if ((value = tag_value(line, "@search"))) {
            relation->search = columns_of(relation, pool, value);
        } else if ((value = tag_value(line, "@order"))) {
            relation->ordering = value;
        } else {
            text = text ? apr_pstrcat(pool, text, "\n", line, NULL) : line;
        }
    }
    relation->comment = text;
}

/* Follows a view's column to the table's column that it shows. A chain of views is no longer than views are nested. */
static const rest_column_t *origin_of(const rest_catalogue_t *catalogue, const rest_column_t *column)
{
    for (int i = 0; column->origin_relation && i < 100; i++) {
        const rest_relation_t *relation = rest_catalogue_by_oid(catalogue, column->origin_relation);
        const rest_column_t *next = relation ? rest_relation_numbered(relation, column->origin_column) : NULL;

        if (!next)
            return column;
        column = next;
    }
    return column;
}

static const rest_column_t *column_from(const rest_relation_t *view, const rest_column_t *origin)
{
    for (int i = 0; i < view->columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(view->columns, i, const rest_column_t *);

        if (column->origin == origin)
            return column;
    }
    return NULL;
}

/* A view's columns that show the whole of a table's key; NULL if one is missing. */
static const rest_key_t *shown_key(apr_pool_t *pool, const rest_relation_t *view, const rest_key_t *key)
{
    apr_array_header_t *columns = apr_array_make(pool, key->ncolumns, sizeof(const rest_column_t *));

    for (int i = 0; i < key->ncolumns; i++) {
        const rest_column_t *column = column_from(view, key->columns[i]);

        if (!column)
            return NULL;
        APR_ARRAY_PUSH(columns, const rest_column_t *) = column;
    }
    return make_key(pool, columns);
}

/* A view's identity: the primary key of the first table whose key it shows whole, or its column id. */
static const rest_key_t *view_identity(apr_pool_t *pool, const rest_relation_t *view)
{
    const rest_column_t *id = rest_relation_column(view, "id");

    for (int i = 0; i < view->columns->nelts; i++) {
        const rest_column_t *origin = APR_ARRAY_IDX(view->columns, i, const rest_column_t *)->origin;
        const rest_key_t *primary = origin->relation->primary, *key;

        if (origin->relation != view && origin->key && (key = shown_key(pool, view, primary)))
            return key;
    }
    if (id) {
        apr_array_header_t *columns = apr_array_make(pool, 1, sizeof(const rest_column_t *));

        APR_ARRAY_PUSH(columns, const rest_column_t *) = id;
        return make_key(pool, columns);
    }
    return NULL;
}

/* A table's identity: its primary key, or the first unique key of columns that are never NULL. */
static const rest_key_t *table_identity(const rest_relation_t *table)
{
    if (table->primary)
        return table->primary;
    for (int i = 0; i < table->keys->nelts; i++) {
        const rest_key_t *key = APR_ARRAY_IDX(table->keys, i, const rest_key_t *);
        int not_null = 1;

        for (int k = 0; k < key->ncolumns; k++)
            not_null &= key->columns[k]->not_null;
        if (not_null)
            return key;
    }
    return NULL;
}

int rest_relation_is_view(const rest_relation_t *relation)
{
    return relation->kind == 'v' || relation->kind == 'm' || relation->kind == 'c';
}

static void settle(apr_pool_t *pool, rest_relation_t *relation)
{
    if (!relation->identity)
        relation->identity = rest_relation_is_view(relation) ? view_identity(pool, relation) : table_identity(relation);
    if (relation->search && relation->search->nelts == 0)
        relation->search = NULL;
    for (int i = 0; i < relation->columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, const rest_column_t *);

        for (int right = 0; right < REST_RIGHTS; right++)
            relation->may[right] |= column->may[right];
    }
}

void rest_catalogue_finish(rest_catalogue_t *catalogue, apr_pool_t *pool)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(pool, catalogue->by_oid); at; at = apr_hash_next(at)) {
        rest_relation_t *relation = apr_hash_this_val(at);

        for (int i = 0; i < relation->columns->nelts; i++) {
            rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, rest_column_t *);

            column->origin = origin_of(catalogue, column);
        }
    }
    for (at = apr_hash_first(pool, catalogue->by_oid); at; at = apr_hash_next(at))
        settle(pool, apr_hash_this_val(at));
}

int rest_key_is_bound(const rest_relation_t *relation, int (*is_bound)(void *baton, const rest_column_t *column),
                      void *baton)
{
    for (int i = 0; i < relation->keys->nelts; i++) {
        const rest_key_t *key = APR_ARRAY_IDX(relation->keys, i, const rest_key_t *);
        int bound = 0;

        while (bound < key->ncolumns && is_bound(baton, key->columns[bound]))
            bound++;
        if (bound == key->ncolumns)
            return 1;
    }
    return 0;
}
