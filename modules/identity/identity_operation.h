/*
 * The operations of the module, by the names that SetHandler gives them.
 */
#ifndef IDENTITY_OPERATION_H
#define IDENTITY_OPERATION_H

#include "httpd.h"

/* Answers a POST; returns what the handler must return. */
typedef int identity_operation_t(request_rec *r);

/* 1 if a handler's name begins as those of our operations do, in whatever case. */
int identity_operation_is_ours(const char *handler);

/* The operation of exactly that name; NULL if there is none. */
identity_operation_t *identity_operation_find(const char *handler);

/* The names of all operations for a message: "identity-login, …". */
const char *identity_operation_names(apr_pool_t *pool);

#endif
