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
    catalogue->by_oid = apr_hash_make(pool);
    catalogue->functions = apr_hash_make(pool);
    return catalogue;
}

rest_type_t *rest_catalogue_add_type(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid, const char *schema,
                                     const char *name)
{
    rest_type_t *type = apr_pcalloc(pool, sizeof(*type));

    type->name = apr_pstrdup(pool, name);
    type->quoted = qualified(pool, schema, name);
    type->is_comparable = strcmp(name, "json") != 0;
    type->kind = !strcmp(schema, "pg_catalog") ? rest_kind_of(name) : REST_OTHER;
    apr_hash_set(catalogue->types, apr_pmemdup(pool, &oid, sizeof(oid)), sizeof(oid), type);
    return type;
}

rest_relation_t *rest_catalogue_add_relation(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid,
                                             const char *schema, const char *name, char kind)
{
    rest_relation_t *relation = apr_pcalloc(pool, sizeof(*relation));

    relation->name = apr_pstrdup(pool, name);
    relation->quoted = qualified(pool, schema, name);
    relation->oid = oid;
    relation->kind = kind;
    relation->writes = kind == 'm' || kind == 'c' ? 0 : REST_WRITES_ALL;
    relation->exposed = kind != 'c' && !strcmp(schema, catalogue->schema);
    relation->columns = apr_array_make(pool, 8, sizeof(rest_column_t *));
    relation->by_name = apr_hash_make(pool);
    relation->keys = apr_array_make(pool, 1, sizeof(const rest_key_t *));
    relation->relationships = apr_array_make(pool, 2, sizeof(rest_relationship_t *));
    relation->relationships_by_name = apr_hash_make(pool);
    memset(relation->may, 0xFF, sizeof(relation->may));
    apr_hash_set(catalogue->by_oid, &relation->oid, sizeof(relation->oid), relation);
    if (relation->exposed)
        apr_hash_set(catalogue->relations, relation->name, APR_HASH_KEY_STRING, relation);
    return relation;
}

rest_column_t *rest_catalogue_add_column(rest_relation_t *relation, apr_pool_t *pool, const char *name,
                                         const rest_type_t *type, int number)
{
    rest_column_t *column = apr_pcalloc(pool, sizeof(*column));

    column->relation = relation;
    column->name = apr_pstrdup(pool, name);
    column->quoted = rest_quote(pool, name);
    column->type = type;
    column->number = number;
    column->origin = column;
    column->digits_max = -1;
    memcpy(column->may, relation->may, sizeof(column->may));
    APR_ARRAY_PUSH(relation->columns, rest_column_t *) = column;
    apr_hash_set(relation->by_name, column->name, APR_HASH_KEY_STRING, column);
    return column;
}

void rest_catalogue_add_key(rest_relation_t *relation, apr_pool_t *pool, int primary, const int *numbers, int n)
{
    rest_key_t *key = apr_palloc(pool, sizeof(*key));

    key->ncolumns = n;
    key->columns = apr_palloc(pool, sizeof(*key->columns) * (size_t)n);
    for (int i = 0; i < n; i++)
        if (!(key->columns[i] = rest_relation_numbered(relation, numbers[i])))
            return;
    APR_ARRAY_PUSH(relation->keys, const rest_key_t *) = key;
    if (!primary)
        return;
    relation->primary = key;
    for (int i = 0; i < n; i++)
        ((rest_column_t *)key->columns[i])->key = i + 1;
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
    function->may_execute = ~(rest_roles_t)0;
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

const rest_relation_t *rest_catalogue_by_oid(const rest_catalogue_t *catalogue, unsigned oid)
{
    return apr_hash_get(catalogue->by_oid, &oid, sizeof(oid));
}

const rest_function_t *rest_catalogue_function(const rest_catalogue_t *catalogue, const char *name)
{
    return apr_hash_get(catalogue->functions, name, APR_HASH_KEY_STRING);
}

const rest_column_t *rest_relation_column(const rest_relation_t *relation, const char *name)
{
    return apr_hash_get(relation->by_name, name, APR_HASH_KEY_STRING);
}

const rest_column_t *rest_relation_numbered(const rest_relation_t *relation, int number)
{
    for (int i = 0; i < relation->columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, rest_column_t *);

        if (column->number == number)
            return column;
    }
    return NULL;
}

const rest_relationship_t *rest_relation_relationship(const rest_relation_t *relation, const char *name)
{
    return apr_hash_get(relation->relationships_by_name, name, APR_HASH_KEY_STRING);
}

int rest_catalogue_role(const rest_catalogue_t *catalogue, const char *name)
{
    for (int i = 0; name && i < catalogue->nroles; i++)
        if (!strcmp(catalogue->roles[i], name))
            return i;
    return REST_ROLE_UNKNOWN;
}

int rest_role_in(rest_roles_t roles, int role)
{
    return role == REST_ROLE_UNKNOWN || (roles >> role & 1);
}
