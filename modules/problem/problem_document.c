#include "problem_document.h"

#include "problem_sentences.h"
#include "problem_texts.h"

#include "encoding.h"
#include "timestamp.h"

#include <apr_strings.h>
#include <string.h>

enum {
    VALUE_STATUS,
    VALUE_CODE,
    VALUE_TYPE,
    VALUE_TITLE,
    VALUE_DETAIL,
    VALUE_FIELD,
    VALUE_INSTANCE,
    VALUE_REQUEST_ID,
    VALUE_METHOD,
    VALUE_PATH,
    VALUE_TIMESTAMP,
    VALUE_ERRORS,
    VALUE_CAUSES,
    VALUES
};

enum { COLUMN_FIELD, COLUMN_LOC, COLUMN_CODE, COLUMN_DETAIL, COLUMNS };

static const char *const columns[] = { "field", "loc", "code", "detail", NULL };

/* In the order of the VALUE_ numbers. */
const trestle_template_name_t problem_vocabulary[] = {
    { "status", NULL },    { "code", NULL },      { "type", NULL },       { "title", NULL },  { "detail", NULL },
    { "field", NULL },     { "instance", NULL },  { "request_id", NULL }, { "method", NULL }, { "path", NULL },
    { "timestamp", NULL }, { "errors", columns }, { "causes", columns },  { NULL, NULL },
};

/* RFC 9457 section 3.1, with two extension members. */
const char problem_standard_template[] =
    "{\"type\": \"{type}\", \"title\": \"{title}\", \"status\": \"{status}\", \"detail\": \"{detail}\","
    " \"instance?\": \"{instance}\", \"code\": \"{code}\","
    " \"errors?\": [\"{each errors}\","
    " {\"field?\": \"{.field}\", \"code?\": \"{.code}\", \"detail?\": \"{.detail}\"}]}";

/* Where a text for people may come from, the first of which counts; each may be NULL. */
typedef struct {
    const char *const *of_code;   /* configured for the code: texts by language */
    const char *said;             /* by the module, or the application through it */
    const char *const *of_status; /* configured for the status */
    const char *standard;         /* this suite's own, in the language */
} sources_t;

/*
 * What is configured for the code goes before what is said, since it knows the readers; what is configured for the status
 * only before the texts of this suite. What a module says is English: other readers get it if its sentence is known.
 */
static const char *choose_text(apr_pool_t *pool, const sources_t *sources, problem_language_e language, int verbatim,
                               int *unknown)
{
    const char *text;

    if (sources->of_code && (text = problem_wording_text(sources->of_code, language, unknown)))
        return text;
    if (sources->said) {
        *unknown |= verbatim;
        if (verbatim || language == PROBLEM_ENGLISH)
            return sources->said;
        if ((text = problem_sentence_in(pool, sources->said, language)))
            return text;
    }
    if (sources->of_status && (text = problem_wording_text(sources->of_status, language, unknown)))
        return text;
    return sources->standard;
}

static const problem_wording_t *wording_of(const problem_style_t *style, const char *key)
{
    return style->wordings ? apr_hash_get(style->wordings, key, APR_HASH_KEY_STRING) : NULL;
}

static void choose_texts(const trestle_problem_t *problem, const char *code, const problem_style_t *style,
                         problem_language_e language, apr_pool_t *pool, const char **title, const char **detail,
                         int *unknown)
{
    const problem_texts_t *of_status = problem_texts_of(problem->status);
    const problem_texts_t *of_code = problem->code ? problem_texts_of_code(problem->code) : NULL;
    const problem_wording_t *by_code = wording_of(style, code);
    const problem_wording_t *by_status = wording_of(style, apr_itoa(pool, problem->status));
    const sources_t titles = { by_code ? by_code->title : NULL, problem->title, by_status ? by_status->title : NULL,
                               of_status->title[language] };
    const sources_t details = { by_code ? by_code->detail : NULL, problem->detail, by_status ? by_status->detail : NULL,
                                (of_code ? of_code : of_status)->detail[language] };

    *title = choose_text(pool, &titles, language, problem->verbatim, unknown);
    *detail = choose_text(pool, &details, language, problem->verbatim, unknown);
}

/* The code that the module gave, under the name that it has here; else the status's. */
static const char *code_of(apr_pool_t *pool, const trestle_problem_t *problem, const problem_style_t *style)
{
    const char *key = problem->code ? problem->code : apr_itoa(pool, problem->status);
    const char *code = style->codes ? apr_hash_get(style->codes, key, APR_HASH_KEY_STRING) : NULL;

    if (!code)
        code = problem->code;
    return code ? code : problem_texts_of(problem->status)->code;
}

/* "NOT_FOUND" below the base as "not-found". */
static const char *type_of(apr_pool_t *pool, const trestle_problem_t *problem, const char *code, const char *base)
{
    char *name;

    if (problem->type)
        return problem->type;
    if (!base)
        return "about:blank";
    name = apr_pstrdup(pool, code);
    for (char *s = name; *s; s++)
        *s = *s == '_' ? '-' : (char)(*s >= 'A' && *s <= 'Z' ? *s + 'a' - 'A' : *s);
    return apr_pstrcat(pool, base, name, NULL);
}

/* RFC 9457 section 3.1.5: a URI reference. An id that is a UUID has a URN; any other is a relative reference. */
static const char *instance_of(apr_pool_t *pool, const char *request_id)
{
    return request_id && trestle_uuid_valid(request_id) ? apr_pstrcat(pool, "urn:uuid:", request_id, NULL) : request_id;
}

/*
 * A field as a JSON array of its parts, "query.ids.3" as ["query","ids",3]. The first part is where it stands in the
 * request: body where the field does not say.
 */
static trestle_template_value_t loc_of(apr_pool_t *pool, const char *field)
{
    static const char *const places[] = { "body", "query", "path", "header", "cookie" };
    trestle_text_t text = trestle_text_make(pool, 64);
    trestle_template_value_t value = { .kind = TRESTLE_VALUE_JSON };
    apr_size_t n = field ? strcspn(field, ".") : 0;
    int placed = 0;

    for (unsigned i = 0; n && i < sizeof(places) / sizeof(places[0]); i++)
        placed |= strlen(places[i]) == n && !strncmp(places[i], field, n);
    trestle_text_adds(&text, placed ? "[" : "[\"body\"");
    for (const char *s = field; s; s = s[n] ? s + n + 1 : NULL) {
        n = strcspn(s, ".");
        if (text.length > 1)
            trestle_text_addc(&text, ',');
        if (n && n < 10 && strspn(s, "0123456789") == n && (*s != '0' || n == 1))
            trestle_text_add(&text, s, n);
        else
            trestle_text_add_json_bytes(&text, s, n);
    }
    trestle_text_addc(&text, ']');
    value.text = text.bytes;
    return value;
}

static void fill_row(apr_pool_t *pool, trestle_template_value_t *cells, const char *field, const char *code,
                     const char *detail)
{
    cells[COLUMN_FIELD] = trestle_template_text(field);
    cells[COLUMN_LOC] = loc_of(pool, field);
    cells[COLUMN_CODE] = trestle_template_text(code);
    cells[COLUMN_DETAIL] = trestle_template_text(detail);
}

/* What is told of one field; NULL if nothing is in the language. */
static const char *detail_of(apr_pool_t *pool, const trestle_field_error_t *error, const problem_style_t *style,
                             problem_language_e language, int verbatim, int *unknown)
{
    const problem_texts_t *of_code = error->code ? problem_texts_of_code(error->code) : NULL;
    const problem_wording_t *by_code = error->code ? wording_of(style, error->code) : NULL;
    const sources_t details = { by_code ? by_code->detail : NULL, error->detail, NULL,
                                of_code ? of_code->detail[language] : NULL };

    return choose_text(pool, &details, language, verbatim, unknown);
}

/* The errors by field, or the one field of the problem; as causes, always at least the problem itself. */
static void fill_lists(apr_pool_t *pool, const trestle_problem_t *problem, const char *code, const char *detail,
                       const problem_style_t *style, problem_language_e language, trestle_template_value_t *values,
                       int *unknown)
{
    int n = problem->errors && problem->errors->nelts ? problem->errors->nelts : 1;
    trestle_template_value_t *cells = apr_palloc(pool, (apr_size_t)n * COLUMNS * sizeof(*cells));
    trestle_template_value_t list = { .kind = TRESTLE_VALUE_LIST, .rows = n, .cells = cells };

    if (problem->errors && problem->errors->nelts)
        for (int i = 0; i < n; i++) {
            const trestle_field_error_t *error = &APR_ARRAY_IDX(problem->errors, i, trestle_field_error_t);

            fill_row(pool, cells + i * COLUMNS, error->field, error->code,
                     detail_of(pool, error, style, language, problem->verbatim, unknown));
        }
    else
        fill_row(pool, cells, problem->field, code, detail);
    values[VALUE_CAUSES] = list;
    values[VALUE_FIELD] = cells[COLUMN_FIELD];
    if (problem->field)
        values[VALUE_FIELD] = trestle_template_text(problem->field);
    if (!problem->field && !(problem->errors && problem->errors->nelts))
        list.rows = 0;
    values[VALUE_ERRORS] = list;
}

void problem_document_write(const trestle_problem_t *problem, const problem_request_t *request,
                            const problem_style_t *style, problem_language_e language, trestle_text_t *out,
                            int *localised)
{
    trestle_template_value_t values[VALUES];
    const char *code = code_of(out->pool, problem, style), *title, *detail;
    int unknown = 0; /* 1: a text of no known language is told */

    choose_texts(problem, code, style, language, out->pool, &title, &detail, &unknown);
    values[VALUE_STATUS] = trestle_template_number(problem->status);
    values[VALUE_CODE] = trestle_template_text(code);
    values[VALUE_TYPE] = trestle_template_text(type_of(out->pool, problem, code, style->type_base));
    values[VALUE_TITLE] = trestle_template_text(title);
    values[VALUE_DETAIL] = trestle_template_text(detail);
    values[VALUE_INSTANCE] = trestle_template_text(instance_of(out->pool, request->request_id));
    values[VALUE_REQUEST_ID] = trestle_template_text(request->request_id);
    values[VALUE_METHOD] = trestle_template_text(request->method);
    values[VALUE_PATH] = trestle_template_text(request->path);
    values[VALUE_TIMESTAMP] = trestle_template_text(trestle_timestamp(out->pool, request->time));
    fill_lists(out->pool, problem, code, detail, style, language, values, &unknown);
    trestle_template_render(style->template, values, out);
    *localised = !unknown;
}
