/*
 * Key files named by directives.
 */
#ifndef JWT_FILE_H
#define JWT_FILE_H

#include "httpd.h"
#include "http_config.h"

/* A key file as read while configuring; lives as long as the configuration. */
typedef struct {
    const char *name;  /* as the directive has it */
    const char *bytes; /* without one line end behind them, but with a NUL */
    apr_size_t length;
    int is_readable_by_all;
} jwt_file_t;

/*
 * Reads the file, relative to ServerRoot. NULL, or a message that names the mend, also for a file that everyone can
 * write.
 */
const char *jwt_file_read(cmd_parms *cmd, const char *name, jwt_file_t *file);

/* NULL, or the message for a file with a secret in it that everyone can read. */
const char *jwt_file_check_secret(cmd_parms *cmd, const jwt_file_t *file, int is_secret);

#endif
