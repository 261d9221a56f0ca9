#include "rest_link.h"

#include "encoding.h"
#include "text.h"

#include <apr_lib.h>
#include <string.h>

/* 1 if the pair of a query (n bytes) has the plain name, however it was encoded. */
static int has_name(const char *pair, apr_size_t n, const char *name)
{
    const char *equals = memchr(pair, '=', n);
    apr_size_t encoded = equals ? (apr_size_t)(equals - pair) : n, plain = strlen(name);
    char decoded[64];

    return encoded >= plain && encoded <= sizeof(decoded)
           && trestle_form_decode(pair, encoded, decoded) == (apr_ssize_t)plain && !memcmp(decoded, name, plain);
}

const char *rest_link_with(apr_pool_t *pool, const char *base, const char *args, const char *name, const char *value)
{
    trestle_text_t text = trestle_text_make(pool, 256);
    char joint = '?';
    int found = 0;

    trestle_text_adds(&text, base);
    while (args && *args) {
        apr_size_t n = strcspn(args, "&");

        if (n > 0) {
            trestle_text_addc(&text, joint);
            joint = '&';
            if (has_name(args, n, name)) {
                trestle_text_addf(&text, "%s=%s", name, value);
                found = 1;
            } else {
                trestle_text_add(&text, args, n);
            }
        }
        args += n + (args[n] == '&');
    }
    if (!found)
        trestle_text_addf(&text, "%c%s=%s", joint, name, value);
    return text.bytes;
}

const char *rest_link_row(apr_pool_t *pool, const char *list, const char *const *keys, int nkeys)
{
    trestle_text_t text = trestle_text_make(pool, 128);

    trestle_text_adds(&text, list);
    if (text.length == 0 || text.bytes[text.length - 1] != '/')
        trestle_text_addc(&text, '/');
    for (int i = 0; i < nkeys; i++) {
        for (const char *at = keys[i]; *at; at++)
            if (apr_isalnum(*at) || strchr("-._~", *at))
                trestle_text_addc(&text, *at);
            else
                trestle_text_addf(&text, "%%%02X", (unsigned)(unsigned char)*at);
        trestle_text_addc(&text, '/');
    }
    return text.bytes;
}
