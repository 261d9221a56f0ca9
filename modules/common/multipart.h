/*
 * Reading multipart/form-data (RFC 7578) as it arrives, in pieces of any size, without holding more of it than one
 * part's header. Stricter than RFC 2046: nothing stands before the first boundary or behind the last, no line is
 * folded, boundaries are not padded. Browsers, curl and the usual libraries send nothing else.
 */
#ifndef TRESTLE_MULTIPART_H
#define TRESTLE_MULTIPART_H

#include <apr_pools.h>

enum {
    TRESTLE_BOUNDARY_MAX = 70,     /* bytes, RFC 2046 section 5.1.1 */
    TRESTLE_PART_HEADER_MAX = 8192 /* bytes of one part's header */
};

/* The header of a part. Strings are UTF-8 and live in the parser's pool. */
typedef struct {
    const char *name;     /* of the field; never empty */
    const char *filename; /* NULL: a text; "": an input for a file that was left empty; else the client's word only */
    const char *type;     /* Content-Type as it was written; NULL: none, which means text/plain */
} trestle_part_t;

/* Who takes the parts: begin, then data as often as needed, then end. Each returns 1, or 0 to stop the reading. */
typedef struct {
    int (*begin)(void *baton, const trestle_part_t *part);
    int (*data)(void *baton, const char *bytes, apr_size_t n); /* bytes are valid during the call */
    int (*end)(void *baton);
} trestle_multipart_sink_t;

typedef struct trestle_multipart_t trestle_multipart_t;

/* 1 if boundary is one that RFC 2046 section 5.1.1 allows. */
int trestle_boundary_is_valid(const char *boundary);

/* A parser in pool for a valid boundary. sink lives as long as it. */
trestle_multipart_t *trestle_multipart_make(apr_pool_t *pool, const char *boundary,
                                            const trestle_multipart_sink_t *sink, void *baton);

/* Reads on: n bytes. 1; 0 if they are malformed or the sink has stopped, from when on nothing may be fed. */
int trestle_multipart_feed(trestle_multipart_t *multipart, const char *bytes, apr_size_t n);

/* To be called behind the last byte. 1 if the last boundary has come; else 0. */
int trestle_multipart_end(trestle_multipart_t *multipart);

/* What is malformed, as a sentence for the client; NULL if the sink has stopped the reading. */
const char *trestle_multipart_mistake(const trestle_multipart_t *multipart);

#endif
