/*
 * mod_problem: errors as JSON. Where ProblemDetails is On, every error that httpd or a module answers with becomes a
 * document of RFC 9457, or of the shape that a template gives it, in the client's language.
 */
#include "trestle_problem.h"

#include "body.h"
#include "problem_document.h"
#include "refuse.h"
#include "request.h"
#include "setting.h"
#include "template_setting.h"
#include "trestle.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <stddef.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA problem_module;

APLOG_USE_MODULE(problem);

static const char error_filter[] = "TRESTLE_PROBLEM", precondition_filter[] = "TRESTLE_PROBLEM_PRECONDITION";

enum { LANGUAGE_NEGOTIATED = PROBLEM_LANGUAGES };

typedef struct {
    int details;                        /* 1: httpd's error pages are replaced; TRESTLE_UNSET inherits, default 0 */
    const char *media_type;             /* NULL inherits, default application/problem+json */
    const trestle_template_t *template; /* NULL inherits, default the standard one */
    int language;                       /* problem_language_e or LANGUAGE_NEGOTIATED; TRESTLE_UNSET inherits */
    int fallback;                       /* problem_language_e when negotiating; TRESTLE_UNSET inherits */
    const char *type_base;              /* NULL inherits, default about:blank without more; "" is that too */
    apr_hash_t *codes;                  /* as problem_style_t; NULL if this section has none; merged by key */
    apr_hash_t *wordings; /* as problem_style_t; NULL if this section has none; merged by key and language */
} dir_config_t;

/* What is remembered of a request. */
typedef struct {
    const trestle_problem_t *problem; /* set by a hook for the error that it returns; NULL: none */
    apr_table_t *error_headers;       /* err_headers_out when the handler was about to run; NULL: it was not */
    int unlocated;                    /* 1: httpd has put the settings of locations aside, to look for a file */
} request_config_t;

/* The compiled problem_standard_template. */
static const trestle_template_t *standard_template;

static void *create_dir_config(apr_pool_t *p, char *path TRESTLE_UNUSED)
{
    dir_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->details = config->language = config->fallback = TRESTLE_UNSET;
    return config;
}

static void *merge_dir_config(apr_pool_t *p, void *base_config, void *add_config)
{
    const dir_config_t *base = base_config, *add = add_config;
    dir_config_t *merged = apr_pcalloc(p, sizeof(*merged));

    merged->details = TRESTLE_PICK(base, add, details);
    merged->media_type = TRESTLE_PICK_PTR(base, add, media_type);
    merged->template = TRESTLE_PICK_PTR(base, add, template);
    merged->language = TRESTLE_PICK(base, add, language);
    merged->fallback = TRESTLE_PICK(base, add, fallback);
    merged->type_base = TRESTLE_PICK_PTR(base, add, type_base);
    merged->codes =
        base->codes && add->codes ? apr_hash_overlay(p, add->codes, base->codes) : TRESTLE_PICK_PTR(base, add, codes);
    merged->wordings = problem_wordings_merge(p, base->wordings, add->wordings);
    return merged;
}

static const char *set_media_type(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-";
    apr_size_t type = strspn(arg, token), subtype = arg[type] == '/' ? strspn(arg + type + 1, token) : 0;

    if (!type || !subtype || arg[type + 1 + subtype])
        return apr_psprintf(cmd->pool, "ProblemMediaType '%s' is not a media type; write for example application/json",
                            arg);
    ((dir_config_t *)dir)->media_type = arg;
    return NULL;
}

static const char *set_template(cmd_parms *cmd, void *dir, const char *arg)
{
    if (!strcmp(arg, "default")) {
        ((dir_config_t *)dir)->template = standard_template;
        return NULL;
    }
    return trestle_template_setting(cmd, arg, problem_vocabulary, &((dir_config_t *)dir)->template);
}

static const char *set_language(cmd_parms *cmd, void *dir, const char *language, const char *fallback)
{
    dir_config_t *config = dir;

    config->language = strcmp(language, "auto") ? (int)problem_language_of(language) : (int)LANGUAGE_NEGOTIATED;
    config->fallback = fallback ? (int)problem_language_of(fallback) : (int)PROBLEM_ENGLISH;
    if ((config->language == LANGUAGE_NEGOTIATED && strcmp(language, "auto")) || config->fallback == PROBLEM_LANGUAGES)
        return apr_psprintf(cmd->pool, "ProblemLanguage '%s' is not en, ko or auto; write for example auto ko",
                            config->fallback == PROBLEM_LANGUAGES ? fallback : language);
    if (fallback && config->language != LANGUAGE_NEGOTIATED)
        return apr_psprintf(cmd->pool, "ProblemLanguage %s takes no second language; write auto %s, or %s alone",
                            language, fallback, language);
    return NULL;
}

/* A URI that ends where a name can follow: absolute, or a path of this server. */
static const char *set_type_base(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_size_t n = strlen(arg);
    apr_uri_t uri;

    if (!strcmp(arg, "about:blank")) {
        ((dir_config_t *)dir)->type_base = "";
        return NULL;
    }
    if (!n || arg[n + strcspn(arg, " <>\"{}|\\^`") - n] || apr_uri_parse(cmd->temp_pool, arg, &uri) != APR_SUCCESS
        || (!uri.scheme && *arg != '/') || !strchr("/#:=", arg[n - 1]))
        return apr_psprintf(cmd->pool,
                            "ProblemTypeBase '%s' is not a URI that ends in /, #, : or =; write for example "
                            "https://api.example.org/problems/, or about:blank for none",
                            arg);
    ((dir_config_t *)dir)->type_base = arg;
    return NULL;
}

/* 1 for a status that is an error, in digits. */
static int is_status(const char *arg)
{
    return (*arg == '4' || *arg == '5') && apr_isdigit(arg[1]) && apr_isdigit(arg[2]) && !arg[3];
}

/* 1 for what may be a problem's code. */
static int is_code(const char *arg)
{
    apr_size_t n = strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    return n > 0 && n <= 64 && !arg[n] && !apr_isdigit(*arg);
}

static const char *set_code(cmd_parms *cmd, void *dir, const char *key, const char *code)
{
    dir_config_t *config = dir;

    if (!is_status(key) && !is_code(key))
        return apr_psprintf(cmd->pool,
                            "ProblemCode '%s' is neither a status from 400 to 599 nor a code; write for example 404 or "
                            "INVALID_TOKEN",
                            key);
    if (!is_code(code))
        return apr_psprintf(cmd->pool,
                            "ProblemCode '%s' is not 1-64 characters of letters, digits, _, . and -, beginning with "
                            "no digit; write for example NOT_FOUND",
                            code);
    if (!config->codes)
        config->codes = apr_hash_make(cmd->pool);
    apr_hash_set(config->codes, key, APR_HASH_KEY_STRING, code);
    return NULL;
}

static const char *set_text(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    problem_wording_t *wording;
    int language;

    if (argc < 3 || argc > 4)
        return "ProblemText takes a status or code, a language and a text; write for example ProblemText 404 en "
               "\"There is no such page.\"";
    if (!is_status(argv[0]) && !is_code(argv[0]))
        return apr_psprintf(cmd->pool,
                            "ProblemText '%s' is neither a status from 400 to 599 nor a code; write for example 404 or "
                            "INVALID_TOKEN",
                            argv[0]);
    language = (int)problem_language_of(argv[1]); /* PROBLEM_ANY_LANGUAGE for * */
    if (language == PROBLEM_LANGUAGES && strcmp(argv[1], "*"))
        return apr_psprintf(cmd->pool, "ProblemText '%s' is not en, ko or *; write * for a text of all languages",
                            argv[1]);
    if (!*argv[2] || !trestle_utf8_valid(argv[2], strlen(argv[2])) || (argc == 4 && !*argv[3])
        || (argc == 4 && !trestle_utf8_valid(argv[3], strlen(argv[3]))))
        return "ProblemText: a text is empty or not UTF-8; write one sentence, and save the file as UTF-8";
    wording = problem_wording_make(cmd->pool, &((dir_config_t *)dir)->wordings, argv[0]);
    wording->detail[language] = argv[2];
    if (argc == 4)
        wording->title[language] = argv[3];
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_FLAG("ProblemDetails", ap_set_flag_slot, (void *)offsetof(dir_config_t, details), OR_FILEINFO,
                 "On: errors are answered as JSON"),
    AP_INIT_TAKE1("ProblemMediaType", set_media_type, NULL, OR_FILEINFO,
                  "media type of errors; default application/problem+json"),
    AP_INIT_TAKE1("ProblemTemplate", set_template, NULL, OR_FILEINFO,
                  "shape of errors: a JSON template, or the name of a file with one"),
    AP_INIT_TAKE12("ProblemLanguage", set_language, NULL, OR_FILEINFO,
                   "en, ko, or auto (by Accept-Language) and the language where the client prefers none"),
    AP_INIT_TAKE1("ProblemTypeBase", set_type_base, NULL, OR_FILEINFO,
                  "URI below which each code is a problem type; default about:blank"),
    AP_INIT_TAKE2("ProblemCode", set_code, NULL, OR_FILEINFO,
                  "a status and the code of its errors that have none, or a code and its name here"),
    AP_INIT_TAKE_ARGV("ProblemText", set_text, NULL, OR_FILEINFO,
                      "a status or code, a language (en, ko, *), a detail and optionally a title"),
    { NULL }
};

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog TRESTLE_UNUSED, apr_pool_t *ptemp TRESTLE_UNUSED)
{
    const char *problem =
        trestle_template_compile(pconf, problem_standard_template, problem_vocabulary, &standard_template);

    if (problem)
        ap_log_perror(APLOG_MARK, APLOG_CRIT, 0, pconf, "TRSPR01: the standard template: %s", problem);
    return problem ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static const dir_config_t *config_of(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &problem_module);
}

/* What is remembered of r, made when it is needed first. */
static request_config_t *memory_of(request_rec *r)
{
    request_config_t *memory = ap_get_module_config(r->request_config, &problem_module);

    if (!memory) {
        memory = apr_pcalloc(r->pool, sizeof(*memory));
        ap_set_module_config(r->request_config, &problem_module, memory);
    }
    return memory;
}

/*
 * While httpd looks for the file of a request it has put the settings of its location aside. An error that comes up
 * meanwhile (a name too long, a link that may not be followed, TRACE) is still one of the location.
 */
static int map_to_storage(request_rec *r)
{
    memory_of(r)->unlocated = 1;
    return DECLINED;
}

static int post_perdir_config(request_rec *r)
{
    memory_of(r)->unlocated = 0;
    return DECLINED;
}

static void locate(request_rec *r)
{
    request_config_t *memory = ap_get_module_config(r->request_config, &problem_module);

    if (!memory || !memory->unlocated)
        return;
    memory->unlocated = 0;
    ap_location_walk(r);
}

/* What a hook remembered about the error that r is answered with. A page of ErrorDocument may have failed meanwhile. */
static const trestle_problem_t *remembered(request_rec *r)
{
    int status = r->status;

    for (; r; r = r->prev) {
        const request_config_t *memory = ap_get_module_config(r->request_config, &problem_module);

        if (memory && memory->problem && memory->problem->status == status)
            return memory->problem;
    }
    return NULL;
}

static const char *header_out(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_out, name);

    return value ? value : apr_table_get(r->err_headers_out, name);
}

/* The document's language; the answer says so where it was negotiated. */
static problem_language_e choose_language(request_rec *r, const dir_config_t *config)
{
    int language = TRESTLE_OR(config->language, LANGUAGE_NEGOTIATED);

    if (language != LANGUAGE_NEGOTIATED)
        return (problem_language_e)language;
    apr_table_mergen(r->headers_out, "Vary", "Accept-Language");
    return problem_language_negotiate(apr_table_get(r->headers_in, "Accept-Language"),
                                      (problem_language_e)TRESTLE_OR(config->fallback, PROBLEM_ENGLISH));
}

/* Takes back what described another body, and describes this one. */
static void set_headers(request_rec *r, const dir_config_t *config, const char *language, apr_size_t length)
{
    static const char *const stale[] = { "ETag",        "Last-Modified", "Content-Encoding",    "Content-Range",
                                         "Content-MD5", "Accept-Ranges", "Content-Disposition", "Content-Language" };

    for (unsigned i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
        apr_table_unset(r->headers_out, stale[i]);
        apr_table_unset(r->err_headers_out, stale[i]);
    }
    r->content_encoding = NULL;
    r->content_languages = NULL;
    if (language)
        apr_table_setn(r->headers_out, "Content-Language", language);
    if (!header_out(r, "Cache-Control"))
        apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_type(r, config->media_type ? config->media_type : "application/problem+json");
    ap_set_content_length(r, (apr_off_t)length);
}

/* The path as the client wrote it, without query; NULL if there is none. */
static const char *path_of(request_rec *r)
{
    const char *path = r->unparsed_uri, *host;

    if (path && *path != '/' && (host = strstr(path, "://")))
        path = host + 3 + strcspn(host + 3, "/?");
    return path && *path == '/' ? apr_pstrmemdup(r->pool, path, strcspn(path, "?#")) : NULL;
}

/* Writes the document of problem in r->pool and sets the headers that go with it. */
static trestle_text_t write_document(request_rec *r, const trestle_problem_t *problem)
{
    const dir_config_t *config = config_of(r);
    problem_style_t style = { config->template ? config->template : standard_template,
                              config->type_base && *config->type_base ? config->type_base : NULL, config->codes,
                              config->wordings };
    problem_language_e language = choose_language(r, config);
    trestle_text_t text = trestle_text_make(r->pool, 512);
    problem_request_t facts = { .request_id = trestle_request_id_of(r), .time = apr_time_now() };
    request_rec *first = r;
    int localised;

    while (first->prev)
        first = first->prev;
    facts.method = first->method;
    facts.path = path_of(first);
    problem_document_write(problem, &facts, &style, language, &text, &localised);
    set_headers(r, config, localised ? problem_language_tag(language) : NULL, text.length);
    return text;
}

/* Puts the document of r's status in the place of what page holds, and passes it on. */
static apr_status_t pass_document(ap_filter_t *f, apr_bucket_brigade *page)
{
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
    request_rec *r = f->r;
    const trestle_problem_t *problem = remembered(r);
    trestle_text_t text;

    trestle_status_set(r, r->status);
    text = write_document(r, problem ? problem : trestle_problem_make(r, r->status, NULL, NULL, NULL));
    apr_brigade_cleanup(page);
    APR_BRIGADE_INSERT_TAIL(page, apr_bucket_pool_create(text.bytes, text.length, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(page, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(f->next, page);
}

/*
 * httpd lists in Allow what handlers have said that they take. Where none was asked (TRACE, AllowMethods) the list is
 * empty, as if nothing were allowed: files take what is said here, of anything else nothing is known.
 */
static void mend_allow(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *allow = apr_table_get(r->headers_out, "Allow");
    int is_file =
        !core->handler && !core->expr_handler && !r->proxyreq && (!r->handler || !strcmp(r->handler, DIR_MAGIC_TYPE));

    if (!allow || *allow)
        return;
    if (is_file && r->status == HTTP_METHOD_NOT_ALLOWED && r->method_number != M_GET && r->method_number != M_OPTIONS)
        apr_table_setn(r->headers_out, "Allow", "GET,HEAD,OPTIONS");
    else
        apr_table_unset(r->headers_out, "Allow");
}

/* httpd's error page, whose parts may come in several brigades, is replaced. */
static apr_status_t replace_page(ap_filter_t *f, apr_bucket_brigade *page)
{
    if (f->ctx) {
        apr_brigade_cleanup(page);
        return APR_SUCCESS;
    }
    f->ctx = f;
    mend_allow(f->r);
    return pass_document(f, page);
}

/* 1 if brigade ends an answer that has no body. */
static int is_end(const apr_bucket_brigade *brigade)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(brigade); b != APR_BRIGADE_SENTINEL(brigade); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b))
            return 1;
        if (!APR_BUCKET_IS_METADATA(b))
            return 0;
    }
    return 0;
}

/* For files whose preconditions fail httpd makes no error page but sends a bare 412. */
static apr_status_t tell_of_precondition(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    ap_remove_output_filter(f);
    if (f->r->status == HTTP_PRECONDITION_FAILED && is_end(brigade))
        return pass_document(f, brigade);
    return ap_pass_brigade(f->next, brigade);
}

/*
 * When reading a body or cutting a range fails, httpd's header filter mixes err_headers_out into headers_out before it
 * starts on the error page, which then discards both: what stood there before the handler is kept.
 */
static void insert_filter(request_rec *r)
{
    if (config_of(r)->details != 1 || r->main)
        return;
    memory_of(r)->error_headers = apr_table_copy(r->pool, r->err_headers_out);
    if (!r->proxyreq
        && (apr_table_get(r->headers_in, "If-Match") || apr_table_get(r->headers_in, "If-Unmodified-Since")))
        ap_add_output_filter(precondition_filter, NULL, r, r->connection);
}

static void insert_error_filter(request_rec *r)
{
    const request_config_t *memory;

    locate(r);
    if (config_of(r)->details != 1 || r->status < 400 || r->main)
        return;
    memory = ap_get_module_config(r->request_config, &problem_module);
    if (memory && memory->error_headers && apr_is_empty_table(r->err_headers_out))
        r->err_headers_out = apr_table_copy(r->pool, memory->error_headers);
    ap_add_output_filter(error_filter, NULL, r, r->connection);
}

static void trestle_problem_set(request_rec *r, const trestle_problem_t *problem)
{
    memory_of(r)->problem = problem;
}

static int trestle_problem_send(request_rec *r, const trestle_problem_t *problem)
{
    trestle_text_t text;

    r->status = problem->status;
    text = write_document(r, problem);
    return trestle_body_send(r, problem->status, r->content_type, text.bytes, text.length);
}

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    static const char *const before[] = { "mod_headers.c", NULL }, *const after[] = { "mod_trestle.c", NULL };

    APR_REGISTER_OPTIONAL_FN(trestle_problem_set);
    APR_REGISTER_OPTIONAL_FN(trestle_problem_send);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_perdir_config(post_perdir_config, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Behind mod_headers: "Header always set Cache-Control" must have been done when the default is looked for. Before
     * mod_trestle, which adds to the headers of errors: here it is seen whether httpd has dropped them. */
    ap_hook_insert_error_filter(insert_error_filter, before, after, APR_HOOK_LAST);
    ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_LAST);
    ap_register_output_filter(error_filter, replace_page, NULL, AP_FTYPE_CONTENT_SET);
    ap_register_output_filter(precondition_filter, tell_of_precondition, NULL, AP_FTYPE_CONTENT_SET);
}

module AP_MODULE_DECLARE_DATA problem_module = {
    STANDARD20_MODULE_STUFF, create_dir_config, merge_dir_config, NULL, NULL, commands, register_hooks, 0
};
