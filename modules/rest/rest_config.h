/*
 * The settings of a location, as directives fill them and the handler reads them.
 */
#ifndef REST_CONFIG_H
#define REST_CONFIG_H

#include "rest_media.h"
#include "rest_route.h"

#include <apr_time.h>

/* Routes of this section first, then of those around it. */
typedef struct rest_sections_t {
    rest_routes_t *routes;
    const struct rest_sections_t *outer;
} rest_sections_t;

/* Numbers are TRESTLE_UNSET and pointers NULL where a section says nothing and inherits. */
typedef struct {
    const char *schema; /* exposed schema; unset everywhere: REST_SCHEMA */
    const char *prefix; /* dialect pages: path before a relation's name, with its slash; unset: no dialect */
    const rest_sections_t *sections; /* unset: no routes */
    const char *pre_request;         /* statement that calls RestPreRequest's function; "" for Off; unset: none */
    const char *role;                /* of callers in locations without authentication; unset: 401 */
    apr_int64_t body_limit;          /* bytes */
    apr_int64_t fields_max;          /* fields of a query or of a body */
    apr_int64_t query_limit;         /* bytes of a query string */
    apr_int64_t page_size;           /* rows of a page unless the client says otherwise */
    apr_int64_t filters_max;         /* conditions of a request */
    apr_int64_t expand_depth;        /* relationships behind each other */
    apr_int64_t expand_rows;         /* rows of an embedded list */
    int count;                       /* a rest_count_e */
    apr_int64_t rows_max;            /* rows of a page or of a function's set */
    apr_interval_time_t timeout;     /* microseconds; unset: the pool's */
    int refuse_unknown;              /* 1: an argument that a function does not have is a 400 */
    int content_types;               /* rest_types_e */
} rest_dir_t;

#define REST_SCHEMA       "api"
#define REST_CHANNEL      "trestle_schema" /* NOTIFY on it: the schema has changed */
#define REST_BODY_LIMIT   (1024 * 1024)
#define REST_FIELDS_MAX   1000
#define REST_ROWS_MAX     1000
#define REST_QUERY_LIMIT  8192
#define REST_PAGE_SIZE    20
#define REST_FILTERS_MAX  32
#define REST_EXPAND_DEPTH 2
#define REST_EXPAND_ROWS  100

#endif
