/*
 * <PgPool> sections and PgUse: what the configuration says about pools.
 */
#ifndef PG_CONFIG_H
#define PG_CONFIG_H

#include "pg.h"

#include "http_config.h"

extern const command_rec pg_commands[];

void *pg_config_create_server(apr_pool_t *p, server_rec *s);
void *pg_config_merge_server(apr_pool_t *p, void *base, void *add);
void *pg_config_create_dir(apr_pool_t *p, char *dir);
void *pg_config_merge_dir(apr_pool_t *p, void *base, void *add);

/* Forgets what an earlier reading of the configuration noted. */
void pg_config_begin(apr_pool_t *pconf);

/* Values together: every PgUse names a pool. A hook of check_config. */
int pg_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* All pools of all servers: trestle_pg_pool_t *. */
const apr_array_header_t *pg_config_pools(void);

/* The pool of that name as server s sees it: its own, or the main server's. NULL if there is none. */
trestle_pg_pool_t *pg_config_find(server_rec *s, const char *name);

/* The pool of r's location, or NULL. */
trestle_pg_pool_t *pg_config_pool(request_rec *r);

/* The pools that r's virtual host uses anywhere: trestle_pg_pool_t *, in r->pool. */
const apr_array_header_t *pg_config_used(request_rec *r);

#endif
