#include "rest_ordering.h"

#include "rest_lookup.h"

#include "encoding.h"
#include "text.h"

#include <apr_strings.h>
#include <string.h>

enum { TERMS_MAX = 10 }; /* of an order that a client asks for */

static int same_operand(const rest_operand_t *a, const rest_operand_t *b)
{
    if (a->column != b->column || (a->across ? a->across->nelts : 0) != (b->across ? b->across->nelts : 0))
        return 0;
    for (int i = 0; a->across && i < a->across->nelts; i++)
        if (APR_ARRAY_IDX(a->across, i, const rest_relationship_t *)
            != APR_ARRAY_IDX(b->across, i, const rest_relationship_t *))
            return 0;
    return 1;
}

static int has_operand(const apr_array_header_t *orders, const rest_operand_t *operand)
{
    for (int i = 0; i < orders->nelts; i++)
        if (same_operand(&APR_ARRAY_IDX(orders, i, rest_order_t).operand, operand))
            return 1;
    return 0;
}

/* The terms of a list between commas or blanks. 0 and *wrong, the first that is none. */
static int add_terms(apr_pool_t *pool, const rest_pages_t *pages, const char *list, apr_array_header_t *orders,
                     const char **wrong)
{
    char *last = NULL, *copy = apr_pstrdup(pool, list);

    for (char *term = apr_strtok(copy, ", ", &last); term; term = apr_strtok(NULL, ", ", &last)) {
        rest_order_t order = { .descending = *term == '-' };

        *wrong = term;
        if (orders->nelts == TERMS_MAX || !rest_lookup_operand(pool, pages, term + order.descending, &order.operand)
            || has_operand(orders, &order.operand))
            return 0;
        APR_ARRAY_PUSH(orders, rest_order_t) = order;
    }
    return 1;
}

/* Adds what is missing of the identity, in the last term's direction, so that one index can serve all. */
static void add_identity(const rest_pages_t *pages, apr_array_header_t *orders)
{
    const rest_key_t *identity = pages->relation->identity;
    int descending = orders->nelts > 0 && APR_ARRAY_IDX(orders, orders->nelts - 1, rest_order_t).descending;

    for (int i = 0; identity && i < identity->ncolumns; i++)
        if (!rest_lookup_readable(pages, identity->columns[i]) || !identity->columns[i]->type->is_comparable)
            return;
    for (int i = 0; identity && i < identity->ncolumns; i++) {
        rest_order_t order = { .operand = { .column = identity->columns[i] }, .descending = descending };

        if (!has_operand(orders, &order.operand))
            APR_ARRAY_PUSH(orders, rest_order_t) = order;
    }
}

int rest_ordering_plan(apr_pool_t *pool, const rest_pages_t *pages, const char *ordering, apr_array_header_t **orders,
                       rest_fault_t *fault)
{
    const char *wrong;

    *orders = apr_array_make(pool, 2, sizeof(rest_order_t));
    if (ordering && *ordering) {
        if (!add_terms(pool, pages, ordering, *orders, &wrong))
            return rest_refuse(fault, 400, "VALIDATION_ERROR",
                               apr_pstrcat(pool, "This is nothing to order by, or stands twice: ", wrong, ".", NULL),
                               "ordering");
    } else if (pages->function) {
        return 1; /* a function has an order of its own */
    } else if (pages->relation->ordering && !add_terms(pool, pages, pages->relation->ordering, *orders, &wrong)) {
        (*orders)->nelts = 0;
    }
    add_identity(pages, *orders);
    return 1;
}

apr_array_header_t *rest_ordering_natural(apr_pool_t *pool, const rest_pages_t *pages, const rest_relation_t *relation)
{
    rest_pages_t there = *pages;
    apr_array_header_t *orders;
    rest_fault_t unused;

    there.relation = relation;
    there.function = NULL;
    rest_ordering_plan(pool, &there, NULL, &orders, &unused);
    return orders;
}

int rest_ordering_is_total(const rest_pages_t *pages, const apr_array_header_t *orders)
{
    const rest_key_t *identity = pages->relation ? pages->relation->identity : NULL;

    for (int i = 0; identity && i < identity->ncolumns; i++) {
        rest_operand_t operand = { .column = identity->columns[i] };

        if (!has_operand(orders, &operand))
            return 0;
    }
    return identity != NULL;
}

/* What tells orders apart, in a word: names and directions of their terms (FNV-1a). */
static apr_uint32_t fingerprint(const apr_array_header_t *orders)
{
    apr_uint32_t hash = 2166136261u;

    for (int i = 0; i < orders->nelts; i++) {
        const rest_order_t *order = &APR_ARRAY_IDX(orders, i, rest_order_t);
        int steps = order->operand.across ? order->operand.across->nelts : 0;

        for (int k = 0; k <= steps; k++) {
            const char *name = k < steps ? APR_ARRAY_IDX(order->operand.across, k, const rest_relationship_t *)->name
                                         : order->operand.column->name;

            for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * 16777619u;
        }
        hash = (hash ^ (order->descending ? '-' : '+')) * 16777619u;
    }
    return hash;
}

/* The bytes: f or b, the fingerprint, and each value as "-" (NULL) or "=" with a NUL behind it. */
const char *rest_cursor_write(apr_pool_t *pool, const apr_array_header_t *orders, const char *const *values,
                              int backward)
{
    trestle_text_t text = trestle_text_make(pool, 64);

    trestle_text_addf(&text, "%c%08x", backward ? 'b' : 'f', fingerprint(orders));
    for (int i = 0; i < orders->nelts; i++) {
        trestle_text_addc(&text, values[i] ? '=' : '-');
        if (values[i])
            trestle_text_add(&text, values[i], strlen(values[i]) + 1);
    }
    return trestle_base64url_encode(pool, (const unsigned char *)text.bytes, text.length);
}

const rest_cursor_t *rest_cursor_read(apr_pool_t *pool, const apr_array_header_t *orders, const char *text)
{
    rest_cursor_t *cursor = apr_pcalloc(pool, sizeof(*cursor));
    unsigned char *bytes;
    const char *at, *end;
    apr_size_t n;

    if (!*text)
        return cursor;
    if (trestle_base64url_decode(pool, text, strlen(text), &bytes, &n) != APR_SUCCESS || n < 9
        || (bytes[0] != 'f' && bytes[0] != 'b')
        || memcmp(bytes + 1, apr_psprintf(pool, "%08x", fingerprint(orders)), 8))
        return NULL;
    cursor->backward = bytes[0] == 'b';
    cursor->values = apr_pcalloc(pool, sizeof(*cursor->values) * (apr_size_t)(orders->nelts + 1));
    at = (const char *)bytes + 9;
    end = (const char *)bytes + n;
    for (int i = 0; i < orders->nelts; i++) {
        const char *nul;

        if (at == end)
            return NULL;
        if (*at++ == '-')
            continue;
        if (at[-1] != '=' || !(nul = memchr(at, '\0', (apr_size_t)(end - at)))
            || !trestle_utf8_valid(at, (apr_size_t)(nul - at)))
            return NULL;
        cursor->values[i] = at;
        at = nul + 1;
    }
    return at == end ? cursor : NULL;
}
