/*
 * The bench's upper limit: a handler that answers from memory, with the body of the file named by the path's per-dir
 * setting BenchMemoryFile, read once while configuring.
 */
#include "body.h"
#include "trestle.h"

#include "http_config.h"
#include "httpd.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA benchmemory_module;

typedef struct {
    char *bytes;
    apr_size_t length;
} dir_config_t;

static void *create_dir_config(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    return apr_pcalloc(p, sizeof(dir_config_t));
}

static const char *set_file(cmd_parms *cmd, void *dir, const char *path)
{
    dir_config_t *config = dir;
    apr_file_t *file;
    apr_finfo_t info;

    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, cmd->pool) != APR_SUCCESS
        || apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, "cannot read ", path, NULL);
    config->length = (apr_size_t)info.size;
    config->bytes = apr_palloc(cmd->pool, config->length + 1);
    return apr_file_read_full(file, config->bytes, config->length, NULL) == APR_SUCCESS ? NULL : "cannot read the file";
}

static int handler(request_rec *r)
{
    const dir_config_t *config = ap_get_module_config(r->per_dir_config, &benchmemory_module);

    if (!r->handler || strcmp(r->handler, "benchmemory"))
        return DECLINED;
    return trestle_body_send(r, HTTP_OK, "application/json", config->bytes, config->length);
}

static const command_rec commands[] = { AP_INIT_TAKE1("BenchMemoryFile", set_file, NULL, ACCESS_CONF,
                                                      "the file whose bytes handler benchmemory sends"),
                                        { NULL } };

static void register_hooks(apr_pool_t *p TRESTLE_UNUSED)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA benchmemory_module = {
    STANDARD20_MODULE_STUFF, create_dir_config, NULL, NULL, NULL, commands, register_hooks, 0
};
