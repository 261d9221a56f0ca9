/*
 * The handler: one request on its way to the database and back.
 */
#ifndef REST_HANDLER_H
#define REST_HANDLER_H

#include "rest_config.h"

#include "httpd.h"

/* Finds the functions of other modules; call in check_config, when all are loaded. 1 if mod_pg is among them. */
int rest_handler_retrieve(void);

/* Asks every pool to listen for changes of its schema. Call in post_config. */
void rest_handler_listen(server_rec *s);

/* Answers r; returns what a handler returns. */
int rest_handler_run(request_rec *r, const rest_dir_t *conf);

#endif
