/* Which stored hashes are verified, and that they are verified right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <sodium.h>

#include "identity/identity_password.h"

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    return sodium_init() < 0 || apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

#define SALT "$MDEyMzQ1Njc4OWFiY2RlZg"
#define HASH "$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk"

static void strings_of_others_verify(void **state)
{
    /* Made with argon2-cffi. */
    static const char two_passes[] = "$argon2id$v=19$m=19456,t=2,p=1" SALT HASH;
    static const char four_lanes[] =
        "$argon2id$v=19$m=65536,t=3,p=4" SALT "$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI";

    (void)state;
    assert_true(identity_password_is_known(two_passes));
    assert_int_equal(identity_password_verify(two_passes, "correct horse", 13), IDENTITY_PASSWORD_MATCHES);
    assert_int_equal(identity_password_verify(two_passes, "correct horsf", 13), IDENTITY_PASSWORD_DIFFERS);
    assert_int_equal(identity_password_verify(two_passes, "correct horse ", 14), IDENTITY_PASSWORD_DIFFERS);
    assert_int_equal(identity_password_verify(two_passes, "", 0), IDENTITY_PASSWORD_DIFFERS);
    assert_true(identity_password_is_known(four_lanes));
    assert_int_equal(identity_password_verify(four_lanes, "correct horse", 13), IDENTITY_PASSWORD_MATCHES);
}

static void own_strings_verify(void **state)
{
    char stored[crypto_pwhash_STRBYTES];

    (void)state;
    assert_int_equal(crypto_pwhash_str(stored, "p\xC3\xA4ss", 5, 1, 8192 * 1024), 0);
    assert_true(identity_password_is_known(stored));
    assert_int_equal(identity_password_verify(stored, "p\xC3\xA4ss", 5), IDENTITY_PASSWORD_MATCHES);
    assert_int_equal(crypto_pwhash_str_alg(stored, "x", 1, 3, 8192 * 1024, crypto_pwhash_ALG_ARGON2I13), 0);
    assert_true(identity_password_is_known(stored));
    assert_int_equal(identity_password_verify(stored, "x", 1), IDENTITY_PASSWORD_MATCHES);
}

static void a_new_hash_has_its_cost_and_verifies(void **state)
{
    const identity_cost_t cost = { 8192 * 1024, 3 };
    const char *first = identity_password_hash(pool, "p\xC3\xA4ss", 5, &cost);
    const char *second = identity_password_hash(pool, "p\xC3\xA4ss", 5, &cost);

    (void)state;
    assert_int_equal(strncmp(first, "$argon2id$v=19$m=8192,t=3,p=1$", 30), 0);
    assert_string_not_equal(first, second);
    assert_true(identity_password_is_known(first));
    assert_true(identity_password_has_cost(first, &cost));
    assert_false(identity_password_has_cost(first, &(identity_cost_t){ 8192 * 1024, 2 }));
    assert_false(identity_password_has_cost(first, &(identity_cost_t){ 81920 * 1024, 3 }));
    assert_int_equal(identity_password_verify(first, "p\xC3\xA4ss", 5), IDENTITY_PASSWORD_MATCHES);
    assert_int_equal(identity_password_verify(first, "p\xC3\xA4s", 4), IDENTITY_PASSWORD_DIFFERS);
}

static void other_strings_are_not_touched(void **state)
{
    static const char *const unknown[] = {
        "",
        "!",
        "$",
        "!unusable",
        "plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "md5$$5f4dcc3b5aa765d61d8327deb882cf99",
        "$2b$12$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "pbkdf2_sha256$1000$NaClSalt12345678901234$R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d/Zay3XoVY=",
        "argon2$argon2id$v=19$m=19456,t=2,p=1" SALT HASH,
        "$argon2d$v=19$m=19456,t=2,p=1" SALT HASH,
        "$argon2id$v=16$m=19456,t=2,p=1" SALT HASH,
        "$argon2id$m=19456,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=1048577,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=4294967295,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=99999999999999999999,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=19456,t=11,p=1" SALT HASH,
        "$argon2id$v=19$m=19456,t=0,p=1" SALT HASH,
        "$argon2id$v=19$m=19456,t=2,p=17" SALT HASH,
        "$argon2id$v=19$m=31,t=2,p=4" SALT HASH,
        "$argon2id$v=19$m=-1,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=+19456,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=019456,t=2,p=1" SALT HASH,
        "$argon2id$v=19$m=19456,t=2" SALT HASH,
        "$argon2id$v=19$m=19456,t=2,p=1,keyid=a" SALT HASH,
        "$argon2id$v=19$t=2,m=19456,p=1" SALT HASH,
        "$argon2id$v=19$m=19456,t=2,p=1" HASH,
        "$argon2id$v=19$m=19456,t=2,p=1" SALT,
        "$argon2id$v=19$m=19456,t=2,p=1" SALT "$",
        "$argon2id$v=19$m=19456,t=2,p=1" SALT HASH "=",
        "$argon2id$v=19$m=19456,t=2,p=1" SALT HASH "$x",
        "$argon2id$v=19$m=19456,t=2,p=1" SALT "$a",
        "$argon2id$v=19$m=19456,t=2,p=1" SALT "$!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    };
    char *longer = apr_palloc(pool, 601);

    (void)state;
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_false(identity_password_is_known(unknown[i]));
    memset(longer, 'A', 600);
    memcpy(longer, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    longer[600] = '\0';
    assert_false(identity_password_is_known(longer));
}

static void the_dummy_costs_what_it_says_and_matches_nothing(void **state)
{
    const identity_cost_t cost = { 8192 * 1024, 3 };
    const char *dummy = identity_password_dummy(pool, &cost);

    (void)state;
    assert_non_null(strstr(dummy, "$m=8192,t=3,p=1$"));
    assert_true(identity_password_is_known(dummy));
    assert_int_equal(identity_password_verify(dummy, "", 0), IDENTITY_PASSWORD_DIFFERS);
    assert_int_equal(identity_password_verify(dummy, "trestle dummy !!", 16), IDENTITY_PASSWORD_DIFFERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_others_verify),
        cmocka_unit_test(own_strings_verify),
        cmocka_unit_test(a_new_hash_has_its_cost_and_verifies),
        cmocka_unit_test(other_strings_are_not_touched),
        cmocka_unit_test(the_dummy_costs_what_it_says_and_matches_nothing),
    };

    return cmocka_run_group_tests_name("identity password", tests, setup, teardown);
}
