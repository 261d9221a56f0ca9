/*
 * Routes: templates such as /projects/detail/{id}, compiled while configuring into a tree of path segments, matched
 * without regular expressions.
 */
#ifndef REST_ROUTE_H
#define REST_ROUTE_H

#include <apr_pools.h>

/* Methods as bits of a set. HEAD is looked up as GET. */
enum { REST_GET = 1, REST_POST = 2, REST_PUT = 4, REST_PATCH = 8, REST_DELETE = 16 };
enum { REST_METHODS = 5, REST_SEGMENTS_MAX = 32, REST_VARIABLES_MAX = 8 };

/* One RestRoute. Immutable after configuration. */
typedef struct {
    const char *path;   /* the template as it was written */
    unsigned methods;   /* set of REST_GET … */
    const char *target; /* name of a function, table or view */
    int is_function;    /* 1: written as name() */
    int nvariables;
    const char *variables[REST_VARIABLES_MAX]; /* names in the order of the path */
    int ends_in_variable;                      /* 1: the last segment is a variable, so one thing is meant */
} rest_route_t;

/* The routes of one section of the configuration. */
typedef struct rest_routes_t rest_routes_t;

/* What a path met. */
typedef struct {
    const rest_route_t *route;              /* NULL: no route of this method */
    const char *values[REST_VARIABLES_MAX]; /* the variables' texts, in pool */
    unsigned allowed;                       /* methods that the path has; 0: the path is unknown */
} rest_match_t;

/* An empty set of routes in pool. */
rest_routes_t *rest_routes_make(apr_pool_t *pool);

/*
 * Adds a route: methods as "GET" or "POST,PUT", a template, a target "name" or "name()". NULL, or a message in pool
 * that names the mend; then nothing was added.
 */
const char *rest_routes_add(rest_routes_t *routes, apr_pool_t *pool, const char *methods, const char *path,
                            const char *target);

/*
 * Looks up a decoded path (with or without a slash at its end) and one method. At each segment literal text is tried
 * before a variable; a variable is never empty. Values are copied into pool, with %2F (which httpd leaves undecoded
 * under AllowEncodedSlashes NoDecode) turned into a slash. Adds to match->allowed, so that several sets can be asked
 * in turn: start from a zeroed match. 1 if match->route was set.
 */
int rest_routes_match(const rest_routes_t *routes, apr_pool_t *pool, unsigned method, const char *path,
                      rest_match_t *match);

/* The method's bit: GET for HEAD; 0 for one that routes do not know. */
unsigned rest_method_bit(const char *method);

/* A set of methods as the value of Allow, in pool: "GET, HEAD, POST, OPTIONS"; head 0: without HEAD. */
const char *rest_methods_text(apr_pool_t *pool, unsigned methods, int head);

#endif
