/*
 * Calling a function: choosing it by the names that were given, and typing its arguments.
 */
#ifndef REST_CALL_H
#define REST_CALL_H

#include "rest_fault.h"
#include "rest_plan.h"
#include "rest_query.h"

/*
 * Plans a call.
 *   function  the first of its overloads
 *   given     rest_given_t from query, body and path
 *   body      the whole of a JSON body; NULL: a form, or none
 * Each value is the argument of its name. If the first argument has no name and is json or jsonb, it takes the whole body
 * in place of arguments by name: JSON as it was written, a form as an object; path and query are named arguments still.
 * A name that no argument has is ignored or, if refuse_unknown, a 400 with the field; in the path it is the operator's
 * mistake. The overload that takes all the names and misses none of its own is chosen, else the first one's mistakes are
 * told: all that can be seen here, so that a client learns at once of every field that is missing or mistyped.
 * 1 and *plan (bindings in pool); or 0 and fault: 400 for what cannot be an argument's value, 404 if that stood in the
 * path.
 */
int rest_call_plan(apr_pool_t *pool, const rest_function_t *function, const apr_array_header_t *given,
                   const rest_json_t *body, int refuse_unknown, rest_plan_t *plan, rest_fault_t *fault);

#endif
