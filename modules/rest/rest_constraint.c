#include "rest_constraint.h"

#include <apr_strings.h>

/*
 * One row a column: schema, table, constraint or index, column. An index over expressions is about the columns that it
 * depends on, unless it is a partial one, whose condition's columns could not be told from them.
 */
const char rest_constraint_sql[] =
    "SELECT n.nspname, c.relname, k.name, a.attname FROM ("
    " SELECT conrelid AS relation, conname AS name, x.attnum, x.place FROM pg_catalog.pg_constraint,"
    "  pg_catalog.unnest(conkey) WITH ORDINALITY AS x(attnum, place) WHERE conrelid <> 0 AND contype <> 't'"
    " UNION"
    " SELECT i.indrelid, r.relname, x.attnum, x.place FROM pg_catalog.pg_index i"
    "  JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid,"
    "  pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS x(attnum, place)"
    "  WHERE i.indisunique AND i.indexprs IS NULL AND x.place <= i.indnkeyatts"
    " UNION"
    " SELECT i.indrelid, r.relname, d.refobjsubid, d.refobjsubid FROM pg_catalog.pg_index i"
    "  JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid"
    "  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    "   AND d.objid = i.indexrelid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    "   AND d.refobjid = i.indrelid"
    "  WHERE i.indisunique AND i.indexprs IS NOT NULL AND i.indpred IS NULL) AS k(relation, name, attnum, place)"
    " JOIN pg_catalog.pg_class c ON c.oid = k.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.relation AND a.attnum = k.attnum AND a.attnum > 0"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " ORDER BY 1, 2, 3, k.place";

static const char *key(apr_pool_t *pool, const char *schema, const char *table, const char *name)
{
    return apr_pstrcat(pool, schema, "\n", table, "\n", name, NULL);
}

apr_hash_t *rest_constraint_load(apr_pool_t *pool, const PGresult *result)
{
    apr_hash_t *constraints = apr_hash_make(pool);

    for (int i = 0; i < PQntuples(result); i++) {
        const char *name = key(pool, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1), PQgetvalue(result, i, 2));
        apr_array_header_t *columns = apr_hash_get(constraints, name, APR_HASH_KEY_STRING);

        if (!columns) {
            columns = apr_array_make(pool, 1, sizeof(const char *));
            apr_hash_set(constraints, name, APR_HASH_KEY_STRING, columns);
        }
        APR_ARRAY_PUSH(columns, const char *) = apr_pstrdup(pool, PQgetvalue(result, i, 3));
    }
    return constraints;
}

const apr_array_header_t *rest_constraint_columns(apr_hash_t *constraints, apr_pool_t *pool, const char *schema,
                                                  const char *table, const char *name)
{
    if (!constraints || !schema || !table || !name)
        return NULL;
    return apr_hash_get(constraints, key(pool, schema, table, name), APR_HASH_KEY_STRING);
}
