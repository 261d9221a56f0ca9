/*
 * Key files named by directives.
 */
#ifndef TRESTLE_KEYFILE_H
#define TRESTLE_KEYFILE_H

#include "httpd.h"
#include "http_config.h"

/* A key file as read while configuring; lives as long as the configuration. */
typedef struct {
    const char *name;  /* as the directive has it */
    const char *bytes; /* without one line end behind them, but with a NUL */
    apr_size_t length;
    int is_readable_by_all;
} trestle_keyfile_t;

/*
 * Reads the file, relative to ServerRoot. NULL, or a message that names the mend, also for a file that everyone can
 * write.
 */
const char *trestle_keyfile_read(cmd_parms *cmd, const char *name, trestle_keyfile_t *file);

/* NULL, or the message for a file with a secret in it that everyone can read. */
const char *trestle_keyfile_check_secret(cmd_parms *cmd, const trestle_keyfile_t *file, int is_secret);

#endif
