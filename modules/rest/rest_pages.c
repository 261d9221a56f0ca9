#include "rest_pages.h"

#include "rest_call.h"
#include "rest_literal.h"
#include "rest_lookup.h"
#include "rest_member.h"
#include "rest_ordering.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 10 }; /* of a search */

/* The parameters with a meaning of their own. A column of such a name is filtered by name__exact. */
typedef enum { PAGE, PAGE_SIZE, CURSOR, COUNT, SEARCH, ORDERING, FIELDS, EXPAND, RESERVED } reserved_e;

static const char *const reserved_names[RESERVED] = { "page",   "page_size", "cursor", "count",
                                                      "search", "ordering",  "fields", "expand" };

/* A request on its way to a plan. */
typedef struct {
    apr_pool_t *pool;
    const rest_pages_t *pages;
    rest_plan_t *plan;
    rest_fault_t *fault;
    const char *reserved[RESERVED];
    apr_int64_t nfilters;
} reading_t;

/* A segment of a path: %2F (which httpd leaves undecoded under AllowEncodedSlashes NoDecode) is a slash in a key. */
static const char *segment(apr_pool_t *pool, const char *path, apr_size_t n)
{
    char *text = apr_pstrmemdup(pool, path, n), *out = text;

    for (const char *in = text; *in; in++)
        if (in[0] == '%' && in[1] == '2' && (in[2] == 'F' || in[2] == 'f')) {
            *out++ = '/';
            in += 2;
        } else {
            *out++ = *in;
        }
    *out = '\0';
    return text;
}

/* Only sets of rows, by functions that change nothing. */
static const rest_function_t *readable_function(const rest_catalogue_t *catalogue, const char *name)
{
    const rest_function_t *function = rest_catalogue_function(catalogue, name);

    for (const rest_function_t *each = function; each; each = each->overload)
        if (!each->returns_set || each->volatility == 'v'
            || (!each->rows && (!each->returns || each->returns->kind == REST_ROW)))
            return NULL;
    return function;
}

int rest_pages_target(apr_pool_t *pool, const rest_catalogue_t *catalogue, const char *path, rest_target_t *target)
{
    apr_size_t length = strcspn(path, "/");
    const char *name = apr_pstrmemdup(pool, path, length);

    memset(target, 0, sizeof(*target));
    for (path += length; *path == '/' && path[1]; path += length) {
        length = strcspn(++path, "/");
        if (length == 0 || target->nkeys == REST_KEYS_MAX)
            return 0;
        target->keys[target->nkeys++] = segment(pool, path, length);
    }
    if ((target->relation = rest_catalogue_relation(catalogue, name)))
        return 1;
    target->function = target->nkeys == 0 ? readable_function(catalogue, name) : NULL;
    return target->function != NULL;
}

unsigned rest_pages_methods(const rest_target_t *target)
{
    int writes = target->relation ? target->relation->writes : 0;

    if (target->nkeys == 0)
        return REST_GET | (writes & REST_WRITES_INSERT ? REST_POST : 0);
    return REST_GET | (writes & REST_WRITES_UPDATE ? REST_PUT | REST_PATCH : 0)
           | (writes & REST_WRITES_DELETE ? REST_DELETE : 0);
}

int rest_pages_keys(const rest_target_t *target, apr_array_header_t *given, rest_fault_t *fault)
{
    const rest_key_t *identity = target->relation->identity;

    if (!identity || identity->ncolumns != target->nkeys)
        return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    for (int i = 0; i < target->nkeys; i++) {
        rest_given_t *item = apr_array_push(given);

        memset(item, 0, sizeof(*item));
        item->name = identity->columns[i]->name;
        item->place = REST_IN_PATH;
        item->text = target->keys[i];
    }
    return 1;
}

int rest_pages_may(const rest_pages_t *pages, rest_right_e right, int anonymous, rest_fault_t *fault)
{
    int may = pages->function ? 0 : rest_role_in(pages->relation->may[right], pages->role);

    for (const rest_function_t *each = pages->function; each && !may; each = each->overload)
        may = rest_role_in(each->may_execute, pages->role);
    if (may)
        return 1;
    return anonymous ? rest_refuse(fault, 401, "AUTHENTICATION_REQUIRED", "Sign in to do this.", NULL)
                     : rest_refuse(fault, 403, "PERMISSION_DENIED", "You may not do this.", NULL);
}

static int refuse(reading_t *reading, const char *detail, const char *field)
{
    return rest_refuse(reading->fault, 400, "VALIDATION_ERROR", detail, field);
}

/* A parameter that must be a whole number from 1 to most. */
static int read_number(reading_t *reading, reserved_e which, apr_int64_t most, apr_int64_t *number)
{
    const char *text = reading->reserved[which];
    apr_size_t digits = text ? strspn(text, "0123456789") : 0;

    if (!text)
        return 1;
    if (digits > 0 && digits < 16 && !text[digits]) {
        *number = apr_atoi64(text);
        if (*number >= 1 && *number <= most)
            return 1;
    }
    return refuse(reading,
                  apr_psprintf(reading->pool, "The value must be a whole number from 1 to %" APR_INT64_T_FMT ".", most),
                  reserved_names[which]);
}

int rest_pages_condition(apr_pool_t *pool, const rest_relation_t *relation, const rest_given_t *item,
                         apr_array_header_t *filters, rest_fault_t *fault)
{
    const rest_column_t *column = rest_relation_column(relation, item->name);
    rest_filter_t *filter;

    if (!column)
        return rest_blame(fault, apr_psprintf(pool,
                                              "%s has no column \"%s\" for the path variable of its RestRoute; name "
                                              "the variable after a column",
                                              relation->quoted, item->name));
    if (!rest_type_accepts(column->type, item->text))
        return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    filter = apr_pcalloc(pool, sizeof(*filter));
    *filter = (rest_filter_t){
        .op = REST_EQUAL, .operand = { .column = column }, .value = item->text, .field = item->name, .in_path = 1
    };
    APR_ARRAY_PUSH(filters, rest_filter_t *) = filter;
    return 1;
}

/* 1 if an earlier item of the query has the same name. */
static int is_repeated(const apr_array_header_t *given, int at)
{
    const rest_given_t *item = &APR_ARRAY_IDX(given, at, rest_given_t);

    for (int i = 0; i < at; i++) {
        const rest_given_t *other = &APR_ARRAY_IDX(given, i, rest_given_t);

        if (other->place == item->place && !strcmp(other->name, item->name))
            return 1;
    }
    return 0;
}

/* 1 if one of the function's overloads has an argument of the name. */
static int is_argument(const rest_function_t *function, const char *name)
{
    for (; function; function = function->overload)
        for (int i = 0; i < function->arguments->nelts; i++) {
            const char *own = APR_ARRAY_IDX(function->arguments, i, rest_argument_t).name;

            if (own && !strcmp(own, name))
                return 1;
        }
    return 0;
}

static int is_reserved(const char *name)
{
    for (int i = 0; i < RESERVED; i++)
        if (!strcmp(reserved_names[i], name))
            return i;
    return RESERVED;
}

static int unknown(reading_t *reading, const char *name)
{
    return !reading->pages->limits->refuse_unknown || refuse(reading, "The parameter is not known here.", name);
}

static int read_parameter(reading_t *reading, int at)
{
    const rest_given_t *item = &APR_ARRAY_IDX(reading->pages->given, at, rest_given_t);
    int which = is_reserved(item->name), one_row = reading->pages->one_row, ok;

    if (is_repeated(reading->pages->given, at))
        return refuse(reading, "The parameter is given more than once.", item->name);
    if (which < RESERVED && (!one_row || which == FIELDS || which == EXPAND)) {
        reading->reserved[which] = item->text;
        return 1;
    }
    if (one_row || !reading->pages->relation)
        return unknown(reading, item->name);
    if (++reading->nfilters > reading->pages->limits->filters_max)
        return refuse(reading,
                      apr_psprintf(reading->pool, "There are more than %" APR_INT64_T_FMT " conditions.",
                                   reading->pages->limits->filters_max),
                      item->name);
    ok = rest_lookup_filter(reading->pool, reading->pages, item->name, item->text, reading->plan->filters,
                            reading->fault);
    return ok == -1 ? unknown(reading, item->name) : ok;
}

/* One word of a search: it stands in one of the columns. */
static rest_filter_t *search_word(reading_t *reading, const char *word)
{
    const rest_pages_t *pages = reading->pages;
    const apr_array_header_t *columns = pages->relation->search;
    rest_filter_t *any = apr_pcalloc(reading->pool, sizeof(*any));

    any->op = REST_ANY;
    any->children = apr_array_make(reading->pool, columns->nelts, sizeof(rest_filter_t *));
    for (int i = 0; i < columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(columns, i, const rest_column_t *);
        rest_filter_t *filter;

        if (!rest_lookup_readable(pages, column))
            continue;
        filter = apr_pcalloc(reading->pool, sizeof(*filter));
        filter->op = REST_ILIKE;
        filter->operand.column = column;
        filter->operand.part = column->type->kind == REST_TEXT ? REST_PART_WHOLE : REST_PART_TEXT;
        filter->value = rest_literal_like(reading->pool, "%", word, "%");
        filter->field = "search";
        APR_ARRAY_PUSH(any->children, rest_filter_t *) = filter;
    }
    return any->children->nelts > 0 ? any : NULL;
}

static int read_search(reading_t *reading)
{
    char *last = NULL, *copy = apr_pstrdup(reading->pool, reading->reserved[SEARCH]);
    int words = 0;

    if (!copy || !*copy)
        return 1;
    if (!reading->pages->relation || !reading->pages->relation->search)
        return refuse(reading, "Nothing can be searched here.", "search");
    for (char *word = apr_strtok(copy, " \t\r\n", &last); word; word = apr_strtok(NULL, " \t\r\n", &last)) {
        rest_filter_t *filter = search_word(reading, word);

        if (!filter)
            return refuse(reading, "Nothing can be searched here.", "search");
        if (++words > WORDS_MAX)
            return refuse(reading, apr_psprintf(reading->pool, "There are more than %d words.", WORDS_MAX), "search");
        APR_ARRAY_PUSH(reading->plan->filters, rest_filter_t *) = filter;
    }
    return 1;
}

static int read_count(reading_t *reading)
{
    const char *text = reading->reserved[COUNT];
    int rule = reading->pages->limits->count;

    reading->plan->with_count = rule == REST_COUNT_EXACT;
    if (!text)
        return 1;
    if (strcmp(text, "exact") && strcmp(text, "none"))
        return refuse(reading, "The value must be exact or none.", "count");
    if (!strcmp(text, "exact") && rule == REST_COUNT_NONE)
        return refuse(reading, "Rows are not counted here.", "count");
    reading->plan->with_count = !strcmp(text, "exact");
    return 1;
}

/* A cursor, empty at the beginning, takes the place of page and count. */
static int read_cursor(reading_t *reading)
{
    const char *text = reading->reserved[CURSOR];
    rest_plan_t *plan = reading->plan;

    if (!text)
        return 1;
    if (reading->reserved[PAGE] || (reading->reserved[COUNT] && plan->with_count))
        return refuse(reading, "A cursor goes neither with page nor with count.", "cursor");
    if (reading->pages->function && reading->pages->relation && plan->orders->nelts == 0)
        return refuse(reading, "A cursor needs ordering here.", "cursor");
    if (!rest_ordering_is_total(reading->pages, plan->orders))
        return refuse(reading, "This list has no key that a cursor could go by.", "cursor");
    plan->with_count = 0;
    if (!(plan->cursor = rest_cursor_read(reading->pool, plan->orders, text)))
        return refuse(reading, "The cursor is not one of this list and order.", "cursor");
    return 1;
}

static int read_list(reading_t *reading)
{
    const rest_limits_t *limits = reading->pages->limits;
    rest_plan_t *plan = reading->plan;

    plan->page = 1;
    plan->page_size = limits->page_size < limits->rows_max ? limits->page_size : limits->rows_max;
    plan->page_size_default = plan->page_size;
    /* (page - 1) * page_size stays within 64 bits. */
    if (!read_number(reading, PAGE, 1000000000, &plan->page)
        || !read_number(reading, PAGE_SIZE, limits->rows_max, &plan->page_size) || !read_search(reading)
        || !read_count(reading))
        return 0;
    if (reading->pages->relation) {
        if (!rest_ordering_plan(reading->pool, reading->pages, reading->reserved[ORDERING], &plan->orders,
                                reading->fault))
            return 0;
    } else if (reading->reserved[ORDERING] || reading->reserved[CURSOR]) {
        return refuse(reading, "These values have no fields to order by.",
                      reading->reserved[ORDERING] ? "ordering" : "cursor");
    }
    return read_cursor(reading);
}

static int is_bound(void *filters, const rest_column_t *column)
{
    const apr_array_header_t *list = filters;

    for (int i = 0; i < list->nelts; i++) {
        const rest_filter_t *filter = APR_ARRAY_IDX(list, i, const rest_filter_t *);

        if (filter->op == REST_EQUAL && filter->in_path && filter->operand.column == column)
            return 1;
    }
    return 0;
}

/* Separates a function's arguments from what is asked of its rows. */
static int read_arguments(reading_t *reading, apr_array_header_t *others)
{
    const rest_pages_t *pages = reading->pages;
    apr_array_header_t *arguments = apr_array_make(reading->pool, 4, sizeof(rest_given_t));

    for (int i = 0; i < pages->given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(pages->given, i, rest_given_t);

        APR_ARRAY_PUSH(is_argument(pages->function, item->name) ? arguments : others, rest_given_t) = *item;
    }
    return rest_call_plan(reading->pool, pages->function, arguments, NULL, 1, reading->plan, reading->fault);
}

int rest_pages_read(apr_pool_t *pool, const rest_pages_t *pages, rest_plan_t *plan, rest_fault_t *fault)
{
    reading_t reading = { .pool = pool, .pages = pages, .plan = plan, .fault = fault };
    rest_pages_t own = *pages;

    if (pages->function) {
        apr_array_header_t *others = apr_array_make(pool, 4, sizeof(rest_given_t));

        if (!read_arguments(&reading, others))
            return 0;
        own.given = others;
        own.function = plan->function;
        own.relation = plan->function->rows;
        reading.pages = pages = &own;
    }
    plan->operation = pages->one_row ? REST_READ_ROW : REST_READ_PAGE;
    plan->relation = pages->relation;
    plan->filters = apr_array_make(pool, 4, sizeof(rest_filter_t *));
    for (int i = 0; i < pages->given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(pages->given, i, rest_given_t);

        if (item->place == REST_IN_PATH ? !rest_pages_condition(pool, pages->relation, item, plan->filters, fault)
                                        : !read_parameter(&reading, i))
            return 0;
    }
    if (pages->relation) {
        if (!rest_members_plan(pool, pages, reading.reserved[FIELDS], reading.reserved[EXPAND], plan, fault))
            return 0;
    } else if (reading.reserved[FIELDS] || reading.reserved[EXPAND]) {
        return refuse(&reading, "These values have no fields.", reading.reserved[FIELDS] ? "fields" : "expand");
    }
    if (!pages->one_row)
        return read_list(&reading);
    plan->is_unique =
        !rest_relation_is_view(pages->relation) && rest_key_is_bound(pages->relation, is_bound, plan->filters);
    return 1;
}
