#include "jwt_sign.h"

#include "jwt_json.h"
#include "jwt_token.h"
#include "jwt_verify.h"

#include <apr_strings.h>
#include <jwt.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MOST = 65536 };

struct jwt_signer_t {
    const jwt_algorithm_t *algorithm;
    jwt_alg_t library_algorithm;
    const char *id;             /* kid; NULL if it has none */
    const unsigned char *bytes; /* what libjwt takes as key: secret or PEM text */
    int n;                      /* never 0: libjwt would then sign nothing and call it "none" */
};

int jwt_sign_offers(const jwt_algorithm_t *algorithm)
{
    return algorithm->family == JWT_HMAC || algorithm->family == JWT_RSA || algorithm->family == JWT_ECDSA;
}

static const char *check_private(const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n)
{
    EVP_PKEY *key;

    if (algorithm->family == JWT_HMAC)
        return NULL;
    if (!(key = jwt_key_private(bytes, n)))
        return "is not an unencrypted PEM private key, which signing needs";
    EVP_PKEY_free(key);
    return NULL;
}

/* A token of this signer must pass our own verifier: the library's limits are found here and not at a login. */
static int passes_trial(apr_pool_t *pool, const jwt_signer_t *signer, const jwt_key_t *key)
{
    const char *text;
    jwt_token_t token;

    return jwt_sign(pool, signer, "{\"sub\":\"trial\"}", &text) == APR_SUCCESS
           && jwt_token_parse(pool, text, strlen(text), TOKEN_MOST, &token) == NULL
           && !strcmp(token.algorithm, key->algorithm->name) && jwt_verify(key, &token);
}

const char *jwt_signer_make(apr_pool_t *pool, const jwt_algorithm_t *algorithm, const char *bytes, apr_size_t n,
                            const char *id, jwt_signer_t **made)
{
    jwt_signer_t *signer = apr_pcalloc(pool, sizeof(*signer));
    jwt_key_t *key;
    const char *mend;

    if (!jwt_sign_offers(algorithm))
        return apr_psprintf(pool, "cannot sign: tokens are signed with an HS, RS or ES algorithm, %s is only verified",
                            algorithm->name);
    if ((mend = jwt_key_make(pool, algorithm, bytes, n, id, &key)) || (mend = check_private(algorithm, bytes, n)))
        return mend;
    signer->algorithm = algorithm;
    signer->library_algorithm = jwt_str_alg(algorithm->name);
    signer->id = key->id;
    signer->bytes = apr_pmemdup(pool, bytes, n);
    signer->n = (int)n;
    if (!passes_trial(pool, signer, key))
        return "does not sign a trial token that verifies: make a new key";
    *made = signer;
    return NULL;
}

/* The compact token of a library object that has its claims, in malloc'd memory; NULL if the library refuses. */
static char *encode(jwt_t *jwt, const jwt_signer_t *signer)
{
    if (jwt_set_alg(jwt, signer->library_algorithm, signer->bytes, signer->n) != 0
        || jwt_get_alg(jwt) != signer->library_algorithm || (signer->id && jwt_add_header(jwt, "kid", signer->id) != 0))
        return NULL;
    return jwt_encode_str(jwt);
}

apr_status_t jwt_sign(apr_pool_t *pool, const jwt_signer_t *signer, const char *claims, const char **token)
{
    apr_size_t n = strlen(claims);
    char *text = NULL;
    jwt_t *jwt = NULL;

    if (n > TOKEN_MOST / 2 || !jwt_json_object(pool, claims, n))
        return APR_EINVAL;
    if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims) == 0)
        text = encode(jwt, signer);
    jwt_free(jwt);
    if (!text) {
        ERR_clear_error();
        return APR_EGENERAL;
    }
    *token = apr_pstrdup(pool, text);
    free(text);
    return APR_SUCCESS;
}
