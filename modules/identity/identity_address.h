/*
 * The syntax of sign-in names, before the database is asked. It knows more: what is left after Unicode's compatibility
 * form, and what is taken.
 */
#ifndef IDENTITY_ADDRESS_H
#define IDENTITY_ADDRESS_H

#include <apr.h>

/*
 * 1 if text (UTF-8) can be an address that people use: one @, before it 1-64 bytes without blanks, quotes and comments,
 * behind it a domain of labels of letters, digits and hyphens (or other than ASCII), or "localhost"; RFC 5321 section
 * 4.1.2 without quoted strings and address literals. Blanks around it do not count.
 */
int identity_is_address(const char *text);

/* 1 if text (UTF-8) can be a username: no @, no blank, no control character, but for blanks around it. */
int identity_is_username(const char *text);

/* Code points of a text: what a person counts. */
apr_size_t identity_characters(const char *text);

#endif
