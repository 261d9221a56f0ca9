/*
 * The catalogue: what a schema offers, as one immutable snapshot of names, types, keys, relationships and privileges.
 * Built in a pool by whoever loads it, then only read, by any number of threads.
 */
#ifndef REST_CATALOGUE_H
#define REST_CATALOGUE_H

#include "rest_type.h"

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>

typedef struct rest_relation_t rest_relation_t;
typedef struct rest_column_t rest_column_t;

/* As pg_relation_is_updatable() has them. */
enum { REST_WRITES_UPDATE = 4, REST_WRITES_INSERT = 8, REST_WRITES_DELETE = 16, REST_WRITES_ALL = 28 };

/* A request role is known by its number; its privileges are one bit in each of these words. */
typedef apr_uint64_t rest_roles_t;

enum { REST_ROLES_MAX = 64, REST_ROLE_UNKNOWN = -1 };

typedef enum { REST_MAY_SELECT, REST_MAY_INSERT, REST_MAY_UPDATE, REST_MAY_DELETE, REST_RIGHTS } rest_right_e;

/* A column of a table or view. */
struct rest_column_t {
    const rest_relation_t *relation;
    const char *name;
    const char *quoted; /* "name" with its quotes */
    const rest_type_t *type;
    int key;             /* place in the primary key, from 1; 0: not in it */
    int number;          /* pg_attribute.attnum */
    int not_null;        /* views: never known to be */
    int has_default;     /* may be left out of a new row, like a column that may be NULL */
    int is_generated;    /* clients may not set it: GENERATED ALWAYS, or a view's column that is an expression */
    const char *comment; /* NULL: none */
    int length_max;      /* characters of varchar(n), char(n); 0: no limit */
    int digits_max;      /* of numeric(p, s) before the point; -1: no limit */
    rest_roles_t may[REST_RIGHTS]; /* roles that have the right on this column, by its own or the relation's grant */
    unsigned origin_relation;      /* of a view: Oid of the relation whose column it plainly is; 0: none */
    int origin_column;             /* of a view: that column's number */
    const rest_column_t *origin;   /* the table's column behind it, views of views followed; itself in a table */
};

/* Columns whose values together name at most one row. */
typedef struct {
    int ncolumns;
    const rest_column_t **columns;
} rest_key_t;

/* How rows of one relation lead to rows of another. */
typedef struct {
    const char *name; /* unique among those of its relation; NULL: only to be found by target and constraint */
    const char *constraint;
    const rest_relation_t *from;
    const rest_relation_t *to;
    int to_many;
    int ncolumns;
    const rest_column_t **columns;   /* of from */
    const rest_column_t **targets;   /* of to, or of the junction: equal to columns, each to each */
    const rest_relation_t *junction; /* many-to-many: the relation between; NULL otherwise */
    int nfar;
    const rest_column_t **far;         /* of the junction */
    const rest_column_t **far_targets; /* of to: equal to far, each to each */
} rest_relationship_t;

/* A table, view, materialised view, partitioned or foreign table; or a composite type, as the rows of a function. */
struct rest_relation_t {
    const char *name;
    const char *quoted; /* "schema"."name" with its quotes */
    unsigned oid;
    char kind;                         /* pg_class.relkind */
    int writes;                        /* REST_WRITES_…: what a statement can do to it at all */
    int has_trigger;                   /* a trigger may fill a new row's columns */
    int exposed;                       /* 0: not of the schema, known only as what views and functions are made of */
    const char *comment;               /* without its tags; NULL: none */
    apr_array_header_t *columns;       /* rest_column_t *, in the relation's order */
    apr_hash_t *by_name;               /* name → rest_column_t */
    apr_array_header_t *keys;          /* const rest_key_t *: primary and unique keys of a table */
    const rest_key_t *primary;         /* the primary one of them; NULL: none */
    const rest_key_t *identity;        /* what names a row in a path and makes an order total; NULL: nothing does */
    apr_array_header_t *search;        /* const rest_column_t *: of tag @search; NULL: none */
    const char *ordering;              /* tag @order: the order unless a request says otherwise; NULL: the identity */
    apr_array_header_t *relationships; /* rest_relationship_t *, from here */
    apr_hash_t *relationships_by_name;
    rest_roles_t may[REST_RIGHTS]; /* on the whole, or on one column at least */
};

/* An input argument of a function. */
typedef struct {
    const char *name; /* NULL: unnamed, so it cannot be given by name */
    const char *quoted;
    const rest_type_t *type;
    int has_default;
    int variadic;
} rest_argument_t;

typedef struct rest_function_t {
    const char *name;
    const char *quoted; /* "schema"."name" with its quotes */
    char volatility;    /* pg_proc.provolatile: i, s or v */
    const rest_type_t *returns;
    int returns_set;
    const char *comment;
    const rest_relation_t *rows;            /* what it returns, if that is rows with named columns; else NULL */
    rest_roles_t may_execute;               /* roles */
    apr_array_header_t *arguments;          /* rest_argument_t */
    const struct rest_function_t *overload; /* another function of this name; NULL: none */
} rest_function_t;

typedef struct {
    const char *schema;
    int nroles;
    const char *roles[REST_ROLES_MAX]; /* the request roles whose privileges are known, by number */
    apr_hash_t *types;                 /* unsigned (Oid) → rest_type_t */
    apr_hash_t *relations;             /* name → rest_relation_t, the exposed ones */
    apr_hash_t *by_oid;                /* unsigned (Oid) → rest_relation_t, all */
    apr_hash_t *functions;             /* name → rest_function_t, the first of its overloads */
    apr_hash_t *constraints;           /* of rest_constraint.h, all schemas; NULL: not known */
} rest_catalogue_t;

/*
 * Building: an empty catalogue, and its parts. Strings are copied into pool, which must outlive the catalogue. Every
 * role may do everything until told otherwise. rest_catalogue_finish comes last.
 */
rest_catalogue_t *rest_catalogue_make(apr_pool_t *pool, const char *schema);
rest_type_t *rest_catalogue_add_type(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid, const char *schema,
                                     const char *name);
rest_relation_t *rest_catalogue_add_relation(rest_catalogue_t *catalogue, apr_pool_t *pool, unsigned oid,
                                             const char *schema, const char *name, char kind);
rest_column_t *rest_catalogue_add_column(rest_relation_t *relation, apr_pool_t *pool, const char *name,
                                         const rest_type_t *type, int number);
/* A key of n columns by their numbers; a column that is not there makes it none. */
void rest_catalogue_add_key(rest_relation_t *relation, apr_pool_t *pool, int primary, const int *numbers, int n);
rest_function_t *rest_catalogue_add_function(rest_catalogue_t *catalogue, apr_pool_t *pool, const char *name,
                                             char volatility, const rest_type_t *returns, int returns_set);
rest_argument_t *rest_catalogue_add_argument(rest_function_t *function, apr_pool_t *pool, const char *name,
                                             const rest_type_t *type, int has_default);
/* Takes a relation's comment apart: @key, @search and @order are tags, the rest is text (docs/mod_rest_pages.md). */
void rest_catalogue_set_comment(rest_relation_t *relation, apr_pool_t *pool, const char *comment);
/* Follows origins, settles identities and privileges. */
void rest_catalogue_finish(rest_catalogue_t *catalogue, apr_pool_t *pool);

/* Looking up; NULL if there is none. */
const rest_type_t *rest_catalogue_type(const rest_catalogue_t *catalogue, unsigned oid);
const rest_relation_t *rest_catalogue_relation(const rest_catalogue_t *catalogue, const char *name);
const rest_relation_t *rest_catalogue_by_oid(const rest_catalogue_t *catalogue, unsigned oid);
const rest_function_t *rest_catalogue_function(const rest_catalogue_t *catalogue, const char *name);
const rest_column_t *rest_relation_column(const rest_relation_t *relation, const char *name);
const rest_column_t *rest_relation_numbered(const rest_relation_t *relation, int number);
const rest_relationship_t *rest_relation_relationship(const rest_relation_t *relation, const char *name);

/* 1 if keys do not hold for its rows by themselves. */
int rest_relation_is_view(const rest_relation_t *relation);

/* 1 if is_bound says so of every column of one of the relation's keys, so that equality names at most one row. */
int rest_key_is_bound(const rest_relation_t *relation, int (*is_bound)(void *baton, const rest_column_t *column),
                      void *baton);

/* The number of a request role; REST_ROLE_UNKNOWN if its privileges are not known: then the database alone decides. */
int rest_catalogue_role(const rest_catalogue_t *catalogue, const char *name);

/* 1 if roles has the role, or if nothing is known of the role. */
int rest_role_in(rest_roles_t roles, int role);

/* An identifier in double quotes, quotes inside doubled, in pool. */
const char *rest_quote(apr_pool_t *pool, const char *identifier);

#endif
