#include "template_setting.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

enum { MAX_SIZE = 64 * 1024 };

/* The file's text in *text; NULL or a message. */
static const char *read_file(cmd_parms *cmd, const char *name, char **text)
{
    const char *path = ap_server_root_relative(cmd->temp_pool, name);
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t n = 0;
    apr_status_t rv;
    char reason[128];

    if (!path)
        return apr_psprintf(cmd->pool, "%s: '%s' is not the name of a file", cmd->cmd->name, name);
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, cmd->temp_pool);
    if (rv == APR_SUCCESS)
        rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, file);
    if (rv != APR_SUCCESS)
        return apr_psprintf(cmd->pool,
                            "%s: cannot read %s (%s); name a file that exists, or write the template itself, which "
                            "begins with { or [",
                            cmd->cmd->name, path, apr_strerror(rv, reason, sizeof(reason)));
    if (info.filetype != APR_REG || info.size > MAX_SIZE) {
        apr_file_close(file);
        return apr_psprintf(cmd->pool, "%s: %s is not a file of at most 64 KiB", cmd->cmd->name, path);
    }
    *text = apr_palloc(cmd->temp_pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, *text, (apr_size_t)info.size, &n);
    apr_file_close(file);
    if (rv != APR_SUCCESS && rv != APR_EOF)
        return apr_psprintf(cmd->pool, "%s: cannot read %s: %s", cmd->cmd->name, path,
                            apr_strerror(rv, reason, sizeof(reason)));
    (*text)[n] = '\0';
    return strlen(*text) == n ? NULL : apr_psprintf(cmd->pool, "%s: %s is not text", cmd->cmd->name, path);
}

const char *trestle_template_setting(cmd_parms *cmd, const char *arg, const trestle_template_name_t *vocabulary,
                                     const trestle_template_t **compiled)
{
    const char *problem;
    char *text;

    if (*arg == '{' || *arg == '[') {
        problem = trestle_template_compile(cmd->pool, arg, vocabulary, compiled);
        return problem ? apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem) : NULL;
    }
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        return apr_psprintf(cmd->pool, "%s: .htaccess may not name a file; write the template itself", cmd->cmd->name);
    if ((problem = read_file(cmd, arg, &text)))
        return problem;
    problem = trestle_template_compile(cmd->pool, text, vocabulary, compiled);
    return problem ? apr_psprintf(cmd->pool, "%s: %s: %s", cmd->cmd->name, arg, problem) : NULL;
}
