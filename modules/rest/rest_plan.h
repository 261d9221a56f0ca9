/*
 * The plan: what a request means for the database. Dialects and routes make it, rest_sql.c turns it into SQL,
 * rest_response.c reads from it what the rows are; no side knows more of the others.
 */
#ifndef REST_PLAN_H
#define REST_PLAN_H

#include "rest_catalogue.h"

#include <apr_tables.h>

typedef enum {
    REST_READ_ROW,  /* one row of relation, or 404 */
    REST_READ_PAGE, /* a page of relation's rows with their count */
    REST_CALL       /* function with arguments */
} rest_operation_e;

/* A condition: column = value. */
typedef struct {
    const rest_column_t *column;
    const char *value;
    int in_path; /* 1: the value stood in the path, so one that does not fit its type means 404 */
} rest_filter_t;

/* A value for an argument; arguments without one keep their default. */
typedef struct {
    const rest_argument_t *argument;
    const char *value; /* NULL: SQL NULL */
    int in_path;
} rest_binding_t;

typedef struct {
    rest_operation_e operation;
    const rest_relation_t *relation; /* READ_ROW, READ_PAGE */
    apr_array_header_t *filters;     /* rest_filter_t */
    apr_int64_t page;                /* READ_PAGE: from 1 */
    apr_int64_t page_size;           /* READ_PAGE: rows of a page */
    int page_size_given;             /* READ_PAGE: 1 if the client chose page_size, so links repeat it */
    const rest_function_t *function; /* CALL */
    apr_array_header_t *bindings;    /* rest_binding_t */
    apr_int64_t rows_max;            /* CALL of a function that returns a set: rows at most */
} rest_plan_t;

#endif
