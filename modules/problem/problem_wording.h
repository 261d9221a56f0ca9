/*
 * Texts that a configuration puts in the place of others, by code or status and by language.
 */
#ifndef PROBLEM_WORDING_H
#define PROBLEM_WORDING_H

#include "problem_language.h"

#include <apr_hash.h>

/* The place of a text for every language, behind those of each: what problem_language_of makes of "*". */
enum { PROBLEM_ANY_LANGUAGE = PROBLEM_LANGUAGES, PROBLEM_WORDINGS };

/* What is configured for one code or status: by language, and at PROBLEM_ANY_LANGUAGE; NULL where nothing is. */
typedef struct {
    const char *detail[PROBLEM_WORDINGS];
    const char *title[PROBLEM_WORDINGS];
} problem_wording_t;

/* The wording of key (a code, or a status in digits) in *wordings, both made in pool when they are needed first. */
problem_wording_t *problem_wording_make(apr_pool_t *pool, apr_hash_t **wordings, const char *key);

/*
 * The wordings of an outer section (base) and of one inside it (add); either may be NULL. The inner text wins, and one for
 * every language also over those that the outer section has for single languages.
 */
apr_hash_t *problem_wordings_merge(apr_pool_t *pool, apr_hash_t *base, apr_hash_t *add);

/* The text for language of texts (a member of a wording); NULL if there is none. *any becomes 1 if it is for every one. */
const char *problem_wording_text(const char *const *texts, problem_language_e language, int *any);

#endif
