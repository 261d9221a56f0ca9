/*
 * Which column of which relation a view's column plainly is.
 */
#ifndef REST_VIEW_H
#define REST_VIEW_H

#include <apr.h>

/* Told of each column of the view that is one: its number, the Oid of the relation, the number of the column there. */
typedef void rest_view_fn(void *baton, int column, unsigned relation, int origin);

/*
 * Reads the text of a view's rule (pg_rewrite.ev_action, a pg_node_tree). In its outermost query each entry of the
 * target list names the relation and column it was taken from, as the parser of PostgreSQL found them through
 * subqueries and common table expressions; an expression has none. A text of another shape tells of nothing.
 */
void rest_view_origins(const char *tree, rest_view_fn *tell, void *baton);

#endif
