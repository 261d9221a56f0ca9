/*
 * Routes: the first line of the input is a path, each other one "METHODS TEMPLATE TARGET".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(apr_pool_t *pool, char *text)
{
    rest_routes_t *routes = rest_routes_make(pool);
    rest_match_t match = { 0 };
    char *rest = NULL, *path = apr_strtok(text, "\n", &rest), *line;

    while (path && (line = apr_strtok(NULL, "\n", &rest))) {
        char *word = NULL, *methods = apr_strtok(line, " ", &word),
             *template = methods ? apr_strtok(NULL, " ", &word) : NULL,
             *target = template ? apr_strtok(NULL, " ", &word) : NULL;

        if (target)
            rest_routes_add(routes, pool, methods, template, target);
    }
    if (!path || !rest_routes_match(routes, pool, REST_GET, path, &match))
        return;
    if (!(match.allowed & REST_GET))
        abort();
    for (int i = 0; i < match.route->nvariables; i++)
        if (!match.values[i] || !*match.values[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    apr_pool_t *pool;

    if (!ready++)
        apr_initialize();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return 0;
    run(pool, apr_pstrmemdup(pool, (const char *)data, size));
    apr_pool_destroy(pool);
    return 0;
}
