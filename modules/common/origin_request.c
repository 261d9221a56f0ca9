#include "origin_request.h"

#include "refuse.h"
#include "request.h"

#include "http_core.h"
#include "http_protocol.h"

#include <apr_strings.h>
#include <string.h>

int trestle_origin_matters(request_rec *r)
{
    return r->method_number != M_GET && r->method_number != M_OPTIONS;
}

trestle_origin_e trestle_origin_of(request_rec *r, const apr_array_header_t *trusted)
{
    const char *host = apr_table_get(r->headers_in, "Host"), *url = trestle_public_url_of(r);
    trestle_origin_facts_t facts = { .trusted = trusted };

    facts.site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    facts.origin = apr_table_get(r->headers_in, "Origin");
    facts.referer = apr_table_get(r->headers_in, "Referer");
    facts.canonical = url ? trestle_origin_of_url(r->pool, url) : NULL;
    facts.own =
        host ? trestle_origin_of_url(r->pool, apr_pstrcat(r->pool, ap_http_scheme(r), "://", host, NULL)) : NULL;
    return trestle_origin_judge(r->pool, &facts);
}

const trestle_problem_t *trestle_origin_problem(request_rec *r)
{
    apr_table_mergen(r->err_headers_out, "Vary", "Origin, Sec-Fetch-Site");
    return trestle_problem_make(r, HTTP_FORBIDDEN, "CSRF_FAILED",
                                "Requests with this cookie must come from the site itself.", NULL);
}

const char *trestle_origin_add(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_array_header_t **origins = (apr_array_header_t **)(void *)((char *)dir + (apr_size_t)cmd->info);
    const char *origin = trestle_origin_of_url(cmd->temp_pool, arg);

    if (!origin || strcmp(origin, arg))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is no origin: scheme and host in small letters, a port if it is not the usual "
                            "one, no path; write for example https://app.example.org",
                            cmd->cmd->name, arg);
    if (!*origins)
        *origins = apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(*origins, const char *) = arg;
    return NULL;
}
