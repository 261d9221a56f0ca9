#include "body.h"

#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

enum { READ_SIZE = 16384 };

/* Ends reading with an error: the rest of the body is not worth waiting for. */
static int give_up(request_rec *r, int status)
{
    r->connection->keepalive = AP_CONN_CLOSE;
    return status;
}

/* What Content-Length announces; 0 if it announces nothing. */
static apr_off_t announced_length(request_rec *r)
{
    const char *content_length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t announced;

    return content_length && ap_parse_strict_length(&announced, content_length) ? announced : 0;
}

int trestle_body_each(request_rec *r, apr_size_t limit, trestle_body_take_fn *take, void *baton)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_size_t left = limit;
    int end = 0, status = OK;

    if (announced_length(r) > (apr_off_t)limit)
        return give_up(r, HTTP_REQUEST_ENTITY_TOO_LARGE);
    while (!end) {
        apr_status_t rv = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, READ_SIZE);

        if (rv == AP_FILTER_ERROR)
            return AP_FILTER_ERROR;
        if (rv != APR_SUCCESS)
            return give_up(r, ap_map_http_request_error(rv, HTTP_BAD_REQUEST));
        while (!APR_BRIGADE_EMPTY(brigade)) {
            apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
            const char *data;
            apr_size_t n;

            if (APR_BUCKET_IS_EOS(bucket)) {
                end = 1;
            } else if (!APR_BUCKET_IS_METADATA(bucket)) {
                if (apr_bucket_read(bucket, &data, &n, APR_BLOCK_READ) != APR_SUCCESS)
                    return give_up(r, HTTP_BAD_REQUEST);
                if (n > left)
                    return give_up(r, HTTP_REQUEST_ENTITY_TOO_LARGE);
                left -= n;
                if ((status = take(baton, data, n)) != OK)
                    return give_up(r, status);
            }
            apr_bucket_delete(bucket);
        }
    }
    apr_table_setn(r->notes, TRESTLE_BODY_WAS_READ, "1");
    return OK;
}

/* A body being gathered in memory. */
typedef struct {
    apr_pool_t *pool;
    char *bytes;
    apr_size_t length, capacity;
} gathering_t;

/* Appends n bytes, growing as needed. */
static int gather(void *baton, const char *data, apr_size_t n)
{
    gathering_t *all = baton;

    if (all->length + n + 1 > all->capacity) {
        char *moved;

        all->capacity = all->capacity * 2 > all->length + n + 1 ? all->capacity * 2 : all->length + n + 1;
        moved = apr_palloc(all->pool, all->capacity);
        memcpy(moved, all->bytes, all->length);
        all->bytes = moved;
    }
    memcpy(all->bytes + all->length, data, n);
    all->length += n;
    all->bytes[all->length] = '\0';
    return OK;
}

int trestle_body_read(request_rec *r, apr_size_t limit, char **bytes, apr_size_t *length)
{
    apr_off_t announced = announced_length(r);
    gathering_t all = { .pool = r->pool, .capacity = 1024 };
    int status;

    /* What is announced is allocated at once only up to a bound: the client may never send it. */
    if (announced > 0 && announced <= 1024 * 1024 && announced <= (apr_off_t)limit)
        all.capacity = (apr_size_t)announced + 1;
    all.bytes = apr_palloc(r->pool, all.capacity);
    *all.bytes = '\0';
    status = trestle_body_each(r, limit, gather, &all);
    *bytes = all.bytes;
    *length = all.length;
    return status;
}

int trestle_body_end(request_rec *r, apr_bucket_brigade *brigade)
{
    conn_rec *c = r->connection;
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(c->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, brigade);
    if (rv == APR_SUCCESS && !c->master && !r->main && !r->prev) {
        apr_brigade_cleanup(brigade);
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(c->bucket_alloc));
        rv = ap_pass_brigade(c->output_filters, brigade);
    }
    return rv == APR_SUCCESS || c->aborted ? OK : AP_FILTER_ERROR;
}

void trestle_status_set(request_rec *r, int status)
{
    r->status = status;
    r->status_line = atoi(ap_get_status_line(status)) == status ? NULL : apr_psprintf(r->pool, "%d Unassigned", status);
}

int trestle_body_send(request_rec *r, int status, const char *type, const char *bytes, apr_size_t length)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);

    trestle_status_set(r, status);
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)length);
    if (length)
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(bytes, length, r->pool, alloc));
    return trestle_body_end(r, brigade);
}
