#include "rest_form.h"

#include "rest_media.h"

#include "multipart.h"
#include "text.h"

#include <apr_strings.h>
#include <string.h>

struct rest_form_t {
    trestle_multipart_t *multipart;
    apr_array_header_t *given;
    apr_int64_t left; /* parts that may still come */
    apr_int64_t most;
    rest_fault_t *fault; /* of the call that is under way */
    const char *name;    /* of the part that is being read */
    int is_file;         /* 1: an input for a file that was left empty, as far as is known */
    int is_json;
    trestle_text_t text;
};

static int refuse_file(rest_form_t *form)
{
    return rest_refuse(form->fault, 415, "FILES_NOT_ACCEPTED", "Files are not accepted here.", form->name);
}

static int begin(void *baton, const trestle_part_t *part)
{
    rest_form_t *form = baton;
    apr_pool_t *pool = form->given->pool;
    rest_media_t media;

    form->name = part->name;
    form->is_file = part->filename != NULL;
    form->is_json = 0;
    if (form->left-- == 0)
        return rest_query_too_many(pool, form->most, form->fault);
    if (form->is_file)
        return !*part->filename || refuse_file(form);
    if (!rest_media_parse(pool, part->type, &media, form->fault)) {
        form->fault->field = form->name;
        return 0;
    }
    form->is_json = media.kind == REST_MEDIA_JSON;
    if (!form->is_json && media.kind != REST_MEDIA_TEXT && media.kind != REST_MEDIA_NONE)
        return rest_refuse(form->fault, 415, "UNSUPPORTED_MEDIA_TYPE", "Send the field as text.", form->name);
    form->text = trestle_text_make(pool, 64);
    return 1;
}

static int data(void *baton, const char *bytes, apr_size_t n)
{
    rest_form_t *form = baton;

    if (form->is_file)
        return refuse_file(form);
    trestle_text_add(&form->text, bytes, n);
    return 1;
}

static int add_json(rest_form_t *form)
{
    apr_pool_t *pool = form->given->pool;
    rest_json_mistake_t mistake;
    rest_json_t json;

    if (!rest_json_parse(form->text.bytes, form->text.length, &json, &mistake))
        return rest_refuse(form->fault, 400, "INVALID_JSON",
                           rest_json_complaint(pool, "The value", form->text.bytes, &mistake), form->name);
    if (rest_json_has_nul(&json))
        return rest_refuse(form->fault, 400, "VALIDATION_ERROR", "The value holds a NUL, which cannot be stored.",
                           form->name);
    rest_query_add(form->given, form->name, REST_IN_BODY, NULL, &json);
    APR_ARRAY_IDX(form->given, form->given->nelts - 1, rest_given_t).in_form = 1;
    return 1;
}

static int end(void *baton)
{
    rest_form_t *form = baton;

    if (form->is_file)
        return 1;
    if (form->is_json)
        return add_json(form);
    if (memchr(form->text.bytes, '\0', form->text.length))
        return rest_refuse(form->fault, 400, "VALIDATION_ERROR", "The value holds a NUL, which cannot be stored.",
                           form->name);
    if (!trestle_utf8_valid(form->text.bytes, form->text.length))
        return rest_refuse(form->fault, 400, "VALIDATION_ERROR", "The value is not UTF-8.", form->name);
    rest_query_add(form->given, form->name, REST_IN_BODY, form->text.bytes, NULL);
    return 1;
}

rest_form_t *rest_form_make(const char *boundary, apr_int64_t most, apr_array_header_t *given)
{
    static const trestle_multipart_sink_t sink = { begin, data, end };
    rest_form_t *form = apr_pcalloc(given->pool, sizeof(*form));

    form->multipart = trestle_multipart_make(given->pool, boundary, &sink, form);
    form->given = given;
    form->left = form->most = most;
    return form;
}

/* A mistake of the body itself; the sink's own refusals are in fault already. */
static int malformed(const rest_form_t *form, rest_fault_t *fault)
{
    const char *mistake = trestle_multipart_mistake(form->multipart);

    return mistake ? rest_refuse(fault, 400, "VALIDATION_ERROR", mistake, NULL) : 0;
}

int rest_form_feed(rest_form_t *form, const char *bytes, apr_size_t n, rest_fault_t *fault)
{
    form->fault = fault;
    return trestle_multipart_feed(form->multipart, bytes, n) || malformed(form, fault);
}

int rest_form_end(rest_form_t *form, rest_fault_t *fault)
{
    return trestle_multipart_end(form->multipart) || malformed(form, fault);
}
