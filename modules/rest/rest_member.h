/*
 * What a row shows: fields=id,name,owner.name and expand=owner,remark.author.
 */
#ifndef REST_MEMBER_H
#define REST_MEMBER_H

#include "rest_pages.h"

/*
 * Sets plan->members from the two parameters, each NULL if it was not given, and from what the caller may read: NULL
 * stands for every column. 1; or 0 and a 400.
 */
int rest_members_plan(apr_pool_t *pool, const rest_pages_t *pages, const char *fields, const char *expand,
                      rest_plan_t *plan, rest_fault_t *fault);

#endif
