#include "rest_pages.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

const rest_relation_t *rest_pages_target(apr_pool_t *pool, const rest_catalogue_t *catalogue, const char *path,
                                         const char **key)
{
    apr_size_t length = strcspn(path, "/");
    const char *rest = path + length + (path[length] == '/');

    *key = NULL;
    if (*rest) {
        apr_size_t n = strcspn(rest, "/");

        if (n == 0 || (rest[n] && rest[n + 1]))
            return NULL;
        *key = apr_pstrmemdup(pool, rest, n);
    }
    return rest_catalogue_relation(catalogue, apr_pstrmemdup(pool, path, length));
}

int rest_pages_key(const rest_relation_t *relation, const char *key, apr_array_header_t *given, rest_fault_t *fault)
{
    const rest_column_t *column = rest_relation_key(relation);
    rest_given_t *item;

    if (!column)
        return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    item = apr_array_push(given);
    memset(item, 0, sizeof(*item));
    item->name = column->name;
    item->place = REST_IN_PATH;
    item->text = key;
    return 1;
}

/* A parameter that must be a whole number from 1 to most. */
static int read_number(apr_pool_t *pool, const rest_given_t *item, apr_int64_t most, apr_int64_t *number,
                       rest_fault_t *fault)
{
    apr_size_t digits = strspn(item->text, "0123456789");

    if (digits > 0 && digits < 16 && !item->text[digits]) {
        *number = apr_atoi64(item->text);
        if (*number >= 1 && *number <= most)
            return 1;
    }
    return rest_refuse(fault, 400, "VALIDATION_ERROR",
                       apr_psprintf(pool, "The value must be a whole number from 1 to %" APR_INT64_T_FMT ".", most),
                       item->name);
}

static int add_filter(apr_pool_t *pool, rest_plan_t *plan, const rest_given_t *item, rest_fault_t *fault)
{
    const rest_column_t *column = rest_relation_column(plan->relation, item->name);
    rest_filter_t *filter;

    if (!column)
        return rest_blame(fault,
                          apr_psprintf(pool,
                                       "%s has no column \"%s\" for the path variable of its RestRoute; name the "
                                       "variable after a column",
                                       plan->relation->quoted, item->name));
    if (!rest_type_accepts(column->type, item->text))
        return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    filter = apr_array_push(plan->filters);
    *filter = (rest_filter_t){ column, item->text, 1 };
    return 1;
}

static int add_parameter(apr_pool_t *pool, rest_plan_t *plan, const rest_given_t *item, apr_int64_t rows_max,
                         unsigned *seen, rest_fault_t *fault)
{
    int is_page = !strcmp(item->name, "page");
    unsigned bit = is_page ? 1 : 2;

    if (plan->operation != REST_READ_PAGE || (!is_page && strcmp(item->name, "page_size")))
        return rest_refuse(fault, 400, "VALIDATION_ERROR", "The parameter is not known here.", item->name);
    if (*seen & bit)
        return rest_refuse(fault, 400, "VALIDATION_ERROR", "The parameter is given more than once.", item->name);
    *seen |= bit;
    /* (page - 1) * page_size stays within 64 bits. */
    return is_page ? read_number(pool, item, 1000000000, &plan->page, fault)
                   : read_number(pool, item, rows_max, &plan->page_size, fault);
}

int rest_pages_plan(apr_pool_t *pool, const rest_relation_t *relation, int one_row, const apr_array_header_t *given,
                    apr_int64_t rows_max, rest_plan_t *plan, rest_fault_t *fault)
{
    unsigned seen = 0;

    plan->operation = one_row ? REST_READ_ROW : REST_READ_PAGE;
    plan->relation = relation;
    plan->filters = apr_array_make(pool, 2, sizeof(rest_filter_t));
    plan->page = 1;
    plan->page_size = rows_max < REST_PAGE_SIZE ? rows_max : REST_PAGE_SIZE;
    for (int i = 0; i < given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);
        int ok = item->place == REST_IN_PATH ? add_filter(pool, plan, item, fault)
                                             : add_parameter(pool, plan, item, rows_max, &seen, fault);

        if (!ok)
            return 0;
    }
    plan->page_size_given = (seen & 2) != 0;
    return 1;
}

const char *rest_pages_link(apr_pool_t *pool, const char *base, apr_int64_t page, apr_int64_t page_size)
{
    if (page_size)
        return apr_psprintf(pool, "%s?page=%" APR_INT64_T_FMT "&page_size=%" APR_INT64_T_FMT, base, page, page_size);
    return apr_psprintf(pool, "%s?page=%" APR_INT64_T_FMT, base, page);
}
