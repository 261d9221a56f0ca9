/*
 * The rules of origin.h for a request of httpd's, and the directive that names further origins.
 */
#ifndef TRESTLE_ORIGIN_REQUEST_H
#define TRESTLE_ORIGIN_REQUEST_H

#include "origin.h"
#include "trestle_problem.h"

#include "httpd.h"
#include "http_config.h"

/* 1 if r's method may change something: it is none of GET, HEAD and OPTIONS. */
int trestle_origin_matters(request_rec *r);

/* Judges r. Trusted are the origin that r was sent to, that of TrestlePublicURL, and those of the list, which may be NULL. */
trestle_origin_e trestle_origin_of(request_rec *r, const apr_array_header_t *trusted);

/* The refusal of a request from elsewhere: 403 CSRF_FAILED, and Vary among r's headers. */
const trestle_problem_t *trestle_origin_problem(request_rec *r);

/*
 * Setter of a directive with origins, for AP_INIT_ITERATE: adds one to the apr_array_header_t * (const char *) at offset
 * cmd->info of dir. Refused is what browsers would never send as Origin.
 */
const char *trestle_origin_add(cmd_parms *cmd, void *dir, const char *arg);

#endif
