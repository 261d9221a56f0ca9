#include "jwt_claims.h"

#include <string.h>

/* The last second of the year 9999: later moments are no dates, and few programs behind us could hold them. */
static const double DATE_MOST = 253402300799.0;

enum { SUBJECT_MOST = 255 };

const char *jwt_claim_string(const json_t *claims, const char *name)
{
    return json_string_value(json_object_get(claims, name));
}

/* A NumericDate (RFC 7519 section 2) as a double, so that no number of a token is ever cast to an integer. */
static int date_of(const json_t *claim, double *seconds)
{
    if (!json_is_number(claim))
        return 0;
    *seconds = json_number_value(claim);
    return *seconds >= 0 && *seconds <= DATE_MOST;
}

static const char *check_times(const json_t *claims, const jwt_rules_t *rules, apr_time_t now_time)
{
    const json_t *not_before = json_object_get(claims, "nbf"), *issued = json_object_get(claims, "iat");
    double now = (double)now_time / APR_USEC_PER_SEC, leeway = (double)rules->leeway / APR_USEC_PER_SEC;
    double exp, nbf, iat;

    if (!date_of(json_object_get(claims, "exp"), &exp))
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
static int names_audience(const json_t *claim, const char *audience)
{
    int found = 0;

    if (json_is_string(claim))
        return !strcmp(json_string_value(claim), audience);
    for (size_t i = 0; i < json_array_size(claim); i++) {
        const char *name = json_string_value(json_array_get(claim, i));

        if (!name)
            return 0;
        found |= !strcmp(name, audience);
    }
    return found;
}

static int is_subject(const char *subject)
{
    size_t n = subject ? strlen(subject) : 0;

    if (n < 1 || n > SUBJECT_MOST)
        return 0;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)subject[i] < 0x20 || subject[i] == 0x7F)
            return 0;
    return 1;
}

static int is_one_of(const apr_array_header_t *names, const char *name)
{
    for (int i = 0; name && i < names->nelts; i++)
        if (!strcmp(name, APR_ARRAY_IDX(names, i, const char *)))
            return 1;
    return 0;
}

const char *jwt_claims_check(const json_t *claims, const jwt_rules_t *rules, apr_time_t now)
{
    const json_t *audience = json_object_get(claims, "aud");
    const char *issuer = jwt_claim_string(claims, "iss"), *reason = check_times(claims, rules, now);

    if (reason)
        return reason;
    if (rules->issuer && (!issuer || strcmp(issuer, rules->issuer)))
        return "it is from another issuer than AuthJWTIssuer";
    if (rules->audience ? !names_audience(audience, rules->audience) : audience != NULL)
        return "it is for another audience than AuthJWTAudience";
    if (rules->types && !is_one_of(rules->types, jwt_claim_string(claims, "token_type")))
        return "its token_type is not among AuthJWTTokenType";
    if (!is_subject(jwt_claim_string(claims, "sub")))
        return "it has no usable sub";
    return NULL;
}
