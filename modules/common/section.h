/*
 * The configuration as it was written, for what configtest must see across sections.
 */
#ifndef TRESTLE_SECTION_H
#define TRESTLE_SECTION_H

#include "httpd.h"
#include "http_config.h"

/*
 * 1 if a directive named needed may count for the requests that this one is for: it stands in the same virtual host or in
 * the main server, outside of sections or in one that may be about the same paths. Sections whose paths only a request
 * tells (patterns, conditions, directories) are taken to be about any. For ap_hook_check_config, when ap_conftree is
 * whole.
 */
int trestle_section_provides(apr_pool_t *pool, const ap_directive_t *directive, const char *needed);

/* The first SetHandler with this handler for which trestle_section_provides finds none; NULL if there is none. */
const ap_directive_t *trestle_section_lacking(apr_pool_t *pool, const char *handler, const char *needed);

#endif
