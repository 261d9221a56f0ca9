#include "rest_relationship.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 3 }; /* names a relationship may take, in the order of preference */

/* A relationship before it has its name. */
typedef struct {
    rest_relationship_t *made;
    int rank; /* how well its target stands for the table: 0 the table, 1 a view of the table's name, 2 another view */
    const char *names[NAMES];
} candidate_t;

typedef struct {
    rest_catalogue_t *catalogue;
    apr_pool_t *pool;
    apr_hash_t *shown;      /* table → apr_array_header_t of the exposed relations that show columns of it */
    apr_hash_t *candidates; /* relation → apr_array_header_t of candidate_t */
} derivation_t;

static apr_array_header_t *list_in(apr_hash_t *hash, apr_pool_t *pool, const void *key, int size)
{
    apr_array_header_t *list = apr_hash_get(hash, &key, sizeof(key));

    if (!list) {
        list = apr_array_make(pool, 4, size);
        apr_hash_set(hash, apr_pmemdup(pool, &key, sizeof(key)), sizeof(key), list);
    }
    return list;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(rest_relation_t *const *)a)->name, (*(rest_relation_t *const *)b)->name);
}

/* The exposed relations by name, so that the outcome does not depend on the order they were loaded in. */
static apr_array_header_t *sorted_relations(const derivation_t *d)
{
    apr_array_header_t *sorted = apr_array_make(d->pool, 64, sizeof(rest_relation_t *));

    for (apr_hash_index_t *at = apr_hash_first(d->pool, d->catalogue->relations); at; at = apr_hash_next(at))
        APR_ARRAY_PUSH(sorted, rest_relation_t *) = apr_hash_this_val(at);
    if (sorted->nelts > 1)
        qsort(sorted->elts, (size_t)sorted->nelts, sizeof(rest_relation_t *), compare_names);
    return sorted;
}

static void note_shown(derivation_t *d, rest_relation_t *relation)
{
    for (int i = 0; i < relation->columns->nelts; i++) {
        const rest_relation_t *table = APR_ARRAY_IDX(relation->columns, i, const rest_column_t *)->origin->relation;
        apr_array_header_t *list = list_in(d->shown, d->pool, table, sizeof(rest_relation_t *));

        if (list->nelts == 0 || APR_ARRAY_IDX(list, list->nelts - 1, rest_relation_t *) != relation)
            APR_ARRAY_PUSH(list, rest_relation_t *) = relation;
    }
}

static int rank_of(const rest_relation_t *relation, const rest_relation_t *table)
{
    return relation == table ? 0 : !strcmp(relation->name, table->name) ? 1 : 2;
}

/* The columns of relation that show the table's numbered columns; NULL if one is missing. */
static const rest_column_t **show(apr_pool_t *pool, const rest_relation_t *relation, const rest_relation_t *table,
                                  const int *numbers, int n)
{
    const rest_column_t **columns = apr_palloc(pool, sizeof(*columns) * (size_t)n);

    for (int k = 0; k < n; k++) {
        const rest_column_t *wanted = rest_relation_numbered(table, numbers[k]);

        columns[k] = NULL;
        for (int i = 0; wanted && i < relation->columns->nelts && !columns[k]; i++) {
            const rest_column_t *column = APR_ARRAY_IDX(relation->columns, i, const rest_column_t *);

            if (column->origin == wanted)
                columns[k] = column;
        }
        if (!columns[k])
            return NULL;
    }
    return columns;
}

static int holds(const rest_foreign_key_t *key, int number)
{
    for (int i = 0; i < key->ncolumns; i++)
        if (key->columns[i] == number)
            return 1;
    return 0;
}

/* 1 if a foreign key's columns hold a whole key of their table, so that it is one to one. */
static int is_unique(const rest_relation_t *table, const rest_foreign_key_t *foreign)
{
    for (int i = 0; i < table->keys->nelts; i++) {
        const rest_key_t *key = APR_ARRAY_IDX(table->keys, i, const rest_key_t *);
        int held = 0;

        while (held < key->ncolumns && holds(foreign, key->columns[held]->number))
            held++;
        if (held == key->ncolumns)
            return 1;
    }
    return 0;
}

/* 1 if one key of the table holds the columns of both foreign keys: a row of it is a pair, and no pair comes twice. */
static int is_junction(const rest_relation_t *table, const rest_foreign_key_t *a, const rest_foreign_key_t *b)
{
    for (int i = 0; i < table->keys->nelts; i++) {
        const rest_key_t *key = APR_ARRAY_IDX(table->keys, i, const rest_key_t *);
        int in_a = 0, in_b = 0;

        for (int k = 0; k < key->ncolumns; k++) {
            in_a += holds(a, key->columns[k]->number);
            in_b += holds(b, key->columns[k]->number);
        }
        if (in_a == a->ncolumns && in_b == b->ncolumns)
            return 1;
    }
    return 0;
}

/* The value of a comment's tag ("@name owner"), in pool; NULL if it has none. */
static const char *tag(apr_pool_t *pool, const char *comment, const char *name)
{
    const char *at = comment ? strstr(comment, name) : NULL;
    apr_size_t n;

    if (!at)
        return NULL;
    at += strlen(name);
    at += strspn(at, " \t");
    n = strcspn(at, " \t\r\n");
    return n > 0 ? apr_pstrmemdup(pool, at, n) : NULL;
}

/* What a foreign key's column says of its target: "owner" of owner_id; else the column's name. NULL for several. */
static const char *stem(apr_pool_t *pool, const rest_column_t *const *columns, int n)
{
    apr_size_t length = strlen(columns[0]->name);

    if (n != 1)
        return NULL;
    return length > 3 && !strcmp(columns[0]->name + length - 3, "_id")
               ? apr_pstrmemdup(pool, columns[0]->name, length - 3)
               : columns[0]->name;
}

static candidate_t *add(derivation_t *d, const rest_relationship_t *model, int rank)
{
    candidate_t *candidate = apr_array_push(list_in(d->candidates, d->pool, model->from, sizeof(candidate_t)));

    memset(candidate, 0, sizeof(*candidate));
    candidate->made = apr_pmemdup(d->pool, model, sizeof(*model));
    candidate->rank = rank;
    candidate->names[2] = apr_pstrcat(d->pool, model->constraint, "_", model->to->name, NULL);
    return candidate;
}

/* Both directions of one foreign key between two exposed relations. */
static void add_pair(derivation_t *d, const rest_foreign_key_t *key, const rest_relation_t *a_table,
                     const rest_relation_t *a, const rest_relation_t *b_table, const rest_relation_t *b)
{
    rest_relationship_t there = { .constraint = key->constraint, .from = a, .to = b, .ncolumns = key->ncolumns };
    rest_relationship_t back = { .constraint = key->constraint, .from = b, .to = a, .ncolumns = key->ncolumns };
    const char *name, *own = tag(d->pool, key->comment, "@name "), *inverse = tag(d->pool, key->comment, "@inverse ");
    candidate_t *candidate;

    there.columns = back.targets = show(d->pool, a, a_table, key->columns, key->ncolumns);
    there.targets = back.columns = show(d->pool, b, b_table, key->targets, key->ncolumns);
    if (!there.columns || !there.targets)
        return;
    name = stem(d->pool, there.columns, there.ncolumns);
    candidate = add(d, &there, rank_of(b, b_table));
    candidate->names[0] = own ? own : name ? name : b->name;
    candidate->names[1] = apr_pstrcat(d->pool, candidate->names[0], "_", b->name, NULL);
    back.to_many = !is_unique(a_table, key);
    candidate = add(d, &back, rank_of(a, a_table));
    candidate->names[0] = inverse ? inverse : a->name;
    candidate->names[1] = apr_pstrcat(d->pool, a->name, "_by_", name ? name : key->constraint, NULL);
}

/* The exposed relation that shows the whole junction best, with the columns of both foreign keys. */
static const rest_relation_t *exposed_junction(const derivation_t *d, const rest_relation_t *table,
                                               const rest_foreign_key_t *a, const rest_foreign_key_t *b)
{
    apr_array_header_t *list = list_in(d->shown, d->pool, table, sizeof(rest_relation_t *));
    const rest_relation_t *best = NULL;

    for (int i = 0; i < list->nelts; i++) {
        const rest_relation_t *each = APR_ARRAY_IDX(list, i, rest_relation_t *);

        if (show(d->pool, each, table, a->columns, a->ncolumns) && show(d->pool, each, table, b->columns, b->ncolumns)
            && (!best || rank_of(each, table) < rank_of(best, table)))
            best = each;
    }
    return best;
}

static void add_through(derivation_t *d, const rest_foreign_key_t *near, const rest_foreign_key_t *far)
{
    const rest_relation_t *table = rest_catalogue_by_oid(d->catalogue, near->from), *junction;
    const rest_relation_t *a_table = rest_catalogue_by_oid(d->catalogue, near->to);
    const rest_relation_t *b_table = rest_catalogue_by_oid(d->catalogue, far->to);
    apr_array_header_t *as, *bs;

    if (!table || !a_table || !b_table || !is_junction(table, near, far)
        || !(junction = exposed_junction(d, table, near, far)))
        return;
    as = list_in(d->shown, d->pool, a_table, sizeof(rest_relation_t *));
    bs = list_in(d->shown, d->pool, b_table, sizeof(rest_relation_t *));
    for (int i = 0; i < as->nelts; i++)
        for (int k = 0; k < bs->nelts; k++) {
            const rest_relation_t *a = APR_ARRAY_IDX(as, i, rest_relation_t *);
            const rest_relation_t *b = APR_ARRAY_IDX(bs, k, rest_relation_t *);
            rest_relationship_t made = { .constraint = far->constraint, .from = a, .to = b, .to_many = 1 };
            candidate_t *candidate;

            made.ncolumns = near->ncolumns;
            made.columns = show(d->pool, a, a_table, near->targets, near->ncolumns);
            made.targets = show(d->pool, junction, table, near->columns, near->ncolumns);
            made.junction = junction;
            made.nfar = far->ncolumns;
            made.far = show(d->pool, junction, table, far->columns, far->ncolumns);
            made.far_targets = show(d->pool, b, b_table, far->targets, far->ncolumns);
            if (!made.columns || !made.far_targets)
                continue;
            candidate = add(d, &made, rank_of(b, b_table));
            candidate->names[0] = b->name;
            candidate->names[1] = apr_pstrcat(d->pool, b->name, "_through_", junction->name, NULL);
        }
}

static void add_direct(derivation_t *d, const rest_foreign_key_t *key)
{
    const rest_relation_t *a_table = rest_catalogue_by_oid(d->catalogue, key->from);
    const rest_relation_t *b_table = rest_catalogue_by_oid(d->catalogue, key->to);
    apr_array_header_t *as, *bs;

    if (!a_table || !b_table)
        return;
    as = list_in(d->shown, d->pool, a_table, sizeof(rest_relation_t *));
    bs = list_in(d->shown, d->pool, b_table, sizeof(rest_relation_t *));
    for (int i = 0; i < as->nelts; i++)
        for (int k = 0; k < bs->nelts; k++)
            add_pair(d, key, a_table, APR_ARRAY_IDX(as, i, rest_relation_t *), b_table,
                     APR_ARRAY_IDX(bs, k, rest_relation_t *));
}

/* 1 if the relationship may have the name: a column of that name must be the foreign key's own. */
static int is_free(const rest_relation_t *relation, const rest_relationship_t *made, const char *name)
{
    const rest_column_t *column = rest_relation_column(relation, name);

    return !rest_relation_relationship(relation, name)
           && (!column || (!made->to_many && made->ncolumns == 1 && made->columns[0] == column));
}

/* The one candidate of a name whose target ranks best; NULL if two rank alike. */
static const candidate_t *best_of(const apr_array_header_t *list, const char *name, int level)
{
    const candidate_t *best = NULL;
    int alike = 0;

    for (int i = 0; i < list->nelts; i++) {
        const candidate_t *each = &APR_ARRAY_IDX(list, i, candidate_t);

        if (each->made->name || strcmp(each->names[level], name))
            continue;
        if (!best || each->rank < best->rank) {
            best = each;
            alike = 0;
        } else if (each->rank == best->rank) {
            alike = 1;
        }
    }
    return alike ? NULL : best;
}

/* Gives names: a plain one where it is clear whose it is, else the next longer one. */
static void name_all(rest_relation_t *relation, const apr_array_header_t *list)
{
    for (int level = 0; level < NAMES; level++)
        for (int i = 0; i < list->nelts; i++) {
            candidate_t *each = &APR_ARRAY_IDX(list, i, candidate_t);

            if (!each->made->name && is_free(relation, each->made, each->names[level])
                && best_of(list, each->names[level], level) == each) {
                each->made->name = each->names[level];
                apr_hash_set(relation->relationships_by_name, each->made->name, APR_HASH_KEY_STRING, each->made);
            }
        }
    for (int i = 0; i < list->nelts; i++)
        APR_ARRAY_PUSH(relation->relationships, rest_relationship_t *) = APR_ARRAY_IDX(list, i, candidate_t).made;
}

void rest_relationships_derive(rest_catalogue_t *catalogue, apr_pool_t *pool, const apr_array_header_t *foreign_keys)
{
    derivation_t d = { catalogue, pool, apr_hash_make(pool), apr_hash_make(pool) };
    const apr_array_header_t *relations = sorted_relations(&d);

    for (int i = 0; i < relations->nelts; i++)
        note_shown(&d, APR_ARRAY_IDX(relations, i, rest_relation_t *));
    for (int i = 0; i < foreign_keys->nelts; i++)
        add_direct(&d, &APR_ARRAY_IDX(foreign_keys, i, rest_foreign_key_t));
    for (int i = 0, first = 0; i < foreign_keys->nelts; i++) {
        const rest_foreign_key_t *near = &APR_ARRAY_IDX(foreign_keys, i, rest_foreign_key_t);

        if (near->from != APR_ARRAY_IDX(foreign_keys, first, rest_foreign_key_t).from)
            first = i;
        for (int k = first; k < foreign_keys->nelts; k++) {
            const rest_foreign_key_t *far = &APR_ARRAY_IDX(foreign_keys, k, rest_foreign_key_t);

            if (far->from != near->from)
                break;
            if (k != i)
                add_through(&d, near, far);
        }
    }
    for (int i = 0; i < relations->nelts; i++) {
        rest_relation_t *relation = APR_ARRAY_IDX(relations, i, rest_relation_t *);

        name_all(relation, list_in(d.candidates, pool, relation, sizeof(candidate_t)));
    }
}
