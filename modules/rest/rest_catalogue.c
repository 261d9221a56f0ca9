#include "rest_catalogue.h"

#include <apr_strings.h>
#include <string.h>

const char *rest_quote(apr_pool_t *pool, const char *identifier)
{
    char *quoted = apr_palloc(pool, strlen(identifier) * 2 + 3), *out = quoted;

    *out++ = '"';
    for (; *identifier; identifier++) {
        if (*identifier == '"')
            *out++ = '"';
        *out++ = *identifier;
    }
    *out++ = '"';
    *out = '\0';
    return quoted;
}

static const char *qualified(apr_pool_t *pool, const char *schema, const char *name)
{
    return apr_pstrcat(pool, rest_quote(pool, schema), ".", rest_quote(pool, name), NULL);
}

rest_catalogue_t *rest_catalogue_make(apr_pool_t *pool, const char *schema)
{
    rest_catalogue_t *catalogue = apr_pcalloc(pool, sizeof(*catalogue));

    catalogue->schema = apr_pstrdup(pool, schema);
    catalogue->types = apr_hash_make(pool);
    catalogue->relations = apr_hash_make(pool);
    catalogue->functions = apr_hash_make(pool);
    return catalogue;
}

rest_type_t *rest_catalogue_add_type(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid, const char *schema,
                                     const char *name)
{
    rest_type_t *type = apr_pcalloc(pool, sizeof(*type));

    type->name = apr_pstrdup(pool, name);
    type->quoted = qualified(pool, schema, name);
    type->kind = !strcmp(schema, "pg_catalog") ? rest_kind_of(name) : REST_OTHER;
    apr_hash_set(catalogue->types, apr_pmemdup(pool, &oid, sizeof(oid)), sizeof(oid), type);
    return type;
}

rest_relation_t *rest_catalogue_add_relation(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name, char kind)
{
    rest_relation_t *relation = apr_pcalloc(pool, sizeof(*relation));

    relation->name = apr_pstrdup(pool, name);
    relation->quoted = qualified(pool, catalogue->schema, name);
    relation->kind = kind;
    relation->columns = apr_array_make(pool, 8, sizeof(rest_column_t *));
    apr_hash_set(catalogue->relations, relation->name, APR_HASH_KEY_STRING, relation);
    return relation;
}

rest_column_t *rest_catalogue_add_column(rest_relation_t *relation, apr_pool_t *pool, const char *name,
                                         const rest_type_t *type, int key)
{
    rest_column_t *column = apr_pcalloc(pool, sizeof(*column));

    column->name = apr_pstrdup(pool, name);
    column->quoted = rest_quote(pool, name);
    column->type = type;
    column->key = key;
    APR_ARRAY_PUSH(relation->columns, rest_column_t *) = column;
    return column;
}

rest_function_t *rest_catalogue_add_function(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name,
                                             char volatility, const rest_type_t *returns, int returns_set)
{
    rest_function_t *function = apr_pcalloc(pool, sizeof(*function));

    function->name = apr_pstrdup(pool, name);
    function->quoted = qualified(pool, catalogue->schema, name);
    function->volatility = volatility;
    function->returns = returns;
    function->returns_set = returns_set;
    function->arguments = apr_array_make(pool, 4, sizeof(rest_argument_t));
    function->overload = apr_hash_get(catalogue->functions, name, APR_HASH_KEY_STRING);
    apr_hash_set(catalogue->functions, function->name, APR_HASH_KEY_STRING, function);
    return function;
}

rest_argument_t *rest_catalogue_add_argument(rest_function_t *function, apr_pool_t *pool, const char *name,
                                             const rest_type_t *type, int has_default)
{
    rest_argument_t *argument = apr_array_push(function->arguments);

    argument->name = name && *name ? apr_pstrdup(pool, name) : NULL;
    argument->quoted = argument->name ? rest_quote(pool, name) : NULL;
    argument->type = type;
    argument->has_default = has_default;
    argument->variadic = 0;
    return argument;
}

const rest_type_t *rest_catalogue_type(const rest_catalogue_t *catalogue, unsigned oid)
{
    return apr_hash_get(catalogue->types, &oid, sizeof(oid));
}

const rest_relation_t *rest_catalogue_relation(const rest_catalogue_t *catalogue, const char *name)
{
    return apr_hash_get(catalogue->relations, name, APR_HASH_KEY_STRING);
}

const rest_function_t *rest_catalogue_function(const rest_catalogue_t *catalogue, const char *name)
{
    return apr_hash_get(catalogue->functions, name, APR_HASH_KEY_STRING);
}

const rest_column_t *rest_relation_column(const rest_relation_t *relation, const char *name)
{
    for (int i = 0; i < relation->columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, rest_column_t *);

        if (!strcmp(column->name, name))
            return column;
    }
    return NULL;
}

const rest_column_t *rest_relation_key(const rest_relation_t *relation)
{
    const rest_column_t *key = NULL;

    for (int i = 0; i < relation->columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, rest_column_t *);

        if (column->key > 1)
            return NULL;
        if (column->key == 1)
            key = column;
    }
    if (!key && (relation->kind == 'v' || relation->kind == 'm'))
        key = rest_relation_column(relation, "id");
    return key;
}
