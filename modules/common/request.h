/*
 * Facts about a request from mod_trestle, with fall-backs for servers that do not load it.
 */
#ifndef TRESTLE_REQUEST_H
#define TRESTLE_REQUEST_H

#include "trestle.h"

/* As the functions of trestle.h. Without mod_trestle: "default"; NULL; httpd's own UNIQUE_ID or a random id, which
 * stays the same for the whole request. */
const char *trestle_application_of(request_rec *r);
const char *trestle_public_url_of(request_rec *r);
const char *trestle_request_id_of(request_rec *r);

#endif
