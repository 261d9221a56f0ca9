/* mod_rest: what views show, what foreign keys mean, what names a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>

#include "rest/rest_view.h"
#include "rest_library.h"

static apr_pool_t *pool;
static rest_catalogue_t *library;

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

static const char *told;

static void tell(void *baton, int column, unsigned relation, int origin)
{
    (void)baton;
    told = apr_psprintf(pool, "%s%d=%u.%d ", told, column, relation, origin);
}

static const char *origins(const char *tree)
{
    told = "";
    rest_view_origins(tree, tell, NULL);
    return told;
}

/* As PostgreSQL 15 writes it, shortened: a subquery's target list, a name that looks like a field, an expression. */
static void origins_of_a_views_columns(void **state)
{
    (void)state;
    assert_string_equal(
        origins(
            "({QUERY :commandType 1 :rtable ({RTE :subquery {QUERY :targetList ({TARGETENTRY :resno 1 :resorigtbl 5 "
            ":resorigcol 5})} :eref {ALIAS :aliasname odd\\ :targetList\\ \\{ :colnames (\"a\")}}) :jointree {FROMEXPR "
            ":fromlist <>} :targetList ({TARGETENTRY :expr {VAR :varno 3 :resno 9 :resorigtbl 9} :resno 1 :resname id "
            ":ressortgroupref 0 :resorigtbl 16391 :resorigcol 1 :resjunk false} {TARGETENTRY :expr {CONST :constvalue "
            "4 "
            "[ 1 0 0 0 ]} :resno 2 :resname odd\\ :resorigtbl\\ 7 :ressortgroupref 0 :resorigtbl 0 :resorigcol 0} "
            "{TARGETENTRY :expr {VAR :x 1} :resno 3 :resname \\}b :resorigtbl 16384 :resorigcol 2 :resjunk false}) "
            ":override 0 :havingQual {SUBLINK :subselect {QUERY :targetList ({TARGETENTRY :resno 4 :resorigtbl 1 "
            ":resorigcol 1})}} :sortClause ({SORTGROUPCLAUSE :resno 5 :resorigtbl 1 :resorigcol 1})})"),
        "1=16391.1 3=16384.2 ");
    assert_string_equal(origins(""), "");
    assert_string_equal(origins("{{{{"), "");
    assert_string_equal(origins("}}}} :targetList ({:resno 1 :resorigtbl 1 :resorigcol 1})"), "");
}

static const rest_relationship_t *find(const char *relation, const char *name)
{
    return rest_relation_relationship(rest_catalogue_relation(library, relation), name);
}

static void relationships_have_names(void **state)
{
    static const struct {
        const char *from, *name, *to;
        int to_many;
    } all[] = {
        { "author", "country", "country", 0 },     { "country", "authors", "author", 1 },
        { "book", "author", "author", 0 },         { "book", "editor", "author", 0 },
        { "author", "book_by_author", "book", 1 }, { "author", "book_by_editor", "book", 1 },
        { "book", "genre", "genre", 1 },           { "genre", "book", "book", 1 },
        { "genre", "long_book", "long_book", 1 },  { "book", "book_genre", "book_genre", 1 },
        { "book_genre", "book", "book", 0 },       { "book_genre", "book_long_book", "long_book", 0 },
        { "book", "cover", "cover", 0 },           { "cover", "book", "book", 0 },
        { "long_book", "writer", "author", 0 },    { "author", "long_book", "long_book", 1 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const rest_relationship_t *found = find(all[i].from, all[i].name);

        if (!found)
            fail_msg("%s has no %s", all[i].from, all[i].name);
        assert_string_equal(found->to->name, all[i].to);
        assert_int_equal(found->to_many, all[i].to_many);
    }
    assert_null(find("author", "book"));
    assert_string_equal(find("book", "genre")->junction->name, "book_genre");
}

static void what_names_a_row(void **state)
{
    const rest_relation_t *view = rest_catalogue_relation(library, "long_book");

    (void)state;
    assert_int_equal(view->identity->ncolumns, 1);
    assert_string_equal(view->identity->columns[0]->name, "number");
    assert_int_equal(rest_catalogue_relation(library, "book_genre")->identity->ncolumns, 2);
}

static void comments_hold_tags(void **state)
{
    const rest_relation_t *book = rest_catalogue_relation(library, "book");
    rest_relation_t *other = rest_catalogue_add_relation(library, pool, 99, "api", "other", 'v');

    (void)state;
    assert_string_equal(book->comment, "A book.\nIt is read.");
    assert_int_equal(book->search->nelts, 2);
    rest_catalogue_add_column(other, pool, "a", library_type(library, pool, "int4"), 1);
    rest_catalogue_add_column(other, pool, "b", library_type(library, pool, "int4"), 2);
    rest_catalogue_set_comment(other, pool, "@key b, a\n@order -a\n@searching c\n@search nothing");
    assert_string_equal(other->identity->columns[0]->name, "b");
    assert_string_equal(other->ordering, "-a");
    assert_string_equal(other->comment, "@searching c");
    rest_catalogue_set_comment(other, pool, NULL);
    assert_null(other->comment);
}

static void roles(void **state)
{
    (void)state;
    assert_int_equal(rest_catalogue_role(library, "reader"), 0);
    assert_int_equal(rest_catalogue_role(library, "other"), REST_ROLE_UNKNOWN);
    assert_int_equal(rest_catalogue_role(library, NULL), REST_ROLE_UNKNOWN);
    assert_true(rest_role_in(0, REST_ROLE_UNKNOWN));
    assert_false(rest_role_in(2, 0));
    assert_true(rest_role_in((rest_roles_t)1 << 63, 63));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_of_a_views_columns),
        cmocka_unit_test(relationships_have_names),
        cmocka_unit_test(what_names_a_row),
        cmocka_unit_test(comments_hold_tags),
        cmocka_unit_test(roles),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
