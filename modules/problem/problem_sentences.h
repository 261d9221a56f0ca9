/*
 * The sentences that modules of the suite say, in all languages.
 */
#ifndef PROBLEM_SENTENCES_H
#define PROBLEM_SENTENCES_H

#include "problem_language.h"

#include <apr_pools.h>

/* An English sentence in language: static, or in pool where it holds numbers. NULL if it is none of those known here. */
const char *problem_sentence_in(apr_pool_t *pool, const char *english, problem_language_e language);

#endif
