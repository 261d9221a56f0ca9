/*
 * The language of an error's texts.
 */
#ifndef PROBLEM_LANGUAGE_H
#define PROBLEM_LANGUAGE_H

typedef enum { PROBLEM_ENGLISH, PROBLEM_KOREAN, PROBLEM_LANGUAGES } problem_language_e;

/* The language's tag (RFC 5646): "en", "ko". */
const char *problem_language_tag(problem_language_e language);

/* The language of a tag; PROBLEM_LANGUAGES for any other word. */
problem_language_e problem_language_of(const char *tag);

/*
 * The language that an Accept-Language header (NULL: none was sent) prefers: RFC 9110 section 12.5.4, ranges matched by
 * RFC 4647 section 3.4 (lookup). Of equal weights the one that is written first counts; malformed elements are passed
 * over; fallback where the header accepts neither.
 */
problem_language_e problem_language_negotiate(const char *header, problem_language_e fallback);

#endif
