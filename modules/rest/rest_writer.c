#include "rest_writer.h"

#include <apr_strings.h>
#include <string.h>

static void *grown(apr_pool_t *pool, const void *old, apr_size_t n, apr_size_t size)
{
    void *moved = apr_palloc(pool, n * 2 * size);

    memcpy(moved, old, n * size);
    return moved;
}

void rest_writer_begin(rest_writer_t *writer, apr_pool_t *pool, rest_statement_t *statement)
{
    apr_size_t n = 8;

    *writer = (rest_writer_t){ pool, trestle_text_make(pool, 512), statement, (int)n, 0 };
    statement->nparams = statement->nrows = 0;
    statement->row = statement->pattern = NULL;
    statement->values = apr_palloc(pool, n * sizeof(*statement->values));
    statement->fields = apr_palloc(pool, n * sizeof(*statement->fields));
    statement->in_path = apr_palloc(pool, n * sizeof(*statement->in_path));
}

void rest_writer_add(rest_writer_t *writer, const char *sql)
{
    trestle_text_adds(&writer->text, sql);
}

void rest_writer_column(rest_writer_t *writer, const char *alias, const rest_column_t *column)
{
    rest_writer_add(writer, alias);
    rest_writer_add(writer, ".");
    rest_writer_add(writer, column->quoted);
}

void rest_writer_number(rest_writer_t *writer, apr_int64_t number)
{
    trestle_text_addf(&writer->text, "%" APR_INT64_T_FMT, number);
}

int rest_writer_parameter(rest_writer_t *writer, const char *quoted_type, const char *value, const char *field,
                          int in_path)
{
    rest_statement_t *statement = writer->statement;
    int n = statement->nparams++;

    if (n == writer->capacity) {
        statement->values = grown(writer->pool, statement->values, (apr_size_t)n, sizeof(*statement->values));
        statement->fields = grown(writer->pool, statement->fields, (apr_size_t)n, sizeof(*statement->fields));
        statement->in_path = grown(writer->pool, statement->in_path, (apr_size_t)n, sizeof(*statement->in_path));
        writer->capacity *= 2;
    }
    statement->values[n] = value;
    statement->fields[n] = field;
    statement->in_path[n] = in_path;
    trestle_text_addf(&writer->text, "$%d::", n + 1);
    rest_writer_add(writer, quoted_type);
    return n + 1;
}

const char *rest_writer_alias(rest_writer_t *writer)
{
    return apr_psprintf(writer->pool, "t%d", ++writer->aliases);
}

void rest_writer_value(rest_writer_t *writer, const rest_type_t *type, const char *value, const char *field,
                       int in_path)
{
    int is_list = type->kind == REST_ARRAY && type->element->kind == REST_ROW, n;

    if (type->kind != REST_ROW && !is_list) {
        rest_writer_parameter(writer, type->quoted, value, field, in_path);
        return;
    }
    writer->statement->nrows++;
    writer->statement->row = field;
    if (is_list) {
        rest_writer_add(writer, "CASE WHEN ");
        n = rest_writer_parameter(writer, "pg_catalog.json", value, field, in_path);
        rest_writer_add(writer, " IS NOT NULL THEN ARRAY(SELECT r FROM pg_catalog.json_populate_recordset(NULL::");
        rest_writer_add(writer, type->element->quoted);
        trestle_text_addf(&writer->text, ", $%d) AS r) END", n);
        return;
    }
    rest_writer_add(writer, "pg_catalog.json_populate_record(NULL::");
    rest_writer_add(writer, type->quoted);
    rest_writer_add(writer, ", ");
    rest_writer_parameter(writer, "pg_catalog.json", value, field, in_path);
    rest_writer_add(writer, ")");
}

void rest_writer_call(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_add(writer, plan->function->quoted);
    rest_writer_add(writer, "(");
    for (int i = 0; i < plan->bindings->nelts; i++) {
        const rest_binding_t *binding = &APR_ARRAY_IDX(plan->bindings, i, rest_binding_t);
        const rest_argument_t *argument = binding->argument;

        if (i > 0)
            rest_writer_add(writer, ", ");
        if (argument->variadic)
            rest_writer_add(writer, "VARIADIC ");
        if (argument->name) {
            rest_writer_add(writer, argument->quoted);
            rest_writer_add(writer, " => ");
        }
        rest_writer_value(writer, argument->type, binding->value, argument->name, binding->in_path);
    }
    rest_writer_add(writer, ")");
}
