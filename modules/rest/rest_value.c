#include "rest_value.h"

#include "text.h"

#include <apr_strings.h>
#include <string.h>

/* A field on its way to a parameter. */
typedef struct {
    apr_pool_t *pool;
    const char *field;
    rest_place_e place;
    rest_fault_t *fault;
} transit_t;

static int misfit(const transit_t *transit, const rest_type_t *type)
{
    if (transit->place == REST_IN_PATH)
        return rest_refuse(transit->fault, 404, "NOT_FOUND", NULL, NULL);
    return rest_refuse(transit->fault, 400, "VALIDATION_ERROR",
                       apr_psprintf(transit->pool, "The value must be %s.", rest_type_wish(type)), transit->field);
}

/* A text that must be JSON, without \u0000. */
static int parse(const transit_t *transit, const char *text, rest_json_t *json)
{
    rest_json_mistake_t mistake;

    if (rest_json_parse(text, strlen(text), json, &mistake)) {
        if (!rest_json_has_nul(json))
            return 1;
        return rest_refuse(transit->fault, 400, "VALIDATION_ERROR", "The value holds a NUL, which cannot be stored.",
                           transit->field);
    }
    if (transit->place == REST_IN_PATH)
        return rest_refuse(transit->fault, 404, "NOT_FOUND", NULL, NULL);
    return rest_refuse(transit->fault, 400, "VALIDATION_ERROR",
                       rest_json_complaint(transit->pool, "The value", text, &mistake), transit->field);
}

/* A JSON value other than null, and for no array, as the text of its type. */
static int from_json(const transit_t *transit, const rest_type_t *type, const rest_json_t *json, const char **value)
{
    *value = NULL;
    if (type->kind == REST_JSON || (type->kind == REST_ROW && json->type == TRESTLE_JSON_OBJECT)) {
        *value = apr_pstrmemdup(transit->pool, json->bytes, json->length);
        return 1;
    }
    if (type->kind == REST_ROW)
        return misfit(transit, type);
    switch (json->type) {
    case TRESTLE_JSON_STRING:
        *value = rest_json_string(transit->pool, json);
        break;
    case TRESTLE_JSON_NUMBER:
        if (type->kind == REST_INT2 || type->kind == REST_INT4 || type->kind == REST_INT8 || type->kind == REST_NUMBER)
            *value = apr_pstrmemdup(transit->pool, json->bytes, json->length);
        break;
    case TRESTLE_JSON_BOOLEAN:
        if (type->kind == REST_BOOLEAN)
            *value = json->bytes[0] == 't' ? "true" : "false";
        break;
    default:
        break;
    }
    return *value && rest_type_accepts(type, *value) ? 1 : misfit(transit, type);
}

/* A text as the text of its type. */
static int from_text(const transit_t *transit, const rest_type_t *type, const char *text, const char **value)
{
    rest_json_t json;

    *value = text;
    if (type->kind == REST_JSON || type->kind == REST_ROW)
        return parse(transit, text, &json)
               && (type->kind == REST_JSON || json.type == TRESTLE_JSON_OBJECT || misfit(transit, type));
    return rest_type_accepts(type, text) ? 1 : misfit(transit, type);
}

/* An array being written: as an array literal of PostgreSQL, or of rows as a JSON array. */
typedef struct {
    const transit_t *transit;
    const rest_type_t *type; /* of its elements */
    trestle_text_t literal;
} array_t;

/* What opens and closes it. */
static char bracket(const array_t *array, int opening)
{
    return array->type->kind == REST_ROW ? (opening ? '[' : ']') : (opening ? '{' : '}');
}

static void add_separator(array_t *array)
{
    if (array->literal.bytes[array->literal.length - 1] != bracket(array, 1))
        trestle_text_addc(&array->literal, ',');
}

static void add_element(array_t *array, const char *text)
{
    if (array->type->kind == REST_ROW) {
        trestle_text_adds(&array->literal, text);
        return;
    }
    trestle_text_addc(&array->literal, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            trestle_text_addc(&array->literal, '\\');
        trestle_text_addc(&array->literal, *text);
    }
    trestle_text_addc(&array->literal, '"');
}

/* The elements of a JSON array, which may hold arrays of its own unless its elements are JSON or rows. */
static int add_json_array(array_t *array, const rest_json_t *json)
{
    int plain = array->type->kind != REST_JSON && array->type->kind != REST_ROW;
    const char *at = NULL, *text;
    rest_json_t element;

    trestle_text_addc(&array->literal, bracket(array, 1));
    while (rest_json_next_element(json, &at, &element)) {
        add_separator(array);
        if (plain && element.type == TRESTLE_JSON_ARRAY) {
            if (!add_json_array(array, &element))
                return 0;
        } else if (plain && element.type == TRESTLE_JSON_NULL) {
            trestle_text_adds(&array->literal, "NULL");
        } else {
            if (!from_json(array->transit, array->type, &element, &text))
                return 0;
            add_element(array, text);
        }
    }
    trestle_text_addc(&array->literal, bracket(array, 0));
    return 1;
}

/* The values of a field that came several times. */
static int add_items(array_t *array, const rest_slot_t *slot, const apr_array_header_t *given)
{
    int left = slot->count;

    trestle_text_addc(&array->literal, bracket(array, 1));
    for (int i = slot->first; left > 0; i++) {
        const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);
        const char *text;

        if (item->place != slot->place || strcmp(item->name, array->transit->field))
            continue;
        if (item->text ? !from_text(array->transit, array->type, item->text, &text)
                       : !from_json(array->transit, array->type, &item->json, &text))
            return 0;
        add_separator(array);
        add_element(array, text);
        left--;
    }
    trestle_text_addc(&array->literal, bracket(array, 0));
    return 1;
}

/* The JSON array that a single value is; a text only in a body, since ?tags=[a] is how a query gives one tag. */
static const rest_json_t *whole_array(const rest_given_t *item, rest_json_t *parsed)
{
    rest_json_mistake_t unused;

    if (!item->text)
        return item->json.type == TRESTLE_JSON_ARRAY ? &item->json : NULL;
    if (item->place != REST_IN_BODY || !rest_json_parse(item->text, strlen(item->text), parsed, &unused))
        return NULL;
    return parsed->type == TRESTLE_JSON_ARRAY && !rest_json_has_nul(parsed) ? parsed : NULL;
}

static int array_value(const transit_t *transit, const rest_slot_t *slot, const rest_type_t *type,
                       const apr_array_header_t *given, const char **value)
{
    const rest_given_t *first = &APR_ARRAY_IDX(given, slot->first, rest_given_t);
    array_t array = { transit, type->element, trestle_text_make(transit->pool, first->json.length + 32) };
    const rest_json_t *whole;
    rest_json_t parsed;
    int ok;

    whole = slot->count == 1 ? whole_array(first, &parsed) : NULL;
    if (!whole && !first->text && !first->in_form)
        return misfit(transit, type);
    ok = whole ? add_json_array(&array, whole) : add_items(&array, slot, given);
    *value = array.literal.bytes;
    return ok;
}

int rest_slot_note(rest_slot_t *slot, const rest_type_t *type, const apr_array_header_t *given, int i,
                   rest_fault_t *fault)
{
    const rest_given_t *item = &APR_ARRAY_IDX(given, i, rest_given_t);

    if (item->place != REST_IN_PATH && item->text && !*item->text && type->kind != REST_TEXT
        && type->kind != REST_ARRAY)
        return 1;
    if (slot->count == 0 || item->place > slot->place) {
        *slot = (rest_slot_t){ item->place, 1, i };
    } else if (item->place == slot->place) {
        if (type->kind != REST_ARRAY)
            return rest_refuse(fault, 400, "VALIDATION_ERROR", "The field is given more than once.", item->name);
        slot->count++;
    }
    return 1;
}

int rest_slot_value(apr_pool_t *pool, const rest_slot_t *slot, const rest_type_t *type, const apr_array_header_t *given,
                    const char **value, rest_fault_t *fault)
{
    const rest_given_t *item = &APR_ARRAY_IDX(given, slot->first, rest_given_t);
    const transit_t transit = { pool, item->name, slot->place, fault };

    if (slot->count == 1 && !item->text && item->json.type == TRESTLE_JSON_NULL) {
        *value = NULL;
        return 1;
    }
    if (type->kind == REST_ARRAY)
        return array_value(&transit, slot, type, given, value);
    return item->text ? from_text(&transit, type, item->text, value) : from_json(&transit, type, &item->json, value);
}
