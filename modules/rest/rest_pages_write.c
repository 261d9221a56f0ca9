/* Dialect pages, writing: a new row, a changed row, a row that goes. */
#include "rest_pages.h"

#include "rest_member.h"
#include "rest_value.h"

#include <apr_strings.h>
#include <string.h>

/* A request on its way to a plan. */
typedef struct {
    apr_pool_t *pool;
    const rest_pages_t *pages;
    rest_plan_t *plan;
    rest_slot_t *slots; /* one for each column of the relation */
    rest_fault_t all;   /* the mistakes so far; status 0: none */
    const char *fields, *expand;
} writing_t;

static int index_of(const rest_relation_t *relation, const char *name)
{
    for (int i = 0; i < relation->columns->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(relation->columns, i, const rest_column_t *)->name, name))
            return i;
    return -1;
}

static void refuse(writing_t *writing, const char *code, const char *detail, const char *field)
{
    rest_fault_t one;

    rest_refuse(&one, 400, code, detail, field);
    rest_fault_add(writing->pool, &writing->all, &one);
}

/* A field of the body. Of an update's key the value it has anyway may be sent along. */
static void note_field(writing_t *writing, int at)
{
    const rest_given_t *item = &APR_ARRAY_IDX(writing->pages->given, at, rest_given_t);
    const rest_relation_t *relation = writing->pages->relation;
    rest_right_e right = writing->plan->operation == REST_INSERT_ROW ? REST_MAY_INSERT : REST_MAY_UPDATE;
    int i = index_of(relation, item->name);
    const rest_column_t *column = i < 0 ? NULL : APR_ARRAY_IDX(relation->columns, i, const rest_column_t *);
    rest_fault_t one;

    if (!column || writing->plan->operation == REST_DELETE_ROW
        || !(rest_role_in(column->may[REST_MAY_SELECT], writing->pages->role)
             || rest_role_in(column->may[right], writing->pages->role))) {
        if (writing->pages->limits->refuse_unknown)
            refuse(writing, "VALIDATION_ERROR", "The field is not known here.", item->name);
        return;
    }
    if (!rest_slot_note(&writing->slots[i], column->type, writing->pages->given, at, &one))
        rest_fault_add(writing->pool, &writing->all, &one);
}

/* A value of the path: a new row's column, else a condition. */
static int note_path(writing_t *writing, int at, rest_fault_t *fault)
{
    const rest_given_t *item = &APR_ARRAY_IDX(writing->pages->given, at, rest_given_t);
    const rest_relation_t *relation = writing->pages->relation;
    int i = index_of(relation, item->name);

    if (i >= 0 && writing->plan->operation == REST_INSERT_ROW) {
        rest_fault_t one;

        if (!rest_slot_note(&writing->slots[i], APR_ARRAY_IDX(relation->columns, i, const rest_column_t *)->type,
                            writing->pages->given, at, &one))
            rest_fault_add(writing->pool, &writing->all, &one);
        return 1;
    }
    return rest_pages_condition(writing->pool, relation, item, writing->plan->filters, fault);
}

static void note_parameter(writing_t *writing, const rest_given_t *item)
{
    const char **place = !strcmp(item->name, "fields") ? &writing->fields : &writing->expand;

    if (writing->plan->operation == REST_DELETE_ROW || (strcmp(item->name, "fields") && strcmp(item->name, "expand"))) {
        if (writing->pages->limits->refuse_unknown)
            refuse(writing, "VALIDATION_ERROR", "The parameter is not known here.", item->name);
    } else if (*place) {
        refuse(writing, "VALIDATION_ERROR", "The parameter is given more than once.", item->name);
    } else {
        *place = item->text;
    }
}

/* The value of the path for an update's column; NULL: it is none of the key. */
static const char *path_value(const writing_t *writing, const rest_column_t *column)
{
    for (int i = 0; i < writing->plan->filters->nelts; i++) {
        const rest_filter_t *filter = APR_ARRAY_IDX(writing->plan->filters, i, const rest_filter_t *);

        if (filter->operand.column == column)
            return filter->value;
    }
    return NULL;
}

/* 1 if the column must be given: nothing else could fill it. Triggers may, and what a view asks is not known. */
static int is_required(const writing_t *writing, const rest_column_t *column)
{
    const rest_relation_t *relation = writing->pages->relation;

    return column->not_null && !column->has_default && !column->is_generated && !relation->has_trigger
           && !rest_relation_is_view(relation) && !path_value(writing, column)
           && rest_role_in(column->may[REST_MAY_INSERT], writing->pages->role);
}

/* What a value of the type may still not be in this column; the database could not name it. NULL: nothing. */
static const char *size_mistake(const writing_t *writing, const rest_column_t *column, const char *value)
{
    apr_size_t n = 0;

    if (!value)
        return NULL;
    if (column->length_max > 0) {
        for (const char *at = value; *at; at++)
            n += ((unsigned char)*at & 0xC0) != 0x80;
        if (n > (apr_size_t)column->length_max)
            return apr_psprintf(writing->pool, "The text has more than %d characters.", column->length_max);
    } else if (column->digits_max >= 0 && !strpbrk(value, "eE")) {
        value += strspn(value, "+-0");
        if (strspn(value, "0123456789") > (apr_size_t)column->digits_max)
            return apr_psprintf(writing->pool, "The number has more than %d digits before the point.",
                                column->digits_max);
    }
    return NULL;
}

/* Turns a column's slot into its assignment. 0 if a path's value cannot be the column's. */
static int assign(writing_t *writing, const rest_column_t *column, const rest_slot_t *slot, rest_fault_t *fault)
{
    rest_right_e right = writing->plan->operation == REST_INSERT_ROW ? REST_MAY_INSERT : REST_MAY_UPDATE;
    const char *in_path = path_value(writing, column), *value, *mistake;
    rest_fault_t one;

    if (!rest_slot_value(writing->pool, slot, column->type, writing->pages->given, &value, &one)) {
        if (one.status == 404)
            return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
        rest_fault_add(writing->pool, &writing->all, &one);
    } else if (in_path && value && !strcmp(in_path, value)) {
        return 1;
    } else if (column->is_generated) {
        refuse(writing, "VALIDATION_ERROR", "The field is set by the server.", column->name);
    } else if (!rest_role_in(column->may[right], writing->pages->role)) {
        refuse(writing, "VALIDATION_ERROR", "The field cannot be set here.", column->name);
    } else if ((mistake = size_mistake(writing, column, value))) {
        refuse(writing, "VALIDATION_ERROR", mistake, column->name);
    } else {
        APR_ARRAY_PUSH(writing->plan->assignments, rest_assignment_t) =
            (rest_assignment_t){ column, value, column->name };
    }
    return 1;
}

static int assign_all(writing_t *writing, int whole, rest_fault_t *fault)
{
    const apr_array_header_t *columns = writing->pages->relation->columns;

    for (int i = 0; i < columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(columns, i, const rest_column_t *);

        if (writing->slots[i].count > 0) {
            if (!assign(writing, column, &writing->slots[i], fault))
                return 0;
        } else if (whole && is_required(writing, column)) {
            refuse(writing, "REQUIRED_FIELD_MISSING", "The field is required.", column->name);
        }
    }
    return 1;
}

/* What becomes of the row's contents in the answer. */
static int plan_answer(writing_t *writing, rest_fault_t *fault)
{
    const rest_pages_t *pages = writing->pages;
    rest_plan_t *plan = writing->plan;

    if (plan->operation == REST_DELETE_ROW)
        return 1;
    plan->hides_row =
        plan->operation == REST_INSERT_ROW && !rest_role_in(pages->relation->may[REST_MAY_SELECT], pages->role);
    if (!plan->hides_row)
        return rest_members_plan(writing->pool, pages, writing->fields, writing->expand, plan, fault);
    return 1;
}

int rest_pages_write(apr_pool_t *pool, const rest_pages_t *pages, rest_operation_e operation, int whole,
                     rest_plan_t *plan, rest_fault_t *fault)
{
    const rest_relation_t *relation = pages->relation;
    writing_t writing = { .pool = pool, .pages = pages, .plan = plan };

    plan->operation = operation;
    plan->relation = relation;
    plan->filters = apr_array_make(pool, 4, sizeof(rest_filter_t *));
    plan->assignments = apr_array_make(pool, relation->columns->nelts + 1, sizeof(rest_assignment_t));
    writing.slots = apr_pcalloc(pool, sizeof(*writing.slots) * (apr_size_t)(relation->columns->nelts + 1));
    for (int i = 0; i < pages->given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(pages->given, i, rest_given_t);

        if (item->place == REST_IN_PATH) {
            if (!note_path(&writing, i, fault))
                return 0;
        } else if (item->place == REST_IN_BODY) {
            note_field(&writing, i);
        } else {
            note_parameter(&writing, item);
        }
    }
    if (operation != REST_INSERT_ROW && plan->filters->nelts == 0)
        return rest_blame(fault, apr_psprintf(pool,
                                              "a RestRoute without variables would change every row of %s; name the "
                                              "row in its path",
                                              relation->quoted));
    if (!assign_all(&writing, whole, fault))
        return 0;
    if (writing.all.status) {
        *fault = writing.all;
        return 0;
    }
    if (operation == REST_UPDATE_ROW && plan->assignments->nelts == 0)
        plan->operation = REST_READ_ROW;
    return plan_answer(&writing, fault);
}
