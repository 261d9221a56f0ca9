/*
 * From rows to the answer: one row, a page, a row that was written.
 */
#ifndef REST_ROWS_H
#define REST_ROWS_H

#include "rest_fault.h"
#include "rest_pages.h"
#include "rest_plan.h"

#include "httpd.h"
#include <libpq-fe.h>

/* As rest_response_send, for every operation but REST_CALL. */
int rest_rows_send(request_rec *r, const rest_plan_t *plan, PGresult *result, int *rc, rest_fault_t *fault);

#endif
