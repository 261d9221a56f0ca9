#include "section.h"

#include <apr_fnmatch.h>
#include <string.h>
#include <strings.h>

static int is_named(const ap_directive_t *directive, const char *name)
{
    return !strcasecmp(directive->directive, name);
}

/* The <VirtualHost> around a directive; NULL in the main server. */
static const ap_directive_t *host_of(const ap_directive_t *directive)
{
    while (directive && !is_named(directive, "<VirtualHost"))
        directive = directive->parent;
    return directive;
}

/* The path of the plain <Location> around a directive, "" for what stands in no section; NULL where only a request
 * tells. */
static const char *path_of(apr_pool_t *pool, const ap_directive_t *directive)
{
    const ap_directive_t *section = directive->parent;
    const char *arguments;
    char *path;

    if (!section || is_named(section, "<VirtualHost"))
        return "";
    arguments = section->args;
    path = ap_getword_conf(pool, &arguments);
    if (*path && path[strlen(path) - 1] == '>') /* <Location /a> without quotes */
        path[strlen(path) - 1] = '\0';
    return is_named(section, "<Location") && *path == '/' && !apr_fnmatch_test(path)
                   && (!section->parent || is_named(section->parent, "<VirtualHost"))
               ? path
               : NULL;
}

/* 1 if one path is the other or below it. */
static int is_below(const char *path, const char *base)
{
    size_t n = strlen(base);

    while (n && base[n - 1] == '/')
        n--;
    return !strncmp(path, base, n) && (!path[n] || path[n] == '/');
}

/* 1 if both directives may count for one request. */
static int may_meet(apr_pool_t *pool, const ap_directive_t *one, const ap_directive_t *other)
{
    const ap_directive_t *host = host_of(one), *other_host = host_of(other);
    const char *path = path_of(pool, one), *other_path = path_of(pool, other);

    if (host && other_host && host != other_host)
        return 0;
    return !path || !other_path || is_below(path, other_path) || is_below(other_path, path);
}

/* The directive behind this one in the order of the file, its own contents first. */
static const ap_directive_t *next(const ap_directive_t *directive)
{
    if (directive->first_child)
        return directive->first_child;
    while (directive && !directive->next)
        directive = directive->parent;
    return directive ? directive->next : NULL;
}

int trestle_section_provides(apr_pool_t *pool, const ap_directive_t *directive, const char *needed)
{
    for (const ap_directive_t *each = ap_conftree; each; each = next(each))
        if (is_named(each, needed) && may_meet(pool, directive, each))
            return 1;
    return 0;
}

const ap_directive_t *trestle_section_lacking(apr_pool_t *pool, const char *handler, const char *needed)
{
    for (const ap_directive_t *each = ap_conftree; each; each = next(each)) {
        const char *arguments = each->args;

        if (is_named(each, "SetHandler") && !strcmp(ap_getword_conf(pool, &arguments), handler)
            && !trestle_section_provides(pool, each, needed))
            return each;
    }
    return NULL;
}
