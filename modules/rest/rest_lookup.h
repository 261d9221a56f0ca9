/*
 * Names of columns in parameters: owner__name__icontains, extra__size__gte.
 */
#ifndef REST_LOOKUP_H
#define REST_LOOKUP_H

#include "rest_pages.h"

/* 1 if the caller may read the column: by its grants, or because a function gives it. */
int rest_lookup_readable(const rest_pages_t *pages, const rest_column_t *column);

/* The relationship of a name that the caller may follow; NULL if there is none. */
const rest_relationship_t *rest_lookup_relationship(const rest_pages_t *pages, const rest_relation_t *relation,
                                                    const char *name);

/*
 * The operand that a name in ordering means: a column, or owner__name across to-one relationships. 1 and *operand; 0 if
 * it is none that can be ordered by.
 */
int rest_lookup_operand(apr_pool_t *pool, const rest_pages_t *pages, const char *name, rest_operand_t *operand);

/*
 * Adds the condition of a parameter to filters. 1; 0 and a 400; -1 if its name means nothing here.
 */
int rest_lookup_filter(apr_pool_t *pool, const rest_pages_t *pages, const char *name, const char *value,
                       apr_array_header_t *filters, rest_fault_t *fault);

#endif
