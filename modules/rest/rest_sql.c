#include "rest_sql.h"

#include "rest_writer.h"

/*
 * The settings are read outside a subquery that the planner may not flatten (OFFSET 0, or an aggregate), so only after
 * the function has run.
 */
static void write_call(rest_writer_t *writer, const rest_plan_t *plan)
{
    const rest_function_t *function = plan->function;
    rest_kind_e kind = function->returns ? function->returns->kind : REST_OTHER;

    rest_writer_add(writer, "SELECT s.body, pg_catalog.current_setting('response.status', true), "
                            "pg_catalog.current_setting('response.headers', true) FROM (SELECT ");
    if (function->returns_set) {
        rest_writer_add(writer, kind == REST_ROW ? "coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t.*)), '[]')"
                                                 : "coalesce(pg_catalog.json_agg(t.v), '[]')");
        rest_writer_add(writer, " AS body FROM (SELECT * FROM ");
        rest_writer_call(writer, plan);
        rest_writer_add(writer, kind == REST_ROW ? " AS f LIMIT " : " AS f(v) LIMIT ");
        /* A setting, not a value of the request: as a number it tells the planner how few rows to expect. */
        rest_writer_number(writer, plan->rows_max);
        rest_writer_add(writer, ") AS t");
    } else if (kind == REST_JSON || kind == REST_VOID) {
        rest_writer_call(writer, plan);
        rest_writer_add(writer, " AS body OFFSET 0");
    } else {
        rest_writer_add(writer, "pg_catalog.to_json(");
        rest_writer_call(writer, plan);
        rest_writer_add(writer, ") AS body OFFSET 0");
    }
    rest_writer_add(writer, ") AS s");
}

void rest_sql_build(apr_pool_t *pool, const rest_plan_t *plan, rest_statement_t *statement)
{
    static void (*const writers[])(rest_writer_t *, const rest_plan_t *) = {
        [REST_READ_ROW] = rest_write_row,
        [REST_READ_PAGE] = rest_write_page,
        [REST_CALL] = write_call,
        [REST_INSERT_ROW] = rest_write_insert,
        [REST_UPDATE_ROW] = rest_write_update,
        [REST_DELETE_ROW] = rest_write_delete,
    };
    rest_writer_t writer;

    rest_writer_begin(&writer, pool, statement);
    writers[plan->operation](&writer, plan);
    statement->sql = writer.text.bytes;
}
