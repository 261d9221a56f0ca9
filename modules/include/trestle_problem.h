/*
 * Problem details (RFC 9457). Offered by mod_problem. modules/common/refuse.h is the way to use it: it copes with
 * mod_problem not being loaded.
 */
#ifndef TRESTLE_PROBLEM_H
#define TRESTLE_PROBLEM_H

#include "httpd.h"
#include "apr_optional.h"
#include "apr_tables.h"

/* One member of "errors": what is wrong with one field. All strings UTF-8; NULL members are left out. */
typedef struct {
    const char *field;  /* name or path of the field as the client wrote it, "items.3.name" */
    const char *code;   /* machine-readable, upper-case words with underscores, for example "REQUIRED_FIELD_MISSING" */
    const char *detail; /* one sentence for a person */
} trestle_field_error_t;

/*
 * A problem. Allocate it in r->pool (apr_pcalloc) and fill what is known. title and details are English, of the module
 * itself. A client that reads another language is told the same sentence, if problem_sentences.c of mod_problem has it,
 * else the text of the code (problem_texts.c), else that of the status: new sentences and codes get theirs there.
 */
typedef struct {
    int status;                       /* HTTP status, 400-599 */
    const char *code;                 /* machine-readable, as above; NULL: derived from the status ("NOT_FOUND") */
    const char *type;                 /* URI; NULL: "about:blank" */
    const char *title;                /* NULL: the status's title in the client's language (en, ko) */
    const char *detail;               /* one sentence; never SQL, a path, a class or another user's data; may be NULL */
    const char *field;                /* the one field at fault, if it is one; may be NULL */
    const apr_array_header_t *errors; /* trestle_field_error_t; may be NULL */
    int verbatim;                     /* 1: title and details are the application's own words: told in every language */
} trestle_problem_t;

/*
 * Remembers the details of the refusal that the caller is about to return as a status from a hook before the handler;
 * mod_problem's error filter writes them in place of httpd's page. p must live as long as r->pool.
 */
APR_DECLARE_OPTIONAL_FN(void, trestle_problem_set, (request_rec * r, const trestle_problem_t *p));

/*
 * Sends the problem as this request's answer, from a handler: status, headers, body. What the handler has put into
 * headers_out is kept, but for what describes another body. httpd closes an HTTP/1.1 connection behind 400, 408, 411,
 * 413, 414, 500, 501 and 503, whoever sends them. Returns what the handler returns (OK, or AP_FILTER_ERROR).
 */
APR_DECLARE_OPTIONAL_FN(int, trestle_problem_send, (request_rec * r, const trestle_problem_t *p));

#endif
