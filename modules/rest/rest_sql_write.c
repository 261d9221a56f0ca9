/* Writing one row, and giving it back as it has become. */
#include "rest_writer.h"

static void add_once(apr_array_header_t *columns, const rest_column_t *column)
{
    for (int i = 0; i < columns->nelts; i++)
        if (APR_ARRAY_IDX(columns, i, const rest_column_t *) == column)
            return;
    APR_ARRAY_PUSH(columns, const rest_column_t *) = column;
}

/* " RETURNING" what the members need of the row, its identity included. */
static void add_returning(rest_writer_t *writer, const rest_plan_t *plan)
{
    apr_array_header_t *columns = apr_array_make(writer->pool, 16, sizeof(const rest_column_t *));
    const rest_key_t *identity = plan->relation->identity;

    if (!plan->members) {
        rest_writer_add(writer, " RETURNING t.*");
        return;
    }
    for (int i = 0; i < plan->members->nelts; i++) {
        const rest_member_t *member = &APR_ARRAY_IDX(plan->members, i, rest_member_t);

        if (member->column)
            add_once(columns, member->column);
        for (int k = 0; !member->column && k < member->relationship->ncolumns; k++)
            add_once(columns, member->relationship->columns[k]);
    }
    for (int k = 0; plan->operation == REST_INSERT_ROW && identity && k < identity->ncolumns; k++)
        add_once(columns, identity->columns[k]);
    for (int i = 0; i < columns->nelts; i++) {
        rest_writer_add(writer, i == 0 ? " RETURNING " : ", ");
        rest_writer_column(writer, "t", APR_ARRAY_IDX(columns, i, const rest_column_t *));
    }
}

/* The written row as JSON, from its subselect w. */
static void add_written(rest_writer_t *writer, const rest_plan_t *plan)
{
    if (!plan->members) {
        rest_writer_add(writer, "pg_catalog.row_to_json(w.*)");
        return;
    }
    rest_writer_add(writer, "(SELECT pg_catalog.row_to_json(r.*) FROM (SELECT ");
    rest_writer_members(writer, plan, "w");
    rest_writer_add(writer, ") AS r)");
}

static void add_assigned(rest_writer_t *writer, const rest_assignment_t *assignment)
{
    rest_writer_value(writer, assignment->column->type, assignment->value, assignment->field, 0);
}

static void add_insert(rest_writer_t *writer, const rest_plan_t *plan)
{
    const rest_assignment_t *assignments = (const rest_assignment_t *)plan->assignments->elts;
    int n = plan->assignments->nelts;

    rest_writer_add(writer, "INSERT INTO ");
    rest_writer_add(writer, plan->relation->quoted);
    rest_writer_add(writer, " AS t");
    for (int i = 0; i < n; i++) {
        rest_writer_add(writer, i == 0 ? " (" : ", ");
        rest_writer_add(writer, assignments[i].column->quoted);
    }
    if (n == 0)
        rest_writer_add(writer, " DEFAULT VALUES");
    for (int i = 0; i < n; i++) {
        rest_writer_add(writer, i == 0 ? ") VALUES (" : ", ");
        add_assigned(writer, &assignments[i]);
    }
    rest_writer_add(writer, n > 0 ? ")" : "");
}

void rest_write_insert(rest_writer_t *writer, const rest_plan_t *plan)
{
    const rest_key_t *identity = plan->relation->identity;

    if (plan->hides_row) {
        add_insert(writer, plan);
        return;
    }
    rest_writer_add(writer, "WITH w AS (");
    add_insert(writer, plan);
    add_returning(writer, plan);
    rest_writer_add(writer, ") SELECT ");
    add_written(writer, plan);
    for (int i = 0; identity && i < identity->ncolumns; i++) {
        rest_writer_add(writer, ", ");
        rest_writer_column(writer, "w", identity->columns[i]);
        rest_writer_add(writer, "::pg_catalog.text");
    }
    rest_writer_add(writer, " FROM w");
}

/*
 * If no row was changed, whether there is one that the caller may see but not change. A subselect that gives two rows is
 * an error, so that what names several rows changes none.
 */
static void add_existence(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_add(writer, ", CASE WHEN NOT EXISTS (SELECT 1 FROM w) THEN EXISTS (SELECT 1 FROM ");
    rest_writer_add(writer, plan->relation->quoted);
    rest_writer_add(writer, " AS t");
    rest_writer_filters(writer, "t", plan->filters, " WHERE ");
    rest_writer_add(writer, ") END");
}

void rest_write_update(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_add(writer, "WITH w AS (UPDATE ");
    rest_writer_add(writer, plan->relation->quoted);
    rest_writer_add(writer, " AS t SET ");
    for (int i = 0; i < plan->assignments->nelts; i++) {
        const rest_assignment_t *assignment = &APR_ARRAY_IDX(plan->assignments, i, rest_assignment_t);

        rest_writer_add(writer, i > 0 ? ", " : "");
        rest_writer_add(writer, assignment->column->quoted);
        rest_writer_add(writer, " = ");
        add_assigned(writer, assignment);
    }
    rest_writer_filters(writer, "t", plan->filters, " WHERE ");
    add_returning(writer, plan);
    rest_writer_add(writer, ") SELECT (SELECT ");
    add_written(writer, plan);
    rest_writer_add(writer, " FROM w)");
    add_existence(writer, plan);
}

void rest_write_delete(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_add(writer, "WITH w AS (DELETE FROM ");
    rest_writer_add(writer, plan->relation->quoted);
    rest_writer_add(writer, " AS t");
    rest_writer_filters(writer, "t", plan->filters, " WHERE ");
    rest_writer_add(writer, " RETURNING 1 AS n) SELECT (SELECT w.n FROM w)");
    add_existence(writer, plan);
}
