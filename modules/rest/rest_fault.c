#include "rest_fault.h"

static void push(apr_array_header_t *errors, const rest_fault_t *fault)
{
    APR_ARRAY_PUSH(errors, trestle_field_error_t) = (trestle_field_error_t){ fault->field, fault->code, fault->detail };
}

void rest_fault_add(apr_pool_t *pool, rest_fault_t *all, const rest_fault_t *one)
{
    if (!all->status) {
        *all = *one;
        return;
    }
    if (!all->errors) {
        all->errors = apr_array_make(pool, 4, sizeof(trestle_field_error_t));
        push(all->errors, all);
    }
    if (all->errors->nelts < REST_ERRORS_MAX)
        push(all->errors, one);
}
