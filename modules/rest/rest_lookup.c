#include "rest_lookup.h"

#include "rest_literal.h"

#include <apr_strings.h>
#include <string.h>

enum { NAME_MAX_BYTES = 512 }; /* of a parameter or term; longer ones mean nothing */

/* How a lookup reads its value. */
typedef enum {
    PLAIN,   /* a value of the operand's type */
    LIST,    /* several, between commas */
    RANGE,   /* two */
    PATTERN, /* text for LIKE */
    REGEX,   /* text */
    IS_NULL  /* true or false */
} form_e;

typedef struct {
    const char *name;
    form_e form;
    rest_operator_e op;
    const char *before, *behind; /* PATTERN */
} lookup_t;

static const lookup_t lookups[] = {
    { "exact", PLAIN, REST_EQUAL, 0, 0 },
    { "ne", PLAIN, REST_DISTINCT, 0, 0 },
    { "gt", PLAIN, REST_GREATER, 0, 0 },
    { "gte", PLAIN, REST_AT_LEAST, 0, 0 },
    { "lt", PLAIN, REST_LESS, 0, 0 },
    { "lte", PLAIN, REST_AT_MOST, 0, 0 },
    { "in", LIST, REST_ONE_OF, 0, 0 },
    { "range", RANGE, REST_ALL, 0, 0 },
    { "isnull", IS_NULL, REST_IS_NULL, 0, 0 },
    { "iexact", PATTERN, REST_ILIKE, "", "" },
    { "contains", PATTERN, REST_LIKE, "%", "%" },
    { "icontains", PATTERN, REST_ILIKE, "%", "%" },
    { "startswith", PATTERN, REST_LIKE, "", "%" },
    { "istartswith", PATTERN, REST_ILIKE, "", "%" },
    { "endswith", PATTERN, REST_LIKE, "%", "" },
    { "iendswith", PATTERN, REST_ILIKE, "%", "" },
    { "regex", REGEX, REST_MATCHES, 0, 0 },
    { "iregex", REGEX, REST_IMATCHES, 0, 0 },
};

/* Of arrays and jsonb. */
static const lookup_t set_lookups[] = {
    { "contains", LIST, REST_CONTAINS, 0, 0 },
    { "contained_by", LIST, REST_CONTAINED_IN, 0, 0 },
    { "overlap", LIST, REST_OVERLAPS, 0, 0 },
};

static const char *const units[] = { "year", "quarter", "month", "week", "day", "hour", "minute", "second" };

/* A condition being made. */
typedef struct {
    apr_pool_t *pool;
    const char *field; /* the parameter's name */
    const char *value;
    rest_operand_t operand;
    const lookup_t *lookup;
    rest_fault_t *fault;
} making_t;

int rest_lookup_readable(const rest_pages_t *pages, const rest_column_t *column)
{
    if (pages->function && column->relation == pages->relation)
        return 1;
    return rest_role_in(column->may[REST_MAY_SELECT], pages->role);
}

const rest_relationship_t *rest_lookup_relationship(const rest_pages_t *pages, const rest_relation_t *relation,
                                                    const char *name)
{
    const rest_relationship_t *found = rest_relation_relationship(relation, name);

    for (int i = 0; found && i < found->ncolumns; i++)
        if (!rest_lookup_readable(pages, found->columns[i])
            || !rest_role_in(found->targets[i]->may[REST_MAY_SELECT], pages->role))
            return NULL;
    for (int i = 0; found && i < found->nfar; i++)
        if (!rest_role_in(found->far[i]->may[REST_MAY_SELECT], pages->role)
            || !rest_role_in(found->far_targets[i]->may[REST_MAY_SELECT], pages->role))
            return NULL;
    return found;
}

static const rest_column_t *find_column(const rest_pages_t *pages, const rest_relation_t *relation, const char *name)
{
    const rest_column_t *column = rest_relation_column(relation, name);

    return column && rest_lookup_readable(pages, column) ? column : NULL;
}

/*
 * Cuts name before one of its double underscores, the last one first, and then not at all: name keeps the front, *rest
 * points behind the cut (or is empty). *at is where the last cut was, the end at first. 0 when there are no more.
 */
static int cut(char *name, apr_size_t length, apr_size_t *at, const char **rest)
{
    if (*at == length + 1) {
        *at = length;
        *rest = name + length;
        return 1;
    }
    if (*at < length)
        name[*at] = '_';
    for (apr_size_t i = *at; i-- > 1;)
        if (name[i] == '_' && name[i + 1] == '_' && name[i + 2]) {
            name[i] = '\0';
            *at = i;
            *rest = name + i + 2;
            return 1;
        }
    return 0;
}

static const lookup_t *find(const lookup_t *list, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

static const lookup_t *find_lookup(const rest_operand_t *operand, const char *name)
{
    rest_kind_e kind = operand->column->type->kind;
    const lookup_t *found = NULL;

    if (operand->part == REST_PART_WHOLE && (kind == REST_ARRAY || kind == REST_JSON))
        found = find(set_lookups, sizeof(set_lookups) / sizeof(set_lookups[0]) - (kind == REST_JSON), name);
    return found ? found : find(lookups, sizeof(lookups) / sizeof(lookups[0]), name);
}

/* "year", "year__gte" of a date or time. */
static const lookup_t *find_date_lookup(rest_operand_t *operand, const char *suffix)
{
    apr_size_t n = strcspn(suffix, "_");
    int is_time = operand->column->type->kind == REST_TIMESTAMP;
    const lookup_t *lookup;

    if (!is_time && operand->column->type->kind != REST_DATE)
        return NULL;
    if (suffix[n] && strncmp(suffix + n, "__", 2))
        return NULL;
    if (is_time && n == 4 && !strncmp(suffix, "date", 4))
        operand->part = REST_PART_DATE;
    for (unsigned i = 0; i < (is_time ? 8 : 5); i++)
        if (strlen(units[i]) == n && !strncmp(suffix, units[i], n)) {
            operand->part = REST_PART_FIELD;
            operand->unit = units[i];
        }
    if (operand->part == REST_PART_WHOLE)
        return NULL;
    lookup = find_lookup(operand, suffix[n] ? suffix + n + 2 : "exact");
    if (lookup && lookup->form < PATTERN)
        return lookup;
    operand->part = REST_PART_WHOLE;
    return NULL;
}

/* "a__b__icontains" within a json column. */
static const lookup_t *find_json_lookup(apr_pool_t *pool, rest_operand_t *operand, const char *suffix)
{
    apr_array_header_t *keys = apr_array_make(pool, 4, sizeof(const char *));
    const lookup_t *lookup = NULL;

    if (operand->column->type->kind != REST_JSON)
        return NULL;
    for (const char *next; suffix; suffix = next ? next + 2 : NULL) {
        next = strstr(suffix, "__");
        if (!next && keys->nelts > 0 && (lookup = find(lookups, sizeof(lookups) / sizeof(lookups[0]), suffix)))
            break;
        if (!*suffix || next == suffix)
            return NULL;
        APR_ARRAY_PUSH(keys, const char *) =
            apr_pstrmemdup(pool, suffix, next ? (apr_size_t)(next - suffix) : strlen(suffix));
    }
    operand->part = REST_PART_LEAF;
    operand->path = rest_literal_array(pool, keys);
    return lookup ? lookup : &lookups[0];
}

/* What a suffix of a column's name asks; NULL if it is none. */
static const lookup_t *read_suffix(apr_pool_t *pool, rest_operand_t *operand, const char *suffix)
{
    const lookup_t *lookup = find_lookup(operand, *suffix ? suffix : "exact");

    if (!lookup)
        lookup = find_date_lookup(operand, suffix);
    return lookup ? lookup : find_json_lookup(pool, operand, suffix);
}

static int mistake(making_t *making, const char *detail)
{
    return rest_refuse(making->fault, 400, "VALIDATION_ERROR", detail, making->field);
}

static int must_be(making_t *making, const char *wish)
{
    return mistake(making, apr_pstrcat(making->pool, "The value must be ", wish, ".", NULL));
}

/* 1 if text can be a value of the operand. */
static int check_value(making_t *making, const char *text)
{
    const rest_operand_t *operand = &making->operand;
    const rest_type_t *type = operand->column->type;

    if (operand->part == REST_PART_FIELD)
        return (*text && strlen(text) < 10 && !text[strspn(text, "0123456789")]) || must_be(making, "a whole number");
    if (operand->part == REST_PART_WHOLE && !rest_type_accepts(type, text))
        return must_be(making, rest_type_wish(type));
    return 1;
}

static rest_filter_t *condition(making_t *making, rest_operator_e op, const char *value)
{
    rest_filter_t *filter = apr_pcalloc(making->pool, sizeof(*filter));

    filter->op = op;
    filter->operand = making->operand;
    filter->value = value;
    filter->field = making->field;
    return filter;
}

static rest_filter_t *all_of(making_t *making, rest_filter_t *a, rest_filter_t *b)
{
    rest_filter_t *filter = condition(making, REST_ALL, NULL);

    filter->children = apr_array_make(making->pool, 2, sizeof(rest_filter_t *));
    APR_ARRAY_PUSH(filter->children, rest_filter_t *) = a;
    APR_ARRAY_PUSH(filter->children, rest_filter_t *) = b;
    return filter;
}

static int is_number(const char *text)
{
    rest_json_t json;
    rest_json_mistake_t wrong;

    return rest_json_parse(text, strlen(text), &json, &wrong) && json.type == TRESTLE_JSON_NUMBER;
}

/* Within json a number is compared with numbers, and anything else as text. */
static rest_filter_t *compare_leaf(making_t *making, rest_operator_e op, const char *text)
{
    making_t kind = *making, number = *making;

    if (op == REST_EQUAL || op == REST_DISTINCT || !is_number(text))
        return condition(making, op, text);
    kind.operand.part = REST_PART_KIND;
    number.operand.part = REST_PART_JSON;
    return all_of(making, condition(&kind, REST_EQUAL, "number"), condition(&number, op, text));
}

static rest_filter_t *compare(making_t *making, rest_operator_e op, const char *text)
{
    rest_operand_t *operand = &making->operand;

    if (!check_value(making, text))
        return NULL;
    if (operand->part == REST_PART_LEAF)
        return compare_leaf(making, op, text);
    if (operand->part == REST_PART_WHOLE && operand->column->type->kind == REST_JSON)
        operand->part = REST_PART_JSON;
    return condition(making, op, text);
}

/* The literal of an array of the values between commas; NULL and a fault if one is none of the type. */
static const char *list_literal(making_t *making, const rest_type_t *type)
{
    apr_array_header_t *texts = rest_literal_split(making->pool, making->value);

    if (!texts) {
        mistake(making, "A value in quotes must end with a quote, and a comma must follow.");
        return NULL;
    }
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);

        if (type ? !rest_type_accepts(type, text) && !must_be(making, rest_type_wish(type))
                 : !check_value(making, text))
            return NULL;
    }
    return rest_literal_array(making->pool, texts);
}

static rest_filter_t *make_list(making_t *making)
{
    const rest_type_t *type = making->operand.column->type;
    int is_whole = making->operand.part == REST_PART_WHOLE;
    const char *literal;

    if (making->lookup->op == REST_ONE_OF && is_whole && (type->kind == REST_ARRAY || type->kind == REST_JSON)) {
        mistake(making, "This lookup does not fit the field.");
        return NULL;
    }
    if (is_whole && type->kind == REST_JSON)
        return compare(making, making->lookup->op, making->value);
    literal = list_literal(making, is_whole && type->kind == REST_ARRAY ? type->element : NULL);
    return literal ? condition(making, making->lookup->op, literal) : NULL;
}

static rest_filter_t *make_range(making_t *making)
{
    apr_array_header_t *texts = rest_literal_split(making->pool, making->value);
    rest_filter_t *from, *to;

    if (!texts || texts->nelts != 2) {
        must_be(making, "two values with a comma between");
        return NULL;
    }
    if (!(from = compare(making, REST_AT_LEAST, APR_ARRAY_IDX(texts, 0, const char *)))
        || !(to = compare(making, REST_AT_MOST, APR_ARRAY_IDX(texts, 1, const char *))))
        return NULL;
    return all_of(making, from, to);
}

static rest_filter_t *make_null(making_t *making)
{
    rest_filter_t *filter;

    if (strcmp(making->value, "true") && strcmp(making->value, "false") && strcmp(making->value, "1")
        && strcmp(making->value, "0")) {
        must_be(making, "true or false");
        return NULL;
    }
    filter = condition(making, REST_IS_NULL, NULL);
    filter->negated = making->value[0] == 'f' || making->value[0] == '0';
    return filter;
}

/* An array equals a list of its values. */
static rest_filter_t *make_plain(making_t *making)
{
    const rest_type_t *type = making->operand.column->type;
    const char *literal;

    if (making->operand.part != REST_PART_WHOLE || type->kind != REST_ARRAY)
        return compare(making, making->lookup->op, making->value);
    literal = list_literal(making, type->element);
    return literal ? condition(making, making->lookup->op, literal) : NULL;
}

static int is_ordering(rest_operator_e op)
{
    return op != REST_IS_NULL && op != REST_LIKE && op != REST_ILIKE && op != REST_MATCHES && op != REST_IMATCHES;
}

static rest_filter_t *make_condition(making_t *making)
{
    rest_operand_t *operand = &making->operand;
    const rest_type_t *type = operand->column->type;
    int is_text = making->lookup->form == PATTERN || making->lookup->form == REGEX;

    if (operand->part == REST_PART_WHOLE && type->kind != REST_JSON && !type->is_comparable
        && is_ordering(making->lookup->op)) {
        mistake(making, "Values of this field cannot be compared.");
        return NULL;
    }
    if (is_text && operand->part == REST_PART_WHOLE && type->kind != REST_TEXT)
        operand->part = REST_PART_TEXT;
    switch (making->lookup->form) {
    case LIST:
        return make_list(making);
    case RANGE:
        return make_range(making);
    case IS_NULL:
        return make_null(making);
    case PATTERN:
        return condition(
            making, making->lookup->op,
            rest_literal_like(making->pool, making->lookup->before, making->value, making->lookup->behind));
    case REGEX:
        return condition(making, making->lookup->op, making->value);
    default:
        return make_plain(making);
    }
}

/* An empty value of a form's field is none, unless the field is a text. */
static int is_left_empty(const making_t *making)
{
    return !*making->value && making->lookup->form <= RANGE && making->operand.part == REST_PART_WHOLE
           && making->operand.column->type->kind != REST_TEXT;
}

static int filter_on(apr_pool_t *pool, const rest_pages_t *pages, const rest_relation_t *relation, int depth,
                     char *name, making_t *making, apr_array_header_t *filters);

/* A condition on what a relationship leads to. */
static int filter_across(apr_pool_t *pool, const rest_pages_t *pages, const rest_relationship_t *relationship,
                         int depth, const char *rest, making_t *making, apr_array_header_t *filters)
{
    apr_array_header_t *children = apr_array_make(pool, 1, sizeof(rest_filter_t *));
    rest_filter_t *filter;
    int ok;

    if (depth >= pages->limits->expand_depth)
        return -1;
    ok = filter_on(pool, pages, relationship->to, depth + 1, apr_pstrdup(pool, rest), making, children);
    if (ok != 1 || children->nelts == 0)
        return ok;
    filter = condition(making, REST_RELATED, NULL);
    filter->relationship = relationship;
    filter->children = children;
    APR_ARRAY_PUSH(filters, rest_filter_t *) = filter;
    return 1;
}

/* The name is tried as a column with a lookup, as a to-one relationship that stands for its column, as a way across. */
static int filter_on(apr_pool_t *pool, const rest_pages_t *pages, const rest_relation_t *relation, int depth,
                     char *name, making_t *making, apr_array_header_t *filters)
{
    apr_size_t length = strlen(name), at = length + 1;
    const char *rest;

    while (cut(name, length, &at, &rest)) {
        const rest_column_t *column = find_column(pages, relation, name);
        const rest_relationship_t *relationship = rest_lookup_relationship(pages, relation, name);
        rest_filter_t *filter;
        int ok;

        if (!column && relationship && !relationship->to_many && relationship->ncolumns == 1)
            column = relationship->columns[0];
        making->operand = (rest_operand_t){ .column = column };
        if (column && (making->lookup = read_suffix(pool, &making->operand, rest))) {
            if (is_left_empty(making))
                return 1;
            if (!(filter = make_condition(making)))
                return 0;
            APR_ARRAY_PUSH(filters, rest_filter_t *) = filter;
            return 1;
        }
        if (relationship && *rest
            && (ok = filter_across(pool, pages, relationship, depth, rest, making, filters)) != -1)
            return ok;
    }
    return -1;
}

int rest_lookup_filter(apr_pool_t *pool, const rest_pages_t *pages, const char *name, const char *value,
                       apr_array_header_t *filters, rest_fault_t *fault)
{
    making_t making = { .pool = pool, .field = name, .value = value, .fault = fault };

    if (strlen(name) > NAME_MAX_BYTES)
        return -1;
    return filter_on(pool, pages, pages->relation, 0, apr_pstrdup(pool, name), &making, filters);
}

static int operand_on(apr_pool_t *pool, const rest_pages_t *pages, const rest_relation_t *relation, char *name,
                      apr_array_header_t *across, rest_operand_t *operand)
{
    apr_size_t length = strlen(name), at = length + 1;
    const char *rest;

    while (cut(name, length, &at, &rest)) {
        const rest_relationship_t *relationship = rest_lookup_relationship(pages, relation, name);

        if (!*rest && (operand->column = find_column(pages, relation, name))) {
            operand->across = across->nelts > 0 ? across : NULL;
            if (operand->column->type->kind == REST_JSON)
                operand->part = REST_PART_JSON;
            return operand->part == REST_PART_JSON || operand->column->type->is_comparable;
        }
        if (!*rest || !relationship || relationship->to_many || across->nelts >= pages->limits->expand_depth)
            continue;
        APR_ARRAY_PUSH(across, const rest_relationship_t *) = relationship;
        if (operand_on(pool, pages, relationship->to, apr_pstrdup(pool, rest), across, operand))
            return 1;
        apr_array_pop(across);
    }
    return 0;
}

int rest_lookup_operand(apr_pool_t *pool, const rest_pages_t *pages, const char *name, rest_operand_t *operand)
{
    *operand = (rest_operand_t){ 0 };
    if (strlen(name) > NAME_MAX_BYTES)
        return 0;
    return operand_on(pool, pages, pages->relation, apr_pstrdup(pool, name),
                      apr_array_make(pool, 1, sizeof(const rest_relationship_t *)), operand);
}
