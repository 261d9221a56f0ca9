/*
 * Reading a request's body within a limit, and sending an answer's.
 */
#ifndef TRESTLE_BODY_H
#define TRESTLE_BODY_H

#include "httpd.h"

/* The note of a request whose body has been read to its end. */
#define TRESTLE_BODY_WAS_READ "trestle-body-was-read"

/* Takes n bytes of a body, valid during the call. OK to go on; any other value stops the reading. */
typedef int trestle_body_take_fn(void *baton, const char *bytes, apr_size_t n);

/*
 * Reads the whole body of r, at most limit bytes, and gives it to take piece by piece as it arrives. OK; what take
 * returned, if it stopped; HTTP_REQUEST_ENTITY_TOO_LARGE before a byte is read if Content-Length says so, or as soon as a
 * chunked body grows past limit; AP_FILTER_ERROR when httpd has already answered: return it untouched; another HTTP
 * status otherwise. Unless OK the connection is set to close, so that the answer does not wait for the rest of the body.
 */
int trestle_body_each(request_rec *r, apr_size_t limit, trestle_body_take_fn *take, void *baton);

/*
 * Reads the whole body of r, at most limit bytes, into r->pool; *bytes is NUL-terminated behind its *length bytes.
 * Returns what trestle_body_each does.
 */
int trestle_body_read(request_rec *r, apr_size_t limit, char **bytes, apr_size_t *length);

/*
 * Sets r's status. httpd has no status line for some numbers that RFC 9110 section 15 allows, and would send 500 in their
 * place: they get a line of their own.
 */
void trestle_status_set(request_rec *r, int status);

/*
 * Ends the answer: brigade is its last part, an end of stream is added, and on HTTP/1 everything leaves at once. httpd
 * itself would first look for a further request, find none yet, and hand the connection back to the listener between any
 * two requests of a client; when the answer has left before that look, a quick client's next request is there already.
 * Returns what the handler must return.
 */
int trestle_body_end(request_rec *r, apr_bucket_brigade *brigade);

/*
 * Sends bytes as the whole answer with the given status and media type (one brigade, length set). The bytes must live
 * as long as r->pool; they are not copied. Returns what the handler must return.
 */
int trestle_body_send(request_rec *r, int status, const char *type, const char *bytes, apr_size_t length);

#endif
