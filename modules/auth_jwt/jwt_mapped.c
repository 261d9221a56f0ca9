#include "jwt_mapped.h"

#include "text.h"

#include "http_log.h"
#include "mod_ssl.h"

#include <apr_strings.h>
#include <string.h>

extern module AP_MODULE_DECLARE_DATA auth_jwt_module;
APLOG_USE_MODULE(auth_jwt);

/* 1 if name is one of the words and then a number, as mod_ssl tells fields apart that stand more than once; optional: 1
 * if the number may be left away. */
static int is_counted(const char *name, const char *const *words, unsigned n, int optional)
{
    for (unsigned i = 0; i < n; i++) {
        apr_size_t length = strlen(words[i]);

        if (strncmp(name, words[i], length))
            continue;
        if (!name[length])
            return optional;
        if (name[length] == '_' && name[length + 1] && !name[length + 1 + strspn(name + length + 1, "0123456789")])
            return 1;
    }
    return 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int jwt_mapped_is_variable(const char *name)
{
    static const char *const subject[] = { "C", "ST", "SP", "L", "O", "OU",  "CN",
                                           "T", "I",  "G",  "S", "D", "UID", "Email" };
    static const char *const alternative[] = { "Email", "DNS", "OTHER_msUPN" };

    if (!strcmp(name, "SSL_CLIENT_S_DN") || !strcmp(name, "SSL_CLIENT_M_SERIAL"))
        return 1;
    if (!strncmp(name, "SSL_CLIENT_S_DN_", 16))
        return is_counted(name + 16, subject, COUNT(subject), 1);
    return !strncmp(name, "SSL_CLIENT_SAN_", 15) && is_counted(name + 15, alternative, COUNT(alternative), 0);
}

int jwt_mapped_has_ssl(void)
{
    return APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup) != NULL;
}

jwt_certificate_e jwt_mapped_certificate(request_rec *r, const char *variable, const char **subject)
{
    APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    const char *verified;

    verified = lookup ? lookup(r->pool, r->server, r->connection, r, (char *)"SSL_CLIENT_VERIFY") : NULL;
    if (!verified || !*verified || !strcmp(verified, "NONE"))
        return JWT_CERTIFICATE_ABSENT;
    if (strcmp(verified, "SUCCESS"))
        return JWT_CERTIFICATE_REFUSED;
    *subject = lookup(r->pool, r->server, r->connection, r, (char *)variable);
    return *subject && **subject ? JWT_CERTIFICATE_GOOD : JWT_CERTIFICATE_REFUSED;
}

/* The parts of value as an array of strings; empty parts and blanks around parts count for nothing. */
static void add_array(trestle_text_t *text, const char *value, char separator)
{
    const char *between = "";

    trestle_text_addc(text, '[');
    for (;;) {
        const char *end = strchr(value, separator);
        apr_size_t n = end ? (apr_size_t)(end - value) : strlen(value);

        while (n && *value == ' ')
            value++, n--;
        while (n && value[n - 1] == ' ')
            n--;
        if (n) {
            trestle_text_adds(text, between);
            trestle_text_add_json_bytes(text, value, n);
            between = ",";
        }
        if (!end)
            break;
        value = end + 1;
    }
    trestle_text_addc(text, ']');
}

const char *jwt_mapped_claims(request_rec *r, const char *subject, const apr_array_header_t *claims)
{
    trestle_text_t text = trestle_text_make(r->pool, 256);

    trestle_text_adds(&text, "{\"sub\":");
    trestle_text_add_json(&text, subject);
    for (int i = 0; claims && i < claims->nelts; i++) {
        const jwt_mapped_claim_t *claim = &APR_ARRAY_IDX(claims, i, jwt_mapped_claim_t);
        const char *error = NULL, *value = ap_expr_str_exec(r, claim->expression, &error);

        if (error) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TRSAJ07: AuthJWTCallerClaim %s cannot be evaluated: %s",
                          claim->name, error);
            return NULL;
        }
        if (!value || !*value)
            continue;
        trestle_text_addc(&text, ',');
        trestle_text_add_json(&text, claim->name);
        trestle_text_addc(&text, ':');
        if (claim->separator)
            add_array(&text, value, *claim->separator);
        else
            trestle_text_add_json(&text, value);
    }
    trestle_text_addc(&text, '}');
    return text.bytes;
}
