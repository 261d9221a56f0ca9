/*
 * The compiled form of a template: what template.c and template_string.c build and template_render.c walks. For them only.
 */
#ifndef TRESTLE_TEMPLATE_NODE_H
#define TRESTLE_TEMPLATE_NODE_H

#include "template.h"

/* One alternative of a placeholder: a value of the document, a member of the current row, or a fixed text. */
typedef struct {
    enum { REFERENCE_VALUE, REFERENCE_COLUMN, REFERENCE_TEXT } scope;
    int index;        /* REFERENCE_VALUE: place in the vocabulary; REFERENCE_COLUMN: place in the row */
    const char *text; /* REFERENCE_TEXT */
} template_reference_t;

/* A part of a string: fixed text, or a placeholder. */
typedef struct {
    const char *text;                     /* NULL for a placeholder */
    const apr_array_header_t *references; /* template_reference_t: the first known one counts */
} template_piece_t;

/* Repetition over the rows of a list. */
typedef struct {
    int list;    /* place in the vocabulary */
    int columns; /* members of a row */
    enum { ROWS_ALL, ROWS_WITH, ROWS_WITHOUT } filter;
    int column;                    /* of the filter */
    const apr_array_header_t *key; /* template_reference_t: names of members; NULL in an array */
    int grouped;                   /* 1: rows of one name together in an array */
    const trestle_template_t *body;
} template_each_t;

/* A member of an object, a branch of a case. */
typedef struct {
    const char *name;            /* member: its name as JSON text; branch: a label, NULL for any other */
    int optional;                /* 1: left out where its value is not known */
    const template_each_t *each; /* not NULL: members made from rows, name and value unused */
    const trestle_template_t *value;
} template_member_t;

struct trestle_template_t {
    enum { NODE_LITERAL, NODE_STRING, NODE_OBJECT, NODE_ARRAY, NODE_EACH, NODE_CASE } kind;
    const char *literal;               /* NODE_LITERAL: JSON text */
    const apr_array_header_t *pieces;  /* NODE_STRING: template_piece_t */
    const apr_array_header_t *members; /* NODE_OBJECT, NODE_CASE: template_member_t */
    const apr_array_header_t *items;   /* NODE_ARRAY: const trestle_template_t * */
    const apr_array_header_t *subject; /* NODE_CASE: template_reference_t */
    const template_each_t *each;       /* NODE_EACH */
};

#endif
