/*
 * Text that grows in a pool, and the writing of JSON into it (RFC 8259).
 */
#ifndef TRESTLE_TEXT_H
#define TRESTLE_TEXT_H

#include <apr_pools.h>
#include <apr_tables.h>

/* A growing text. bytes is always NUL-terminated; memory is the pool's and lives as long as it. Not thread-safe. */
typedef struct {
    apr_pool_t *pool;
    char *bytes;
    apr_size_t length;   /* without the NUL */
    apr_size_t capacity; /* bytes allocated */
} trestle_text_t;

/* An empty text with room for about capacity bytes. */
trestle_text_t trestle_text_make(apr_pool_t *pool, apr_size_t capacity);

/* Append n bytes; a NUL-terminated string; one character; formatted text (apr_vformatter's conversions). */
void trestle_text_add(trestle_text_t *text, const char *bytes, apr_size_t n);
void trestle_text_adds(trestle_text_t *text, const char *string);
void trestle_text_addc(trestle_text_t *text, char c);
void trestle_text_addf(trestle_text_t *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append string as a JSON string with its quotes, or null for NULL. Bytes that are not UTF-8 become U+FFFD. */
void trestle_text_add_json(trestle_text_t *text, const char *string);

/* Append n bytes as above; a NUL among them becomes \u0000. */
void trestle_text_add_json_bytes(trestle_text_t *text, const char *bytes, apr_size_t n);

/* 1 if the n bytes are UTF-8 as RFC 3629 has it (no surrogates, no overlong forms, at most U+10FFFF). */
int trestle_utf8_valid(const char *bytes, apr_size_t n);

/* How many of the n bytes come before the first that is not UTF-8; n if all are. */
apr_size_t trestle_utf8_span(const char *bytes, apr_size_t n);

#endif
