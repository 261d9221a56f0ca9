#include "rest_member.h"

#include "rest_lookup.h"
#include "rest_ordering.h"

#include <apr_strings.h>
#include <string.h>

/* A relation on the way down, with what is shown of it. */
typedef struct node_t {
    const rest_relation_t *relation;
    const rest_relationship_t *relationship; /* NULL in the root */
    apr_array_header_t *children;            /* struct node_t *: expanded relationships */
    apr_array_header_t *fields;              /* const rest_column_t *: NULL, all that may be read */
} node_t;

typedef struct {
    apr_pool_t *pool;
    const rest_pages_t *pages;
    rest_fault_t *fault;
} building_t;

static int refuse(const building_t *b, const char *parameter, const char *before, const char *name, const char *behind)
{
    return rest_refuse(b->fault, 400, "VALIDATION_ERROR", apr_pstrcat(b->pool, before, name, behind, NULL), parameter);
}

static node_t *find_child(const node_t *node, const char *name)
{
    for (int i = 0; i < node->children->nelts; i++) {
        node_t *child = APR_ARRAY_IDX(node->children, i, node_t *);

        if (!strcmp(child->relationship->name, name))
            return child;
    }
    return NULL;
}

static node_t *make_node(const building_t *b, const rest_relation_t *relation, const rest_relationship_t *relationship)
{
    node_t *node = apr_pcalloc(b->pool, sizeof(*node));

    node->relation = relation;
    node->relationship = relationship;
    node->children = apr_array_make(b->pool, 2, sizeof(node_t *));
    return node;
}

/* The items of a list between commas, blanks around them cut off; a limit keeps what one request can ask for small. */
static apr_array_header_t *items_of(apr_pool_t *pool, const char *list)
{
    apr_array_header_t *items = apr_array_make(pool, 8, sizeof(char *));
    char *last = NULL, *copy = apr_pstrdup(pool, list);

    for (char *item = apr_strtok(copy, ", ", &last); item; item = apr_strtok(NULL, ", ", &last))
        APR_ARRAY_PUSH(items, char *) = item;
    return items;
}

/* One path of expand: each name a relationship of what the name before it leads to. */
static int expand_path(const building_t *b, node_t *node, char *path)
{
    char *last = NULL, *whole = apr_pstrdup(b->pool, path);
    apr_int64_t depth = 0;

    for (char *name = apr_strtok(path, ".", &last); name; name = apr_strtok(NULL, ".", &last)) {
        const rest_relationship_t *relationship = rest_lookup_relationship(b->pages, node->relation, name);
        node_t *child;

        if (!relationship)
            return refuse(b, "expand", "There is nothing to expand by the name ", whole, ".");
        if (++depth > b->pages->limits->expand_depth)
            return refuse(b, "expand", "This is nested too deeply: ", whole, ".");
        if (!(child = find_child(node, name))) {
            child = make_node(b, relationship->to, relationship);
            APR_ARRAY_PUSH(node->children, node_t *) = child;
        }
        node = child;
    }
    return 1;
}

/* One path of fields: the last name is a column, those before it are expanded. */
static int select_path(const building_t *b, node_t *node, char *path)
{
    char *whole = apr_pstrdup(b->pool, path), *dot;
    const rest_column_t *column;

    for (; (dot = strchr(path, '.')); path = dot + 1) {
        *dot = '\0';
        if (!(node = find_child(node, path)))
            return refuse(b, "fields", "Add to expand what leads to ", whole, ".");
    }
    if (!node->fields)
        node->fields = apr_array_make(b->pool, 8, sizeof(const rest_column_t *));
    if (find_child(node, path))
        return 1;
    column = rest_relation_column(node->relation, path);
    if (!column
        || (node->relationship ? !rest_role_in(column->may[REST_MAY_SELECT], b->pages->role)
                               : !rest_lookup_readable(b->pages, column)))
        return refuse(b, "fields", "There is no field ", whole, ".");
    for (int i = 0; i < node->fields->nelts; i++)
        if (APR_ARRAY_IDX(node->fields, i, const rest_column_t *) == column)
            return refuse(b, "fields", "This field is named more than once: ", whole, ".");
    APR_ARRAY_PUSH(node->fields, const rest_column_t *) = column;
    return 1;
}

/* The columns that a node shows: all, or those asked for, but for one that an expanded relationship stands in for. */
static int shows(const building_t *b, const node_t *node, const rest_column_t *column)
{
    if (find_child(node, column->name))
        return 0;
    return node->relationship ? rest_role_in(column->may[REST_MAY_SELECT], b->pages->role)
                              : rest_lookup_readable(b->pages, column);
}

static apr_array_header_t *members_of(const building_t *b, const node_t *node);

static void add_child(const building_t *b, const node_t *child, apr_array_header_t *members)
{
    rest_member_t *member = apr_array_push(members);
    rest_plan_t *plan = apr_pcalloc(b->pool, sizeof(*plan));

    plan->operation = child->relationship->to_many ? REST_READ_PAGE : REST_READ_ROW;
    plan->relation = child->relation;
    plan->members = members_of(b, child);
    plan->rows_max = b->pages->limits->expand_rows;
    if (child->relationship->to_many)
        plan->orders = rest_ordering_natural(b->pool, b->pages, child->relation);
    *member = (rest_member_t){ child->relationship->name, NULL, child->relationship, plan };
}

/* NULL if every column is shown and nothing else. */
static apr_array_header_t *members_of(const building_t *b, const node_t *node)
{
    const apr_array_header_t *columns = node->fields ? node->fields : node->relation->columns;
    apr_array_header_t *members = apr_array_make(b->pool, columns->nelts + 2, sizeof(rest_member_t));

    for (int i = 0; i < columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(columns, i, const rest_column_t *);

        if (shows(b, node, column))
            APR_ARRAY_PUSH(members, rest_member_t) = (rest_member_t){ column->name, column, NULL, NULL };
    }
    if (!node->fields && node->children->nelts == 0 && members->nelts == columns->nelts)
        return NULL;
    for (int i = 0; i < node->children->nelts; i++)
        add_child(b, APR_ARRAY_IDX(node->children, i, const node_t *), members);
    return members;
}

int rest_members_plan(apr_pool_t *pool, const rest_pages_t *pages, const char *fields, const char *expand,
                      rest_plan_t *plan, rest_fault_t *fault)
{
    building_t b = { pool, pages, fault };
    node_t *root = make_node(&b, pages->relation, NULL);
    const apr_array_header_t *items = items_of(pool, expand ? expand : "");

    for (int i = 0; i < items->nelts; i++)
        if (!expand_path(&b, root, APR_ARRAY_IDX(items, i, char *)))
            return 0;
    items = items_of(pool, fields ? fields : "");
    for (int i = 0; i < items->nelts; i++)
        if (!select_path(&b, root, APR_ARRAY_IDX(items, i, char *)))
            return 0;
    plan->members = members_of(&b, root);
    return 1;
}
