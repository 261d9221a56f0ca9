/*
 * From rows to the answer.
 */
#ifndef REST_RESPONSE_H
#define REST_RESPONSE_H

#include "rest_fault.h"
#include "rest_plan.h"

#include "httpd.h"
#include <libpq-fe.h>

/*
 * Sends what plan's statement gave; result's bytes must live as long as r->pool and are not copied. 1 and *rc, what the
 * handler must return; or 0 and fault: no such row, or a status or header of the function that cannot be sent.
 */
int rest_response_send(request_rec *r, const rest_plan_t *plan, PGresult *result, int *rc, rest_fault_t *fault);

#endif
