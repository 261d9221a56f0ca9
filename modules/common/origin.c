#include "origin.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_MOST = 65535, PORT_DIGITS = 5 };

static const char *in_small_letters(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);

    for (char *c = copy; *c; c++)
        *c = apr_tolower(*c);
    return copy;
}

/* 1 if text is a name or address of a host in small letters; an address of IPv6 stands without its brackets. */
static int is_host(const char *text)
{
    return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-:")];
}

/* The port as a number, fallback where none is written; 0 if it is none. apr_uri_parse cuts it to 16 bits. */
static int port_of(const apr_uri_t *uri, int fallback)
{
    int port;

    if (!uri->port_str || !*uri->port_str)
        return fallback;
    port = strlen(uri->port_str) <= PORT_DIGITS ? atoi(uri->port_str) : 0;
    return port > 0 && port <= PORT_MOST ? port : 0;
}

const char *trestle_origin_of_url(apr_pool_t *pool, const char *url)
{
    apr_uri_t uri;
    const char *scheme, *host;
    int usual, port, six;

    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || uri.user || uri.password)
        return NULL;
    scheme = in_small_letters(pool, uri.scheme);
    host = in_small_letters(pool, uri.hostname);
    usual = !strcmp(scheme, "https") ? 443 : !strcmp(scheme, "http") ? 80 : 0;
    port = port_of(&uri, usual);
    if (!usual || !port || !is_host(host))
        return NULL;
    six = strchr(host, ':') != NULL;
    return apr_pstrcat(pool, scheme, "://", six ? "[" : "", host, six ? "]" : "",
                       port == usual ? NULL : apr_psprintf(pool, ":%d", port), NULL);
}

static int is_allowed(const trestle_origin_facts_t *facts, const char *origin)
{
    if ((facts->own && !strcmp(origin, facts->own)) || (facts->canonical && !strcmp(origin, facts->canonical)))
        return 1;
    for (int i = 0; facts->trusted && i < facts->trusted->nelts; i++)
        if (!strcmp(origin, APR_ARRAY_IDX(facts->trusted, i, const char *)))
            return 1;
    return 0;
}

static trestle_origin_e judge_site(const char *site)
{
    if (!strcmp(site, "same-origin") || !strcmp(site, "none"))
        return TRESTLE_ORIGIN_TRUSTED;
    return !strcmp(site, "same-site") || !strcmp(site, "cross-site") ? TRESTLE_ORIGIN_FOREIGN : TRESTLE_ORIGIN_MISSING;
}

trestle_origin_e trestle_origin_judge(apr_pool_t *pool, const trestle_origin_facts_t *facts)
{
    trestle_origin_e verdict = TRESTLE_ORIGIN_MISSING;
    const char *origin = facts->origin;

    if (!origin && facts->site)
        verdict = judge_site(facts->site);
    if (verdict != TRESTLE_ORIGIN_MISSING)
        return verdict;
    if (!origin && facts->referer && !(origin = trestle_origin_of_url(pool, facts->referer)))
        return TRESTLE_ORIGIN_FOREIGN;
    if (!origin)
        return TRESTLE_ORIGIN_MISSING;
    return is_allowed(facts, origin) ? TRESTLE_ORIGIN_TRUSTED : TRESTLE_ORIGIN_FOREIGN;
}
