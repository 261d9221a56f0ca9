/* mod_rest: routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "rest/rest_route.h"

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

static rest_routes_t *routes_of(const char *const (*lines)[3])
{
    rest_routes_t *routes = rest_routes_make(pool);

    for (; (*lines)[0]; lines++)
        assert_null(rest_routes_add(routes, pool, (*lines)[0], (*lines)[1], (*lines)[2]));
    return routes;
}

static const char *const plain[][3] = {
    { "GET", "/", "root()" },
    { "GET", "/projects", "list()" },
    { "POST,PUT", "/projects/{id}", "change()" },
    { "GET", "/projects/{id}", "project" },
    { "GET", "/projects/create", "form()" },
    { "DELETE", "/projects/file/delete/{file_id}", "file_delete()" },
    { "GET", "/projects/{id}/members/{member}", "member()" },
    { "GET", "/projects/x/{b}", "x()" },
    { "GET", "/프로젝트/{id}", "korean()" },
    { NULL, NULL, NULL },
};

/* "target value value …", or "-" with the allowed methods. */
static const char *find(const rest_routes_t *routes, const char *method, const char *path)
{
    rest_match_t match = { 0 };
    const char *text;

    if (!rest_routes_match(routes, pool, rest_method_bit(method), path, &match))
        return match.allowed ? apr_pstrcat(pool, "- ", rest_methods_text(pool, match.allowed, 1), NULL) : "-";
    text = match.route->target;
    for (int i = 0; i < match.route->nvariables; i++)
        text = apr_pstrcat(pool, text, " ", match.route->variables[i], "=", match.values[i], NULL);
    return text;
}

static void paths_lead_to_targets(void **state)
{
    rest_routes_t *routes = routes_of(plain);

    (void)state;
    assert_string_equal(find(routes, "GET", "/"), "root");
    assert_string_equal(find(routes, "GET", "/projects"), "list");
    assert_string_equal(find(routes, "GET", "/projects/"), "list");
    assert_string_equal(find(routes, "HEAD", "/projects/"), "list");
    assert_string_equal(find(routes, "GET", "/projects/7"), "project id=7");
    assert_string_equal(find(routes, "PUT", "/projects/7/"), "change id=7");
    assert_string_equal(find(routes, "POST", "/projects/7"), "change id=7");
    assert_string_equal(find(routes, "DELETE", "/projects/file/delete/12"), "file_delete file_id=12");
    assert_string_equal(find(routes, "GET", "/projects/a/members/b"), "member id=a member=b");
    assert_string_equal(find(routes, "GET", "/프로젝트/한"), "korean id=한");
}

static void literal_text_goes_before_variables(void **state)
{
    rest_routes_t *routes = routes_of(plain);

    (void)state;
    assert_string_equal(find(routes, "GET", "/projects/create"), "form");
    /* The literal path has no POST, so the variable takes it. */
    assert_string_equal(find(routes, "POST", "/projects/create"), "change id=create");
    assert_string_equal(find(routes, "GET", "/projects/x/members/1"), "member id=x member=1");
    assert_string_equal(find(routes, "GET", "/projects/x/members"), "x b=members");
}

static void unknown_paths_and_methods(void **state)
{
    rest_routes_t *routes = routes_of(plain);

    (void)state;
    assert_string_equal(find(routes, "GET", "/nothing"), "-");
    assert_string_equal(find(routes, "GET", "/projects/7/members"), "-");
    assert_string_equal(find(routes, "GET", "/Projects"), "-");
    assert_string_equal(find(routes, "DELETE", "/projects/7"), "- GET, HEAD, POST, PUT, OPTIONS");
    assert_string_equal(find(routes, "POST", "/projects"), "- GET, HEAD, OPTIONS");
    assert_string_equal(find(routes, "BREW", "/projects"), "- GET, HEAD, OPTIONS");
}

static void odd_paths(void **state)
{
    rest_routes_t *routes = routes_of(plain);
    char *longest = apr_palloc(pool, 100001), *deep = apr_palloc(pool, 2001);

    (void)state;
    assert_string_equal(find(routes, "GET", ""), "-");
    assert_string_equal(find(routes, "GET", "*"), "-");
    assert_string_equal(find(routes, "GET", "projects"), "-");
    assert_string_equal(find(routes, "GET", "//"), "-");
    assert_string_equal(find(routes, "GET", "//projects"), "-");
    assert_string_equal(find(routes, "GET", "/projects//"), "-");
    assert_string_equal(find(routes, "GET", "/projects//members/1"), "-");
    /* httpd resolves dot segments before; what remains is a value like any other. */
    assert_string_equal(find(routes, "GET", "/projects/.."), "project id=..");
    assert_string_equal(find(routes, "GET", "/projects/a%2Fb"), "project id=a/b");
    assert_string_equal(find(routes, "GET", "/projects/a%2fb%2F"), "project id=a/b/");
    assert_string_equal(find(routes, "GET", "/projects/100%"), "project id=100%");
    assert_string_equal(find(routes, "GET", "/projects/%2"), "project id=%2");
    memset(longest, 'a', 100000);
    longest[100000] = '\0';
    assert_string_equal(find(routes, "GET", longest), "-");
    memcpy(longest, "/projects/", 10);
    assert_int_equal(strlen(find(routes, "GET", longest)), strlen("project id=") + 100000 - 10);
    for (int i = 0; i < 2000; i += 2)
        memcpy(deep + i, "/a", 3);
    assert_string_equal(find(routes, "GET", deep), "-");
}

static void refused(const char *methods, const char *path, const char *target, const char *words)
{
    rest_routes_t *routes = routes_of(plain);
    const char *message = rest_routes_add(routes, pool, methods, path, target);

    assert_non_null(message);
    if (!strstr(message, words))
        fail_msg("'%s' does not say '%s'", message, words);
}

static void bad_routes_are_refused(void **state)
{
    (void)state;
    refused("FETCH", "/a", "f", "POST,PUT");
    refused("get", "/a", "f", "POST,PUT");
    refused("GET,", "/a", "f", "POST,PUT");
    refused("", "/a", "f", "POST,PUT");
    refused("HEAD", "/a", "f", "HEAD and OPTIONS follow by themselves");
    refused("GET", "a", "f", "path template");
    refused("GET", "", "f", "path template");
    refused("GET", "/a//b", "f", "no empty segments");
    refused("GET", "/a//", "f", "no empty segments");
    refused("GET", "/a/../b", "f", "plain text");
    refused("GET", "/a/.", "f", "plain text");
    refused("GET", "/a/%41", "f", "plain text");
    refused("GET", "/a?b", "f", "plain text");
    refused("GET", "/a/x{id}", "f", "one whole variable");
    refused("GET", "/a/{id", "f", "one whole variable");
    refused("GET", "/a/{}", "f", "not a plain name");
    refused("GET", "/a/{Id}", "f", "not a plain name");
    refused("GET", "/a/{id}/{id}", "f", "stands twice");
    refused("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "f", "more than 8");
    refused("GET", "/a", "", "name of a function");
    refused("GET", "/a", "()", "name of a function");
    refused("GET", "/a", "api.f()", "without a schema");
    refused("GET", "/a", "f(x)", "name of a function");
    refused("GET", "/a", "f\"; DROP TABLE x; --", "name of a function");
    refused("GET", "/projects/", "f", "already goes to list");
    refused("GET", "/projects/{other}", "f", "already goes to project");
    refused("GET,PUT", "/projects/{id}", "f", "already goes to");
}

static void a_refused_route_changes_nothing(void **state)
{
    rest_routes_t *routes = routes_of(plain);

    (void)state;
    assert_non_null(rest_routes_add(routes, pool, "DELETE,GET", "/projects/", "f"));
    assert_string_equal(find(routes, "DELETE", "/projects"), "- GET, HEAD, OPTIONS");
}

static void many_routes(void **state)
{
    rest_routes_t *routes = rest_routes_make(pool);

    (void)state;
    for (int i = 999; i >= 0; i--)
        assert_null(
            rest_routes_add(routes, pool, "GET", apr_psprintf(pool, "/t%d/{id}", i), apr_psprintf(pool, "f%d()", i)));
    for (int i = 0; i < 1000; i++)
        assert_string_equal(find(routes, "GET", apr_psprintf(pool, "/t%d/5", i)), apr_psprintf(pool, "f%d id=5", i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_targets),
        cmocka_unit_test(literal_text_goes_before_variables),
        cmocka_unit_test(unknown_paths_and_methods),
        cmocka_unit_test(odd_paths),
        cmocka_unit_test(bad_routes_are_refused),
        cmocka_unit_test(a_refused_route_changes_nothing),
        cmocka_unit_test(many_routes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
