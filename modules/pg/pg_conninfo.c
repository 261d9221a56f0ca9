#include "pg_conninfo.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <string.h>

#define PASSWORD_MAX 1024

static int names_password(const PQconninfoOption *options)
{
    for (; options->keyword; options++)
        if ((!strcmp(options->keyword, "password") || !strcmp(options->keyword, "sslpassword")) && options->val
            && *options->val)
            return 1;
    return 0;
}

const char *pg_conninfo_check(apr_pool_t *pool, const char *conninfo)
{
    char *message = NULL;
    const char *problem = NULL;
    PQconninfoOption *options;

    if (!conninfo[strspn(conninfo, " \t")])
        return "the connection string is empty; write for example \"host=/run/postgresql dbname=shop user=shop_login\"";
    options = PQconninfoParse(conninfo, &message);
    if (!options) {
        /* libpq's message quotes the words at fault. */
        int secret = strstr(conninfo, "password") || strstr(conninfo, "://");

        problem = apr_psprintf(pool,
                               "not a libpq connection string%s%s; write for example \"host=/run/postgresql "
                               "dbname=shop user=shop_login\" or \"service=shop\", and the password, if there is one, "
                               "in PgPasswordFile",
                               secret || !message ? "" : ": ", secret || !message ? "" : message);
        for (char *c = (char *)problem; *c; c++)
            if (*c == '\n')
                *c = ' ';
    } else if (names_password(options)) {
        problem = "a password does not belong into a connection string, which ends up in logs and backups; remove it "
                  "and name its file with PgPasswordFile, or a variable of the environment with PgPasswordEnv";
    }
    PQfreemem(message);
    PQconninfoFree(options);
    return problem;
}

const char *pg_password_read(apr_pool_t *pool, const char *path, const char **password)
{
    char *line = apr_palloc(pool, PASSWORD_MAX + 2);
    apr_size_t length = PASSWORD_MAX + 1;
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv;
    char reason[120];

    rv = apr_file_open(&file, path, APR_FOPEN_READ, 0, pool);
    if (rv == APR_SUCCESS && (rv = apr_file_info_get(&info, APR_FINFO_TYPE | APR_FINFO_PROT, file)) == APR_SUCCESS) {
        if (info.filetype != APR_REG) {
            apr_file_close(file);
            return apr_psprintf(pool, "'%s' is not a file; name a file whose first line is the password", path);
        }
        if (info.protection & (APR_FPROT_GWRITE | APR_FPROT_WWRITE | APR_FPROT_WREAD)) {
            apr_file_close(file);
            return apr_psprintf(pool, "others may read or write '%s'; run: chmod 600 %s", path, path);
        }
        rv = apr_file_read_full(file, line, PASSWORD_MAX + 1, &length);
        apr_file_close(file);
        if (APR_STATUS_IS_EOF(rv))
            rv = APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return apr_psprintf(pool, "cannot read '%s' (%s); name a file that the user who starts the server can read",
                            path, apr_strerror(rv, reason, sizeof(reason)));
    line[length] = 0;
    line[strcspn(line, "\r\n")] = 0;
    if (!*line || strlen(line) > PASSWORD_MAX)
        return apr_psprintf(pool, "the first line of '%s' is empty or longer than %d bytes; it must be the password",
                            path, PASSWORD_MAX);
    *password = line;
    return NULL;
}
