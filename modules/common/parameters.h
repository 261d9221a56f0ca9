/*
 * Parameters of header fields: what follows the first ";" of Content-Type and Content-Disposition.
 */
#ifndef TRESTLE_PARAMETERS_H
#define TRESTLE_PARAMETERS_H

#include <apr_pools.h>

/*
 * Reads the next "; name=value" (RFC 9110 section 5.6.6) at *at and moves behind it. The name comes in lower case; the
 * value is a token or what stood between quotes, where \" is a quote and every other backslash itself, as browsers send
 * file names. Both in pool. 1; 0 at the end; -1 where no parameter can be read, or for a control character.
 */
int trestle_parameters_next(apr_pool_t *pool, const char **at, const char **name, const char **value);

/* The bytes of text from its start that RFC 9110 section 5.6.2 allows in a token. */
apr_size_t trestle_token_length(const char *text);

#endif
