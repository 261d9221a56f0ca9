#include "rest_load.h"

#include "rest_constraint.h"
#include "rest_relationship.h"
#include "rest_view.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

static const char *copy(apr_pool_t *pool, const PGresult *result, int row, int column)
{
    return apr_pstrdup(pool, text(result, row, column));
}

static unsigned oid(const PGresult *result, int row, int column)
{
    const char *digits = text(result, row, column);

    return digits ? (unsigned)strtoul(digits, NULL, 10) : 0;
}

static int flag(const PGresult *result, int row, int column)
{
    const char *value = text(result, row, column);

    return value && *value == 't';
}

/* Digits 0 and 1, one a role. */
static rest_roles_t roles(const PGresult *result, int row, int column)
{
    const char *digits = text(result, row, column);
    rest_roles_t set = 0;

    for (int i = 0; digits && digits[i] && i < REST_ROLES_MAX; i++)
        set |= (rest_roles_t)(digits[i] == '1') << i;
    return set;
}

/* Numbers between blanks, in pool. */
static int *numbers(apr_pool_t *pool, const PGresult *result, int row, int column, int *n)
{
    const char *at = text(result, row, column);
    int *list = apr_palloc(pool, sizeof(*list) * (strlen(at) / 2 + 1));
    char *end;

    for (*n = 0; *at; at = end) {
        list[*n] = (int)strtol(at, &end, 10);
        if (end == at)
            break;
        ++*n;
    }
    return list;
}

static void load_roles(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result) && i < REST_ROLES_MAX; i++)
        if (text(result, i, 0))
            catalogue->roles[catalogue->nroles++] = copy(pool, result, i, 0);
}

static void load_types(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    int n = PQntuples(result), settled;

    for (int i = 0; i < n; i++) {
        rest_type_t *type =
            rest_catalogue_add_type(catalogue, pool, oid(result, i, 0), text(result, i, 1), text(result, i, 2));

        type->is_comparable = flag(result, i, 6);
        if (*text(result, i, 3) == 'c')
            type->kind = REST_ROW;
    }
    for (int i = 0; i < n; i++) {
        rest_type_t *type = (rest_type_t *)rest_catalogue_type(catalogue, oid(result, i, 0));

        if ((type->element = rest_catalogue_type(catalogue, oid(result, i, 5)))) {
            type->kind = REST_ARRAY;
            type->is_comparable = type->element->is_comparable;
        }
    }
    /* A domain may stand on a domain that comes later: repeat until nothing changes. */
    do {
        settled = 1;
        for (int i = 0; i < n; i++) {
            rest_type_t *type = (rest_type_t *)rest_catalogue_type(catalogue, oid(result, i, 0));
            const rest_type_t *base = rest_catalogue_type(catalogue, oid(result, i, 4));

            if (base && (type->kind != base->kind || type->is_comparable != base->is_comparable)) {
                type->kind = base->kind;
                type->element = base->element;
                type->is_comparable = base->is_comparable;
                settled = 0;
            }
        }
    } while (!settled);
}

/* Comments come when the columns that their tags name are there. */
static void load_relations(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        rest_relation_t *relation = rest_catalogue_add_relation(catalogue, pool, oid(result, i, 0), text(result, i, 1),
                                                                text(result, i, 2), *text(result, i, 3));

        relation->writes = atoi(text(result, i, 10));
        relation->has_trigger = flag(result, i, 11);
        /* Rows of a composite type come from functions, whose own right it is. */
        for (int right = 0; catalogue->nroles > 0 && relation->kind != 'c' && right < REST_RIGHTS; right++)
            relation->may[right] = roles(result, i, 6 + right);
    }
}

static void load_comments(const rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++)
        rest_catalogue_set_comment((rest_relation_t *)rest_catalogue_by_oid(catalogue, oid(result, i, 0)), pool,
                                   text(result, i, 4));
}

static void set_origin(void *baton, int number, unsigned relation, int origin)
{
    rest_column_t *column = (rest_column_t *)rest_relation_numbered(baton, number);

    if (column) {
        column->origin_relation = relation;
        column->origin_column = origin;
    }
}

static void load_origins(const rest_catalogue_t *catalogue, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++)
        if (text(result, i, 5))
            rest_view_origins(text(result, i, 5), set_origin,
                              (rest_relation_t *)rest_catalogue_by_oid(catalogue, oid(result, i, 0)));
}

static void load_columns(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        rest_relation_t *relation = (rest_relation_t *)rest_catalogue_by_oid(catalogue, oid(result, i, 0));
        rest_column_t *column;

        if (!relation)
            continue;
        column = rest_catalogue_add_column(relation, pool, text(result, i, 2),
                                           rest_catalogue_type(catalogue, oid(result, i, 3)), atoi(text(result, i, 1)));
        column->not_null = flag(result, i, 4);
        column->has_default = flag(result, i, 5);
        column->is_generated = flag(result, i, 6);
        column->comment = copy(pool, result, i, 7);
        if (text(result, i, 11))
            column->length_max = atoi(text(result, i, 11));
        if (text(result, i, 12))
            column->digits_max = atoi(text(result, i, 12));
        for (int right = 0; right < REST_MAY_DELETE; right++)
            if (text(result, i, 8 + right))
                column->may[right] = roles(result, i, 8 + right);
    }
}

static void load_keys(const rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        rest_relation_t *relation = (rest_relation_t *)rest_catalogue_by_oid(catalogue, oid(result, i, 0));
        int n, *list = numbers(pool, result, i, 2, &n);

        if (relation && n > 0)
            rest_catalogue_add_key(relation, pool, flag(result, i, 1), list, n);
    }
}

static apr_array_header_t *load_foreign_keys(apr_pool_t *pool, const PGresult *result)
{
    apr_array_header_t *list = apr_array_make(pool, 16, sizeof(rest_foreign_key_t));

    for (int i = 0; i < PQntuples(result); i++) {
        rest_foreign_key_t *key = apr_array_push(list);

        key->constraint = copy(pool, result, i, 0);
        key->from = oid(result, i, 1);
        key->columns = numbers(pool, result, i, 2, &key->ncolumns);
        key->to = oid(result, i, 3);
        key->targets = numbers(pool, result, i, 4, &key->ncolumns);
        key->comment = copy(pool, result, i, 5);
    }
    return list;
}

/* A function's own columns, where it has them by RETURNS TABLE or OUT. */
static rest_relation_t *add_result(rest_catalogue_t *catalogue, apr_pool_t *pool, rest_function_t *function)
{
    rest_relation_t *rows = rest_catalogue_add_relation(catalogue, pool, 0, catalogue->schema, function->name, 'c');

    /* Such rows are no relation of the database: nothing but their function leads to them. */
    apr_hash_set(catalogue->by_oid, &rows->oid, sizeof(rows->oid), NULL);
    rows->quoted = function->quoted;
    return rows;
}

static void load_argument(rest_catalogue_t *catalogue, apr_pool_t *pool, rest_function_t *function,
                          const PGresult *result, int i)
{
    const rest_type_t *type = rest_catalogue_type(catalogue, oid(result, i, 9));
    const char *mode = text(result, i, 11), *name = text(result, i, 8);

    if (!type)
        return;
    if (*mode != 't' && *mode != 'o')
        rest_catalogue_add_argument(function, pool, name, type, flag(result, i, 10))->variadic = *mode == 'v';
    if ((*mode == 't' || *mode == 'o' || *mode == 'b') && function->returns && function->returns->kind == REST_ROW) {
        if (!function->rows)
            function->rows = add_result(catalogue, pool, function);
        rest_catalogue_add_column((rest_relation_t *)function->rows, pool, name ? name : "", type,
                                  function->rows->columns->nelts + 1);
    }
}

static void load_functions(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    rest_function_t *function = NULL;
    unsigned current = 0;

    for (int i = 0; i < PQntuples(result); i++) {
        if (!function || oid(result, i, 0) != current) {
            current = oid(result, i, 0);
            function =
                rest_catalogue_add_function(catalogue, pool, text(result, i, 1), *text(result, i, 2),
                                            rest_catalogue_type(catalogue, oid(result, i, 3)), flag(result, i, 4));
            function->rows = rest_catalogue_by_oid(catalogue, oid(result, i, 5));
            function->comment = copy(pool, result, i, 6);
            if (catalogue->nroles > 0)
                function->may_execute = roles(result, i, 7);
        }
        if (text(result, i, 11))
            load_argument(catalogue, pool, function, result, i);
    }
}

rest_catalogue_t *rest_load_catalogue(apr_pool_t *pool, const char *schema, PGresult *const *results)
{
    rest_catalogue_t *catalogue;

    if (PQntuples(results[REST_LOAD_ROLES]) == 0)
        return NULL;
    catalogue = rest_catalogue_make(pool, schema);
    load_roles(catalogue, pool, results[REST_LOAD_ROLES]);
    load_types(catalogue, pool, results[REST_LOAD_TYPES]);
    load_relations(catalogue, pool, results[REST_LOAD_RELATIONS]);
    load_columns(catalogue, pool, results[REST_LOAD_COLUMNS]);
    load_keys(catalogue, pool, results[REST_LOAD_KEYS]);
    load_origins(catalogue, results[REST_LOAD_RELATIONS]);
    load_comments(catalogue, pool, results[REST_LOAD_RELATIONS]);
    rest_catalogue_finish(catalogue, pool);
    rest_relationships_derive(catalogue, pool, load_foreign_keys(pool, results[REST_LOAD_FOREIGN_KEYS]));
    load_functions(catalogue, pool, results[REST_LOAD_FUNCTIONS]);
    catalogue->constraints = rest_constraint_load(pool, results[REST_LOAD_CONSTRAINTS]);
    return catalogue;
}
