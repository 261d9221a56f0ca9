#include "identity_form.h"

#include "identity_address.h"
#include "text.h"
#include "trestle_problem.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

/* 1 if the media type (perhaps with parameters) is name. */
static int is_type(const char *type, const char *name)
{
    size_t n = strlen(name);

    return type && !strncasecmp(type, name, n) && (!type[n] || strchr("; \t", type[n]));
}

/* 1 for application/json and what ends in +json (RFC 6839); a comma means that httpd has joined two headers. */
static int is_json(const char *type)
{
    size_t n = type ? strcspn(type, "; \t") : 0;

    if (!n || strchr(type, ','))
        return 0;
    return is_type(type, "application/json") || (n > 5 && !strncasecmp(type + n - 5, "+json", 5));
}

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Decodes a name or value of a form into out, which has room for n bytes. The length, or -1 if it is malformed. */
static apr_ssize_t decode(const char *text, apr_size_t n, char *out)
{
    apr_ssize_t length = 0;

    for (apr_size_t i = 0; i < n; i++) {
        char c = text[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < n ? hexadecimal(text[i + 1]) : -1, low = i + 2 < n ? hexadecimal(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c)
            return -1;
        out[length++] = c;
    }
    return trestle_utf8_valid(out, (apr_size_t)length) ? length : -1;
}

/* Adds "name=value" of n bytes to fields; buffer has room for n bytes. 0 if it is malformed. */
static int add_pair(json_t *fields, const char *pair, apr_size_t n, char *buffer)
{
    const char *equals = memchr(pair, '=', n);
    apr_size_t name_length = equals ? (apr_size_t)(equals - pair) : n;
    apr_ssize_t length = decode(pair, name_length, buffer);
    char *name;
    int ok;

    if (length < 0)
        return 0;
    name = strndup(buffer, (size_t)length);
    length = equals ? decode(equals + 1, n - name_length - 1, buffer) : 0;
    ok = name && length >= 0 && !json_object_get(fields, name)
         && json_object_set_new(fields, name, json_stringn(buffer, (size_t)length)) == 0;
    free(name);
    return ok;
}

static json_t *read_form(const char *bytes, apr_size_t n)
{
    json_t *fields = json_object();
    char *buffer = malloc(n + 1);
    int ok = fields && buffer;

    for (apr_size_t i = 0; ok && i < n;) {
        const char *end = memchr(bytes + i, '&', n - i);
        apr_size_t length = end ? (apr_size_t)(end - bytes) - i : n - i;

        ok = !length || add_pair(fields, bytes + i, length, buffer);
        i += length + 1;
    }
    if (buffer)
        sodium_memzero(buffer, n);
    free(buffer);
    if (!ok) {
        json_decref(fields);
        fields = NULL;
    }
    return fields;
}

identity_form_e identity_form_read(identity_types_e types, const char *type, const char *bytes, apr_size_t n,
                                   json_t **fields)
{
    int is_form = is_type(type, "application/x-www-form-urlencoded");

    *fields = NULL;
    if (is_form ? types == IDENTITY_TYPES_JSON
                : is_type(type, "multipart/form-data") || (types != IDENTITY_TYPES_ANY && !is_json(type)))
        return IDENTITY_FORM_UNSUPPORTED;
    *fields = is_form ? read_form(bytes, n) : json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*fields))
        return IDENTITY_FORM_OK;
    json_decref(*fields);
    *fields = NULL;
    return IDENTITY_FORM_MALFORMED;
}

void identity_form_refuse(apr_array_header_t *errors, const char *field, const char *code, const char *detail)
{
    trestle_field_error_t *error = apr_array_push(errors);

    error->field = apr_pstrdup(errors->pool, field);
    error->code = code;
    error->detail = detail;
}

const char *identity_form_text(const json_t *fields, const char *name, apr_size_t most, apr_array_header_t *errors)
{
    const json_t *value = json_object_get(fields, name);
    const char *text = json_string_value(value);

    if (!value || json_is_null(value) || (text && !*text)) {
        identity_form_refuse(errors, name, "REQUIRED_FIELD_MISSING", "The field is required.");
    } else if (!text) {
        identity_form_refuse(errors, name, "VALIDATION_ERROR", "The value must be text.");
    } else if (identity_characters(text) > most) {
        identity_form_refuse(errors, name, "VALIDATION_ERROR",
                             apr_psprintf(errors->pool, "The text has more than %d characters.", (int)most));
    } else {
        return text;
    }
    return NULL;
}

void identity_form_wipe(json_t *fields, const char *name)
{
    json_t *value = json_object_get(fields, name);

    if (json_is_string(value))
        sodium_memzero((char *)json_string_value(value), json_string_length(value));
}
