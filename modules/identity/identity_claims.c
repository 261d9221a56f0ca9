#include "identity_claims.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void set_text(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, json_string(value));
    else
        json_object_del(object, name);
}

const char *identity_claims_text(apr_pool_t *pool, const identity_claims_t *claims, const char *more)
{
    json_t *object = more ? json_loadb(more, strlen(more), JSON_REJECT_DUPLICATES, NULL) : json_object();
    const char *text = NULL;
    char *dump;

    if (json_is_object(object)) {
        set_text(object, "sub", claims->subject);
        set_text(object, "sid", claims->session);
        set_text(object, "jti", claims->id);
        set_text(object, "iss", claims->issuer);
        set_text(object, "aud", claims->audience);
        json_object_set_new(object, "iat", json_integer(apr_time_sec(claims->issued)));
        json_object_set_new(object, "exp", json_integer(apr_time_sec(claims->expires)));
        if ((dump = json_dumps(object, JSON_COMPACT))) {
            text = apr_pstrdup(pool, dump);
            free(dump);
        }
    }
    json_decref(object);
    return text;
}
