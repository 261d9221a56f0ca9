/*
 * What this module says to people, in the languages of mod_problem.
 */
#ifndef IDENTITY_TEXTS_H
#define IDENTITY_TEXTS_H

#include <apr_pools.h>

typedef enum {
    IDENTITY_WRONG_CREDENTIALS,
    IDENTITY_NOT_CONFIRMED,
    IDENTITY_TOO_MANY_HASHES,
    IDENTITY_TOO_MANY_MAILS,
    IDENTITY_UNSUPPORTED_MEDIA,
    IDENTITY_NO_OBJECT,
    IDENTITY_REQUIRED,     /* field */
    IDENTITY_NO_TEXT,      /* field */
    IDENTITY_TOO_LONG,     /* field, number of characters */
    IDENTITY_TOO_SHORT,    /* field, number of characters */
    IDENTITY_NO_ADDRESS,   /* field */
    IDENTITY_NO_USERNAME,  /* field */
    IDENTITY_NOT_THE_SAME, /* field */
    IDENTITY_ADDRESS_TAKEN,
    IDENTITY_USERNAME_TAKEN,
    IDENTITY_WRONG_CODE,
    IDENTITY_SIGN_IN_NEEDED,
    IDENTITY_INVALID_TOKEN,
    IDENTITY_INVALID_REFRESH_TOKEN,
    IDENTITY_FOREIGN_ORIGIN,
    IDENTITY_TEXTS
} identity_text_e;

/*
 * The text in a language ("en", "ko"; English for any other), in pool. field and number where the list above says so,
 * NULL and 0 elsewhere.
 */
const char *identity_text(apr_pool_t *pool, const char *language, identity_text_e text, const char *field, int number);

#endif
