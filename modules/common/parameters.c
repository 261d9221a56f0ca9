#include "parameters.h"

#include <apr_strings.h>
#include <string.h>

apr_size_t trestle_token_length(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* The characters of the quoted string at *at; NULL if it has no end or holds a control character. */
static const char *read_quoted(apr_pool_t *pool, const char **at)
{
    const char *in = *at + 1;
    char *text = apr_palloc(pool, strlen(in) + 1), *out = text;

    for (; *in != '"'; in++) {
        if (((unsigned char)*in < 0x20 && *in != '\t') || *in == 0x7F)
            return NULL;
        if (in[0] == '\\' && in[1] == '"')
            in++;
        *out++ = *in;
    }
    *out = '\0';
    *at = in + 1;
    return text;
}

int trestle_parameters_next(apr_pool_t *pool, const char **at, const char **name, const char **value)
{
    const char *in = skip_space(*at);
    apr_size_t n;
    char *lower;

    if (*in && *in != ';')
        return -1;
    /* RFC 9110, section 5.6.6: a semicolon need not be followed by a parameter. */
    while (*in == ';')
        in = skip_space(in + 1);
    if (!*in) {
        *at = in;
        return 0;
    }
    n = trestle_token_length(in);
    if (n == 0 || in[n] != '=')
        return -1;
    *name = lower = apr_pstrmemdup(pool, in, n);
    for (; *lower; lower++)
        if (*lower >= 'A' && *lower <= 'Z')
            *lower = (char)(*lower + 'a' - 'A');
    in += n + 1;
    if (*in == '"') {
        if (!(*value = read_quoted(pool, &in)))
            return -1;
    } else {
        if ((n = trestle_token_length(in)) == 0)
            return -1;
        *value = apr_pstrmemdup(pool, in, n);
        in += n;
    }
    *at = in;
    return 1;
}
