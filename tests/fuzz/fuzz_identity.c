/*
 * What strangers and inherited databases hand to mod_identity: the first byte chooses a refresh token, a stored hash, a
 * form, JSON, or names; the rest is it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>

#include "identity/identity_address.h"
#include "identity/identity_form.h"
#include "identity/identity_refresh_token.h"
#include "identity/identity_stored.h"
#include "trestle_problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const identity_refresh_key_t key = { 1, (const unsigned char *)"the key of the fuzzer, of some 40 bytes.", 40 };

/* What is a token has one spelling: the one that its session and number give. */
static void read_token(apr_pool_t *pool, const char *text, size_t n)
{
    identity_refresh_token_t token;
    const char *made;

    if (identity_refresh_token_read(pool, &key, 1, text, n, &token) != APR_SUCCESS)
        return;
    made = identity_refresh_token_make(pool, &key, token.session, token.number);
    if (!made || strlen(made) != n || memcmp(made, text, n))
        abort();
}

/* Only the form is looked at: hashes of any cost would only cost time. */
static void read_hash(const char *text)
{
    identity_stored_e kind = identity_stored_kind(text);

    if (kind != IDENTITY_STORED_UNKNOWN && strlen(text) > 512)
        abort();
    if (kind == IDENTITY_STORED_UNKNOWN && identity_stored_verify(text, "", 0) != IDENTITY_PASSWORD_DIFFERS)
        abort();
}

static void read_form(apr_pool_t *pool, const char *type, const char *bytes, size_t n)
{
    apr_array_header_t *errors = apr_array_make(pool, 1, sizeof(trestle_field_error_t));
    json_t *fields;

    if (identity_form_read(IDENTITY_TYPES_ANY, type, bytes, n, &fields) != IDENTITY_FORM_OK)
        return;
    identity_form_text(fields, "email", 10, errors);
    identity_form_wipe(fields, "password");
    json_decref(fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    apr_pool_t *pool;
    char *text;

    if (!size)
        return 0;
    if (!ready) {
        apr_initialize();
        if (sodium_init() < 0)
            abort();
        ready = 1;
    }
    apr_pool_create(&pool, NULL);
    text = apr_pstrmemdup(pool, (const char *)data + 1, size - 1);
    switch (*data) {
    case 't':
        read_token(pool, text, size - 1);
        break;
    case 'h':
        read_hash(text);
        break;
    case 'f':
        read_form(pool, "application/x-www-form-urlencoded", text, size - 1);
        break;
    case 'j':
        read_form(pool, NULL, text, size - 1);
        break;
    default:
        if (identity_is_address(text) && identity_is_username(text))
            abort();
        identity_characters(text);
    }
    apr_pool_destroy(pool);
    return 0;
}
