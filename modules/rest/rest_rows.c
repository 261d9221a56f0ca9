#include "rest_rows.h"

#include "rest_link.h"
#include "rest_ordering.h"

#include "body.h"
#include "request.h"
#include "text.h"

#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>

#define JSON "application/json"

static int not_found(rest_fault_t *fault)
{
    return rest_refuse(fault, HTTP_NOT_FOUND, "NOT_FOUND", NULL, NULL);
}

static int send_json(request_rec *r, int status, const PGresult *result, int *rc)
{
    *rc = trestle_body_send(r, status, JSON, PQgetvalue(result, 0, 0), (apr_size_t)PQgetlength(result, 0, 0));
    return 1;
}

static int send_row(request_rec *r, const rest_plan_t *plan, const PGresult *result, int *rc, rest_fault_t *fault)
{
    if (PQntuples(result) == 0)
        return not_found(fault);
    if (PQntuples(result) > 1)
        return rest_blame(fault, apr_psprintf(r->pool,
                                              "several rows of %s fit the path, which must name one; end the RestRoute "
                                              "in a variable for a unique column, or name the key in the view's "
                                              "comment with @key",
                                              plan->relation->quoted));
    return send_json(r, HTTP_OK, result, rc);
}

/* The path of this request as the client may use it again. */
static const char *own_path(request_rec *r)
{
    const char *path = r->unparsed_uri;

    return path[0] == '/' ? apr_pstrmemdup(r->pool, path, strcspn(path, "?")) : ap_escape_uri(r->pool, r->uri);
}

static const char *own_address(request_rec *r)
{
    const char *origin = trestle_public_url_of(r);

    return apr_pstrcat(r->pool, origin ? origin : "", own_path(r), NULL);
}

/* A page as the links around it see it. */
typedef struct {
    int first, step, n; /* its rows in the result: the first, the way to the next, how many */
    apr_int64_t count;  /* of all rows; -1: unknown */
    const char *next, *previous;
} page_t;

static const char *page_link(request_rec *r, apr_int64_t page)
{
    return rest_link_with(r->pool, own_address(r), r->args, "page", apr_psprintf(r->pool, "%" APR_INT64_T_FMT, page));
}

static void number_page(request_rec *r, const rest_plan_t *plan, const PGresult *result, page_t *page)
{
    apr_int64_t size = plan->page_size;
    int has_next = page->n > size;

    if (plan->with_count) {
        page->count = page->n > 0 ? apr_atoi64(PQgetvalue(result, 0, 1)) : 0;
        has_next = plan->page * size < page->count;
    }
    if (page->n > size)
        page->n = (int)size;
    if (has_next)
        page->next = page_link(r, plan->page + 1);
    if (plan->page > 1)
        page->previous = page_link(r, plan->page - 1);
}

/* The link to what lies behind, or before, a row of the result. */
static const char *cursor_link(request_rec *r, const rest_plan_t *plan, const PGresult *result, int row, int backward)
{
    int n = plan->orders->nelts;
    const char **values = apr_palloc(r->pool, sizeof(*values) * (apr_size_t)(n + 1));

    for (int i = 0; i < n; i++)
        values[i] = PQgetisnull(result, row, i + 1) ? NULL : PQgetvalue(result, row, i + 1);
    return rest_link_with(r->pool, own_address(r), r->args, "cursor",
                          rest_cursor_write(r->pool, plan->orders, values, backward));
}

/* Rows before a cursor came in reverse, the farthest last. */
static void continue_page(request_rec *r, const rest_plan_t *plan, const PGresult *result, page_t *page)
{
    int backward = plan->cursor->backward, more = page->n > plan->page_size;

    if (more)
        page->n = (int)plan->page_size;
    if (page->n == 0)
        return;
    if (backward) {
        page->first = page->n - 1;
        page->step = -1;
    }
    if (backward || more)
        page->next = cursor_link(r, plan, result, page->first + page->step * (page->n - 1), 0);
    if (backward ? more : plan->cursor->values != NULL)
        page->previous = cursor_link(r, plan, result, page->first, 1);
}

static int send_page(request_rec *r, const rest_plan_t *plan, const PGresult *result, int *rc, rest_fault_t *fault)
{
    page_t page = { 0, 1, PQntuples(result), -1, NULL, NULL };
    apr_size_t length = 256;
    trestle_text_t text;

    if (plan->cursor)
        continue_page(r, plan, result, &page);
    else if (page.n == 0 && plan->page > 1)
        return rest_refuse(fault, HTTP_NOT_FOUND, "NOT_FOUND", "There is no such page.", "page");
    else
        number_page(r, plan, result, &page);
    for (int i = 0; i < page.n; i++)
        length += (apr_size_t)PQgetlength(result, page.first + page.step * i, 0) + 1;
    length += (page.next ? strlen(page.next) : 0) + (page.previous ? strlen(page.previous) : 0);
    text = trestle_text_make(r->pool, length);
    if (page.count >= 0)
        trestle_text_addf(&text, "{\"count\":%" APR_INT64_T_FMT ",\"next\":", page.count);
    else
        trestle_text_adds(&text, "{\"count\":null,\"next\":");
    trestle_text_add_json(&text, page.next);
    trestle_text_adds(&text, ",\"previous\":");
    trestle_text_add_json(&text, page.previous);
    trestle_text_adds(&text, ",\"results\":[");
    for (int i = 0; i < page.n; i++) {
        int row = page.first + page.step * i;

        if (i > 0)
            trestle_text_addc(&text, ',');
        if (PQgetisnull(result, row, 0))
            trestle_text_adds(&text, "null");
        else
            trestle_text_add(&text, PQgetvalue(result, row, 0), (apr_size_t)PQgetlength(result, row, 0));
    }
    trestle_text_adds(&text, "]}");
    *rc = trestle_body_send(r, HTTP_OK, JSON, text.bytes, text.length);
    return 1;
}

static int send_nothing(request_rec *r, int *rc)
{
    trestle_status_set(r, HTTP_NO_CONTENT);
    *rc = trestle_body_end(r, apr_brigade_create(r->pool, r->connection->bucket_alloc));
    return 1;
}

/* The address of a new row, where the dialect gives it one. A view's trigger may leave the key open. */
static void set_location(request_rec *r, const rest_plan_t *plan, const PGresult *result)
{
    const rest_key_t *identity = plan->has_address ? plan->relation->identity : NULL;
    const char *keys[REST_KEYS_MAX], *origin = trestle_public_url_of(r);

    if (!identity || identity->ncolumns > REST_KEYS_MAX)
        return;
    for (int i = 0; i < identity->ncolumns; i++) {
        if (PQgetisnull(result, 0, i + 1))
            return;
        keys[i] = PQgetvalue(result, 0, i + 1);
    }
    apr_table_setn(r->headers_out, "Location",
                   apr_pstrcat(r->pool, origin ? origin : "",
                               rest_link_row(r->pool, own_path(r), keys, identity->ncolumns), NULL));
}

/* A new row; nothing where a trigger dropped it, which PostgreSQL calls no error. */
static int send_new(request_rec *r, const rest_plan_t *plan, PGresult *result, int *rc)
{
    if (plan->hides_row ? !strcmp(PQcmdTuples(result), "0") : PQntuples(result) == 0)
        return send_nothing(r, rc);
    if (plan->hides_row) {
        *rc = trestle_body_send(r, HTTP_CREATED, NULL, "", 0);
        return 1;
    }
    set_location(r, plan, result);
    return send_json(r, HTTP_CREATED, result, rc);
}

/* A change that reached no row: it is not there, or not the caller's to change. */
static int refuse_change(const PGresult *result, rest_fault_t *fault)
{
    if (*PQgetvalue(result, 0, 1) == 't')
        return rest_refuse(fault, HTTP_FORBIDDEN, "PERMISSION_DENIED", "You may not do this.", NULL);
    return not_found(fault);
}

int rest_rows_send(request_rec *r, const rest_plan_t *plan, PGresult *result, int *rc, rest_fault_t *fault)
{
    switch (plan->operation) {
    case REST_READ_PAGE:
        return send_page(r, plan, result, rc, fault);
    case REST_INSERT_ROW:
        return send_new(r, plan, result, rc);
    case REST_UPDATE_ROW:
        return PQgetisnull(result, 0, 0) ? refuse_change(result, fault) : send_json(r, HTTP_OK, result, rc);
    case REST_DELETE_ROW:
        return PQgetisnull(result, 0, 0) ? refuse_change(result, fault) : send_nothing(r, rc);
    default:
        return send_row(r, plan, result, rc, fault);
    }
}
