/* Hashes that accounts were inherited with: known answers of their makers, and what is not touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <sodium.h>

#include "identity/identity_stored.h"

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

#define DJANGO_HASH "R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d/Zay3XoVY="
#define BCRYPT      "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"
#define SCRYPT_HASH "WHJS3/wrzhi2rYiZ44/lAqpycQxKRPVfHXMQFxWIaII7u1p+2cO61B97UL7OFL5ZSWsnhfwdgsItJJ6HcrHG4Q=="
#define PASSLIB     "MDEyMzQ1Njc4OWFiY2RlZg$uHVoxjLD1v3uqpdY8ehNPGUYMiKj8ROQSRwMSE033NY"
#define ARGON2      "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk"

static void is_hash_of(const char *stored, const char *password, identity_stored_e kind)
{
    assert_int_equal(identity_stored_kind(stored), kind);
    assert_int_equal(identity_stored_verify(stored, password, strlen(password)), IDENTITY_PASSWORD_MATCHES);
    assert_int_equal(identity_stored_verify(stored, "correct hors", 12), IDENTITY_PASSWORD_DIFFERS);
    assert_int_equal(identity_stored_verify(stored, "", 0), IDENTITY_PASSWORD_DIFFERS);
}

static void hashes_of_others_verify(void **state)
{
    static const char *const inherited[] = {
        "pbkdf2_sha256$1000$NaClSalt12345678901234$" DJANGO_HASH,
        "bcrypt$" BCRYPT,
        "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq",
        BCRYPT,
        "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$pbkdf2-sha256$29000$" PASSLIB,
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdHNlYXNhbHQyMmNoYXJzIQ$"
        "GF0k6wb3j/ywDMxv6aKszGLRhvIrcLcMeCRqOxXJzlQ",
        "scrypt$16384$seasalt$8$1$" SCRYPT_HASH,
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++)
        is_hash_of(inherited[i], "correct horse", IDENTITY_STORED_INHERITED);
    is_hash_of(ARGON2, "correct horse", IDENTITY_STORED_ARGON2);
    is_hash_of("pbkdf2_sha256$600000$seasalt$C2OmHlEMSJ189n6fBly1rxx8EM4oT4br/Yduez7E92o=",
               "p\xC3\xA4ssw\xC3\xB6rd-\xCE\xB2", IDENTITY_STORED_INHERITED);
}

/* As printed by Django's own hasher for SHA-1: PBKDF2 of RFC 6070's kind with 20 bytes. */
static void sha1_verifies(void **state)
{
    (void)state;
    is_hash_of("pbkdf2_sha1$2$salt$6mwBTcctb4zNHtkqzh1B8NjeiVc=", "password", IDENTITY_STORED_INHERITED);
}

static void long_passwords_count_whole_but_for_bcrypt(void **state)
{
    static const char of_72[] = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    static const char of_5000[] = "pbkdf2_sha256$1000$seasalt$PCNQUAzMO+rjuhki5ouGgF5wXjzxqq5ifG735k3xxbs=";
    char password[5001];

    (void)state;
    memset(password, 'x', 5000);
    password[5000] = '\0';
    assert_int_equal(identity_stored_verify(of_5000, password, 5000), IDENTITY_PASSWORD_MATCHES);
    assert_int_equal(identity_stored_verify(of_72, password, 5000), IDENTITY_PASSWORD_MATCHES);
    password[71] = '\0';
    assert_int_equal(identity_stored_verify(of_72, password, 71), IDENTITY_PASSWORD_DIFFERS);
}

static void other_texts_are_not_touched(void **state)
{
    static const char *const unknown[] = {
        "",
        "!",
        "!Gq6qDd",
        "plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "md5$$5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$5f4dcc3b5aa765d61d8327deb882cf99aaaaaaaa",
        "$1$salt$abcdefghijklmnopqrstuv",
        "abJnggxhB/yWI",
        "pbkdf2_sha256$",
        "pbkdf2_sha256$1000$salt",
        "pbkdf2_sha256$1000$salt$" DJANGO_HASH "$",
        "pbkdf2_sha256$1000$$" DJANGO_HASH,
        "pbkdf2_sha256$0$salt$" DJANGO_HASH,
        "pbkdf2_sha256$-1$salt$" DJANGO_HASH,
        "pbkdf2_sha256$+1000$salt$" DJANGO_HASH,
        "pbkdf2_sha256$01000$salt$" DJANGO_HASH,
        "pbkdf2_sha256$1e3$salt$" DJANGO_HASH,
        "pbkdf2_sha256$10000001$salt$" DJANGO_HASH,
        "pbkdf2_sha256$99999999999999999999$salt$" DJANGO_HASH,
        "pbkdf2_sha256$1000$salt$R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d/Zay3XoVY",
        "pbkdf2_sha256$1000$salt$R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d_Zay3XoVY=",
        "pbkdf2_sha512$1000$salt$" DJANGO_HASH,
        "$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZ=$uHVoxjLD1v3uqpdY8ehNPGUYMiKj8ROQSRwMSE033NY",
        "$pbkdf2-sha256$29000$M+EyMzQ1Njc4OWFiY2RlZg$uHVoxjLD1v3uqpdY8ehNPGUYMiKj8ROQSRwMSE033NY",
        "$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZh$uHVoxjLD1v3uqpdY8ehNPGUYMiKj8ROQSRwMSE033NY",
        "$pbkdf2-sha256$29000$" PASSLIB "=",
        "$2b$03$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2b$16$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2b$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6",
        "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6ee",
        "$2b$04$abcdefghijklmnopqrstuujydOTSfIH:d5oUHpsygqV5X9xJLQc6e",
        "bcrypt$$1$salt$abcdefghijklmnopqrstuv",
        "bcrypt_sha256$abJnggxhB/yWI",
        "scrypt$16383$seasalt$8$1$" SCRYPT_HASH,
        "scrypt$262144$seasalt$8$1$" SCRYPT_HASH,
        "scrypt$16384$seasalt$9$1$" SCRYPT_HASH,
        "scrypt$16384$seasalt$8$11$" SCRYPT_HASH,
        "scrypt$16384$seasalt$8$" SCRYPT_HASH,
        "argon2$argon2d$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk",
        "argon2$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk",
    };
    char *longer = apr_palloc(pool, 1001);
    apr_time_t began = apr_time_now();

    (void)state;
    memset(longer, 'A', 1000);
    longer[1000] = '\0';
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_int_equal(identity_stored_kind(unknown[i]), IDENTITY_STORED_UNKNOWN);
        assert_int_equal(identity_stored_verify(unknown[i], "correct horse", 13), IDENTITY_PASSWORD_DIFFERS);
    }
    memcpy(longer, "pbkdf2_sha256$1000$", 19);
    assert_int_equal(identity_stored_kind(longer), IDENTITY_STORED_UNKNOWN);
    assert_true(apr_time_now() - began < 1000000); /* no work was done: any of them would have cost seconds */
}

static void dummies_are_of_their_kind_and_match_nothing(void **state)
{
    const char *pbkdf2 = identity_stored_dummy(pool, "pbkdf2_sha256", 1000);
    const char *bcrypt = identity_stored_dummy(pool, "bcrypt", 4);

    (void)state;
    assert_int_equal(identity_stored_kind(pbkdf2), IDENTITY_STORED_INHERITED);
    assert_int_equal(identity_stored_kind(bcrypt), IDENTITY_STORED_INHERITED);
    assert_int_equal(identity_stored_verify(pbkdf2, "", 0), IDENTITY_PASSWORD_DIFFERS);
    assert_int_equal(identity_stored_verify(bcrypt, "", 0), IDENTITY_PASSWORD_DIFFERS);
    assert_null(identity_stored_dummy(pool, "bcrypt", 16));
    assert_null(identity_stored_dummy(pool, "pbkdf2_sha256", 0));
    assert_null(identity_stored_dummy(pool, "md5", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_others_verify),
        cmocka_unit_test(sha1_verifies),
        cmocka_unit_test(long_passwords_count_whole_but_for_bcrypt),
        cmocka_unit_test(other_texts_are_not_touched),
        cmocka_unit_test(dummies_are_of_their_kind_and_match_nothing),
    };

    return cmocka_run_group_tests_name("identity stored", tests, setup, teardown);
}
