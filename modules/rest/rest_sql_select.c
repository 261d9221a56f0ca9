/* Reading: one row, a page of rows, and what is embedded in them. */
#include "rest_writer.h"

#include <apr_strings.h>

static void add_order(rest_writer_t *writer, const char *alias, const apr_array_header_t *orders, int reverse)
{
    for (int i = 0; orders && i < orders->nelts; i++) {
        const rest_order_t *order = &APR_ARRAY_IDX(orders, i, rest_order_t);

        rest_writer_add(writer, i == 0 ? " ORDER BY " : ", ");
        rest_writer_operand(writer, alias, &order->operand);
        if (order->descending != reverse)
            rest_writer_add(writer, " DESC");
    }
}

/* " FROM relation AS alias", or a function's rows. */
static void add_source(rest_writer_t *writer, const rest_plan_t *plan, const char *alias)
{
    rest_writer_add(writer, " FROM ");
    if (plan->function)
        rest_writer_call(writer, plan);
    else
        rest_writer_add(writer, plan->relation->quoted);
    rest_writer_add(writer, " AS ");
    rest_writer_add(writer, alias);
    if (plan->function && !plan->relation)
        rest_writer_add(writer, "(v)");
}

/* What related rows look like: "row_to_json(…) FROM … WHERE …" for a to-one, an array for a to-many relationship. */
static void add_embedded(rest_writer_t *writer, const rest_member_t *member, const char *alias)
{
    const rest_plan_t *plan = member->embedded;
    const rest_relationship_t *relationship = member->relationship;
    const char *there = rest_writer_alias(writer);
    int in_list = relationship->to_many;
    const char *row = plan->members || in_list ? rest_writer_alias(writer) : there;

    rest_writer_add(writer, in_list ? "coalesce((SELECT pg_catalog.json_agg(" : "(SELECT pg_catalog.row_to_json(");
    rest_writer_add(writer, row);
    rest_writer_add(writer, ".*)");
    if (row != there) {
        rest_writer_add(writer, " FROM (SELECT ");
        if (plan->members) {
            rest_writer_members(writer, plan, there);
        } else {
            rest_writer_add(writer, there);
            rest_writer_add(writer, ".*");
        }
    }
    rest_writer_related(writer, relationship, alias, there);
    rest_writer_filters(writer, there, plan->filters, " AND ");
    if (in_list) {
        add_order(writer, there, plan->orders, 0);
        rest_writer_add(writer, " LIMIT ");
        rest_writer_number(writer, plan->rows_max);
    } else if (rest_relation_is_view(relationship->to)) {
        rest_writer_add(writer, " LIMIT 1");
    }
    if (row != there) {
        rest_writer_add(writer, ") AS ");
        rest_writer_add(writer, row);
    }
    rest_writer_add(writer, in_list ? "), '[]')" : ")");
}

void rest_writer_members(rest_writer_t *writer, const rest_plan_t *plan, const char *alias)
{
    for (int i = 0; i < plan->members->nelts; i++) {
        const rest_member_t *member = &APR_ARRAY_IDX(plan->members, i, rest_member_t);

        if (i > 0)
            rest_writer_add(writer, ", ");
        if (member->column)
            rest_writer_column(writer, alias, member->column);
        else
            add_embedded(writer, member, alias);
        if (!member->column || member->name != member->column->name) {
            rest_writer_add(writer, " AS ");
            rest_writer_add(writer, rest_quote(writer->pool, member->name));
        }
    }
}

void rest_write_row(rest_writer_t *writer, const rest_plan_t *plan)
{
    const char *limit = plan->is_unique ? "" : " LIMIT 2";

    if (plan->members) {
        rest_writer_add(writer, "SELECT pg_catalog.row_to_json(r.*) FROM (SELECT ");
        rest_writer_members(writer, plan, "t");
    } else {
        rest_writer_add(writer, "SELECT pg_catalog.row_to_json(t.*)");
    }
    add_source(writer, plan, "t");
    rest_writer_filters(writer, "t", plan->filters, " WHERE ");
    rest_writer_add(writer, limit);
    if (plan->members)
        rest_writer_add(writer, ") AS r");
}

static int may_be_null(const rest_order_t *order)
{
    const rest_column_t *column = order->operand.column;
    const rest_key_t *identity = column->relation->identity;

    for (int i = 0; identity && i < identity->ncolumns; i++)
        if (identity->columns[i] == column)
            return order->operand.across != NULL;
    return !column->not_null || order->operand.across || order->operand.path;
}

/* A term of the order against its value in the row before: equal, or behind it. */
static void add_equal(rest_writer_t *writer, const rest_order_t *order, const char *value)
{
    rest_writer_operand(writer, "t", &order->operand);
    if (value) {
        rest_writer_add(writer, " = ");
        rest_writer_parameter(writer, rest_operand_type(&order->operand), value, "cursor", 0);
    } else {
        rest_writer_add(writer, " IS NULL");
    }
}

static void add_behind(rest_writer_t *writer, const rest_order_t *order, const char *value, int backward)
{
    int descending = order->descending != backward;

    if (!value && !descending) {
        rest_writer_add(writer, "false");
        return;
    }
    rest_writer_operand(writer, "t", &order->operand);
    if (!value) {
        rest_writer_add(writer, " IS NOT NULL");
        return;
    }
    rest_writer_add(writer, descending ? " < " : " > ");
    rest_writer_parameter(writer, rest_operand_type(&order->operand), value, "cursor", 0);
    if (!descending && may_be_null(order)) {
        rest_writer_add(writer, " OR ");
        rest_writer_operand(writer, "t", &order->operand);
        rest_writer_add(writer, " IS NULL");
    }
}

/* 1 if all terms go one way and none is ever NULL: then rows compare as a whole, which an index serves. */
static int compares_as_row(const rest_plan_t *plan)
{
    for (int i = 0; i < plan->orders->nelts; i++) {
        const rest_order_t *order = &APR_ARRAY_IDX(plan->orders, i, rest_order_t);

        if (may_be_null(order) || order->descending != APR_ARRAY_IDX(plan->orders, 0, rest_order_t).descending
            || !plan->cursor->values[i])
            return 0;
    }
    return 1;
}

static void add_row_comparison(rest_writer_t *writer, const rest_plan_t *plan)
{
    const rest_order_t *orders = (const rest_order_t *)plan->orders->elts;
    int n = plan->orders->nelts;

    rest_writer_add(writer, "(");
    for (int i = 0; i < n; i++) {
        rest_writer_add(writer, i > 0 ? ", " : "");
        rest_writer_operand(writer, "t", &orders[i].operand);
    }
    rest_writer_add(writer, orders[0].descending != plan->cursor->backward ? ") < (" : ") > (");
    for (int i = 0; i < n; i++) {
        rest_writer_add(writer, i > 0 ? ", " : "");
        rest_writer_parameter(writer, rest_operand_type(&orders[i].operand), plan->cursor->values[i], "cursor", 0);
    }
    rest_writer_add(writer, ")");
}

/* The rows behind the cursor: those that differ first in a term that is behind its value. */
static void add_cursor(rest_writer_t *writer, const rest_plan_t *plan, const char *word)
{
    const rest_order_t *orders = (const rest_order_t *)plan->orders->elts;

    if (!plan->cursor->values)
        return;
    rest_writer_add(writer, word);
    if (compares_as_row(plan)) {
        add_row_comparison(writer, plan);
        return;
    }
    rest_writer_add(writer, "(");
    for (int i = 0; i < plan->orders->nelts; i++) {
        rest_writer_add(writer, i > 0 ? " OR (" : "(");
        for (int k = 0; k < i; k++) {
            add_equal(writer, &orders[k], plan->cursor->values[k]);
            rest_writer_add(writer, " AND ");
        }
        rest_writer_add(writer, "(");
        add_behind(writer, &orders[i], plan->cursor->values[i], plan->cursor->backward);
        rest_writer_add(writer, "))");
    }
    rest_writer_add(writer, ")");
}

/*
 * The size of a page: common ones as numbers. Of a parameter the planner thinks that it asks for a tenth of the table,
 * finds every plan for the very value so much better that it plans anew at each request, and that costs as much as a
 * list. Others are parameters, so that clients cannot make ever more statements.
 */
static void add_size(rest_writer_t *writer, const rest_plan_t *plan, apr_int64_t more)
{
    if (plan->page_size == plan->page_size_default || (plan->page_size <= 100 && plan->page_size % 5 == 0))
        rest_writer_number(writer, plan->page_size + more);
    else
        rest_writer_parameter(writer, "pg_catalog.int8",
                              apr_psprintf(writer->pool, "%" APR_INT64_T_FMT, plan->page_size + more), NULL, 0);
}

static void add_offset(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_parameter(writer, "pg_catalog.int8",
                          apr_psprintf(writer->pool, "%" APR_INT64_T_FMT, (plan->page - 1) * plan->page_size), NULL, 0);
}

/* The rows of a page as a subselect's list: its members or every column, and with a cursor the terms of the order. */
static void add_page_list(rest_writer_t *writer, const rest_plan_t *plan)
{
    if (plan->members)
        rest_writer_members(writer, plan, "t");
    else
        rest_writer_add(writer, plan->relation ? "t.*" : "t.v");
    for (int i = 0; plan->cursor && plan->members && i < plan->orders->nelts; i++) {
        rest_writer_add(writer, ", ");
        rest_writer_operand(writer, "t", &APR_ARRAY_IDX(plan->orders, i, rest_order_t).operand);
        trestle_text_addf(&writer->text, " AS \"order term %d\"", i);
    }
}

/* The terms of the order as they come out of the subselect s. */
static void add_terms(rest_writer_t *writer, const rest_plan_t *plan)
{
    for (int i = 0; i < plan->orders->nelts; i++) {
        rest_writer_add(writer, ", ");
        if (plan->members)
            trestle_text_addf(&writer->text, "s.\"order term %d\"", i);
        else
            rest_writer_operand(writer, "s", &APR_ARRAY_IDX(plan->orders, i, rest_order_t).operand);
        rest_writer_add(writer, "::pg_catalog.text");
    }
}

/* From the subselect s only the members: the terms of the order are not the client's. */
static void add_members_of(rest_writer_t *writer, const rest_plan_t *plan)
{
    rest_writer_add(writer, ", LATERAL (SELECT ");
    for (int i = 0; i < plan->members->nelts; i++) {
        rest_writer_add(writer, i > 0 ? ", s." : "s.");
        rest_writer_add(writer, rest_quote(writer->pool, APR_ARRAY_IDX(plan->members, i, rest_member_t).name));
    }
    rest_writer_add(writer, ") AS r");
}

/*
 * SELECT row, count, terms FROM (SELECT … FROM … WHERE … ORDER BY … LIMIT …) AS s. All rows are counted by a second look
 * only if the page is full: else it ends where they do. What the count looks at is written into the statement's head
 * when it is known, so the page itself is written first, into a text of its own.
 */
void rest_write_page(rest_writer_t *writer, const rest_plan_t *plan)
{
    int backward = plan->cursor && plan->cursor->backward;
    trestle_text_t head = writer->text, page;
    apr_size_t from, to;

    writer->text = trestle_text_make(writer->pool, 512);
    rest_writer_add(writer, " FROM (SELECT ");
    add_page_list(writer, plan);
    from = writer->text.length;
    add_source(writer, plan, "t");
    rest_writer_filters(writer, "t", plan->filters, " WHERE ");
    to = writer->text.length;
    if (plan->cursor)
        add_cursor(writer, plan, plan->filters && plan->filters->nelts > 0 ? " AND " : " WHERE ");
    add_order(writer, "t", plan->orders, backward);
    rest_writer_add(writer, " LIMIT ");
    add_size(writer, plan, !plan->with_count);
    if (!plan->cursor && plan->page > 1) {
        rest_writer_add(writer, " OFFSET ");
        add_offset(writer, plan);
    }
    rest_writer_add(writer, ") AS s");
    if (plan->cursor && plan->members)
        add_members_of(writer, plan);
    page = writer->text;
    writer->text = head;
    rest_writer_add(writer, !plan->relation                 ? "SELECT pg_catalog.to_json(s.v)"
                            : plan->cursor && plan->members ? "SELECT pg_catalog.row_to_json(r.*)"
                                                            : "SELECT pg_catalog.row_to_json(s.*)");
    if (plan->with_count) {
        rest_writer_add(writer, ", CASE WHEN pg_catalog.count(*) OVER () < ");
        add_size(writer, plan, 0);
        rest_writer_add(writer, " THEN pg_catalog.count(*) OVER ()");
        if (plan->page > 1) {
            rest_writer_add(writer, " + ");
            add_offset(writer, plan);
        }
        rest_writer_add(writer, " ELSE (SELECT pg_catalog.count(*)");
        trestle_text_add(&writer->text, page.bytes + from, to - from);
        rest_writer_add(writer, ") END");
    }
    if (plan->cursor)
        add_terms(writer, plan);
    trestle_text_add(&writer->text, page.bytes, page.length);
}
