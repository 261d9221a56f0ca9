/*
 * Setters for directives of one value, told by a table where it goes and what it may be: the row stands in the command
 * table as cmd_data, as in
 *     static const trestle_range_t rows_max = { offsetof(rest_dir_t, rows_max), 1, 1000000 };
 *     AP_INIT_TAKE1("RestRowsMax", trestle_set_number, (void *)&rows_max, RSRC_CONF | ACCESS_CONF, "…")
 * They write to the per-directory structure that httpd gives to setters.
 */
#ifndef TRESTLE_DIRECTIVE_H
#define TRESTLE_DIRECTIVE_H

#include "httpd.h"
#include "http_config.h"

/* A value of type apr_int64_t (or apr_interval_time_t) within bounds. */
typedef struct {
    apr_size_t offset;
    apr_int64_t least;
    apr_int64_t most;
} trestle_range_t;

/* A whole number; a size in bytes with an optional K, M or G; a duration, bounds in microseconds: as setting.h has them. */
const char *trestle_set_number(cmd_parms *cmd, void *dir, const char *arg);
const char *trestle_set_size(cmd_parms *cmd, void *dir, const char *arg);
const char *trestle_set_duration(cmd_parms *cmd, void *dir, const char *arg);

/* A value of type int that one of some words stands for. */
typedef struct {
    apr_size_t offset;
    const char *const *words; /* the last is NULL */
    const int *values;        /* of the words in their order; NULL: their numbers from 0 */
} trestle_words_t;

const char *trestle_set_word(cmd_parms *cmd, void *dir, const char *arg);

#endif
