/*
 * Refusals: status, challenge (RFC 6750 section 3) and problem.
 */
#ifndef JWT_REFUSAL_H
#define JWT_REFUSAL_H

#include "jwt_config.h"

/* The challenge of r's location. error: NULL where no credential was sent (RFC 6750 section 3.1); scope: what would have
 * been enough, or NULL. */
void jwt_challenge(request_rec *r, const char *error, const char *scope);

/* For a token that is no longer good: the challenge, and a cookie that it came in is cleared if config says so. source:
 * where it came from, NULL for no token. */
void jwt_challenge_token(request_rec *r, const jwt_config_t *config, const jwt_source_t *source);

/* What the hook returns for a request without credential, one that is malformed (config says what that is), and one with
 * a bad one: the reason is for the log. */
int jwt_refuse_absent(request_rec *r);
int jwt_refuse_malformed(request_rec *r, const jwt_config_t *config, const jwt_source_t *source);
int jwt_refuse_bad(request_rec *r, const jwt_config_t *config, const jwt_source_t *source, const char *reason);

/* Alike for a good cookie that another site made a browser send: it stays, and so does its session. */
int jwt_refuse_forged(request_rec *r);

#endif
