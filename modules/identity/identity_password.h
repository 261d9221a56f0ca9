/*
 * Argon2: how passwords are hashed here. identity_stored.h verifies what others have left, too.
 */
#ifndef IDENTITY_PASSWORD_H
#define IDENTITY_PASSWORD_H

#include <apr_pools.h>

typedef enum {
    IDENTITY_PASSWORD_MATCHES,
    IDENTITY_PASSWORD_DIFFERS,
    IDENTITY_PASSWORD_FAILED /* not computed, for want of memory: says nothing about the password */
} identity_password_e;

/* What a hash costs to compute. */
typedef struct {
    apr_int64_t memory; /* bytes, a multiple of 1024 */
    int passes;
} identity_cost_t;

/* 1 if stored is an Argon2id or Argon2i string (PHC format, version 19) whose cost we are willing to pay: at most 1 GiB,
 * 10 passes, 16 lanes. */
int identity_password_is_known(const char *stored);

/*
 * Verifies n bytes of password against a stored hash for which identity_password_is_known says 1. Takes milliseconds of
 * CPU and the memory that the hash names: enter the gate first. Thread-safe.
 */
identity_password_e identity_password_verify(const char *stored, const char *password, apr_size_t n);

/*
 * A new hash of n bytes of password at that cost, as Argon2id string (PHC format, one lane), in the pool's memory; NULL
 * for want of memory. Takes as long as verifying it: enter the gate first. Needs sodium_init.
 */
const char *identity_password_hash(apr_pool_t *pool, const char *password, apr_size_t n, const identity_cost_t *cost);

/* 1 if stored is an Argon2id string of exactly that cost, as identity_password_hash makes them. */
int identity_password_has_cost(const char *stored, const identity_cost_t *cost);

/*
 * A hash of that cost that no password matches: verified in place of a hash that there is not, so that the time of an
 * answer does not tell whether an account exists.
 */
const char *identity_password_dummy(apr_pool_t *pool, const identity_cost_t *cost);

#endif
