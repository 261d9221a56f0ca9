/*
 * Instants as text.
 */
#ifndef TRESTLE_TIMESTAMP_H
#define TRESTLE_TIMESTAMP_H

#include <apr_pools.h>
#include <apr_time.h>

/* RFC 3339 in UTC, YYYY-MM-DDTHH:MM:SSZ, with .mmm before the Z where the milliseconds are not zero; in pool. */
char *trestle_timestamp(apr_pool_t *pool, apr_time_t time);

#endif
