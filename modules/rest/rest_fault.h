/*
 * A refusal, as the core says it: what the face turns into a problem.
 */
#ifndef REST_FAULT_H
#define REST_FAULT_H

/* Strings live as long as the pool of the call that filled them, or are literals. */
typedef struct {
    int status;         /* HTTP status, 400-599 */
    const char *code;   /* machine-readable, "VALIDATION_ERROR"; NULL: derived from the status */
    const char *detail; /* one sentence for the client; never SQL, a path or another user's data; may be NULL */
    const char *field;  /* the field at fault as the client wrote it; may be NULL */
    const char *cause;  /* for the log, with the mend: the operator must act; NULL when the client is at fault */
    int verbatim;       /* 1: detail is the application's own, as in trestle_problem_t */
} rest_fault_t;

/* Fills fault for a mistake of the client and returns 0, so that a caller can write "return rest_refuse(…)". */
static inline int rest_refuse(rest_fault_t *fault, int status, const char *code, const char *detail, const char *field)
{
    *fault = (rest_fault_t){ status, code, detail, field, 0, 0 };
    return 0;
}

/* Fills fault for a mistake of the operator (a 500 to the client, cause to the log) and returns 0. */
static inline int rest_blame(rest_fault_t *fault, const char *cause)
{
    *fault = (rest_fault_t){ 500, "INTERNAL_SERVER_ERROR", 0, 0, cause, 0 };
    return 0;
}

#endif
