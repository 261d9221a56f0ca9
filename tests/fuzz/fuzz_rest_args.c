/*
 * Values: the input is a query string, a line feed, and a JSON body; a function takes them. Whatever comes out must be
 * free of NULs, one value a parameter, and SQL of one of the known shapes only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_call.h"
#include "rest/rest_sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rest_catalogue_t *catalogue;
static const rest_function_t *function;

static void make_catalogue(apr_pool_t *pool)
{
    static const char *const types[] = { "int2", "int4", "int8", "bool", "numeric", "text", "uuid", "jsonb", "date" };
    rest_function_t *made;
    rest_type_t *array, *row;

    catalogue = rest_catalogue_make(pool, "api");
    made = rest_catalogue_add_function(catalogue, pool, "f", 'v', NULL, 0);
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const rest_type_t *type = rest_catalogue_add_type(catalogue, pool, i + 1, "pg_catalog", types[i]);

        rest_catalogue_add_argument(made, pool, apr_psprintf(pool, "%c", 'a' + (int)i), type, 1);
    }
    array = rest_catalogue_add_type(catalogue, pool, 100, "pg_catalog", "_int4");
    array->kind = REST_ARRAY;
    array->element = rest_catalogue_type(catalogue, 2);
    rest_catalogue_add_argument(made, pool, "x", array, 1);
    array = rest_catalogue_add_type(catalogue, pool, 101, "pg_catalog", "_jsonb");
    array->kind = REST_ARRAY;
    array->element = rest_catalogue_type(catalogue, 8);
    rest_catalogue_add_argument(made, pool, "y", array, 1);
    row = rest_catalogue_add_type(catalogue, pool, 102, "api", "pair");
    row->kind = REST_ROW;
    rest_catalogue_add_argument(made, pool, "z", row, 1);
    function = made;
}

/* A statement's text holds nothing of the input: only what the catalogue and the builder write. */
static void check(apr_pool_t *pool, const rest_plan_t *plan)
{
    rest_statement_t statement;

    rest_sql_build(pool, plan, &statement);
    if (statement.nparams > 40
        || statement.sql[strspn(statement.sql, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                               "0123456789_ .,()\"'$:=>*[]")])
        abort();
}

static void run(apr_pool_t *pool, const char *text, size_t size)
{
    const char *line = memchr(text, '\n', size);
    size_t n = line ? (size_t)(line - text) : size;
    apr_array_header_t *given = apr_array_make(pool, 8, sizeof(rest_given_t));
    rest_plan_t plan = { .rows_max = 100 };
    rest_json_mistake_t mistake;
    rest_json_t body;
    rest_fault_t fault;

    if (!rest_query_parse(text, n, REST_IN_QUERY, 1000, given, &fault))
        return;
    if (line && !rest_json_parse(line + 1, size - n - 1, &body, &mistake))
        return;
    if (line && body.type == TRESTLE_JSON_OBJECT && !rest_query_members(&body, 1000, given, &fault))
        return;
    if (rest_call_plan(pool, function, given, line ? &body : NULL, text[0] == 'a', &plan, &fault))
        check(pool, &plan);
    else if (fault.status < 400 || fault.status > 599)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;
    char *text;

    if (!root) {
        apr_initialize();
        if (apr_pool_create(&root, NULL) != APR_SUCCESS)
            return 0;
        make_catalogue(root);
    }
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return 0;
    /* On the heap, without a NUL behind it, so that a read past its end is seen. */
    text = malloc(size ? size : 1);
    memcpy(text, data, size);
    run(pool, text, size);
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
