#include "rest_sql.h"

#include "text.h"

#include <apr_strings.h>

/* A statement being written. */
typedef struct {
    trestle_text_t text;
    rest_statement_t *statement;
} writer_t;

static void begin(writer_t *writer, apr_pool_t *pool, rest_statement_t *statement, int nparams)
{
    writer->text = trestle_text_make(pool, 512);
    writer->statement = statement;
    statement->nparams = statement->nrows = 0;
    statement->row = NULL;
    statement->values = apr_palloc(pool, sizeof(*statement->values) * (size_t)(nparams + 1));
    statement->fields = apr_palloc(pool, sizeof(*statement->fields) * (size_t)(nparams + 1));
    statement->in_path = apr_palloc(pool, sizeof(*statement->in_path) * (size_t)(nparams + 1));
}

static void add(writer_t *writer, const char *sql)
{
    trestle_text_adds(&writer->text, sql);
}

/* Adds a parameter's place in the text, cast to a type. */
static void add_parameter(writer_t *writer, const char *quoted_type, const char *value, const char *field, int in_path)
{
    int n = writer->statement->nparams++;

    writer->statement->values[n] = value;
    writer->statement->fields[n] = field;
    writer->statement->in_path[n] = in_path;
    trestle_text_addf(&writer->text, "$%d::", n + 1);
    add(writer, quoted_type);
}

static void add_where(writer_t *writer, const rest_plan_t *plan)
{
    for (int i = 0; i < plan->filters->nelts; i++) {
        const rest_filter_t *filter = &APR_ARRAY_IDX(plan->filters, i, rest_filter_t);

        add(writer, i == 0 ? " WHERE t." : " AND t.");
        add(writer, filter->column->quoted);
        add(writer, " = ");
        add_parameter(writer, filter->column->type->quoted, filter->value, filter->column->name, filter->in_path);
    }
}

static void build_row(writer_t *writer, const rest_plan_t *plan)
{
    add(writer, "SELECT pg_catalog.row_to_json(t.*) FROM ");
    add(writer, plan->relation->quoted);
    add(writer, " AS t");
    add_where(writer, plan);
    add(writer, " LIMIT 2");
}

/* The primary key, or what stands for it, makes the order of pages stable. */
static void add_order(writer_t *writer, const rest_relation_t *relation)
{
    const rest_column_t *key = rest_relation_key(relation);
    const char *before = " ORDER BY t.";

    if (key) {
        add(writer, before);
        add(writer, key->quoted);
        return;
    }
    for (int place = 1; place <= relation->columns->nelts; place++)
        for (int i = 0; i < relation->columns->nelts; i++) {
            const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, rest_column_t *);

            if (column->key == place) {
                add(writer, before);
                add(writer, column->quoted);
                before = ", t.";
            }
        }
}

static void build_page(writer_t *writer, apr_pool_t *pool, const rest_plan_t *plan)
{
    add(writer, "SELECT (SELECT pg_catalog.count(*) FROM ");
    add(writer, plan->relation->quoted);
    add(writer, " AS t");
    add_where(writer, plan);
    add(writer, "), coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(p.*)), '[]') FROM (SELECT t.* FROM ");
    add(writer, plan->relation->quoted);
    add(writer, " AS t");
    add_where(writer, plan);
    add_order(writer, plan->relation);
    add(writer, " LIMIT ");
    add_parameter(writer, "pg_catalog.int8", apr_psprintf(pool, "%" APR_INT64_T_FMT, plan->page_size), NULL, 0);
    add(writer, " OFFSET ");
    add_parameter(writer, "pg_catalog.int8",
                  apr_psprintf(pool, "%" APR_INT64_T_FMT, (plan->page - 1) * plan->page_size), NULL, 0);
    add(writer, ") AS p");
}

/*
 * Adds a value that a request gave (rest_value.h): rows come as JSON objects, arrays of rows as a JSON array, everything
 * else as the text of its type.
 */
static void add_value(writer_t *writer, const rest_type_t *type, const char *value, const char *field, int in_path)
{
    if (type->kind == REST_ROW || (type->kind == REST_ARRAY && type->element->kind == REST_ROW)) {
        writer->statement->nrows++;
        writer->statement->row = field;
    }
    if (type->kind == REST_ROW) {
        add(writer, "pg_catalog.json_populate_record(NULL::");
        add(writer, type->quoted);
        add(writer, ", ");
        add_parameter(writer, "pg_catalog.json", value, field, in_path);
        add(writer, ")");
    } else if (type->kind == REST_ARRAY && type->element->kind == REST_ROW) {
        add(writer, "CASE WHEN ");
        add_parameter(writer, "pg_catalog.json", value, field, in_path);
        add(writer, " IS NOT NULL THEN ARRAY(SELECT r FROM pg_catalog.json_populate_recordset(NULL::");
        add(writer, type->element->quoted);
        trestle_text_addf(&writer->text, ", $%d) AS r) END", writer->statement->nparams);
    } else {
        add_parameter(writer, type->quoted, value, field, in_path);
    }
}

static void add_call(writer_t *writer, const rest_plan_t *plan)
{
    add(writer, plan->function->quoted);
    add(writer, "(");
    for (int i = 0; i < plan->bindings->nelts; i++) {
        const rest_binding_t *binding = &APR_ARRAY_IDX(plan->bindings, i, rest_binding_t);
        const rest_argument_t *argument = binding->argument;

        if (i > 0)
            add(writer, ", ");
        if (argument->variadic)
            add(writer, "VARIADIC ");
        if (argument->name) {
            add(writer, argument->quoted);
            add(writer, " => ");
        }
        add_value(writer, argument->type, binding->value, argument->name, binding->in_path);
    }
    add(writer, ")");
}

/*
 * The settings are read outside a subquery that the planner may not flatten (OFFSET 0, or an aggregate), so only after
 * the function has run.
 */
static void build_call(writer_t *writer, const rest_plan_t *plan)
{
    const rest_function_t *function = plan->function;
    rest_kind_e kind = function->returns ? function->returns->kind : REST_OTHER;

    add(writer, "SELECT s.body, pg_catalog.current_setting('response.status', true), "
                "pg_catalog.current_setting('response.headers', true) FROM (SELECT ");
    if (function->returns_set) {
        add(writer, kind == REST_ROW ? "coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t.*)), '[]')"
                                     : "coalesce(pg_catalog.json_agg(t.v), '[]')");
        add(writer, " AS body FROM (SELECT * FROM ");
        add_call(writer, plan);
        add(writer, kind == REST_ROW ? " AS f" : " AS f(v)");
        /* A setting, not a value of the request: as a number it tells the planner how few rows to expect. */
        trestle_text_addf(&writer->text, " LIMIT %" APR_INT64_T_FMT ") AS t", plan->rows_max);
    } else if (kind == REST_JSON || kind == REST_VOID) {
        add_call(writer, plan);
        add(writer, " AS body OFFSET 0");
    } else {
        add(writer, "pg_catalog.to_json(");
        add_call(writer, plan);
        add(writer, ") AS body OFFSET 0");
    }
    add(writer, ") AS s");
}

void rest_sql_build(apr_pool_t *pool, const rest_plan_t *plan, rest_statement_t *statement)
{
    writer_t writer;

    switch (plan->operation) {
    case REST_READ_ROW:
        begin(&writer, pool, statement, plan->filters->nelts);
        build_row(&writer, plan);
        break;
    case REST_READ_PAGE:
        begin(&writer, pool, statement, 2 * plan->filters->nelts + 2);
        build_page(&writer, pool, plan);
        break;
    case REST_CALL:
        begin(&writer, pool, statement, plan->bindings->nelts);
        build_call(&writer, plan);
        break;
    }
    statement->sql = writer.text.bytes;
}
