/* mod_rest: dialect pages from a query to SQL, against a catalogue made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>

#include "rest/rest_link.h"
#include "rest/rest_literal.h"
#include "rest/rest_ordering.h"
#include "rest_library.h"

static apr_pool_t *pool;
static rest_catalogue_t *library;
static rest_plan_t plan;
static rest_fault_t fault;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return 1;
    library = library_make(pool);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* "sql | value value …" of a request, or "status CODE field" of its refusal. */
static const char *ask(const char *path, const char *query)
{
    rest_statement_t statement;
    const char *text;

    if (!library_plan(library, pool, path, query, strlen(query), &plan, &fault))
        return apr_psprintf(pool, "%d %s %s", fault.status, fault.code, fault.field ? fault.field : "-");
    rest_sql_build(pool, &plan, &statement);
    text = apr_pstrcat(pool, statement.sql, " |", NULL);
    for (int i = 0; i < statement.nparams; i++)
        text = apr_pstrcat(pool, text, " ", statement.values[i] ? statement.values[i] : "NULL", NULL);
    return text;
}

/* What stands behind " WHERE " of the rows of a list, up to their order. */
static const char *where(const char *query)
{
    const char *text = ask("book", query), *from = strstr(text, " AS t WHERE "), *last = NULL;

    if (!from)
        return text;
    for (const char *at = from; (at = strstr(at, " AS t WHERE ")); at++)
        last = at;
    last += 12;
    text = strstr(last, " |");
    return apr_pstrcat(pool, apr_pstrmemdup(pool, last, strcspn(last, "|") - 1), "", NULL);
}

static const char *condition(const char *query)
{
    const char *text = where(query), *order = strstr(text, " ORDER BY ");

    return order ? apr_pstrmemdup(pool, text, (apr_size_t)(order - text)) : text;
}

static void a_row_by_its_key(void **state)
{
    (void)state;
    assert_string_equal(ask("country/kr", ""),
                        "SELECT pg_catalog.row_to_json(t.*) FROM \"api\".\"country\" AS t WHERE t.\"code\" = "
                        "$1::\"pg_catalog\".\"text\" | kr");
    assert_string_equal(
        ask("book_genre/1/2/", "fields=genre_id"),
        "SELECT pg_catalog.row_to_json(r.*) FROM (SELECT t.\"genre_id\" FROM \"api\".\"book_genre\" AS t "
        "WHERE t.\"book_id\" = $1::\"pg_catalog\".\"int8\" AND t.\"genre_id\" = "
        "$2::\"pg_catalog\".\"int4\") AS r | 1 2");
    /* A view's key is taken on trust, so two rows are looked for. */
    assert_string_equal(ask("long_book/7", ""),
                        "SELECT pg_catalog.row_to_json(t.*) FROM \"api\".\"long_book\" AS t WHERE t.\"number\" = "
                        "$1::\"pg_catalog\".\"int8\" LIMIT 2 | 7");
}

static void a_page_counts_only_when_it_is_full(void **state)
{
    (void)state;
    assert_string_equal(
        ask("country", "page=3&page_size=10&name=x"),
        "SELECT pg_catalog.row_to_json(s.*), CASE WHEN pg_catalog.count(*) OVER () < 10 THEN pg_catalog.count(*) OVER "
        "() + "
        "$3::pg_catalog.int8 ELSE (SELECT pg_catalog.count(*) FROM \"api\".\"country\" AS t WHERE t.\"name\" = "
        "$1::\"pg_catalog\".\"text\") END FROM (SELECT t.* FROM \"api\".\"country\" AS t WHERE t.\"name\" = "
        "$1::\"pg_catalog\".\"text\" ORDER BY t.\"code\" LIMIT 10 OFFSET $2::pg_catalog.int8) AS s | x 20 20");
    assert_string_equal(ask("country", "count=none"),
                        "SELECT pg_catalog.row_to_json(s.*) FROM (SELECT t.* FROM \"api\".\"country\" AS t ORDER BY "
                        "t.\"code\" LIMIT 21) AS s |");
    /* Clients cannot make ever more statements. */
    assert_non_null(strstr(ask("country", "page_size=17"), " LIMIT $1::pg_catalog.int8) AS s | 17 17"));
}

static void columns_that_may_not_be_read_are_left_out(void **state)
{
    (void)state;
    assert_null(strstr(ask("book", ""), "secret"));
    assert_string_equal(ask("book", "secret=x"), "400 VALIDATION_ERROR secret");
    assert_string_equal(ask("book", "ordering=secret"), "400 VALIDATION_ERROR ordering");
    assert_string_equal(ask("book", "fields=secret"), "400 VALIDATION_ERROR fields");
    assert_string_equal(ask("author", "book_by_author__secret=x"), "400 VALIDATION_ERROR book_by_author__secret");
    assert_null(strstr(ask("author", "expand=book_by_author"), "secret"));
}

static void lookups_become_conditions(void **state)
{
    static const char *const cases[][2] = {
        { "id=7", "t.\"id\" = $1::\"pg_catalog\".\"int8\"" },
        { "id__in=1,2", "t.\"id\" = ANY ($1::\"pg_catalog\".\"int8\"[])" },
        { "id__range=1,2", "(t.\"id\" >= $1::\"pg_catalog\".\"int8\" AND t.\"id\" <= $2::\"pg_catalog\".\"int8\")" },
        { "title__icontains=x", "t.\"title\" ILIKE $1::pg_catalog.text" },
        { "pages__contains=1", "t.\"pages\"::pg_catalog.text LIKE $1::pg_catalog.text" },
        { "pages__isnull=false", "NOT (t.\"pages\" IS NULL)" },
        { "added__year__gte=2024", "EXTRACT(year FROM t.\"added\") >= $1::pg_catalog.numeric" },
        { "added__date=2024-01-01", "t.\"added\"::pg_catalog.date = $1::pg_catalog.date" },
        { "extra__a__b=c", "(t.\"extra\"::pg_catalog.jsonb #>> $1::pg_catalog._text) = $2::pg_catalog.text" },
        { "extra__a__gt=1",
          "(pg_catalog.jsonb_typeof(t.\"extra\"::pg_catalog.jsonb #> $1::pg_catalog._text) = $2::pg_catalog.text AND "
          "(t.\"extra\"::pg_catalog.jsonb #> $3::pg_catalog._text) > $4::pg_catalog.jsonb)" },
        { "raw={}", "(t.\"raw\"::pg_catalog.jsonb) = $1::pg_catalog.jsonb" },
        { "tags__overlap=a,b", "t.\"tags\" && $1::\"pg_catalog\".\"_text\"" },
        { "author__name=x", "EXISTS (SELECT 1 FROM \"api\".\"author\" AS t1 WHERE t1.\"id\" = t.\"author_id\" AND "
                            "t1.\"name\" = $1::\"pg_catalog\".\"text\")" },
        { "author__country__name=x",
          "EXISTS (SELECT 1 FROM \"api\".\"author\" AS t1 WHERE t1.\"id\" = t.\"author_id\" AND EXISTS (SELECT 1 FROM "
          "\"api\".\"country\" AS t2 WHERE t2.\"code\" = t1.\"country_code\" AND t2.\"name\" = "
          "$1::\"pg_catalog\".\"text\"))" },
        { "genre__label=x", "EXISTS (SELECT 1 FROM \"api\".\"genre\" AS t1, \"api\".\"book_genre\" AS t2 WHERE "
                            "t2.\"book_id\" = t.\"id\" AND "
                            "t1.\"id\" = t2.\"genre_id\" AND t1.\"label\" = $1::\"pg_catalog\".\"text\")" },
        { "author=5", "t.\"author_id\" = $1::\"pg_catalog\".\"int8\"" },
        { "editor__isnull=1", "t.\"editor_id\" IS NULL" },
        { "search=a+b", "(t.\"title\" ILIKE $1::pg_catalog.text OR t.\"price\"::pg_catalog.text ILIKE "
                        "$2::pg_catalog.text) AND (t.\"title\" ILIKE $3::pg_catalog.text OR "
                        "t.\"price\"::pg_catalog.text ILIKE $4::pg_catalog.text)" },
        { "odd%22name=x", "t.\"odd\"\"name\" = $1::\"pg_catalog\".\"text\"" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(condition(cases[i][0]), cases[i][1]);
}

static void values_are_only_parameters(void **state)
{
    const char *evil = "title=%27%29%3B+DROP+TABLE+book%3B+--";
    rest_statement_t a, b;

    (void)state;
    ask("book", evil);
    rest_sql_build(pool, &plan, &a);
    ask("book", "title=x");
    rest_sql_build(pool, &plan, &b);
    assert_string_equal(a.sql, b.sql);
    assert_string_equal(a.values[0], "'); DROP TABLE book; --");
    /* Nor does the text depend on how many values a list has. */
    ask("book", "id__in=1,2,3");
    rest_sql_build(pool, &plan, &a);
    ask("book", "id__in=9");
    rest_sql_build(pool, &plan, &b);
    assert_string_equal(a.sql, b.sql);
}

static void related_rows_are_part_of_the_statement(void **state)
{
    (void)state;
    assert_string_equal(
        ask("cover/7", "expand=book.author&fields=colour,book.id,book.author.name"),
        "SELECT pg_catalog.row_to_json(r.*) FROM (SELECT t.\"colour\", (SELECT pg_catalog.row_to_json(t2.*) FROM "
        "(SELECT "
        "t1.\"id\", (SELECT pg_catalog.row_to_json(t4.*) FROM (SELECT t3.\"name\" FROM \"api\".\"author\" AS t3 WHERE "
        "t3.\"id\" = t1.\"author_id\") AS t4) AS \"author\" FROM \"api\".\"book\" AS t1 WHERE t1.\"id\" = "
        "t.\"book_id\") AS "
        "t2) AS \"book\" FROM \"api\".\"cover\" AS t WHERE t.\"book_id\" = $1::\"pg_catalog\".\"int8\") AS r | 7");
    assert_non_null(strstr(ask("book/7", "expand=genre&fields=id"),
                           "coalesce((SELECT pg_catalog.json_agg(t2.*) FROM (SELECT t1.* FROM \"api\".\"genre\" AS t1, "
                           "\"api\".\"book_genre\" "
                           "AS t3 WHERE t3.\"book_id\" = t.\"id\" AND t1.\"id\" = t3.\"genre_id\" ORDER BY t1.\"id\" "
                           "LIMIT 50) AS t2), '[]') AS "
                           "\"genre\""));
}

static void an_order_is_total(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("book", "ordering=-added"), " ORDER BY t.\"added\" DESC, t.\"id\" DESC LIMIT"));
    assert_non_null(strstr(ask("book", "ordering=-id"), " ORDER BY t.\"id\" DESC LIMIT"));
    assert_non_null(strstr(ask("book", "ordering=author__name"),
                           " ORDER BY (SELECT t1.\"name\" FROM \"api\".\"author\" AS t1 WHERE t1.\"id\" = "
                           "t.\"author_id\"), t.\"id\" LIMIT"));
    assert_non_null(strstr(ask("long_book", ""), " ORDER BY t.\"number\" LIMIT"));
    assert_string_equal(ask("book", "ordering=author__nothing"), "400 VALIDATION_ERROR ordering");
    assert_string_equal(ask("book", "ordering=genre__label"), "400 VALIDATION_ERROR ordering");
}

static const char *cursor(const char *const *values, int backward)
{
    return rest_cursor_write(pool, plan.orders, values, backward);
}

static void cursors_continue_an_order(void **state)
{
    const char *values[] = { "2024-01-01", "7" }, *query;

    (void)state;
    ask("book", "cursor=&ordering=-added");
    query = apr_pstrcat(pool, "ordering=-added&cursor=", cursor(values, 0), NULL);
    assert_non_null(strstr(ask("book", query),
                           "(t.\"added\", t.\"id\") < ($1::\"pg_catalog\".\"timestamptz\", "
                           "$2::\"pg_catalog\".\"int8\") ORDER BY t.\"added\" DESC, t.\"id\" DESC LIMIT"));
    query = apr_pstrcat(pool, "ordering=-added&cursor=", cursor(values, 1), NULL);
    assert_non_null(strstr(ask("book", query), ") > ($1::"));
    assert_non_null(strstr(ask("book", query), " ORDER BY t.\"added\", t.\"id\" LIMIT"));
    ask("book", "cursor=&ordering=pages");
    query = apr_pstrcat(pool, "ordering=pages&cursor=", cursor(values, 0), NULL);
    assert_non_null(strstr(where(query), "(((t.\"pages\" > $1::\"pg_catalog\".\"int4\" OR t.\"pages\" IS NULL)) OR "
                                         "(t.\"pages\" = $2::\"pg_catalog\".\"int4\" AND (t.\"id\" > "
                                         "$3::\"pg_catalog\".\"int8\")))"));
    values[0] = NULL;
    query = apr_pstrcat(pool, "ordering=pages&cursor=", cursor(values, 0), NULL);
    assert_non_null(strstr(where(query), "(((false)) OR (t.\"pages\" IS NULL AND (t.\"id\" > "));
    query = apr_pstrcat(pool, "ordering=-pages&cursor=", cursor(values, 0), NULL);
    assert_string_equal(ask("book", query), "400 VALIDATION_ERROR cursor");
}

static void refusals_name_their_parameter(void **state)
{
    static const char *const cases[][3] = {
        { "nothing", "", "404 NO_TARGET -" },
        { "", "", "404 NO_TARGET -" },
        { "book//", "", "404 NO_TARGET -" },
        { "book/1/2", "", "404 NOT_FOUND -" },
        { "book/x", "", "404 NOT_FOUND -" },
        { "book_genre/1", "", "404 NOT_FOUND -" },
        { "book/1", "page=1", "400 VALIDATION_ERROR page" },
        { "book/1", "title=x", "400 VALIDATION_ERROR title" },
        { "book", "page=0", "400 VALIDATION_ERROR page" },
        { "book", "page=1000000001", "400 VALIDATION_ERROR page" },
        { "book", "page_size=101", "400 VALIDATION_ERROR page_size" },
        { "book", "page=1&page=1", "400 VALIDATION_ERROR page" },
        { "book", "expand=author.country.authors", "400 VALIDATION_ERROR expand" },
        { "book", "author__country__authors__name=x", "400 VALIDATION_ERROR author__country__authors__name" },
        { "book", "id=1&id__gt=1&id__lt=1&id__gte=1&id__lte=1&id__ne=1&id__in=1&id__range=1,2&pages=1",
          "400 VALIDATION_ERROR pages" },
        { "book", "raw__nothing__=1", "400 VALIDATION_ERROR raw__nothing__" },
        { "book", "open=maybe", "400 VALIDATION_ERROR open" },
        { "country", "search=x", "400 VALIDATION_ERROR search" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(ask(cases[i][0], cases[i][1]), cases[i][2]);
}

static void literals(void **state)
{
    static const char *const lists[][2] = {
        { "", "{}" },
        { "a", "{\"a\"}" },
        { "a,b", "{\"a\",\"b\"}" },
        { ",", "{\"\",\"\"}" },
        { "\"a,b\",c", "{\"a,b\",\"c\"}" },
        { "\"a\\\"b\"", "{\"a\\\"b\"}" },
        { "a\\b", "{\"a\\\\b\"}" },
        { "{x}", "{\"{x}\"}" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_string_equal(rest_literal_array(pool, rest_literal_split(pool, lists[i][0])), lists[i][1]);
    assert_null(rest_literal_split(pool, "\"a"));
    assert_null(rest_literal_split(pool, "\"a\"b"));
    assert_string_equal(rest_literal_like(pool, "%", "5%_\\", "%"), "%5\\%\\_\\\\%");
}

static void links(void **state)
{
    const char *keys[] = { "a/b c", "한" };

    (void)state;
    assert_string_equal(rest_link_with(pool, "/x", NULL, "page", "2"), "/x?page=2");
    assert_string_equal(rest_link_with(pool, "/x", "a=1&&page=1&b=%20", "page", "2"), "/x?a=1&page=2&b=%20");
    assert_string_equal(rest_link_with(pool, "/x", "p%61ge=1", "page", "2"), "/x?page=2");
    assert_string_equal(rest_link_with(pool, "/x", "page_size=1&pag=2&pagex=3", "page", "2"),
                        "/x?page_size=1&pag=2&pagex=3&page=2");
    assert_string_equal(rest_link_row(pool, "/x/", keys, 2), "/x/a%2Fb%20c/%ED%95%9C/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_by_its_key),
        cmocka_unit_test(a_page_counts_only_when_it_is_full),
        cmocka_unit_test(columns_that_may_not_be_read_are_left_out),
        cmocka_unit_test(lookups_become_conditions),
        cmocka_unit_test(values_are_only_parameters),
        cmocka_unit_test(related_rows_are_part_of_the_statement),
        cmocka_unit_test(an_order_is_total),
        cmocka_unit_test(cursors_continue_an_order),
        cmocka_unit_test(refusals_name_their_parameter),
        cmocka_unit_test(literals),
        cmocka_unit_test(links),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
