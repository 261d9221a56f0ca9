#include "request.h"

#include "encoding.h"

const char *trestle_application_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_application) *get = APR_RETRIEVE_OPTIONAL_FN(trestle_application);

    return get ? get(r) : "default";
}

const char *trestle_public_url_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_public_url) *get = APR_RETRIEVE_OPTIONAL_FN(trestle_public_url);

    return get ? get(r) : NULL;
}

/* The request that the client sent, from an internal redirect or subrequest of it. */
static request_rec *initial(request_rec *r)
{
    while (r->prev || r->main)
        r = r->prev ? r->prev : r->main;
    return r;
}

const char *trestle_request_id_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(trestle_request_id) *get = APR_RETRIEVE_OPTIONAL_FN(trestle_request_id);
    const char *id;

    if (get)
        return get(r);
    r = initial(r);
    if ((id = apr_table_get(r->subprocess_env, "UNIQUE_ID")) || (id = apr_table_get(r->notes, "trestle-request-id")))
        return id;
    if (!(id = trestle_uuid(r->pool)))
        id = "-";
    apr_table_setn(r->notes, "trestle-request-id", id);
    return id;
}
