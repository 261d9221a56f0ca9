#include "rest_route.h"

#include "setting.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

static const char *const method_names[REST_METHODS] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* A segment of the tree. */
typedef struct node_t {
    const char *literal; /* NULL in a variable's node */
    apr_size_t length;
    apr_array_header_t *children; /* node_t *, sorted by literal */
    struct node_t *variable;      /* the child that takes any segment */
    const rest_route_t *routes[REST_METHODS];
} node_t;

struct rest_routes_t {
    node_t root;
};

/* One segment of a path: bytes without slashes. */
typedef struct {
    const char *bytes;
    apr_size_t length;
} segment_t;

rest_routes_t *rest_routes_make(apr_pool_t *pool)
{
    return apr_pcalloc(pool, sizeof(rest_routes_t));
}

static unsigned bit_of(const char *name, apr_size_t length)
{
    for (unsigned i = 0; i < REST_METHODS; i++)
        if (strlen(method_names[i]) == length && !memcmp(method_names[i], name, length))
            return 1u << i;
    return 0;
}

unsigned rest_method_bit(const char *method)
{
    return !strcmp(method, "HEAD") ? REST_GET : bit_of(method, strlen(method));
}

const char *rest_methods_text(apr_pool_t *pool, unsigned methods, int head)
{
    const char *text = "";

    for (unsigned i = 0; i < REST_METHODS; i++)
        if (methods & 1u << i)
            text = apr_pstrcat(pool, text, method_names[i], i == 0 && head ? ", HEAD, " : ", ", NULL);
    return apr_pstrcat(pool, text, "OPTIONS", NULL);
}

/* Cuts a path into segments, without the slash at its end. Their number; -1: no path, an empty segment or too many. */
static int split(const char *path, segment_t *segments)
{
    int n = 0;

    if (*path != '/')
        return -1;
    while (*path == '/' && path[1]) {
        apr_size_t length = strcspn(++path, "/");

        if (length == 0 || n == REST_SEGMENTS_MAX)
            return -1;
        segments[n++] = (segment_t){ path, length };
        path += length;
    }
    return n;
}

/* Where literal stands, or would stand, among sorted children; *found tells which. */
static int position(const apr_array_header_t *children, segment_t segment, int *found)
{
    int low = 0, high = children ? children->nelts : 0;

    *found = 0;
    while (low < high) {
        int middle = (low + high) / 2;
        const node_t *child = APR_ARRAY_IDX(children, middle, node_t *);
        apr_size_t shorter = child->length < segment.length ? child->length : segment.length;
        int order = memcmp(segment.bytes, child->literal, shorter);

        if (order == 0)
            order = segment.length < child->length ? -1 : segment.length > child->length;
        if (order == 0) {
            *found = 1;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The child for a literal segment, made if it is not there yet. */
static node_t *literal_child(apr_pool_t *pool, node_t *node, segment_t segment)
{
    int found, at = position(node->children, segment, &found);
    node_t *child;

    if (found)
        return APR_ARRAY_IDX(node->children, at, node_t *);
    child = apr_pcalloc(pool, sizeof(*child));
    child->literal = apr_pstrmemdup(pool, segment.bytes, segment.length);
    child->length = segment.length;
    if (!node->children)
        node->children = apr_array_make(pool, 4, sizeof(node_t *));
    APR_ARRAY_PUSH(node->children, node_t *) = child;
    memmove(&APR_ARRAY_IDX(node->children, at + 1, node_t *), &APR_ARRAY_IDX(node->children, at, node_t *),
            sizeof(node_t *) * (size_t)(node->children->nelts - 1 - at));
    APR_ARRAY_IDX(node->children, at, node_t *) = child;
    return child;
}

static const char *parse_methods(apr_pool_t *pool, const char *text, unsigned *methods)
{
    *methods = 0;
    for (const char *name = text;;) {
        apr_size_t length = strcspn(name, ",");
        unsigned bit = bit_of(name, length);

        if (!bit)
            return apr_psprintf(pool,
                                "'%s' is not a method of a route; write GET, POST, PUT, PATCH or DELETE, or several as "
                                "POST,PUT (HEAD and OPTIONS follow by themselves)",
                                apr_pstrmemdup(pool, name, length));
        if (*methods & bit)
            return apr_psprintf(pool, "%s stands twice; write each method once", apr_pstrmemdup(pool, name, length));
        *methods |= bit;
        if (!name[length])
            return NULL;
        name += length + 1;
    }
}

static const char *parse_target(apr_pool_t *pool, const char *text, rest_route_t *route)
{
    apr_size_t length = strlen(text);

    if (length > 2 && !strcmp(text + length - 2, "()")) {
        route->is_function = 1;
        length -= 2;
    }
    route->target = apr_pstrmemdup(pool, text, length);
    if (!trestle_setting_is_identifier(route->target))
        return apr_psprintf(pool,
                            "target '%s' is not the name of a function, table or view; write for example "
                            "project_detail() or project, without a schema (RestSchema names it)",
                            text);
    return NULL;
}

/* Checks one segment of a template; a variable's name goes into route. */
static const char *parse_segment(apr_pool_t *pool, const char *path, segment_t segment, rest_route_t *route,
                                 int *is_variable)
{
    const char *text = apr_pstrmemdup(pool, segment.bytes, segment.length), *name;

    *is_variable = text[0] == '{' && text[segment.length - 1] == '}';
    if (!*is_variable) {
        if (!strcmp(text, ".") || !strcmp(text, "..") || text[strcspn(text, "{}%?#\\\"<>^`| ")])
            return apr_psprintf(pool,
                                "segment '%s' of %s is neither plain text nor one whole variable; write for example "
                                "/projects/detail/{id}",
                                text, path);
        return NULL;
    }
    name = apr_pstrmemdup(pool, text + 1, segment.length - 2);
    if (!trestle_setting_is_identifier(name))
        return apr_psprintf(pool, "variable %s of %s is not a plain name; write for example {id}", text, path);
    for (int i = 0; i < route->nvariables; i++)
        if (!strcmp(route->variables[i], name))
            return apr_psprintf(pool, "variable {%s} stands twice in %s; give each its own name", name, path);
    if (route->nvariables == REST_VARIABLES_MAX)
        return apr_psprintf(pool, "%s has more than %d variables", path, REST_VARIABLES_MAX);
    route->variables[route->nvariables++] = name;
    return NULL;
}

const char *rest_routes_add(rest_routes_t *routes, apr_pool_t *pool, const char *methods, const char *path,
                            const char *target)
{
    rest_route_t *route = apr_pcalloc(pool, sizeof(*route));
    segment_t segments[REST_SEGMENTS_MAX];
    int variable[REST_SEGMENTS_MAX], n = split(path, segments);
    node_t *node = &routes->root;
    const char *mistake;

    if (n < 0)
        return apr_psprintf(pool,
                            "'%s' is not a path template; write for example /projects/detail/{id}: from the root, no "
                            "empty segments, at most %d",
                            path, REST_SEGMENTS_MAX);
    if ((mistake = parse_methods(pool, methods, &route->methods)) || (mistake = parse_target(pool, target, route)))
        return mistake;
    route->path = path;
    for (int i = 0; i < n; i++)
        if ((mistake = parse_segment(pool, path, segments[i], route, &variable[i])))
            return mistake;
    route->ends_in_variable = n > 0 && variable[n - 1];
    for (int i = 0; i < n; i++) {
        if (!variable[i])
            node = literal_child(pool, node, segments[i]);
        else
            node = node->variable ? node->variable : (node->variable = apr_pcalloc(pool, sizeof(*node)));
    }
    for (unsigned i = 0; i < REST_METHODS; i++)
        if (route->methods & 1u << i && node->routes[i])
            return apr_psprintf(pool, "%s %s already goes to %s (as %s); remove one of the two", method_names[i], path,
                                node->routes[i]->target, node->routes[i]->path);
    for (unsigned i = 0; i < REST_METHODS; i++)
        if (route->methods & 1u << i)
            node->routes[i] = route;
    return NULL;
}

/* A variable's value as a string. */
static const char *value_of(apr_pool_t *pool, segment_t segment)
{
    char *value = apr_pstrmemdup(pool, segment.bytes, segment.length), *out = strchr(value, '%');

    if (!out)
        return value;
    for (const char *in = out; *in;) {
        if (in[0] == '%' && in[1] == '2' && (in[2] == 'F' || in[2] == 'f')) {
            *out++ = '/';
            in += 3;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return value;
}

/* A walk down the tree: literal children first, then the variable. */
typedef struct {
    const segment_t *segments;
    int nsegments;
    segment_t variables[REST_SEGMENTS_MAX];
    unsigned method;
    rest_match_t *match;
} walk_t;

static const rest_route_t *descend(walk_t *walk, const node_t *node, int at, int nvariables)
{
    const rest_route_t *route;
    int found, i;

    if (at == walk->nsegments) {
        for (unsigned m = 0; m < REST_METHODS; m++)
            if (node->routes[m])
                walk->match->allowed |= 1u << m;
        for (unsigned m = 0; m < REST_METHODS; m++)
            if (walk->method & 1u << m)
                return node->routes[m];
        return NULL;
    }
    i = position(node->children, walk->segments[at], &found);
    if (found && (route = descend(walk, APR_ARRAY_IDX(node->children, i, node_t *), at + 1, nvariables)))
        return route;
    if (!node->variable)
        return NULL;
    walk->variables[nvariables] = walk->segments[at];
    return descend(walk, node->variable, at + 1, nvariables + 1);
}

int rest_routes_match(const rest_routes_t *routes, apr_pool_t *pool, unsigned method, const char *path,
                      rest_match_t *match)
{
    segment_t segments[REST_SEGMENTS_MAX];
    walk_t walk = { segments, split(path, segments), { { 0 } }, method, match };

    if (walk.nsegments < 0 || !(match->route = descend(&walk, &routes->root, 0, 0)))
        return 0;
    for (int i = 0; i < match->route->nvariables; i++)
        match->values[i] = value_of(pool, walk.variables[i]);
    return 1;
}
