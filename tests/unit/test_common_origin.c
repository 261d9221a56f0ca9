/* Origins: of URLs, and the judgement of where a request comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>

#include "origin.h"

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static void origins_have_one_spelling(void **state)
{
    static const struct {
        const char *url, *origin;
    } cases[] = {
        { "https://shop.example", "https://shop.example" },
        { "https://shop.example/a?b#c", "https://shop.example" },
        { "https://shop.example?https://evil.example", "https://shop.example" },
        { "HTTPS://Shop.Example:443/", "https://shop.example" },
        { "http://shop.example:80", "http://shop.example" },
        { "http://shop.example:", "http://shop.example" },
        { "https://shop.example:80", "https://shop.example:80" },
        { "https://shop.example:08443", "https://shop.example:8443" },
        { "https://shop.example:65979/", NULL }, /* 443 in 16 bits */
        { "https://shop.example:0", NULL },
        { "https://shop.example:000443", NULL },
        { "https://shop.example:4x3", NULL },
        { "https://[::1]:8443/", "https://[::1]:8443" },
        { "http://127.0.0.1:8081", "http://127.0.0.1:8081" },
        { "https://shop.example@evil.example/", NULL },
        { "https://shop.example:443@evil.example/", NULL },
        { "https://shop.example\\@evil.example/", NULL },
        { "https://shop.example\\.evil.example/", NULL },
        { "https://*.example", NULL },
        { "https://shop.example, https://shop.example", NULL },
        { "ftp://shop.example", NULL },
        { "//shop.example", NULL },
        { "shop.example", NULL },
        { "https:///a", NULL },
        { "https://", NULL },
        { "null", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *origin = trestle_origin_of_url(pool, cases[i].url);

        if (cases[i].origin && origin)
            assert_string_equal(origin, cases[i].origin);
        else if (origin || cases[i].origin)
            fail_msg("%s: %s", cases[i].url, origin ? origin : "none");
    }
}

static void requests_are_judged(void **state)
{
    enum { T = TRESTLE_ORIGIN_TRUSTED, F = TRESTLE_ORIGIN_FOREIGN, M = TRESTLE_ORIGIN_MISSING };
    static const struct {
        const char *site, *origin, *referer;
        int verdict;
    } cases[] = {
        { NULL, NULL, NULL, M },
        { "same-origin", NULL, NULL, T },
        { "none", NULL, NULL, T },
        { "same-site", NULL, NULL, F },
        { "cross-site", NULL, NULL, F },
        { "cross-site", NULL, "https://own.example:8444/", F },
        { "same-origin, none", NULL, NULL, M },
        { "SAME-ORIGIN", NULL, NULL, M },
        { "odd", NULL, "https://evil.example/", F },
        { "odd", NULL, "https://own.example:8444/", T },
        { NULL, "https://own.example:8444", NULL, T },
        { NULL, "https://public.example", NULL, T },
        { NULL, "http://localhost:3000", NULL, T },
        { "cross-site", "http://localhost:3000", NULL, T },
        { "same-site", "http://localhost:3000", NULL, T },
        { "same-site", "http://localhost:3001", NULL, F },
        { "same-origin", "https://evil.example", NULL, F },
        { "none", "https://evil.example", NULL, F },
        { NULL, "https://evil.example", "https://public.example/", F },
        { NULL, "https://own.example", NULL, F },
        { NULL, "http://own.example:8444", NULL, F },
        { NULL, "https://own.example:84440", NULL, F },
        { NULL, "https://public.example.evil", NULL, F },
        { NULL, "https://evil.public.example", NULL, F },
        { NULL, "https://PUBLIC.example", NULL, F },
        { NULL, "https://public.example/", NULL, F },
        { NULL, "https://public.example:443", NULL, F },
        { NULL, "https://public.example, https://public.example", NULL, F },
        { NULL, "https://public.example https://public.example", NULL, F },
        { NULL, "null", NULL, F },
        { "same-origin", "null", NULL, F },
        { NULL, "", NULL, F },
        { NULL, NULL, "https://public.example/page?x", T },
        { NULL, NULL, "https://public.example:443/", T },
        { NULL, NULL, "https://public.example@evil.example/", F },
        { NULL, NULL, "https://evil.example/https://public.example", F },
        { NULL, NULL, "", F },
        { NULL, NULL, "about:blank", F },
    };
    apr_array_header_t *trusted = apr_array_make(pool, 1, sizeof(const char *));

    (void)state;
    APR_ARRAY_PUSH(trusted, const char *) = "http://localhost:3000";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const trestle_origin_facts_t facts = {
            cases[i].site, cases[i].origin, cases[i].referer, "https://own.example:8444", "https://public.example",
            trusted
        };
        int verdict = trestle_origin_judge(pool, &facts);

        if (verdict != cases[i].verdict)
            fail_msg("case %d: %d", (int)i, verdict);
    }
}

static void nobody_is_trusted_where_nothing_is_known(void **state)
{
    const trestle_origin_facts_t facts = { .origin = "https://public.example" };

    (void)state;
    assert_int_equal(trestle_origin_judge(pool, &facts), TRESTLE_ORIGIN_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_have_one_spelling),
        cmocka_unit_test(requests_are_judged),
        cmocka_unit_test(nobody_is_trusted_where_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
