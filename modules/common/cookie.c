#include "cookie.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

enum { NAME_MOST = 64 };

const char *trestle_cookie_check_name(apr_pool_t *pool, const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    if (n > 0 && n <= NAME_MOST && !name[n])
        return NULL;
    return apr_psprintf(pool, "'%s' is no name of a cookie: use 1-%d letters, digits, - and _, for example session",
                        name, NAME_MOST);
}

/* Browsers compare prefixes without regard to case (RFC 6265bis section 5.4). */
static int has_prefix(const char *name, const char *prefix)
{
    return !strncasecmp(name, prefix, strlen(prefix));
}

int trestle_cookie_is_secure(const char *name)
{
    return has_prefix(name, "__Secure-") || has_prefix(name, "__Host-");
}

const char *trestle_cookie_check(apr_pool_t *pool, const trestle_cookie_t *cookie)
{
    if (!has_prefix(cookie->name, "__Host-") || (!cookie->domain && !strcmp(cookie->path, "/")))
        return NULL;
    return apr_psprintf(
        pool,
        "browsers take '%s' for the whole of one host only; leave Path and Domain away, or let its name "
        "begin with __Secure-",
        cookie->name);
}

trestle_cookie_t trestle_cookie_make(const char *name)
{
    trestle_cookie_t cookie = { name, "Lax", "/", NULL };

    return cookie;
}

/* What may stand in an attribute's value: neither its end nor anything that ends the header. */
static int is_plain_value(const char *value)
{
    for (const char *c = value; *c; c++)
        if (*c == ';' || *c == ',' || (unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7F)
            return 0;
    return *value != '\0';
}

const char *trestle_cookie_attribute(apr_pool_t *pool, const char *text, trestle_cookie_t *cookie)
{
    static const char *const same_site[] = { "Lax", "Strict", "None" };

    if (!strncasecmp(text, "SameSite=", 9)) {
        for (unsigned i = 0; i < sizeof(same_site) / sizeof(same_site[0]); i++)
            if (!strcasecmp(text + 9, same_site[i])) {
                cookie->same_site = same_site[i];
                return NULL;
            }
    } else if (!strncasecmp(text, "Path=/", 6) && is_plain_value(text + 5)) {
        cookie->path = apr_pstrdup(pool, text + 5);
        return NULL;
    } else if (!strncasecmp(text, "Domain=", 7) && is_plain_value(text + 7)) {
        cookie->domain = apr_pstrdup(pool, text + 7);
        return NULL;
    }
    return apr_psprintf(pool,
                        "'%s' is no attribute that can be set: write SameSite=Lax, SameSite=Strict, SameSite=None, "
                        "Path=/path or Domain=example.org (HttpOnly, Secure and Max-Age are set anyway)",
                        text);
}

const char *trestle_cookie_text(apr_pool_t *pool, const trestle_cookie_t *cookie, const char *value,
                                apr_int64_t max_age, int plain)
{
    const char *same_site;

    plain = plain && !trestle_cookie_is_secure(cookie->name);
    same_site = plain && !strcmp(cookie->same_site, "None") ? "Lax" : cookie->same_site;
    return apr_psprintf(pool, "%s=%s; Max-Age=%" APR_INT64_T_FMT "; Path=%s%s%s; SameSite=%s%s; HttpOnly", cookie->name,
                        value, max_age, cookie->path, cookie->domain ? "; Domain=" : "",
                        cookie->domain ? cookie->domain : "", same_site, plain ? "" : "; Secure");
}

int trestle_cookie_find(const char *cookies, const char *name, const char **value, apr_size_t *length)
{
    size_t name_length = strlen(name);
    int count = 0;

    while (cookies && *cookies) {
        size_t n;

        cookies += strspn(cookies, " \t;,");
        n = strcspn(cookies, ";,");
        if (n > name_length && cookies[name_length] == '=' && !strncmp(cookies, name, name_length)) {
            *value = cookies + name_length + 1;
            *length = n - name_length - 1;
            while (*length && ((*value)[*length - 1] == ' ' || (*value)[*length - 1] == '\t'))
                --*length;
            count++;
        }
        cookies += n;
    }
    return count;
}
