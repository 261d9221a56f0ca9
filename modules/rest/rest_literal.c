#include "rest_literal.h"

#include <apr_strings.h>
#include <string.h>

/* The value between quotes at *at, which moves behind the closing one; NULL if there is none. */
static const char *quoted_value(apr_pool_t *pool, const char **at)
{
    char *value = apr_palloc(pool, strlen(*at)), *out = value;
    const char *in = *at + 1;

    for (; *in && *in != '"'; in++) {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        *out++ = *in;
    }
    if (!*in)
        return NULL;
    *out = '\0';
    *at = in + 1;
    return value;
}

apr_array_header_t *rest_literal_split(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *texts = apr_array_make(pool, 4, sizeof(const char *));

    if (!*text)
        return texts;
    for (const char *at = text;; at++) {
        const char *value;

        if (*at == '"') {
            if (!(value = quoted_value(pool, &at)) || (*at && *at != ','))
                return NULL;
        } else {
            apr_size_t n = strcspn(at, ",");

            value = apr_pstrmemdup(pool, at, n);
            at += n;
        }
        APR_ARRAY_PUSH(texts, const char *) = value;
        if (!*at)
            return texts;
    }
}

/* Copies text, with a backslash before each of the characters special. */
static char *add_escaped(char *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            *out++ = '\\';
        *out++ = *text;
    }
    return out;
}

const char *rest_literal_array(apr_pool_t *pool, const apr_array_header_t *texts)
{
    apr_size_t length = 3;
    char *literal, *out;

    for (int i = 0; i < texts->nelts; i++)
        length += 2 * strlen(APR_ARRAY_IDX(texts, i, const char *)) + 3;
    literal = out = apr_palloc(pool, length);
    *out++ = '{';
    for (int i = 0; i < texts->nelts; i++) {
        if (i > 0)
            *out++ = ',';
        *out++ = '"';
        out = add_escaped(out, APR_ARRAY_IDX(texts, i, const char *), "\"\\");
        *out++ = '"';
    }
    *out++ = '}';
    *out = '\0';
    return literal;
}

const char *rest_literal_like(apr_pool_t *pool, const char *before, const char *text, const char *behind)
{
    char *escaped = apr_palloc(pool, 2 * strlen(text) + 1);

    *add_escaped(escaped, text, "\\%_") = '\0';
    return apr_pstrcat(pool, before, escaped, behind, NULL);
}
