#include "rest_media.h"

#include "multipart.h"
#include "parameters.h"

#include <string.h>
#include <strings.h>

static int unsupported(rest_fault_t *fault, const char *detail)
{
    return rest_refuse(fault, 415, "UNSUPPORTED_MEDIA_TYPE", detail, NULL);
}

int rest_media_refuse(rest_types_e types, rest_fault_t *fault)
{
    return unsupported(fault, types == REST_TYPES_JSON
                                  ? "Send the body as application/json."
                                  : "Send the body as application/json, application/x-www-form-urlencoded or "
                                    "multipart/form-data.");
}

const char *rest_media_accepted(rest_types_e types)
{
    return types == REST_TYPES_JSON ? "application/json"
                                    : "application/json, application/x-www-form-urlencoded, multipart/form-data";
}

/* The bytes of "type/subtype" at the start of text; 0 if it is none. */
static apr_size_t essence_length(const char *text)
{
    apr_size_t type = trestle_token_length(text), subtype;

    if (type == 0 || text[type] != '/')
        return 0;
    subtype = trestle_token_length(text + type + 1);
    return subtype ? type + 1 + subtype : 0;
}

static rest_media_e kind_of(const char *type, apr_size_t n)
{
    static const struct {
        const char *name;
        rest_media_e kind;
    } kinds[] = { { "application/json", REST_MEDIA_JSON },
                  { "application/x-www-form-urlencoded", REST_MEDIA_FORM },
                  { "multipart/form-data", REST_MEDIA_MULTIPART },
                  { "text/plain", REST_MEDIA_TEXT } };

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].name) == n && !strncasecmp(kinds[i].name, type, n))
            return kinds[i].kind;
    return REST_MEDIA_OTHER;
}

/* Reads the parameters behind the type. *malformed tells whether they cannot be read as such. */
static int read_parameters(apr_pool_t *pool, const char *at, rest_media_t *media, rest_fault_t *fault, int *malformed)
{
    const char *name, *value;
    int more;

    while ((more = trestle_parameters_next(pool, &at, &name, &value)) == 1) {
        if (!strcmp(name, "charset") && strcasecmp(value, "utf-8") && strcasecmp(value, "utf8"))
            return unsupported(fault, "Send the body in UTF-8.");
        if (!strcmp(name, "boundary") && media->kind == REST_MEDIA_MULTIPART) {
            if (media->boundary || !trestle_boundary_is_valid(value))
                return rest_refuse(fault, 400, "VALIDATION_ERROR", "The boundary of the body is malformed.", NULL);
            media->boundary = value;
        }
    }
    *malformed = more < 0;
    return 1;
}

static int parse(apr_pool_t *pool, const char *type, rest_media_t *media, rest_fault_t *fault, int *malformed)
{
    apr_size_t n = essence_length(type);

    *malformed = n == 0;
    *media = (rest_media_t){ n ? kind_of(type, n) : REST_MEDIA_OTHER, NULL };
    if (n && !read_parameters(pool, type + n, media, fault, malformed))
        return 0;
    if (!*malformed && media->kind == REST_MEDIA_MULTIPART && !media->boundary)
        return rest_refuse(fault, 400, "VALIDATION_ERROR", "The Content-Type has no boundary.", NULL);
    return 1;
}

int rest_media_parse(apr_pool_t *pool, const char *type, rest_media_t *media, rest_fault_t *fault)
{
    int malformed = 0;

    *media = (rest_media_t){ REST_MEDIA_NONE, NULL };
    if (type && !parse(pool, type, media, fault, &malformed))
        return 0;
    return !malformed || unsupported(fault, "The Content-Type is malformed, or there is more than one.");
}

int rest_media_of_body(apr_pool_t *pool, const char *type, rest_types_e types, rest_media_t *media, rest_fault_t *fault)
{
    int any = types == REST_TYPES_ANY;

    /* A comma may join two fields into one: which of them was meant is not guessed. */
    if (any && (!type || (essence_length(type) == 0 && !strchr(type, ',')))) {
        *media = (rest_media_t){ REST_MEDIA_JSON, NULL };
        return 1;
    }
    if (!rest_media_parse(pool, type, media, fault))
        return 0;
    if (any && (media->kind == REST_MEDIA_TEXT || media->kind == REST_MEDIA_OTHER))
        media->kind = REST_MEDIA_JSON;
    if (media->kind == REST_MEDIA_NONE || media->kind == REST_MEDIA_JSON)
        return 1;
    if (media->kind == REST_MEDIA_FORM || media->kind == REST_MEDIA_MULTIPART)
        return types != REST_TYPES_JSON || rest_media_refuse(types, fault);
    return rest_media_refuse(types, fault);
}
