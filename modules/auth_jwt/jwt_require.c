#include "jwt_require.h"

#include "jwt_caller.h"

#include <apr_strings.h>
#include <string.h>

/* RFC 6749 section 3.3: what a scope's name may hold, so that it can stand in a challenge as it is. */
static int is_scope(const char *name)
{
    for (; *name; name++)
        if (*name <= 0x20 || *name == '"' || *name == '\\' || *name == 0x7F)
            return 0;
    return 1;
}

const char *jwt_require_parse_names(apr_pool_t *pool, const char *what, const apr_array_header_t *words,
                                    jwt_require_t *require)
{
    const char *example = strcmp(what, "scope") ? "admin" : "orders:read";

    require->names = words;
    if (!words->nelts)
        return apr_psprintf(pool, "Require %s: name at least one %s, for example Require %s %s", what, what, what,
                            example);
    for (int i = 0; i < words->nelts; i++) {
        const char *name = APR_ARRAY_IDX(words, i, const char *);

        if (!*name || (!strcmp(what, "scope") && !is_scope(name)))
            return apr_psprintf(pool, "Require %s: '%s' is no name of a %s; write for example Require %s %s", what,
                                name, what, what, example);
    }
    return NULL;
}

/* A word that is JSON's number, true, false or quoted string means that; any other word itself. */
static const jwt_json_t *value_of(apr_pool_t *pool, const char *word)
{
    const jwt_json_t *value = jwt_json_parse(pool, word, strlen(word));
    jwt_json_t *string;

    if (value
        && (value->type == TRESTLE_JSON_NUMBER || value->type == TRESTLE_JSON_BOOLEAN
            || value->type == TRESTLE_JSON_STRING))
        return value;
    string = apr_palloc(pool, sizeof(*string));
    *string = (jwt_json_t){ TRESTLE_JSON_STRING, 1, word, strlen(word) };
    return string;
}

const char *jwt_require_parse_claim(apr_pool_t *pool, const apr_array_header_t *words, jwt_require_t *require)
{
    apr_array_header_t *values = apr_array_make(pool, 2, sizeof(const jwt_json_t *));
    const char *name, *mend;

    require->values = values;
    if (!words->nelts)
        return "Require claim: name a claim and the values it may have, for example Require claim department sales";
    name = APR_ARRAY_IDX(words, 0, const char *);
    if ((mend = jwt_path_parse(pool, name, &require->claim)))
        return apr_psprintf(pool, "Require claim: '%s' %s", name, mend);
    for (int i = 1; i < words->nelts; i++)
        APR_ARRAY_PUSH(values, const jwt_json_t *) = value_of(pool, APR_ARRAY_IDX(words, i, const char *));
    return NULL;
}

int jwt_require_role(const jwt_require_t *require, const trestle_caller_t *caller)
{
    for (int i = 0; i < require->names->nelts; i++)
        if (jwt_caller_has_role(caller, APR_ARRAY_IDX(require->names, i, const char *)))
            return 1;
    return 0;
}

static int is_one_of(const jwt_json_t *value, const apr_array_header_t *values)
{
    for (int i = 0; i < values->nelts; i++)
        if (jwt_json_equal(value, APR_ARRAY_IDX(values, i, const jwt_json_t *)))
            return 1;
    return 0;
}

int jwt_require_claim(const jwt_require_t *require, const jwt_json_t *claims)
{
    const jwt_json_t *claim = jwt_path_find(&require->claim, claims), *item;

    if (!claim || claim->type == TRESTLE_JSON_NULL)
        return 0;
    if (!require->values->nelts || is_one_of(claim, require->values))
        return 1;
    for (item = claim->type == TRESTLE_JSON_ARRAY ? jwt_json_first(claim) : NULL; item;
         item = jwt_json_next(claim, item))
        if (is_one_of(item, require->values))
            return 1;
    return 0;
}

/* 1 if the blank-separated names in a string have name. */
static int has_word(const jwt_json_t *string, const char *name)
{
    const char *at = string->text, *end = at + string->length;
    apr_size_t n = strlen(name);

    while (at < end) {
        const char *blank = memchr(at, ' ', (apr_size_t)(end - at));

        if (!blank)
            blank = end;
        if ((apr_size_t)(blank - at) == n && !memcmp(at, name, n))
            return 1;
        at = blank + 1;
    }
    return 0;
}

static int has_scope(const jwt_json_t *claim, const char *name)
{
    if (claim->type == TRESTLE_JSON_STRING)
        return has_word(claim, name);
    for (const jwt_json_t *item = claim->type == TRESTLE_JSON_ARRAY ? jwt_json_first(claim) : NULL; item;
         item = jwt_json_next(claim, item))
        if (jwt_json_is(item, name))
            return 1;
    return 0;
}

int jwt_require_scope(const jwt_require_t *require, const jwt_json_t *claim)
{
    for (int i = 0; i < require->names->nelts; i++)
        if (!claim || !has_scope(claim, APR_ARRAY_IDX(require->names, i, const char *)))
            return 0;
    return 1;
}

const char *jwt_require_scope_text(apr_pool_t *pool, const jwt_require_t *require)
{
    return apr_array_pstrcat(pool, require->names, ' ');
}
