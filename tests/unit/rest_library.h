/* A catalogue made by hand: books, their authors and countries, genres through a junction, a view; for tests in C. */
#ifndef REST_LIBRARY_H
#define REST_LIBRARY_H

#include <string.h>

#include <apr_strings.h>

#include "rest/rest_pages.h"
#include "rest/rest_relationship.h"
#include "rest/rest_sql.h"

enum { AUTHOR = 1, COUNTRY, BOOK, GENRE, BOOK_GENRE, LONG_BOOK, COVER };

static inline const rest_type_t *library_type(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name)
{
    static const char *const names[] = { "int4", "int8", "numeric", "text", "bool",       "uuid",
                                         "date", "json", "jsonb",   "char", "timestamptz" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], name)) {
            const rest_type_t *type = rest_catalogue_type(catalogue, i + 1);

            return type ? type : rest_catalogue_add_type(catalogue, pool, i + 1, "pg_catalog", name);
        }
    return NULL;
}

/* Columns from "name type, name type"; an exclamation mark behind the type: never NULL. */
static inline rest_relation_t *library_relation(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid,
                                                const char *name, char kind, const char *columns)
{
    rest_relation_t *relation = rest_catalogue_add_relation(catalogue, pool, oid, "api", name, kind);
    char *last = NULL, *list = apr_pstrdup(pool, columns);
    int number = 0;

    for (char *word = apr_strtok(list, ", ", &last); word; word = apr_strtok(NULL, ", ", &last)) {
        char *type = apr_strtok(NULL, ", ", &last);
        int not_null = type[strlen(type) - 1] == '!';

        type[strlen(type) - not_null] = '\0';
        rest_catalogue_add_column(relation, pool, word, library_type(catalogue, pool, type), ++number)->not_null =
            not_null;
    }
    return relation;
}

static inline void library_reference(apr_pool_t *pool, apr_array_header_t *keys, const char *constraint, unsigned from,
                                     int column, unsigned to, const char *comment)
{
    static const int one = 1;

    APR_ARRAY_PUSH(keys, rest_foreign_key_t) =
        (rest_foreign_key_t){ constraint, comment, from, to, 1, apr_pmemdup(pool, &column, sizeof(column)), &one };
}

static inline rest_catalogue_t *library_make(apr_pool_t *pool)
{
    rest_catalogue_t *catalogue = rest_catalogue_make(pool, "api");
    apr_array_header_t *keys = apr_array_make(pool, 8, sizeof(rest_foreign_key_t));
    rest_relation_t *book, *view;
    rest_type_t *array;

    rest_catalogue_add_key(library_relation(catalogue, pool, COUNTRY, "country", 'r', "code text!, name text!"), pool,
                           1, (int[]){ 1 }, 1);
    rest_catalogue_add_key(
        library_relation(catalogue, pool, AUTHOR, "author", 'r', "id int8!, name text!, country_code text, born date"),
        pool, 1, (int[]){ 1 }, 1);
    book = library_relation(catalogue, pool, BOOK, "book", 'r',
                            "id int8!, title text!, author_id int8!, editor_id int8, price numeric, pages int4, "
                            "extra jsonb, added timestamptz!, secret text, odd\"name text, raw json, open bool");
    rest_catalogue_add_key(book, pool, 1, (int[]){ 1 }, 1);
    array = rest_catalogue_add_type(catalogue, pool, 100, "pg_catalog", "_text");
    array->kind = REST_ARRAY;
    array->element = library_type(catalogue, pool, "text");
    rest_catalogue_add_column(book, pool, "tags", array, 13);
    rest_catalogue_set_comment(book, pool, "A book.\n@search title price\nIt is read.");
    rest_catalogue_add_key(library_relation(catalogue, pool, GENRE, "genre", 'r', "id int4!, label text"), pool, 1,
                           (int[]){ 1 }, 1);
    rest_catalogue_add_key(
        library_relation(catalogue, pool, BOOK_GENRE, "book_genre", 'r', "book_id int8!, genre_id int4!"), pool, 1,
        (int[]){ 1, 2 }, 2);
    rest_catalogue_add_key(library_relation(catalogue, pool, COVER, "cover", 'r', "book_id int8!, colour text"), pool,
                           1, (int[]){ 1 }, 1);
    view = library_relation(catalogue, pool, LONG_BOOK, "long_book", 'v', "title text, number int8, writer int8");
    for (int i = 0; i < 3; i++) {
        rest_column_t *column = (rest_column_t *)rest_relation_numbered(view, i + 1);

        column->origin_relation = BOOK;
        column->origin_column = (int[]){ 2, 1, 3 }[i];
    }
    library_reference(pool, keys, "author_country", AUTHOR, 3, COUNTRY, "@name country @inverse authors");
    library_reference(pool, keys, "book_author_id_fkey", BOOK, 3, AUTHOR, NULL);
    library_reference(pool, keys, "book_editor_id_fkey", BOOK, 4, AUTHOR, NULL);
    library_reference(pool, keys, "book_genre_book_id_fkey", BOOK_GENRE, 1, BOOK, NULL);
    library_reference(pool, keys, "book_genre_genre_id_fkey", BOOK_GENRE, 2, GENRE, NULL);
    library_reference(pool, keys, "cover_book_id_fkey", COVER, 1, BOOK, NULL);
    /* Role 0 is a reader, role 1 nobody. */
    catalogue->nroles = 2;
    catalogue->roles[0] = "reader";
    catalogue->roles[1] = "nobody";
    ((rest_column_t *)rest_relation_column(book, "secret"))->may[REST_MAY_SELECT] = 0;
    rest_catalogue_finish(catalogue, pool);
    rest_relationships_derive(catalogue, pool, keys);
    return catalogue;
}

static const rest_limits_t library_limits = { .rows_max = 100,
                                              .page_size = 20,
                                              .filters_max = 8,
                                              .expand_depth = 2,
                                              .expand_rows = 50,
                                              .count = REST_COUNT_EXACT,
                                              .refuse_unknown = 1 };

/* Plans the reading of a path of the dialect ("book/7") with a query, for role 0. */
static inline int library_plan(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *path, const char *query,
                               apr_size_t length, rest_plan_t *plan, rest_fault_t *fault)
{
    apr_array_header_t *given = apr_array_make(pool, 8, sizeof(rest_given_t));
    rest_pages_t pages = { .catalogue = catalogue, .limits = &library_limits, .given = given };
    rest_target_t target;

    memset(plan, 0, sizeof(*plan));
    memset(fault, 0, sizeof(*fault));
    if (!rest_query_parse(query, length, REST_IN_QUERY, 1000, given, fault))
        return 0;
    if (!rest_pages_target(pool, catalogue, path, &target))
        return rest_refuse(fault, 404, "NO_TARGET", NULL, NULL);
    if (target.nkeys > 0 && !rest_pages_keys(&target, given, fault))
        return 0;
    pages.relation = target.relation;
    pages.function = target.function;
    pages.one_row = target.nkeys > 0;
    return rest_pages_read(pool, &pages, plan, fault);
}

#endif
