/*
 * Refusing a request: one way for all modules, with or without mod_problem.
 */
#ifndef TRESTLE_REFUSE_H
#define TRESTLE_REFUSE_H

#include "trestle_problem.h"

/* A problem in r->pool with these members; field, detail and code may be NULL. Add to it before using it. */
trestle_problem_t *trestle_problem_make(request_rec *r, int status, const char *code, const char *detail,
                                        const char *field);

/* For hooks before the handler: remembers the problem and returns its status, to be returned by the hook. Both ways to
 * refuse close the connection behind the answer if a body was announced and trestle_body_read has not read it all. */
int trestle_refuse(request_rec *r, const trestle_problem_t *problem);

/* For handlers: sends the problem as the answer and returns what the handler must return. */
int trestle_answer_problem(request_rec *r, const trestle_problem_t *problem);

/* Adds Retry-After (seconds, at least 1) to the answer, errors included. */
void trestle_retry_after(request_rec *r, int seconds);

#endif
