/*
 * What HTTP statuses and the codes of this suite are called, and what they mean, for people.
 */
#ifndef PROBLEM_TEXTS_H
#define PROBLEM_TEXTS_H

#include "problem_language.h"

/* The texts of a status, or of a code that says more than a status. Of static lifetime. */
typedef struct {
    int status;                            /* 0: of a code */
    const char *code;                      /* of a status: its name in the IANA registry, in capitals: "NOT_FOUND" */
    const char *title[PROBLEM_LANGUAGES];  /* its name for people, "Not Found"; NULL for a code: its status's */
    const char *detail[PROBLEM_LANGUAGES]; /* one sentence */
} problem_texts_t;

/* The texts of status; those of 400 or 500 for a status of 400-499 or any other that has none of its own. Never NULL. */
const problem_texts_t *problem_texts_of(int status);

/* The texts of a code, be it a status's or another; NULL if it has none. */
const problem_texts_t *problem_texts_of_code(const char *code);

#endif
