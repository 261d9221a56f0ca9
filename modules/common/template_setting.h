/*
 * A template as the argument of a directive.
 */
#ifndef TRESTLE_TEMPLATE_SETTING_H
#define TRESTLE_TEMPLATE_SETTING_H

#include "template.h"

#include "httpd.h"
#include "http_config.h"

/*
 * Compiles arg into *compiled, in cmd->pool: a template itself if it begins with { or [, else the name of a file
 * (relative to ServerRoot, at most 64 KiB), which .htaccess may not give. NULL, or a message with the mend.
 */
const char *trestle_template_setting(cmd_parms *cmd, const char *arg, const trestle_template_name_t *vocabulary,
                                     const trestle_template_t **compiled);

#endif
