#include "keyfile.h"

#include <apr_file_io.h>
#include <apr_strings.h>

enum { KEY_FILE_MOST = 262144 };

/* The bytes of an open file. */
static const char *read_open(cmd_parms *cmd, apr_file_t *open, trestle_keyfile_t *file)
{
    const char *directive = cmd->cmd->name;
    apr_finfo_t info;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_PROT | APR_FINFO_TYPE, open);
    char *bytes;

    if (rv != APR_SUCCESS || info.filetype != APR_REG || info.size > KEY_FILE_MOST)
        return apr_psprintf(cmd->pool, "%s: '%s' is no regular file of at most %d bytes; name a key file", directive,
                            file->name, KEY_FILE_MOST);
    file->bytes = bytes = apr_pcalloc(cmd->pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(open, bytes, (apr_size_t)info.size, &file->length);
    if (rv != APR_SUCCESS && rv != APR_EOF)
        return apr_psprintf(cmd->pool, "%s: cannot read '%s': %pm", directive, file->name, &rv);
    if (file->length && bytes[file->length - 1] == '\n')
        bytes[--file->length] = '\0';
    if (file->length && bytes[file->length - 1] == '\r')
        bytes[--file->length] = '\0';
    if (!file->length)
        return apr_psprintf(cmd->pool, "%s: '%s' is empty; write a key into it", directive, file->name);
    if (info.protection & APR_FPROT_WWRITE)
        return apr_psprintf(cmd->pool, "%s: '%s' can be written by everyone; run chmod o-w on it", directive,
                            file->name);
    file->is_readable_by_all = (info.protection & APR_FPROT_WREAD) != 0;
    return NULL;
}

const char *trestle_keyfile_read(cmd_parms *cmd, const char *name, trestle_keyfile_t *file)
{
    const char *path = ap_server_root_relative(cmd->pool, name), *mend;
    apr_file_t *open;
    apr_status_t rv = APR_EBADPATH;

    file->name = name;
    if (path)
        rv = apr_file_open(&open, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, cmd->temp_pool);
    if (rv != APR_SUCCESS)
        return apr_psprintf(cmd->pool, "%s: cannot open '%s': %pm; name a readable key file", cmd->cmd->name, name,
                            &rv);
    mend = read_open(cmd, open, file);
    apr_file_close(open);
    return mend;
}

const char *trestle_keyfile_check_secret(cmd_parms *cmd, const trestle_keyfile_t *file, int is_secret)
{
    if (is_secret && file->is_readable_by_all)
        return apr_psprintf(cmd->pool, "%s: the secret in '%s' can be read by everyone; run chmod o-r on it",
                            cmd->cmd->name, file->name);
    return NULL;
}
