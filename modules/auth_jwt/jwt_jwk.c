#include "jwt_jwk.h"

#include "encoding.h"
#include "jwt_json.h"
#include "jwt_token.h"

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

/* Elliptic curves, with what a key on them is for: one algorithm each. */
static const struct {
    const char *name; /* as "crv" has it */
    const char *algorithm;
} CURVES[] = { { "P-256", "ES256" }, { "P-384", "ES384" }, { "P-521", "ES512" }, { "Ed25519", "EdDSA" } };

/* A JWK being read. */
typedef struct {
    apr_pool_t *pool;
    const jwt_json_t *json;
    const jwt_algorithm_t *algorithm;
    const char *id;
} jwk_t;

/* The decoded base64url value of a member; NULL if it is absent, malformed or empty. */
static unsigned char *bytes_of(const jwk_t *jwk, const char *name, apr_size_t *n)
{
    const jwt_json_t *value = jwt_json_member(jwk->json, name);
    unsigned char *bytes;

    if (!value || value->type != TRESTLE_JSON_STRING
        || trestle_base64url_decode(jwk->pool, value->text, value->length, &bytes, n) != APR_SUCCESS || *n == 0)
        return NULL;
    return bytes;
}

/* A positive number (RFC 7518 section 2): no leading zeros. */
static int push_number(const jwk_t *jwk, OSSL_PARAM_BLD *builder, const char *name, const char *parameter,
                       BIGNUM **number)
{
    apr_size_t n;
    const unsigned char *bytes = bytes_of(jwk, name, &n);

    return bytes && bytes[0] != 0 && (*number = BN_bin2bn(bytes, (int)n, NULL))
           && OSSL_PARAM_BLD_push_BN(builder, parameter, *number);
}

/* The public key of what was put into builder. */
static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *rsa_key(const jwk_t *jwk)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = NULL, *e = NULL;
    EVP_PKEY *key = NULL;

    if (builder && push_number(jwk, builder, "n", OSSL_PKEY_PARAM_RSA_N, &n)
        && push_number(jwk, builder, "e", OSSL_PKEY_PARAM_RSA_E, &e))
        key = build("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

/* Both coordinates have the full length of the curve's field (RFC 7518 section 6.2.1.2). */
static EVP_PKEY *ec_key(const jwk_t *jwk)
{
    apr_size_t size = jwk->algorithm->size, x_length, y_length;
    const unsigned char *x = bytes_of(jwk, "x", &x_length), *y = bytes_of(jwk, "y", &y_length);
    OSSL_PARAM_BLD *builder;
    unsigned char point[133];
    EVP_PKEY *key = NULL;

    if (!x || !y || x_length != size || y_length != size || !(builder = OSSL_PARAM_BLD_new()))
        return NULL;
    point[0] = 4; /* uncompressed */
    memcpy(point + 1, x, size);
    memcpy(point + 1 + size, y, size);
    if (OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, jwk->algorithm->curve, 0)
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size))
        key = build("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *okp_key(const jwk_t *jwk)
{
    apr_size_t n;
    const unsigned char *x = bytes_of(jwk, "x", &n);

    return x && n == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, n) : NULL;
}

static const char *make_key(const jwk_t *jwk, jwt_key_t **key)
{
    const unsigned char *secret;
    EVP_PKEY *public_key;
    apr_size_t n;

    switch (jwk->algorithm->family) {
    case JWT_HMAC:
        if (!(secret = bytes_of(jwk, "k", &n)))
            return "has no secret: k must be base64url without padding";
        return jwt_key_make_secret(jwk->pool, jwk->algorithm, (const char *)secret, n, jwk->id, key);
    case JWT_ECDSA:
        if (!(public_key = ec_key(jwk)))
            return "is no point of its curve: x and y must be base64url, as long as the curve's field, and on the "
                   "curve";
        break;
    case JWT_EDDSA:
        if (!(public_key = okp_key(jwk)))
            return "is no Ed25519 key: x must be 32 bytes in base64url";
        break;
    default:
        if (!(public_key = rsa_key(jwk)))
            return "is no RSA key: n and e must be base64url numbers without leading zeros";
    }
    return jwt_key_make_public(jwk->pool, jwk->algorithm, public_key, jwk->id, key);
}

/* 1 if the key says that signatures are verified with it, or does not say what it is for. */
static int is_for_signatures(const jwt_json_t *json)
{
    const jwt_json_t *use = jwt_json_member(json, "use"), *operations = jwt_json_member(json, "key_ops");

    if (use && !jwt_json_is(use, "sig"))
        return 0;
    for (const jwt_json_t *item = jwt_json_first(operations); item; item = jwt_json_next(operations, item))
        if (jwt_json_is(item, "verify"))
            return 1;
    return operations == NULL;
}

/* What a key of this kind is for: by its curve, else by alg, else by configuration. NULL: nothing of ours. */
static const jwt_algorithm_t *algorithm_of(apr_pool_t *pool, const jwt_json_t *json, const jwt_algorithm_t *fallback)
{
    const char *named = jwt_json_string(pool, jwt_json_member(json, "alg"));
    const jwt_json_t *type = jwt_json_member(json, "kty"), *curve = jwt_json_member(json, "crv");
    const jwt_algorithm_t *algorithm = named ? jwt_algorithm(named) : fallback;

    if (jwt_json_is(type, "EC") || jwt_json_is(type, "OKP")) {
        for (unsigned i = 0; i < sizeof(CURVES) / sizeof(CURVES[0]); i++)
            if (jwt_json_is(curve, CURVES[i].name) && jwt_json_is(type, "OKP") == !strcmp(CURVES[i].name, "Ed25519")
                && (!named || !strcmp(named, CURVES[i].algorithm)))
                return jwt_algorithm(CURVES[i].algorithm);
        return NULL;
    }
    if (!algorithm || (!jwt_json_is(type, "RSA") && !jwt_json_is(type, "oct")))
        return NULL;
    if (jwt_json_is(type, "oct") ? algorithm->family == JWT_HMAC
                                 : algorithm->family == JWT_RSA || algorithm->family == JWT_RSA_PSS)
        return algorithm;
    return NULL;
}

/* 1 if the key lacks alg, and needs one because its kind has several. */
static int lacks_algorithm(const jwt_json_t *json)
{
    const jwt_json_t *type = jwt_json_member(json, "kty");

    return !jwt_json_member(json, "alg") && (jwt_json_is(type, "RSA") || jwt_json_is(type, "oct"));
}

static const char *check_id(apr_pool_t *pool, const jwt_json_t *json, const char **id)
{
    const jwt_json_t *value = jwt_json_member(json, "kid");

    *id = jwt_json_string(pool, value);
    return value && (!*id || !jwt_token_is_key_id(*id)) ? "has no proper kid: use 1-128 letters, digits and ._~:@=+/-"
                                                        : NULL;
}

/* Reads one key; passes over what is not for us. */
static const char *read_key(apr_pool_t *pool, const jwt_json_t *json, const jwt_algorithm_t *fallback,
                            apr_array_header_t *keys)
{
    jwk_t jwk = { pool, json, NULL, NULL };
    jwt_key_t *key;
    const char *mend;

    if (json->type != TRESTLE_JSON_OBJECT || !jwt_json_member(json, "kty"))
        return "is no JWK: it needs a kty";
    if (!is_for_signatures(json))
        return NULL;
    if ((mend = check_id(pool, json, &jwk.id)))
        return mend;
    if (!(jwk.algorithm = algorithm_of(pool, json, fallback)))
        return lacks_algorithm(json) ? "names no alg, and the directive names none that fits: add it to either" : NULL;
    if ((mend = make_key(&jwk, &key)))
        return mend;
    if (jwt_key_collides(pool, keys, key, &mend))
        return apr_pstrcat(pool, "cannot be told from another: ", mend, NULL);
    APR_ARRAY_PUSH(keys, jwt_key_t *) = key;
    return NULL;
}

/* 1 if a key has a member that must not be seen (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1). */
static int has_secret(const jwt_json_t *json)
{
    return jwt_json_member(json, "d") || jwt_json_member(json, "k");
}

const char *jwt_jwk_read(apr_pool_t *pool, const char *bytes, apr_size_t n, const jwt_algorithm_t *algorithm,
                         apr_array_header_t *keys, int *is_secret)
{
    const jwt_json_t *root = jwt_json_object(pool, bytes, n), *set = jwt_json_member(root, "keys"), *item;
    const int before = keys->nelts;
    int position = 1;
    const char *mend;

    if (!root || (set && set->type != TRESTLE_JSON_ARRAY))
        return "is no JWK and no JWK Set: it must be a JSON object (UTF-8, no member twice), a set with an array keys";
    if (set) {
        *is_secret = 0;
        for (item = jwt_json_first(set); item; item = jwt_json_next(set, item), position++) {
            *is_secret |= has_secret(item);
            if ((mend = read_key(pool, item, algorithm, keys)))
                return apr_psprintf(pool, "key %d %s", position, mend);
        }
    } else {
        *is_secret = has_secret(root);
        if ((mend = read_key(pool, root, algorithm, keys)))
            return mend;
    }
    return keys->nelts > before
               ? NULL
               : apr_psprintf(pool, "has no key that verifies signatures by one of %s", jwt_algorithm_names(pool));
}
