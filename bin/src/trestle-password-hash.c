/*
 * Reads a new password, one line of standard input, and prints its hash as mod_identity stores it: an Argon2id string
 * (PHC format). Prints nothing for an empty line. Exit status: 0, or 1 with the reason on standard error.
 */
#include "identity/identity_password.h"
#include "text.h"

#include <apr_general.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { CHARACTERS_LEAST = 12, CHARACTERS_MOST = 256, BYTES_MOST = 4 * CHARACTERS_MOST };

/* The default of IdentityHashCost. */
static const identity_cost_t cost = { 19 * 1024 * 1024, 2 };

/* What is wrong with n bytes of password, or NULL. */
static const char *flaw(const char *password, size_t n)
{
    size_t characters = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)password[i];

        if (c < ' ' || c == 0x7F)
            return "the password holds a control character; leave it out, and end the line with a line feed alone";
        characters += (c & 0xC0) != 0x80;
    }
    if (!trestle_utf8_valid(password, n))
        return "the password is not UTF-8; type it in a UTF-8 terminal, or convert the file with iconv";
    if (characters < CHARACTERS_LEAST)
        return "the password is too short; choose one of 12 to 256 characters";
    return characters > CHARACTERS_MOST ? "the password is too long; choose one of 12 to 256 characters" : NULL;
}

/* Reads the first line into line, without its end: its length, BYTES_MOST + 1 if it is longer, -1 if there is none. */
static int read_line(char *line)
{
    int n = 0, c;

    while ((c = getchar()) != EOF && c != '\n' && n <= BYTES_MOST)
        line[n++] = (char)c;
    return c == EOF && !n ? -1 : n;
}

static int refuse(const char *reason)
{
    fprintf(stderr, "trestle-password-hash: %s\n", reason);
    return 1;
}

/* 0 once the hash of n bytes of password is printed. */
static int print_hash(const char *password, int n)
{
    const char *reason =
        n > BYTES_MOST ? "the password is too long; choose one of 12 to 256 characters" : flaw(password, (size_t)n);
    const char *hash = NULL;
    apr_pool_t *pool;

    if (reason)
        return refuse(reason);
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS
        || !(hash = identity_password_hash(pool, password, (apr_size_t)n, &cost)))
        return refuse("hashing takes 19 MiB of memory, which are not free; try again");
    return puts(hash) == EOF || fflush(stdout) ? refuse("the hash cannot be written") : 0;
}

int main(void)
{
    char password[BYTES_MOST + 1];
    int n, status;

    setvbuf(stdin, NULL, _IONBF, 0); /* no second copy of the password */
    n = read_line(password);
    if (n < 0)
        status = refuse("standard input is empty; write the password there as one line");
    else
        status = n ? print_hash(password, n) : 0;
    sodium_memzero(password, sizeof(password));
    return status;
}
