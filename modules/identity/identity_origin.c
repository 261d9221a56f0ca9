#include "identity_origin.h"

#include "identity_config.h"

#include "refuse.h"
#include "request.h"

#include <apr_strings.h>
#include <string.h>

/* 1 if origin, n bytes, is ours or one that we trust. */
static int is_allowed(request_rec *r, const char *origin, apr_size_t n)
{
    const apr_array_header_t *others = identity_config_of(r)->origins;
    const char *ours = trestle_public_url_of(r);

    if (ours && strlen(ours) == n && !memcmp(ours, origin, n))
        return 1;
    for (int i = 0; others && i < others->nelts; i++) {
        const char *other = APR_ARRAY_IDX(others, i, const char *);

        if (strlen(other) == n && !memcmp(other, origin, n))
            return 1;
    }
    return 0;
}

/* The length of the origin that a Referer begins with; 0 if it has none. */
static apr_size_t origin_length(const char *referer)
{
    const char *host = strstr(referer, "://");

    return host ? (apr_size_t)(host - referer) + 3 + strcspn(host + 3, "/?#") : 0;
}

/* What Origin says counts always; Sec-Fetch-Site can only add a refusal to it, or vouch where there is no Origin. */
static int comes_from_us(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *referer = apr_table_get(r->headers_in, "Referer");

    if (origin)
        return is_allowed(r, origin, strlen(origin));
    if (site)
        return !strcmp(site, "same-origin") || !strcmp(site, "none");
    return referer && is_allowed(r, referer, origin_length(referer));
}

const trestle_problem_t *identity_origin_check(request_rec *r)
{
    apr_table_mergen(r->headers_out, "Vary", "Origin, Sec-Fetch-Site");
    return comes_from_us(r) ? NULL
                            : trestle_problem_make(r, HTTP_FORBIDDEN, "CSRF_FAILED",
                                                   "Requests with this cookie must come from the site itself.", NULL);
}
