/*
 * Dialect pages: the input is a path of the dialect, a line feed, and a query string. Whatever is planned must give SQL
 * that holds nothing of the input, or a refusal that a client may see. A view's rule is read from the query, too.
 */
#include <stdint.h>
#include <stdlib.h>

#include <apr_general.h>

#include "../unit/rest_library.h"
#include "rest/rest_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *baton, int column, unsigned relation, int origin)
{
    (void)baton;
    (void)relation;
    if (column <= 0 || origin <= 0)
        abort();
}

/* Words of ours, names of the catalogue, parameters. */
static void check(apr_pool_t *pool, const rest_plan_t *plan)
{
    rest_statement_t statement;

    rest_sql_build(pool, plan, &statement);
    if (statement.nparams > 2000
        || statement.sql[strspn(statement.sql, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                               "0123456789_ .,()\"'$:=<>*[]@&~#+-")]
        || strstr(statement.sql, "--") || strstr(statement.sql, "secret"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    static rest_catalogue_t *library;
    const char *line = memchr(data, '\n', size), *path;
    size_t n = line ? (size_t)(line - (const char *)data) : size;
    apr_pool_t *pool;
    rest_plan_t plan;
    rest_fault_t fault;
    char *query;

    if (!root) {
        apr_initialize();
        if (apr_pool_create(&root, NULL) != APR_SUCCESS)
            return 0;
        library = library_make(root);
    }
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return 0;
    path = apr_pstrmemdup(pool, (const char *)data, n);
    n = line ? size - n - 1 : 0;
    /* On the heap, without a NUL behind it, so that a read past its end is seen. */
    query = malloc(n ? n : 1);
    if (n > 0)
        memcpy(query, line + 1, n);
    if (library_plan(library, pool, path, query, n, &plan, &fault))
        check(pool, &plan);
    else if (fault.status < 400 || fault.status > 499)
        abort();
    rest_view_origins(apr_pstrmemdup(pool, query, n), ignore, NULL);
    free(query);
    apr_pool_destroy(pool);
    return 0;
}
