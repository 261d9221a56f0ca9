/* Operands, conditions and the ties between related rows. */
#include "rest_writer.h"

#define TEXT "pg_catalog.text"

static void add_ties(rest_writer_t *writer, const char *left, const rest_column_t *const *left_columns,
                     const char *right, const rest_column_t *const *right_columns, int n)
{
    for (int i = 0; i < n; i++) {
        if (i > 0)
            rest_writer_add(writer, " AND ");
        rest_writer_column(writer, left, left_columns[i]);
        rest_writer_add(writer, " = ");
        rest_writer_column(writer, right, right_columns[i]);
    }
}

void rest_writer_related(rest_writer_t *writer, const rest_relationship_t *relationship, const char *alias,
                         const char *there)
{
    const char *between = relationship->junction ? rest_writer_alias(writer) : there;

    rest_writer_add(writer, " FROM ");
    rest_writer_add(writer, relationship->to->quoted);
    rest_writer_add(writer, " AS ");
    rest_writer_add(writer, there);
    if (relationship->junction) {
        rest_writer_add(writer, ", ");
        rest_writer_add(writer, relationship->junction->quoted);
        rest_writer_add(writer, " AS ");
        rest_writer_add(writer, between);
    }
    rest_writer_add(writer, " WHERE ");
    add_ties(writer, between, relationship->targets, alias, relationship->columns, relationship->ncolumns);
    if (relationship->junction) {
        rest_writer_add(writer, " AND ");
        add_ties(writer, there, relationship->far_targets, between, relationship->far, relationship->nfar);
    }
}

const char *rest_operand_type(const rest_operand_t *operand)
{
    switch (operand->part) {
    case REST_PART_TEXT:
    case REST_PART_LEAF:
    case REST_PART_KIND:
        return TEXT;
    case REST_PART_JSON:
        return "pg_catalog.jsonb";
    case REST_PART_DATE:
        return "pg_catalog.date";
    case REST_PART_FIELD:
        return "pg_catalog.numeric";
    default:
        return operand->column->type->quoted;
    }
}

static void add_part(rest_writer_t *writer, const char *alias, const rest_operand_t *operand)
{
    switch (operand->part) {
    case REST_PART_TEXT:
        rest_writer_column(writer, alias, operand->column);
        rest_writer_add(writer, "::" TEXT);
        break;
    case REST_PART_DATE:
        rest_writer_column(writer, alias, operand->column);
        rest_writer_add(writer, "::pg_catalog.date");
        break;
    case REST_PART_FIELD:
        rest_writer_add(writer, "EXTRACT(");
        rest_writer_add(writer, operand->unit);
        rest_writer_add(writer, " FROM ");
        rest_writer_column(writer, alias, operand->column);
        rest_writer_add(writer, ")");
        break;
    case REST_PART_JSON:
    case REST_PART_LEAF:
    case REST_PART_KIND:
        rest_writer_add(writer, operand->part == REST_PART_KIND ? "pg_catalog.jsonb_typeof(" : "(");
        rest_writer_column(writer, alias, operand->column);
        rest_writer_add(writer, "::pg_catalog.jsonb");
        if (operand->path) {
            rest_writer_add(writer, operand->part == REST_PART_LEAF ? " #>> " : " #> ");
            rest_writer_parameter(writer, "pg_catalog._text", operand->path, NULL, 0);
        }
        rest_writer_add(writer, ")");
        break;
    default:
        rest_writer_column(writer, alias, operand->column);
    }
}

/* The operand behind the steps from the given one on, each a scalar subselect. */
static void add_across(rest_writer_t *writer, const char *alias, const rest_operand_t *operand, int step)
{
    const rest_relationship_t *relationship;
    const char *there;

    if (!operand->across || step == operand->across->nelts) {
        add_part(writer, alias, operand);
        return;
    }
    relationship = APR_ARRAY_IDX(operand->across, step, const rest_relationship_t *);
    there = rest_writer_alias(writer);
    rest_writer_add(writer, "(SELECT ");
    add_across(writer, there, operand, step + 1);
    rest_writer_related(writer, relationship, alias, there);
    rest_writer_add(writer, rest_relation_is_view(relationship->to) ? " LIMIT 1)" : ")");
}

void rest_writer_operand(rest_writer_t *writer, const char *alias, const rest_operand_t *operand)
{
    add_across(writer, alias, operand, 0);
}

static void add_filter(rest_writer_t *writer, const char *alias, const rest_filter_t *filter);

/* Children between parentheses. */
static void add_children(rest_writer_t *writer, const char *alias, const rest_filter_t *filter, const char *word)
{
    rest_writer_add(writer, "(");
    for (int i = 0; i < filter->children->nelts; i++) {
        if (i > 0)
            rest_writer_add(writer, word);
        add_filter(writer, alias, APR_ARRAY_IDX(filter->children, i, const rest_filter_t *));
    }
    rest_writer_add(writer, ")");
}

static void add_related(rest_writer_t *writer, const char *alias, const rest_filter_t *filter)
{
    const char *there = rest_writer_alias(writer);

    rest_writer_add(writer, "EXISTS (SELECT 1");
    rest_writer_related(writer, filter->relationship, alias, there);
    rest_writer_filters(writer, there, filter->children, " AND ");
    rest_writer_add(writer, ")");
}

static void add_comparison(rest_writer_t *writer, const char *alias, const rest_filter_t *filter)
{
    static const struct {
        const char *before, *type, *after; /* type NULL: the operand's */
    } words[] = {
        [REST_EQUAL] = { " = ", NULL, "" },          [REST_DISTINCT] = { " IS DISTINCT FROM ", NULL, "" },
        [REST_GREATER] = { " > ", NULL, "" },        [REST_AT_LEAST] = { " >= ", NULL, "" },
        [REST_LESS] = { " < ", NULL, "" },           [REST_AT_MOST] = { " <= ", NULL, "" },
        [REST_ONE_OF] = { " = ANY (", NULL, "[])" }, [REST_LIKE] = { " LIKE ", TEXT, "" },
        [REST_ILIKE] = { " ILIKE ", TEXT, "" },      [REST_MATCHES] = { " ~ ", TEXT, "" },
        [REST_IMATCHES] = { " ~* ", TEXT, "" },      [REST_CONTAINS] = { " @> ", NULL, "" },
        [REST_CONTAINED_IN] = { " <@ ", NULL, "" },  [REST_OVERLAPS] = { " && ", NULL, "" },
    };

    rest_writer_operand(writer, alias, &filter->operand);
    if (filter->op == REST_IS_NULL) {
        rest_writer_add(writer, " IS NULL");
        return;
    }
    if (filter->op == REST_MATCHES || filter->op == REST_IMATCHES)
        writer->statement->pattern = filter->field;
    rest_writer_add(writer, words[filter->op].before);
    rest_writer_parameter(writer, words[filter->op].type ? words[filter->op].type : rest_operand_type(&filter->operand),
                          filter->value, filter->field, filter->in_path);
    rest_writer_add(writer, words[filter->op].after);
}

static void add_filter(rest_writer_t *writer, const char *alias, const rest_filter_t *filter)
{
    if (filter->negated)
        rest_writer_add(writer, "NOT (");
    switch (filter->op) {
    case REST_ALL:
        add_children(writer, alias, filter, " AND ");
        break;
    case REST_ANY:
        add_children(writer, alias, filter, " OR ");
        break;
    case REST_RELATED:
        add_related(writer, alias, filter);
        break;
    default:
        add_comparison(writer, alias, filter);
    }
    if (filter->negated)
        rest_writer_add(writer, ")");
}

void rest_writer_filters(rest_writer_t *writer, const char *alias, const apr_array_header_t *filters, const char *word)
{
    for (int i = 0; filters && i < filters->nelts; i++) {
        rest_writer_add(writer, i == 0 ? word : " AND ");
        add_filter(writer, alias, APR_ARRAY_IDX(filters, i, const rest_filter_t *));
    }
}
