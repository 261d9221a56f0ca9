#include "jwt_path.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6901 section 4: ~1 is a slash, ~0 a tilde; no other tilde may stand. */
static int unescape(char *name)
{
    char *out = name;

    for (; *name; name++) {
        *out++ = *name;
        if (*name == '~') {
            if (*++name != '0' && *name != '1')
                return 0;
            out[-1] = *name == '1' ? '/' : '~';
        }
    }
    *out = '\0';
    return 1;
}

const char *jwt_path_parse(apr_pool_t *pool, const char *text, jwt_path_t *path)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));

    path->names = names;
    if (!*text)
        return "is no name of a claim: write for example role, or /realm_access/roles for one within another";
    if (*text != '/') {
        APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(pool, text);
        return NULL;
    }
    while (*text) {
        const char *end = strchr(++text, '/');
        char *name = end ? apr_pstrndup(pool, text, (apr_size_t)(end - text)) : apr_pstrdup(pool, text);

        if (!unescape(name))
            return "is no JSON Pointer: within one write ~1 for a slash and ~0 for a tilde";
        APR_ARRAY_PUSH(names, const char *) = name;
        text = end ? end : "";
    }
    return NULL;
}

/* RFC 6901 section 4: the index of an element, without leading zeros. */
static const jwt_json_t *element(const jwt_json_t *array, const char *index)
{
    const jwt_json_t *item = jwt_json_first(array);
    apr_size_t n = strspn(index, "0123456789");

    if (n < 1 || n > 5 || index[n] || (n > 1 && *index == '0'))
        return NULL;
    for (int i = atoi(index); item && i > 0; i--)
        item = jwt_json_next(array, item);
    return item;
}

const jwt_json_t *jwt_path_find(const jwt_path_t *path, const jwt_json_t *claims)
{
    for (int i = 0; path && claims && i < path->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(path->names, i, const char *);

        claims = claims->type == TRESTLE_JSON_ARRAY ? element(claims, name) : jwt_json_member(claims, name);
    }
    return path ? claims : NULL;
}
