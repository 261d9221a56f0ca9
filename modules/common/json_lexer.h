/*
 * The strict reading of what JSON is made of (RFC 8259): strings, numbers, words and the white space between them. How
 * these make arrays and objects, and how deep, is the matter of the readers that use it.
 */
#ifndef TRESTLE_JSON_LEXER_H
#define TRESTLE_JSON_LEXER_H

#include <apr.h>

typedef enum {
    TRESTLE_JSON_NULL,
    TRESTLE_JSON_BOOLEAN,
    TRESTLE_JSON_NUMBER,
    TRESTLE_JSON_STRING,
    TRESTLE_JSON_ARRAY,
    TRESTLE_JSON_OBJECT
} trestle_json_e;

/* A text in UTF-8 (which is not checked here), and how far it has been read. */
typedef struct {
    const char *at;
    const char *end;
    int escaped;         /* 1: the string that was read last has escapes */
    const char *mistake; /* "a string has no end"; NULL: none yet */
    const char *place;   /* where it is; the NULL of none */
} trestle_json_lexer_t;

/* The next byte; -1 at the end. */
static inline int trestle_json_peek(const trestle_json_lexer_t *lexer)
{
    return lexer->at < lexer->end ? (unsigned char)*lexer->at : -1;
}

/* The first byte from at on that is no white space, or end. */
static inline const char *trestle_json_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* The type of a value by its first byte. */
trestle_json_e trestle_json_type(char first);

/* Notes the first mistake, at the place that has been reached. Returns 0. */
int trestle_json_wrong(trestle_json_lexer_t *lexer, const char *mistake);

/* Moves behind a string, from its quote: escapes are known and whole, each surrogate has its other half. 0: a mistake. */
int trestle_json_string(trestle_json_lexer_t *lexer);

/* Moves behind a value that is neither array nor object. 0: a mistake. */
int trestle_json_scalar(trestle_json_lexer_t *lexer);

/*
 * What n bytes between the quotes of a string that was read stand for, written to out, which has room for n. Returns
 * how many there are: a NUL among them was \u0000.
 */
apr_size_t trestle_json_unescape(const char *in, apr_size_t n, char *out);

#endif
