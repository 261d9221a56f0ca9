/*
 * The document that tells of a problem: from what is known and how a location words it, to JSON text.
 */
#ifndef PROBLEM_DOCUMENT_H
#define PROBLEM_DOCUMENT_H

#include "problem_language.h"
#include "problem_wording.h"
#include "template.h"
#include "trestle_problem.h"

#include <apr_hash.h>
#include <apr_time.h>

/* How a location tells of problems. All but the template may be NULL. */
typedef struct {
    const trestle_template_t *template;
    const char *type_base; /* what "type" begins with; NULL: about:blank */
    apr_hash_t *codes;     /* status in digits, or code → code */
    apr_hash_t *wordings;  /* as problem_wording.h has them */
} problem_style_t;

/* What is known of the request. Strings may be NULL. */
typedef struct {
    const char *method;
    const char *path; /* as the client wrote it, without query */
    const char *request_id;
    apr_time_t time;
} problem_request_t;

/* The names that templates of problems may use. */
extern const trestle_template_name_t problem_vocabulary[];

/* The template of application/problem+json. */
extern const char problem_standard_template[];

/*
 * Appends the document of problem to out. *localised becomes 1 if every text for people in it is in language (none is the
 * application's own, whose language is not known, nor a wording for all languages).
 */
void problem_document_write(const trestle_problem_t *problem, const problem_request_t *request,
                            const problem_style_t *style, problem_language_e language, trestle_text_t *out,
                            int *localised);

#endif
