/*
 * The operations of the module, by the names that SetHandler gives them.
 */
#ifndef IDENTITY_OPERATION_H
#define IDENTITY_OPERATION_H

#include "httpd.h"

/* What an operation cannot do without. */
enum { IDENTITY_NEEDS_POOL = 1, IDENTITY_NEEDS_SIGNING_KEY = 2, IDENTITY_NEEDS_REFRESH_KEY = 4 };

typedef struct {
    const char *handler;           /* the name */
    int (*answer)(request_rec *r); /* answers a request of one of the methods; returns what the handler must return */
    const char *allow;             /* the methods, as the header Allow has them */
    int needs;                     /* of the above */
} identity_operation_t;

/* 1 if a handler's name begins as those of our operations do, in whatever case. */
int identity_operation_is_ours(const char *handler);

/* The operation of exactly that name; NULL if there is none. */
const identity_operation_t *identity_operation_find(const char *handler);

/* 1 if the operation answers requests of r's method. */
int identity_operation_allows(const identity_operation_t *operation, request_rec *r);

/* The names of all operations for a message: "identity-login, …". */
const char *identity_operation_names(apr_pool_t *pool);

#endif
