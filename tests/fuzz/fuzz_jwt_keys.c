/* JWK and JWK Set files, which an operator may have from anywhere. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>

#include "auth_jwt/jwt_jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int initialized;
    apr_array_header_t *keys;
    apr_pool_t *pool;
    int is_secret;

    if (!initialized)
        initialized = apr_initialize() == APR_SUCCESS;
    apr_pool_create(&pool, NULL);
    keys = apr_array_make(pool, 2, sizeof(jwt_key_t *));
    jwt_jwk_read(pool, apr_pstrmemdup(pool, (const char *)data, size), size, jwt_algorithm("RS256"), keys, &is_secret);
    apr_pool_destroy(pool);
    return 0;
}
