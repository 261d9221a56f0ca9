#include "jwt_credential.h"

#include "cookie.h"

#include <string.h>
#include <strings.h>

/* RFC 6750 section 2.1: "Bearer" 1*SP b64token. A comma means that httpd has joined two headers. */
static jwt_credential_e from_bearer(const char *value, jwt_credential_t *found)
{
    if (strncasecmp(value, "Bearer", 6) || (value[6] && value[6] != ' '))
        return JWT_CREDENTIAL_REFUSED;
    found->text = value + 6 + strspn(value + 6, " ");
    found->length = strlen(found->text);
    return !found->length || strpbrk(found->text, ", \t") ? JWT_CREDENTIAL_MALFORMED : JWT_CREDENTIAL_FOUND;
}

static jwt_credential_e from_header(const char *value, jwt_credential_t *found)
{
    found->text = value;
    found->length = strlen(value);
    return strpbrk(value, ", \t") ? JWT_CREDENTIAL_MALFORMED : JWT_CREDENTIAL_FOUND;
}

static jwt_credential_e from_cookie(const char *cookies, const char *name, jwt_credential_t *found)
{
    int count = trestle_cookie_find(cookies, name, &found->text, &found->length);

    return !count ? JWT_CREDENTIAL_ABSENT : count == 1 ? JWT_CREDENTIAL_FOUND : JWT_CREDENTIAL_REFUSED;
}

static jwt_credential_e from(const apr_table_t *headers, const jwt_source_t *source, jwt_credential_t *found)
{
    static const char *const header[] = { "Authorization", "Cookie", NULL };
    const char *value = apr_table_get(headers, source->kind == JWT_FROM_HEADER ? source->name : header[source->kind]);

    if (!value)
        return JWT_CREDENTIAL_ABSENT;
    switch (source->kind) {
    case JWT_FROM_BEARER:
        return from_bearer(value, found);
    case JWT_FROM_COOKIE:
        return from_cookie(value, source->name, found);
    default:
        return from_header(value, found);
    }
}

jwt_credential_e jwt_credential_find(const apr_table_t *headers, const apr_array_header_t *sources,
                                     jwt_credential_t *found)
{
    for (int i = 0; i < sources->nelts; i++) {
        const jwt_source_t *source = &APR_ARRAY_IDX(sources, i, jwt_source_t);
        jwt_credential_e outcome = from(headers, source, found);

        if (outcome != JWT_CREDENTIAL_ABSENT) {
            found->source = source;
            return outcome;
        }
    }
    found->source = NULL;
    return JWT_CREDENTIAL_ABSENT;
}

const char *jwt_source_name(const jwt_source_t *source)
{
    return source->kind == JWT_FROM_BEARER ? "bearer" : source->kind == JWT_FROM_COOKIE ? "cookie" : "header";
}
