#include "rest_call.h"

#include "text.h"

#include <apr_strings.h>
#include <string.h>

/* What was given for one argument: the place that wins, and its values (several only for an array). */
typedef struct {
    rest_place_e place;
    int count;
    int first; /* index in given */
} slot_t;

static int misfit(apr_pool_t *pool, const rest_type_t *type, const char *field, int in_path, rest_fault_t *fault)
{
    if (in_path)
        return rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    return rest_refuse(fault, 400, "VALIDATION_ERROR",
                       apr_psprintf(pool, "The value must be %s.", rest_type_wish(type)), field);
}

static int find_argument(const rest_function_t *function, const char *name)
{
    for (int i = 0; i < function->arguments->nelts; i++) {
        const char *own = APR_ARRAY_IDX(function->arguments, i, rest_argument_t).name;

        if (own && !strcmp(own, name))
            return i;
    }
    return -1;
}

/* An element of an array literal, quoted (array input syntax of PostgreSQL). */
static void add_element(trestle_text_t *literal, const char *text, apr_size_t n)
{
    trestle_text_addc(literal, '"');
    for (apr_size_t i = 0; i < n; i++) {
        if (text[i] == '"' || text[i] == '\\')
            trestle_text_addc(literal, '\\');
        trestle_text_addc(literal, text[i]);
    }
    trestle_text_addc(literal, '"');
}

/* A JSON scalar as the text of a value of type; NULL if it does not fit. A row is passed on as JSON. */
static const char *scalar_text(apr_pool_t *pool, const rest_type_t *type, const rest_json_t *json)
{
    const char *text = NULL;

    if (type->kind == REST_JSON || (type->kind == REST_ROW && json->type == REST_JSON_OBJECT))
        return apr_pstrmemdup(pool, json->bytes, json->length);
    if (type->kind == REST_ROW)
        return NULL;
    switch (json->type) {
    case REST_JSON_STRING:
        text = rest_json_string(pool, json);
        break;
    case REST_JSON_NUMBER:
        if (type->kind == REST_INT2 || type->kind == REST_INT4 || type->kind == REST_INT8 || type->kind == REST_NUMBER)
            text = apr_pstrmemdup(pool, json->bytes, json->length);
        break;
    case REST_JSON_BOOLEAN:
        if (type->kind == REST_BOOLEAN)
            text = json->bytes[0] == 't' ? "true" : "false";
        break;
    default:
        break;
    }
    return text && rest_type_accepts(type, text) ? text : NULL;
}

/* A JSON array as an array literal. 0 if an element does not fit. */
static int add_array(apr_pool_t *pool, const rest_type_t *type, const rest_json_t *array, trestle_text_t *literal)
{
    const char *at = NULL, *text;
    rest_json_t element;
    int first = 1;

    trestle_text_addc(literal, '{');
    while (rest_json_next_element(array, &at, &element)) {
        if (!first)
            trestle_text_addc(literal, ',');
        first = 0;
        if (element.type == REST_JSON_ARRAY && type->kind != REST_JSON) {
            if (!add_array(pool, type, &element, literal))
                return 0;
        } else if (element.type == REST_JSON_NULL && type->kind != REST_JSON) {
            trestle_text_adds(literal, "NULL");
        } else {
            if (!(text = scalar_text(pool, type, &element)))
                return 0;
            add_element(literal, text, strlen(text));
        }
    }
    trestle_text_addc(literal, '}');
    return 1;
}

/* The value of an argument from a JSON member. */
static int bind_json(apr_pool_t *pool, const rest_argument_t *argument, const rest_json_t *json, const char **value,
                     rest_fault_t *fault)
{
    if (json->type == REST_JSON_NULL) {
        *value = NULL;
        return 1;
    }
    if (argument->type->kind == REST_ARRAY && json->type == REST_JSON_ARRAY) {
        trestle_text_t literal = trestle_text_make(pool, json->length + 16);

        if (!add_array(pool, argument->type->element, json, &literal))
            return misfit(pool, argument->type->element, argument->name, 0, fault);
        *value = literal.bytes;
        return 1;
    }
    if (argument->type->kind == REST_ARRAY || !(*value = scalar_text(pool, argument->type, json)))
        return misfit(pool, argument->type, argument->name, 0, fault);
    return 1;
}

/* The value of an array argument from the texts of a repeated field. */
static int bind_texts(apr_pool_t *pool, const rest_argument_t *argument, const slot_t *slot,
                      const apr_array_header_t *given, const char **value, rest_fault_t *fault)
{
    const rest_type_t *type = argument->type->element;
    trestle_text_t literal = trestle_text_make(pool, 64);
    int left = slot->count;

    trestle_text_addc(&literal, '{');
    for (int i = slot->first; left > 0; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);

        if (item->place != slot->place || strcmp(item->name, argument->name))
            continue;
        if (!rest_type_accepts(type, item->text))
            return misfit(pool, type, argument->name, slot->place == REST_IN_PATH, fault);
        add_element(&literal, item->text, strlen(item->text));
        if (--left > 0)
            trestle_text_addc(&literal, ',');
    }
    trestle_text_addc(&literal, '}');
    *value = literal.bytes;
    return 1;
}

static int bind_argument(apr_pool_t *pool, const rest_argument_t *argument, const slot_t *slot,
                         const apr_array_header_t *given, rest_plan_t *plan, rest_fault_t *fault)
{
    const rest_given_t *item = &APR_ARRAY_IDX(given, slot->first, rest_given_t);
    rest_binding_t binding = { argument, item->text, slot->place == REST_IN_PATH };

    if (!item->text) {
        if (!bind_json(pool, argument, &item->json, &binding.value, fault))
            return 0;
    } else if (argument->type->kind == REST_ARRAY) {
        if (!bind_texts(pool, argument, slot, given, &binding.value, fault))
            return 0;
    } else if (!rest_type_accepts(argument->type, item->text)) {
        return misfit(pool, argument->type, argument->name, binding.in_path, fault);
    }
    APR_ARRAY_PUSH(plan->bindings, rest_binding_t) = binding;
    return 1;
}

/* Sorts what was given by argument. */
static int fill_slots(apr_pool_t *pool, const rest_function_t *function, const apr_array_header_t *given,
                      int refuse_unknown, slot_t *slots, rest_fault_t *fault)
{
    for (int i = 0; i < given->nelts; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);
        int n = find_argument(function, item->name);
        const rest_type_t *type;
        slot_t *slot;

        if (n < 0 && item->place == REST_IN_PATH)
            return rest_blame(fault, apr_psprintf(pool,
                                                  "function %s has no argument \"%s\" for the path variable of its "
                                                  "RestRoute; name the variable after an argument",
                                                  function->quoted, item->name));
        if (n < 0) {
            if (refuse_unknown)
                return rest_refuse(fault, 400, "VALIDATION_ERROR", "The field is not known here.", item->name);
            continue;
        }
        type = APR_ARRAY_IDX(function->arguments, n, rest_argument_t).type;
        if (item->place == REST_IN_QUERY && item->text && !*item->text && type->kind != REST_TEXT
            && type->kind != REST_ARRAY)
            continue; /* ?limit= is how a form sends a field that was left empty */
        slot = &slots[n];
        if (slot->count == 0 || item->place > slot->place) {
            *slot = (slot_t){ item->place, 1, i };
        } else if (item->place == slot->place) {
            if (type->kind != REST_ARRAY || !item->text)
                return rest_refuse(fault, 400, "VALIDATION_ERROR", "The field is given more than once.", item->name);
            slot->count++;
        }
    }
    return 1;
}

static int plan_one(apr_pool_t *pool, const rest_function_t *function, const apr_array_header_t *given,
                    int refuse_unknown, rest_plan_t *plan, rest_fault_t *fault)
{
    slot_t *slots = apr_pcalloc(pool, sizeof(slot_t) * (size_t)(function->arguments->nelts + 1));

    plan->operation = REST_CALL;
    plan->function = function;
    plan->bindings = apr_array_make(pool, function->arguments->nelts + 1, sizeof(rest_binding_t));
    if (!fill_slots(pool, function, given, refuse_unknown, slots, fault))
        return 0;
    for (int i = 0; i < function->arguments->nelts; i++) {
        const rest_argument_t *argument = &APR_ARRAY_IDX(function->arguments, i, rest_argument_t);

        if (slots[i].count > 0) {
            if (!bind_argument(pool, argument, &slots[i], given, plan, fault))
                return 0;
        } else if (!argument->has_default && !argument->name) {
            return rest_blame(fault, apr_psprintf(pool,
                                                  "function %s has an argument without a name and without a default; "
                                                  "name it",
                                                  function->quoted));
        } else if (!argument->has_default && !argument->variadic) {
            return rest_refuse(fault, 400, "REQUIRED_FIELD_MISSING", "The field is required.", argument->name);
        }
    }
    return 1;
}

int rest_call_plan(apr_pool_t *pool, const rest_function_t *function, const apr_array_header_t *given,
                   int refuse_unknown, rest_plan_t *plan, rest_fault_t *fault)
{
    if (function->overload) {
        rest_fault_t unused;

        for (const rest_function_t *each = function; each; each = each->overload)
            if (plan_one(pool, each, given, 1, plan, &unused))
                return 1;
    }
    return plan_one(pool, function, given, refuse_unknown, plan, fault);
}
