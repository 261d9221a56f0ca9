/*
 * How fields become typed parameters: JSON and texts, one or several of a name, for a function's argument or a table's
 * column.
 */
#ifndef REST_VALUE_H
#define REST_VALUE_H

#include "rest_query.h"
#include "rest_type.h"

/* What was given under one name: the values of the place that wins. Starts zeroed. */
typedef struct {
    rest_place_e place;
    int count; /* 0: nothing */
    int first; /* index in given; others of the same name and place follow somewhere behind it */
} rest_slot_t;

/*
 * Notes given[i] (rest_given_t) in the slot of its name, type being the argument's or column's. An empty field of a
 * query or form is as good as none, unless the type is a text or an array. 1; or 0 and a 400 for a second value of one
 * place where the type is no array.
 */
int rest_slot_note(rest_slot_t *slot, const rest_type_t *type, const apr_array_header_t *given, int i,
                   rest_fault_t *fault);

/*
 * The text of the parameter that a slot with values means, in pool, NULL for SQL NULL; rest_sql.c knows for each type
 * what it casts it from. JSON must fit the type: numbers for numbers, booleans for booleans, arrays for arrays, objects
 * for rows, strings for what is written as text, anything for json and jsonb. Texts are what the type reads; those for
 * json, jsonb and rows are JSON, and one text of a body for an array may be a JSON array. 1; or 0 and fault: a 400 with
 * the field, or 404 where it stood in the path.
 */
int rest_slot_value(apr_pool_t *pool, const rest_slot_t *slot, const rest_type_t *type, const apr_array_header_t *given,
                    const char **value, rest_fault_t *fault);

#endif
