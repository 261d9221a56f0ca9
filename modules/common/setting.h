/*
 * Values of directives: parsing with a range, and messages that name the mend. Each returns NULL on success, else a
 * message in pool for httpd to print behind the file and line.
 */
#ifndef TRESTLE_SETTING_H
#define TRESTLE_SETTING_H

#include <apr_pools.h>
#include <apr_time.h>

#define TRESTLE_UNSET (-1)

/* Values of directives that inherit: in create store TRESTLE_UNSET, in merge pick, when reading resolve. */
#define TRESTLE_PICK(base, add, field)     ((add)->field != TRESTLE_UNSET ? (add)->field : (base)->field)
#define TRESTLE_PICK_PTR(base, add, field) ((add)->field ? (add)->field : (base)->field)
#define TRESTLE_OR(value, fallback)        ((value) != TRESTLE_UNSET ? (value) : (fallback))

/* A whole decimal number from least to most. */
const char *trestle_setting_number(apr_pool_t *pool, const char *arg, apr_int64_t least, apr_int64_t most,
                                   apr_int64_t *value);

/* A duration as httpd writes them (250ms, 30s, 5min, 2h; without unit: seconds), least to most microseconds. */
const char *trestle_setting_duration(apr_pool_t *pool, const char *arg, apr_interval_time_t least,
                                     apr_interval_time_t most, apr_interval_time_t *value);

/* A size in bytes with an optional suffix K, M or G (powers of 1024), least to most bytes. */
const char *trestle_setting_size(apr_pool_t *pool, const char *arg, apr_int64_t least, apr_int64_t most,
                                 apr_int64_t *value);

/* 1 if name is a plain SQL identifier as the suite's settings accept them: [a-z_][a-z0-9_]*, at most 63 bytes. */
int trestle_setting_is_identifier(const char *name);

#endif
