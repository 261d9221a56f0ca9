/*
 * A refusal, as the core says it: what the face turns into a problem.
 */
#ifndef REST_FAULT_H
#define REST_FAULT_H

#include "trestle_problem.h"

#include <apr_tables.h>

/* Strings live as long as the pool of the call that filled them, or are literals. */
typedef struct {
    int status;         /* HTTP status, 400-599 */
    const char *code;   /* machine-readable, "VALIDATION_ERROR"; NULL: derived from the status */
    const char *detail; /* one sentence for the client; never SQL, a path or another user's data; may be NULL */
    const char *field;  /* the field at fault as the client wrote it; may be NULL */
    const char *cause;  /* for the log, with the mend: the operator must act; NULL when the client is at fault */
    int verbatim;       /* 1: detail is the application's own, as in trestle_problem_t */
    apr_array_header_t *errors; /* trestle_field_error_t: every field at fault, if there are several; else NULL */
} rest_fault_t;

enum { REST_ERRORS_MAX = 50 }; /* fields that one answer names */

/* Adds one, which names a field, to all, which starts zeroed: the first is what the problem says, errors lists them. */
void rest_fault_add(apr_pool_t *pool, rest_fault_t *all, const rest_fault_t *one);

/* Fills fault for a mistake of the client and returns 0, so that a caller can write "return rest_refuse(…)". */
static inline int rest_refuse(rest_fault_t *fault, int status, const char *code, const char *detail, const char *field)
{
    *fault = (rest_fault_t){ .status = status, .code = code, .detail = detail, .field = field };
    return 0;
}

/* Fills fault for a mistake of the operator (a 500 to the client, cause to the log) and returns 0. */
static inline int rest_blame(rest_fault_t *fault, const char *cause)
{
    *fault = (rest_fault_t){ .status = 500, .code = "INTERNAL_SERVER_ERROR", .cause = cause };
    return 0;
}

#endif
