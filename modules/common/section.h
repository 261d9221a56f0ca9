/*
 * The configuration as it was written, for what configtest must see across sections.
 */
#ifndef TRESTLE_SECTION_H
#define TRESTLE_SECTION_H

#include "httpd.h"
#include "http_config.h"

/*
 * The first SetHandler with this handler to which no directive named needed can apply: none stands in its virtual host
 * or in the main server outside of sections, or in a section that may be about the same paths. NULL if there is none.
 * Sections whose paths only a request tells (patterns, conditions, directories) are taken to be about any. For
 * ap_hook_check_config, when ap_conftree is whole.
 */
const ap_directive_t *trestle_section_lacking(apr_pool_t *pool, const char *handler, const char *needed);

#endif
