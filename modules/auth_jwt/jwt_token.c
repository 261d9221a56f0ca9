#include "jwt_token.h"

#include "encoding.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const char KEY_ID_BYTES[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";

json_t *jwt_json_object(const char *bytes, apr_size_t n)
{
    json_t *value = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);

    if (value && !json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

/* "typ" of RFC 7519 section 5.1 and RFC 9068 section 2.1; other kinds of token are not credentials. */
static int is_type(const char *type)
{
    if (!strncasecmp(type, "application/", 12))
        type += 12;
    return !strcasecmp(type, "JWT") || !strcasecmp(type, "at+jwt");
}

int jwt_token_is_key_id(const char *id)
{
    size_t n = strspn(id, KEY_ID_BYTES);

    return n > 0 && n <= 128 && !id[n];
}

/* Header parameters that change what is signed, or that bring a key along, are not understood on purpose. */
static const char *check_header(apr_pool_t *pool, const json_t *header, jwt_token_t *token)
{
    static const char *const refused[] = { "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c" };
    const json_t *algorithm = json_object_get(header, "alg");
    const json_t *type = json_object_get(header, "typ");
    const json_t *key_id = json_object_get(header, "kid");

    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (json_object_get(header, refused[i]))
            return "its header has a parameter that is not accepted";
    if (!json_is_string(algorithm))
        return "its header names no algorithm";
    if (type && (!json_is_string(type) || !is_type(json_string_value(type))))
        return "its header has another type than JWT";
    if (key_id && (!json_is_string(key_id) || !jwt_token_is_key_id(json_string_value(key_id))))
        return "its header has a malformed kid";
    token->algorithm = apr_pstrdup(pool, json_string_value(algorithm));
    token->key_id = key_id ? apr_pstrdup(pool, json_string_value(key_id)) : NULL;
    return NULL;
}

static const char *parse_header(apr_pool_t *pool, const char *text, apr_size_t length, jwt_token_t *token)
{
    unsigned char *bytes;
    apr_size_t n;
    json_t *header;
    const char *reason;

    if (trestle_base64url_decode(pool, text, length, &bytes, &n) != APR_SUCCESS)
        return "its header is not base64url";
    if (!(header = jwt_json_object((const char *)bytes, n)))
        return "its header is not a JSON object";
    reason = check_header(pool, header, token);
    json_decref(header);
    return reason;
}

const char *jwt_token_parse(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t limit, jwt_token_t *token)
{
    const char *end = text + length, *payload, *signature, *reason;
    unsigned char *bytes;

    if (length > limit)
        return "it is longer than AuthJWTMaxLength";
    payload = memchr(text, '.', length);
    signature = payload ? memchr(payload + 1, '.', (size_t)(end - payload - 1)) : NULL;
    if (!signature || memchr(signature + 1, '.', (size_t)(end - signature - 1)))
        return "it has not three parts";
    if (payload == text || signature == payload + 1 || signature + 1 == end)
        return "one of its parts is empty";
    if ((reason = parse_header(pool, text, (apr_size_t)(payload - text), token)))
        return reason;
    token->signed_part = text;
    token->signed_length = (apr_size_t)(signature - text);
    if (trestle_base64url_decode(pool, payload + 1, (apr_size_t)(signature - payload - 1), &bytes,
                                 &token->payload_length)
        != APR_SUCCESS)
        return "its payload is not base64url";
    token->payload = (const char *)bytes;
    if (trestle_base64url_decode(pool, signature + 1, (apr_size_t)(end - signature - 1), &bytes,
                                 &token->signature_length)
        != APR_SUCCESS)
        return "its signature is not base64url";
    token->signature = bytes;
    return NULL;
}
