#include "jwt_token.h"

#include "encoding.h"
#include "jwt_json.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const char KEY_ID_BYTES[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@=+/-";

int jwt_token_is_key_id(const char *id)
{
    size_t n = strspn(id, KEY_ID_BYTES);

    return n > 0 && n <= 128 && !id[n];
}

/* "typ" of RFC 7519 section 5.1 and RFC 9068 section 2.1, NULL if it is no text; other kinds of token are not
 * credentials. */
static int check_type(const char *type, jwt_token_t *token)
{
    if (type && !strncasecmp(type, "application/", 12))
        type += 12;
    token->is_access_token = type && !strcasecmp(type, "at+jwt");
    return token->is_access_token || (type && !strcasecmp(type, "JWT"));
}

/* Header parameters that change what is signed, or that bring a key along, are not understood on purpose. */
static const char *check_header(apr_pool_t *pool, const jwt_json_t *header, jwt_token_t *token)
{
    static const char *const refused[] = { "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c" };
    const jwt_json_t *type = jwt_json_member(header, "typ"), *key_id = jwt_json_member(header, "kid");

    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (jwt_json_member(header, refused[i]))
            return "its header has a parameter that is not accepted";
    if (!(token->algorithm = jwt_json_string(pool, jwt_json_member(header, "alg"))))
        return "its header names no algorithm";
    if (type && !check_type(jwt_json_string(pool, type), token))
        return "its header has another type than JWT";
    token->key_id = jwt_json_string(pool, key_id);
    if (key_id && (!token->key_id || !jwt_token_is_key_id(token->key_id)))
        return "its header has a malformed kid";
    return NULL;
}

static const char *parse_header(apr_pool_t *pool, const char *text, apr_size_t length, jwt_token_t *token)
{
    unsigned char *bytes;
    apr_size_t n;
    const jwt_json_t *header;

    if (trestle_base64url_decode(pool, text, length, &bytes, &n) != APR_SUCCESS)
        return "its header is not base64url";
    if (!(header = jwt_json_object(pool, (const char *)bytes, n)))
        return "its header is not a JSON object";
    return check_header(pool, header, token);
}

const char *jwt_token_parse(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t limit, jwt_token_t *token)
{
    const char *end = text + length, *payload, *signature, *reason;
    unsigned char *bytes;

    memset(token, 0, sizeof(*token));
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
