#include "rest_load.h"

#include "rest_constraint.h"

#include <stdlib.h>
#include <string.h>

/* Everything is schema-qualified: the login role's search_path is not ours to trust. */
const char *const rest_load_sql[REST_LOAD_STATEMENTS] = {
    "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",

    /* Every type that is used, the bases of domains and the elements of arrays included: oid, schema, name, kind
     * (pg_type.typtype), base of a domain, element of an array. */
    "WITH RECURSIVE used(oid) AS ("
    " SELECT a.atttypid FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE n.nspname = $1 AND a.attnum > 0 AND NOT a.attisdropped"
    " UNION SELECT p.prorettype FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    "  WHERE n.nspname = $1"
    " UNION SELECT x.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace,"
    "  pg_catalog.unnest(p.proargtypes) AS x(oid) WHERE n.nspname = $1"
    " UNION SELECT x.oid FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid,"
    "  LATERAL (VALUES (t.typbasetype), (CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END)) AS x(oid)"
    "  WHERE x.oid <> 0)"
    " SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype,"
    "  CASE WHEN t.typcategory = 'A' AND t.typtype <> 'd' THEN t.typelem ELSE 0 END"
    " FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace",

    /* One row a column: relation, kind, column, type, place in the primary key. */
    "SELECT c.relname, c.relkind, a.attname, a.atttypid, pk.place"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN LATERAL (SELECT k.place FROM pg_catalog.pg_constraint p,"
    "  pg_catalog.unnest(p.conkey) WITH ORDINALITY AS k(attnum, place)"
    "  WHERE p.conrelid = c.oid AND p.contype = 'p' AND k.attnum = a.attnum) AS pk ON true"
    " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " ORDER BY c.relname, a.attnum",

    /* One row an input argument, or one with NULLs for a function without: oid, name, volatility, type returned, set
     * returned, name of the argument, its type, whether it has a default, its mode. */
    "SELECT p.oid, p.proname, p.provolatile, p.prorettype, p.proretset, x.name, x.type,"
    " x.place > p.pronargs - p.pronargdefaults, x.mode"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " LEFT JOIN LATERAL ("
    "  SELECT y.name, y.type, y.mode, pg_catalog.row_number() OVER (ORDER BY y.place) AS place"
    "  FROM (SELECT p.proargnames[a.place] AS name, a.type, coalesce(p.proargmodes[a.place], 'i') AS mode, a.place"
    "   FROM pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[]))"
    "    WITH ORDINALITY AS a(type, place)) AS y"
    "  WHERE y.mode IN ('i', 'b', 'v')) AS x ON true"
    " WHERE n.nspname = $1 AND p.prokind = 'f'"
    " AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, "
    "'pg_catalog.event_trigger'::pg_catalog.regtype)"
    " ORDER BY p.proname, p.oid, x.place",

    rest_constraint_sql,
};

static const char *text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
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

static void load_types(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    int n = PQntuples(result), settled;

    for (int i = 0; i < n; i++) {
        rest_type_t *type =
            rest_catalogue_add_type(catalogue, pool, oid(result, i, 0), text(result, i, 1), text(result, i, 2));

        if (*text(result, i, 3) == 'c')
            type->kind = REST_ROW;
    }
    for (int i = 0; i < n; i++) {
        rest_type_t *type = (rest_type_t *)rest_catalogue_type(catalogue, oid(result, i, 0));

        if ((type->element = rest_catalogue_type(catalogue, oid(result, i, 5))))
            type->kind = REST_ARRAY;
    }
    /* A domain may stand on a domain that comes later: repeat until nothing changes. */
    do {
        settled = 1;
        for (int i = 0; i < n; i++) {
            rest_type_t *type = (rest_type_t *)rest_catalogue_type(catalogue, oid(result, i, 0));
            const rest_type_t *base = rest_catalogue_type(catalogue, oid(result, i, 4));

            if (base && type->kind != base->kind) {
                type->kind = base->kind;
                type->element = base->element;
                settled = 0;
            }
        }
    } while (!settled);
}

static void load_columns(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    rest_relation_t *relation = NULL;

    for (int i = 0; i < PQntuples(result); i++) {
        const char *place = text(result, i, 4);

        if (!relation || strcmp(relation->name, text(result, i, 0)))
            relation = rest_catalogue_add_relation(catalogue, pool, text(result, i, 0), *text(result, i, 1));
        rest_catalogue_add_column(relation, pool, text(result, i, 2), rest_catalogue_type(catalogue, oid(result, i, 3)),
                                  place ? atoi(place) : 0);
    }
}

static void load_functions(rest_catalogue_t *catalogue, apr_pool_t *pool, const PGresult *result)
{
    rest_function_t *function = NULL;
    unsigned current = 0;

    for (int i = 0; i < PQntuples(result); i++) {
        const rest_type_t *type;

        if (!function || oid(result, i, 0) != current) {
            current = oid(result, i, 0);
            function =
                rest_catalogue_add_function(catalogue, pool, text(result, i, 1), *text(result, i, 2),
                                            rest_catalogue_type(catalogue, oid(result, i, 3)), flag(result, i, 4));
        }
        if ((type = rest_catalogue_type(catalogue, oid(result, i, 6))))
            rest_catalogue_add_argument(function, pool, text(result, i, 5), type, flag(result, i, 7))->variadic =
                *text(result, i, 8) == 'v';
    }
}

rest_catalogue_t *rest_load_catalogue(apr_pool_t *pool, const char *schema, PGresult *const *results)
{
    rest_catalogue_t *catalogue;

    if (PQntuples(results[REST_LOAD_SCHEMA]) == 0)
        return NULL;
    catalogue = rest_catalogue_make(pool, schema);
    load_types(catalogue, pool, results[REST_LOAD_TYPES]);
    load_columns(catalogue, pool, results[REST_LOAD_COLUMNS]);
    load_functions(catalogue, pool, results[REST_LOAD_FUNCTIONS]);
    catalogue->constraints = rest_constraint_load(pool, results[REST_LOAD_CONSTRAINTS]);
    return catalogue;
}
