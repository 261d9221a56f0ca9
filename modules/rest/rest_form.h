/*
 * The fields of a multipart/form-data body, gathered as they arrive.
 */
#ifndef REST_FORM_H
#define REST_FORM_H

#include "rest_query.h"

typedef struct rest_form_t rest_form_t;

/*
 * A reader in given's pool for a valid boundary, which appends to given: a text part as text, a part of type
 * application/json as JSON. An input for a file that was left empty is passed over; any other file is refused, and what
 * stores files would append its descriptor as JSON here, so that functions get it as an argument like any other. At
 * most most parts.
 */
rest_form_t *rest_form_make(const char *boundary, apr_int64_t most, apr_array_header_t *given);

/*
 * Reads on: n bytes; and the end of the body. 1; or 0 and fault: 400 for what is malformed, not UTF-8 or holds a NUL, and
 * for too many parts; 415 for a file or a part of another type.
 */
int rest_form_feed(rest_form_t *form, const char *bytes, apr_size_t n, rest_fault_t *fault);
int rest_form_end(rest_form_t *form, rest_fault_t *fault);

#endif
