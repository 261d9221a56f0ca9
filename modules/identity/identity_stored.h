/*
 * Stored password hashes, of this module and of those that accounts were inherited from:
 *   $argon2id$v=19$… $argon2i$v=19$…          Argon2 in PHC form, also passlib's
 *   argon2$argon2id$…                         Django
 *   pbkdf2_sha256$rounds$salt$base64          Django; pbkdf2_sha1 alike
 *   bcrypt$$2b$… bcrypt_sha256$$2b$…          Django
 *   scrypt$N$salt$r$p$base64                  Django
 *   $2a$ $2b$ $2y$                            bcrypt
 *   $pbkdf2-sha256$rounds$salt$hash           passlib
 * Costs are read before any work is done, and only what is bearable is known: Argon2 up to 1 GiB, 10 passes, 16 lanes;
 * PBKDF2 up to 10,000,000 rounds; bcrypt 4 to 15; scrypt up to N = 2^17, r = 8, p = 10.
 */
#ifndef IDENTITY_STORED_H
#define IDENTITY_STORED_H

#include "identity_password.h"

typedef enum {
    IDENTITY_STORED_UNKNOWN,  /* no hash, of another form, or of a cost that nobody should pay */
    IDENTITY_STORED_ARGON2,   /* in PHC form, as this module writes them */
    IDENTITY_STORED_INHERITED /* any other of the above */
} identity_stored_e;

/* What a stored text is. */
identity_stored_e identity_stored_kind(const char *stored);

/*
 * Verifies n bytes of password, NUL-terminated and without NUL among them, against a text of a known kind. Takes as long
 * as the hash demands: enter the gate first. Thread-safe.
 */
identity_password_e identity_stored_verify(const char *stored, const char *password, apr_size_t n);

/*
 * A text of kind "pbkdf2_sha256" (cost: rounds) or "bcrypt" (cost: 4 to 15) that no password matches, in pool; NULL for
 * any other kind and for costs that are not known.
 */
const char *identity_stored_dummy(apr_pool_t *pool, const char *kind, int cost);

#endif
