#include "jwt_claims.h"

#include <string.h>

/* The last second of the year 9999: later moments are no dates, and few programs behind us could hold them. */
static const double DATE_MOST = 253402300799.0;

enum { SUBJECT_MOST = 255 };

/* A NumericDate (RFC 7519 section 2) as a double, so that no number of a token is ever cast to an integer. */
static int date_of(const jwt_json_t *claim, double *seconds)
{
    return jwt_json_number(claim, seconds) && *seconds >= 0 && *seconds <= DATE_MOST;
}

static const char *check_times(const jwt_json_t *claims, const jwt_rules_t *rules, apr_time_t now_time)
{
    const jwt_json_t *not_before = jwt_json_member(claims, "nbf"), *issued = jwt_json_member(claims, "iat");
    double now = (double)now_time / APR_USEC_PER_SEC, leeway = (double)rules->leeway / APR_USEC_PER_SEC;
    double exp, nbf, iat;

    if (!date_of(jwt_json_member(claims, "exp"), &exp))
        return "it has no exp, or one that is no date";
    if (exp <= now - leeway)
        return "it has expired";
    if (not_before && (!date_of(not_before, &nbf) || nbf > now + leeway))
        return "its nbf is in the future, or no date";
    if (issued && (!date_of(issued, &iat) || iat > now + leeway))
        return "its iat is in the future, or no date";
    if (rules->lifetime && (!issued || exp - iat > (double)rules->lifetime / APR_USEC_PER_SEC))
        return "it lives longer than AuthJWTMaxAge";
    return NULL;
}

/* RFC 7519 section 4.1.3: one string, or an array of strings. */
static int names_audience(const jwt_json_t *claim, const char *audience)
{
    int found = 0;

    if (!claim || claim->type != TRESTLE_JSON_ARRAY)
        return jwt_json_is(claim, audience);
    for (const jwt_json_t *item = jwt_json_first(claim); item; item = jwt_json_next(claim, item)) {
        if (item->type != TRESTLE_JSON_STRING)
            return 0;
        found |= jwt_json_is(item, audience);
    }
    return found;
}

int jwt_claims_is_subject(const jwt_json_t *value)
{
    if (!value || value->type != TRESTLE_JSON_STRING || value->length < 1 || value->length > SUBJECT_MOST)
        return 0;
    for (apr_size_t i = 0; i < value->length; i++)
        if ((unsigned char)value->text[i] < 0x20 || value->text[i] == 0x7F)
            return 0;
    return 1;
}

static int is_one_of(const apr_array_header_t *names, const jwt_json_t *name)
{
    for (int i = 0; i < names->nelts; i++)
        if (jwt_json_is(name, APR_ARRAY_IDX(names, i, const char *)))
            return 1;
    return 0;
}

const char *jwt_claims_check(const jwt_json_t *claims, const jwt_rules_t *rules, apr_time_t now)
{
    const jwt_json_t *audience = jwt_json_member(claims, "aud");
    const char *reason = check_times(claims, rules, now);

    if (reason)
        return reason;
    if (rules->issuer && !jwt_json_is(jwt_json_member(claims, "iss"), rules->issuer))
        return "it is from another issuer than AuthJWTIssuer";
    if (rules->audience ? !names_audience(audience, rules->audience) : audience != NULL)
        return "it is for another audience than AuthJWTAudience";
    if (rules->types && !is_one_of(rules->types, jwt_json_member(claims, "token_type")))
        return "its token_type is not among AuthJWTTokenType";
    if (!jwt_claims_is_subject(jwt_json_member(claims, "sub")))
        return "it has no usable sub";
    return NULL;
}

const char *jwt_claims_check_access(const jwt_json_t *claims)
{
    const jwt_json_t *id = jwt_json_member(claims, "jti"), *client = jwt_json_member(claims, "client_id");

    if (!jwt_json_member(claims, "iat") || !id || id->type != TRESTLE_JSON_STRING || !client
        || client->type != TRESTLE_JSON_STRING)
        return "its header calls it an access token of RFC 9068, but it lacks iat, jti or client_id";
    return NULL;
}
