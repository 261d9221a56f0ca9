/*
 * The plan: what a request means for the database. Dialects and routes make it, rest_sql.c turns it into SQL, the
 * answer reads from it what the rows are; no side knows more of the others.
 */
#ifndef REST_PLAN_H
#define REST_PLAN_H

#include "rest_catalogue.h"

#include <apr_tables.h>

typedef enum {
    REST_READ_ROW,   /* one row, or 404 */
    REST_READ_PAGE,  /* rows, with or without their count */
    REST_CALL,       /* function with arguments; its result is the answer */
    REST_INSERT_ROW, /* one new row */
    REST_UPDATE_ROW, /* one row is changed */
    REST_DELETE_ROW  /* one row goes */
} rest_operation_e;

typedef struct rest_plan_t rest_plan_t;
typedef struct rest_filter_t rest_filter_t;

/* What of a column is meant. */
typedef enum {
    REST_PART_WHOLE, /* the column */
    REST_PART_TEXT,  /* the column as text */
    REST_PART_JSON,  /* a place within a json column, as jsonb */
    REST_PART_LEAF,  /* a place within a json column, as text */
    REST_PART_KIND,  /* of such a place, its kind as jsonb_typeof() has it */
    REST_PART_DATE,  /* of a time, its date */
    REST_PART_FIELD  /* of a date or time, a field such as its year, as a whole number */
} rest_part_e;

typedef struct {
    const rest_column_t *column;
    rest_part_e part;
    const char *path; /* JSON, LEAF, KIND: the place, as the literal of an array of texts; NULL: the column */
    const char *unit; /* FIELD: for extract(), one of our own words: "year" */
    const apr_array_header_t
        *across; /* const rest_relationship_t *: to-one steps that lead to the column; NULL: none */
} rest_operand_t;

typedef enum {
    REST_EQUAL,
    REST_DISTINCT, /* not equal, where NULL is a value like others */
    REST_GREATER,
    REST_AT_LEAST,
    REST_LESS,
    REST_AT_MOST,
    REST_ONE_OF,  /* value: the literal of an array */
    REST_LIKE,    /* value: a pattern */
    REST_ILIKE,   /* the same without regard to case */
    REST_MATCHES, /* value: a POSIX regular expression */
    REST_IMATCHES,
    REST_IS_NULL,      /* no value */
    REST_CONTAINS,     /* @>: arrays and jsonb */
    REST_CONTAINED_IN, /* <@ */
    REST_OVERLAPS,     /* && */
    REST_ALL,          /* all of children */
    REST_ANY,          /* one of children at least */
    REST_RELATED       /* a related row with all of children */
} rest_operator_e;

/* A condition, or a tree of them. */
struct rest_filter_t {
    rest_operator_e op;
    int negated;
    rest_operand_t operand;
    const char *value;
    const char *field;                       /* the client's name for it, for refusals; NULL: our own */
    int in_path;                             /* 1: the value stood in the path, so one that does not fit means 404 */
    const rest_relationship_t *relationship; /* RELATED */
    apr_array_header_t *children;            /* ALL, ANY, RELATED: rest_filter_t * */
};

/* A member of a row as the client sees it: a column, or what a relationship leads to. */
typedef struct {
    const char *name;
    const rest_column_t *column;             /* NULL: embedded */
    const rest_relationship_t *relationship; /* with embedded */
    const rest_plan_t *embedded;
} rest_member_t;

/* A term of an order. NULL counts as larger than any value. */
typedef struct {
    rest_operand_t operand;
    int descending;
} rest_order_t;

/* Where a page begins, by the values that the row before it has in the order's terms. */
typedef struct {
    const char **values; /* one for each term of the order, NULL for NULL; NULL itself: at the beginning */
    int backward;        /* 1: the page that ends before that row; its rows come in reverse */
} rest_cursor_t;

/* A value for an argument; arguments without one keep their default. */
typedef struct {
    const rest_argument_t *argument;
    const char *value; /* NULL: SQL NULL */
    int in_path;
} rest_binding_t;

/* A value for a column that is written. */
typedef struct {
    const rest_column_t *column;
    const char *value; /* NULL: SQL NULL */
    const char *field; /* the client's name for it */
} rest_assignment_t;

struct rest_plan_t {
    rest_operation_e operation;
    const rest_relation_t *relation; /* rows come from it; of a function: what they are, NULL for mere values */
    const rest_function_t *function; /* CALL; or rows come from it */
    apr_array_header_t *bindings;    /* rest_binding_t, of function */
    apr_array_header_t *members;     /* rest_member_t; NULL: every column of relation */
    apr_array_header_t *filters;     /* rest_filter_t *, all of them hold; NULL: none */
    apr_array_header_t *orders;      /* rest_order_t; NULL: none */
    apr_array_header_t *assignments; /* rest_assignment_t; INSERT, UPDATE */
    int is_unique;                   /* READ_ROW: the filters name one row at most, by a key */
    int has_address;                 /* INSERT: the new row's path is the list's with its key */
    int hides_row;                   /* INSERT: the caller may not read what it wrote */
    const rest_cursor_t *cursor;     /* READ_PAGE: instead of offset and count; NULL: none */
    apr_int64_t page;                /* READ_PAGE without cursor: from 1 */
    apr_int64_t page_size;           /* READ_PAGE: rows of a page */
    apr_int64_t page_size_default;   /* READ_PAGE: what page_size is unless the client says otherwise */
    int with_count;                  /* READ_PAGE: the number of all rows is wanted */
    apr_int64_t rows_max;            /* rows of an embedded list, and of a CALL that returns a set */
};

#endif
