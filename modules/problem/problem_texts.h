/*
 * What HTTP statuses are called, and what they mean, for people.
 */
#ifndef PROBLEM_TEXTS_H
#define PROBLEM_TEXTS_H

#include "problem_language.h"

/* The texts of a status: never NULL, of static lifetime. */
typedef struct {
    int status;
    const char *code;                      /* its name in the IANA registry, in capitals: "NOT_FOUND" */
    const char *title[PROBLEM_LANGUAGES];  /* its name for people: "Not Found" */
    const char *detail[PROBLEM_LANGUAGES]; /* one sentence */
} problem_texts_t;

/* The texts of status; those of 400 or 500 for a status of 400-499 or any other that has none of its own. */
const problem_texts_t *problem_texts_of(int status);

#endif
