/*
 * Writing a statement: its text, its parameters, and what select, filter and write statements share.
 */
#ifndef REST_WRITER_H
#define REST_WRITER_H

#include "rest_plan.h"
#include "rest_sql.h"

#include "text.h"

typedef struct {
    apr_pool_t *pool;
    trestle_text_t text;
    rest_statement_t *statement;
    int capacity; /* parameters there is room for */
    int aliases;  /* aliases given out */
} rest_writer_t;

void rest_writer_begin(rest_writer_t *writer, apr_pool_t *pool, rest_statement_t *statement);

/* Appends SQL: text; a column of an alias; a number. */
void rest_writer_add(rest_writer_t *writer, const char *sql);
void rest_writer_column(rest_writer_t *writer, const char *alias, const rest_column_t *column);
void rest_writer_number(rest_writer_t *writer, apr_int64_t number);

/* Appends a parameter's place, cast to a type, and keeps its value. Its number, to be named again as $number. */
int rest_writer_parameter(rest_writer_t *writer, const char *quoted_type, const char *value, const char *field,
                          int in_path);

/*
 * Appends a value that a request gave (rest_value.h): rows come as JSON objects, arrays of rows as a JSON array,
 * everything else as the text of its type.
 */
void rest_writer_value(rest_writer_t *writer, const rest_type_t *type, const char *value, const char *field,
                       int in_path);

/* A new alias: t1, t2, … */
const char *rest_writer_alias(rest_writer_t *writer);

/* Appends a function's call with its arguments. */
void rest_writer_call(rest_writer_t *writer, const rest_plan_t *plan);

/* Appends an operand as an expression over alias; and the type that its values are cast to. */
void rest_writer_operand(rest_writer_t *writer, const char *alias, const rest_operand_t *operand);
const char *rest_operand_type(const rest_operand_t *operand);

/* Appends the conditions of filters (rest_filter_t *; NULL: none), each behind word and the next behind " AND ". */
void rest_writer_filters(rest_writer_t *writer, const char *alias, const apr_array_header_t *filters, const char *word);

/* Appends " FROM target AS there[, junction]" and, behind " WHERE ", what ties there to alias. */
void rest_writer_related(rest_writer_t *writer, const rest_relationship_t *relationship, const char *alias,
                         const char *there);

/* Appends a plan's members over alias, as a select list. plan has members. */
void rest_writer_members(rest_writer_t *writer, const rest_plan_t *plan, const char *alias);

/* Appends the statements. */
void rest_write_row(rest_writer_t *writer, const rest_plan_t *plan);
void rest_write_page(rest_writer_t *writer, const rest_plan_t *plan);
void rest_write_insert(rest_writer_t *writer, const rest_plan_t *plan);
void rest_write_update(rest_writer_t *writer, const rest_plan_t *plan);
void rest_write_delete(rest_writer_t *writer, const rest_plan_t *plan);

#endif
