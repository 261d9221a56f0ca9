#include "rest_call.h"

#include "rest_value.h"

#include <apr_strings.h>
#include <string.h>

/* A call being planned. */
typedef struct {
    apr_pool_t *pool;
    const rest_function_t *function;
    const apr_array_header_t *given;
    const rest_json_t *body;
    int refuse_unknown;
    rest_plan_t *plan;
    rest_fault_t *fault;
} call_t;

static int find_argument(const rest_function_t *function, const char *name)
{
    for (int i = 0; i < function->arguments->nelts; i++) {
        const char *own = APR_ARRAY_IDX(function->arguments, i, rest_argument_t).name;

        if (own && !strcmp(own, name))
            return i;
    }
    return -1;
}

static int takes_body(const rest_function_t *function)
{
    const rest_argument_t *first =
        function->arguments->nelts ? &APR_ARRAY_IDX(function->arguments, 0, rest_argument_t) : NULL;

    return first && !first->name && first->type->kind == REST_JSON;
}

/* Notes a mistake: of one field among others, so that the search goes on (1), or one that ends it (0). */
static int note(const call_t *call, const rest_fault_t *one)
{
    if (one->status != 400 || !one->field) {
        *call->fault = *one;
        return 0;
    }
    rest_fault_add(call->pool, call->fault, one);
    return 1;
}

/* Sorts one value by argument. */
static int fill_slot(const call_t *call, int i, rest_slot_t *slots, rest_fault_t *one)
{
    const rest_given_t *item = &APR_ARRAY_IDX(call->given, i, rest_given_t);
    int n = find_argument(call->function, item->name);

    if (n >= 0)
        return rest_slot_note(&slots[n], APR_ARRAY_IDX(call->function->arguments, n, rest_argument_t).type, call->given,
                              i, one);
    if (item->place == REST_IN_PATH)
        return rest_blame(one, apr_psprintf(call->pool,
                                            "function %s has no argument \"%s\" for the path variable of its "
                                            "RestRoute; name the variable after an argument",
                                            call->function->quoted, item->name));
    return !call->refuse_unknown
           || rest_refuse(one, 400, "VALIDATION_ERROR", "The field is not known here.", item->name);
}

static int fill_slots(const call_t *call, rest_slot_t *slots)
{
    int whole = takes_body(call->function);
    rest_fault_t one;

    for (int i = 0; i < call->given->nelts; i++) {
        if (whole && APR_ARRAY_IDX(call->given, i, rest_given_t).place == REST_IN_BODY)
            continue;
        if (!fill_slot(call, i, slots, &one) && !note(call, &one))
            return 0;
    }
    return 1;
}

static void add_binding(const call_t *call, const rest_argument_t *argument, const char *value, int in_path)
{
    APR_ARRAY_PUSH(call->plan->bindings, rest_binding_t) = (rest_binding_t){ argument, value, in_path };
}

/* The argument without a name: the body as a whole. */
static int bind_body(const call_t *call)
{
    const rest_argument_t *argument = &APR_ARRAY_IDX(call->function->arguments, 0, rest_argument_t);
    const char *value = call->body ? call->body->bytes : rest_query_object(call->pool, call->given);

    if (value)
        add_binding(call, argument, value, 0);
    return value || argument->has_default
           || rest_refuse(call->fault, 400, "REQUIRED_FIELD_MISSING", "The request must have a body.", NULL);
}

/* One argument: what was given, or nothing if it can do without. */
static int bind_argument(const call_t *call, const rest_argument_t *argument, const rest_slot_t *slot,
                         rest_fault_t *one)
{
    const char *value;

    if (slot->count > 0) {
        if (!rest_slot_value(call->pool, slot, argument->type, call->given, &value, one))
            return 0;
        add_binding(call, argument, value, slot->place == REST_IN_PATH);
        return 1;
    }
    if (argument->has_default)
        return 1;
    if (!argument->name)
        return rest_blame(one, apr_psprintf(call->pool,
                                            "function %s has an argument without a name and without a default that is "
                                            "not its first and json or jsonb; name it",
                                            call->function->quoted));
    return argument->variadic
           || rest_refuse(one, 400, "REQUIRED_FIELD_MISSING", "The field is required.", argument->name);
}

static int plan_one(const call_t *call)
{
    const apr_array_header_t *arguments = call->function->arguments;
    rest_slot_t *slots = apr_pcalloc(call->pool, sizeof(rest_slot_t) * (size_t)(arguments->nelts + 1));
    int whole = takes_body(call->function);
    rest_fault_t one;

    memset(call->fault, 0, sizeof(*call->fault));
    call->plan->operation = REST_CALL;
    call->plan->function = call->function;
    call->plan->bindings = apr_array_make(call->pool, arguments->nelts + 1, sizeof(rest_binding_t));
    if (!whole && call->body && call->body->type != TRESTLE_JSON_OBJECT)
        return rest_refuse(call->fault, 400, "INVALID_JSON", "The body must be a JSON object.", NULL);
    if (!fill_slots(call, slots) || (whole && !bind_body(call)))
        return 0;
    for (int i = whole; i < arguments->nelts; i++)
        if (!bind_argument(call, &APR_ARRAY_IDX(arguments, i, rest_argument_t), &slots[i], &one) && !note(call, &one))
            return 0;
    return call->fault->status == 0;
}

int rest_call_plan(apr_pool_t *pool, const rest_function_t *function, const apr_array_header_t *given,
                   const rest_json_t *body, int refuse_unknown, rest_plan_t *plan, rest_fault_t *fault)
{
    call_t call = { pool, function, given, body, refuse_unknown, plan, fault };

    if (function->overload) {
        call.refuse_unknown = 1;
        for (; call.function; call.function = call.function->overload)
            if (plan_one(&call))
                return 1;
        call.function = function;
        call.refuse_unknown = refuse_unknown;
    }
    return plan_one(&call);
}
