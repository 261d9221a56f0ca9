/* The statements that read PostgreSQL's system catalogues. Everything is schema-qualified: the login role's search_path
 * is not ours to trust. */
#include "rest_constraint.h"
#include "rest_load.h"

/*
 * The relations to know: those of the schema, what its functions return as rows, and, through the rules of views, the
 * tables and views these are made of.
 */
#define KNOWN                                                                                                          \
    "WITH RECURSIVE known(oid) AS ("                                                                                   \
    " SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                \
    "  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"                                                \
    " UNION SELECT t.typrelid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"      \
    "  JOIN pg_catalog.pg_type t ON t.oid = p.prorettype WHERE n.nspname = $1 AND t.typrelid <> 0"                     \
    " UNION SELECT d.refobjid FROM known JOIN pg_catalog.pg_rewrite w ON w.ev_class = known.oid"                       \
    "  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid"    \
    "  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'n')"

/*
 * The roles that the login role may become, by their Oids; a superuser may become any, so nothing is known of them.
 * Their privileges are words of 0 and 1, one digit a role.
 */
#define ROLES                                                                                                          \
    "SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')"   \
    " AND NOT (SELECT s.rolsuper FROM pg_catalog.pg_roles s WHERE s.rolname = session_user)"                           \
    " ORDER BY r.oid LIMIT 64"
#define MAY(function, right)                                                                                           \
    "(SELECT pg_catalog.string_agg(CASE WHEN " function ", '" right "') THEN '1' ELSE '0' END, '' ORDER BY r.oid)"     \
    " FROM roles r)"
#define MAY_TABLE(right) MAY("pg_catalog.has_table_privilege(r.oid, c.oid", right)
#define MAY_COLUMN(right)                                                                                              \
    "CASE WHEN a.attacl IS NOT NULL THEN " MAY("pg_catalog.has_column_privilege(r.oid, a.attrelid, a.attnum",          \
                                               right) " END"
#define TABLE_RIGHTS  MAY_TABLE("SELECT") ", " MAY_TABLE("INSERT") ", " MAY_TABLE("UPDATE") ", " MAY_TABLE("DELETE")
#define COLUMN_RIGHTS MAY_COLUMN("SELECT") ", " MAY_COLUMN("INSERT") ", " MAY_COLUMN("UPDATE")

const char *const rest_load_sql[REST_LOAD_STATEMENTS] = {
    /* No row: no such schema. A row with NULL: no roles. */
    "WITH roles AS (" ROLES ") SELECT r.rolname FROM pg_catalog.pg_namespace n LEFT JOIN roles r ON true"
    " WHERE n.nspname = $1 ORDER BY r.oid",

    /* Every type that is used, the bases of domains and the elements of arrays included: oid, schema, name, kind
     * (pg_type.typtype), base of a domain, element of an array, comparable (of a domain or an
     * array: unless its base or element is not). */
    KNOWN ", used(oid) AS ("
          " SELECT a.atttypid FROM known JOIN pg_catalog.pg_attribute a ON a.attrelid = known.oid"
          "  AND a.attnum > 0 AND NOT a.attisdropped"
          " UNION SELECT p.prorettype FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
          "  ON n.oid = p.pronamespace WHERE n.nspname = $1"
          " UNION SELECT x.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace,"
          "  pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])) AS x(oid)"
          "  WHERE n.nspname = $1"
          " UNION SELECT x.oid FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid,"
          "  LATERAL (VALUES (t.typbasetype), (CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END)) AS x(oid)"
          "  WHERE x.oid <> 0)"
          " SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype,"
          "  CASE WHEN t.typcategory = 'A' AND t.typtype <> 'd' THEN t.typelem ELSE 0 END,"
          "  t.typtype IN ('e', 'r', 'm', 'd') OR t.typcategory IN ('A', 'S') OR EXISTS (SELECT 1"
          "   FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod"
          "   WHERE o.opcintype = t.oid AND o.opcdefault AND m.amname = 'btree')"
          " FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid"
          " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace",

    /* Oid, schema, name, kind, comment, a view's rule, roles that may select, insert, update, delete, what
     * can be done to it at all, whether triggers run before a new row. */
    KNOWN ", roles AS MATERIALIZED (" ROLES ")"
          " SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.obj_description(c.oid, 'pg_class'),"
          "  (SELECT w.ev_action FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename = '_RETURN'),"
          "  " TABLE_RIGHTS ","
          "  CASE WHEN c.relkind IN ('v', 'f') THEN pg_catalog.pg_relation_is_updatable(c.oid, true)"
          "   WHEN c.relkind IN ('r', 'p') THEN 28 ELSE 0 END,"
          "  EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal"
          "   AND g.tgtype & 7 = 7)"
          " FROM known JOIN pg_catalog.pg_class c ON c.oid = known.oid"
          " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",

    /* Relation, number, name, type, never NULL, default, generated, comment, roles by the column's own grants, the
     * most characters of a text, the most digits before the point of a number. */
    KNOWN
    ", roles AS MATERIALIZED (" ROLES ")"
    " SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.atthasdef OR a.attidentity <> '',"
    "  a.attgenerated <> '' OR a.attidentity = 'a'"
    "   OR (c.relkind = 'v' AND NOT pg_catalog.pg_column_is_updatable(c.oid, a.attnum, true)),"
    "  pg_catalog.col_description(a.attrelid, a.attnum),"
    "  " COLUMN_RIGHTS ","
    "  CASE WHEN a.atttypid IN (1042, 1043) AND a.atttypmod > 4 THEN a.atttypmod - 4 END,"
    "  CASE WHEN a.atttypid = 1700 AND a.atttypmod > 4 THEN (a.atttypmod - 4 >> 16) - (a.atttypmod - 4 & 1023) END"
    " FROM known JOIN pg_catalog.pg_class c ON c.oid = known.oid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " ORDER BY a.attrelid, a.attnum",

    /* Relation, primary, numbers of the columns: unique indexes that hold for all rows at once. */
    KNOWN " SELECT i.indrelid, i.indisprimary, pg_catalog.array_to_string((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts"
          " - 1], ' ')"
          " FROM known JOIN pg_catalog.pg_index i ON i.indrelid = known.oid"
          " WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
          " ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid",

    /* Name, table, its columns, the table referred to, its columns, comment. */
    KNOWN " SELECT f.conname, f.conrelid, pg_catalog.array_to_string(f.conkey, ' '), f.confrelid,"
          "  pg_catalog.array_to_string(f.confkey, ' '), pg_catalog.obj_description(f.oid, 'pg_constraint')"
          " FROM known JOIN pg_catalog.pg_constraint f ON f.conrelid = known.oid AND f.contype = 'f'"
          " WHERE f.conparentid = 0 ORDER BY f.conrelid, f.conname",

    /* One row an argument, or one with NULLs for a function without: oid, name, volatility, type returned, set
     * returned, relation of the rows returned, comment, roles that may execute, and of the argument: name, type,
     * whether it has a default, its mode. */
    "WITH roles AS MATERIALIZED (" ROLES ")"
    " SELECT p.oid, p.proname, p.provolatile, p.prorettype, p.proretset, t.typrelid,"
    "  pg_catalog.obj_description(p.oid, 'pg_proc'),"
    "  " MAY("pg_catalog.has_function_privilege(r.oid, p.oid",
             "EXECUTE") ","
                        "  x.name, x.type, x.input > p.pronargs - p.pronargdefaults, x.mode"
                        " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
                        " JOIN pg_catalog.pg_type t ON t.oid = p.prorettype"
                        " LEFT JOIN LATERAL ("
                        "  SELECT y.name, y.type, y.mode, y.place,"
                        "   pg_catalog.sum(CASE WHEN y.mode IN ('i', 'b', 'v') THEN 1 ELSE 0 END) OVER (ORDER BY "
                        "y.place) AS input"
                        "  FROM (SELECT p.proargnames[a.place] AS name, a.type, coalesce(p.proargmodes[a.place], 'i') "
                        "AS mode, a.place"
                        "   FROM pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[]))"
                        "    WITH ORDINALITY AS a(type, place)) AS y) AS x ON true"
                        " WHERE n.nspname = $1 AND p.prokind = 'f'"
                        " AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, "
                        "'pg_catalog.event_trigger'::pg_catalog.regtype)"
                        " ORDER BY p.proname, p.oid, x.place",

    rest_constraint_sql,
};
