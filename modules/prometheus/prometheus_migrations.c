#include "prometheus_migrations.h"

#include "encoding.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include <string.h>

/* 1 for four digits, an underscore, a word of a-z, 0-9 and _, and .sql. */
static int is_migration(const char *file)
{
    apr_size_t n;

    if (strspn(file, "0123456789") != 4 || file[4] != '_')
        return 0;
    n = strspn(file + 5, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n > 0 && !strcmp(file + 5 + n, ".sql");
}

/* The SHA-256 of the open file in hexadecimal, in pool; NULL if it could not be read. */
static const char *checksum_of(apr_pool_t *pool, apr_file_t *file)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char bytes[16384];
    apr_status_t rv = APR_SUCCESS;
    int ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);

    while (ok && rv == APR_SUCCESS) {
        apr_size_t n = sizeof(bytes);

        rv = apr_file_read(file, bytes, &n);
        if (rv == APR_SUCCESS)
            ok = EVP_DigestUpdate(context, bytes, n);
    }
    ok = ok && rv == APR_EOF && EVP_DigestFinal_ex(context, digest, &length);
    EVP_MD_CTX_free(context);
    return ok ? trestle_hex(pool, digest, length) : NULL;
}

/* The last part of a directory's name, in pool. */
static const char *set_of(apr_pool_t *pool, const char *directory)
{
    apr_size_t end = strlen(directory), start;

    while (end > 1 && directory[end - 1] == '/')
        end--;
    for (start = end; start > 0 && directory[start - 1] != '/';)
        start--;
    return apr_pstrmemdup(pool, directory + start, end - start);
}

const char *prometheus_migrations_read(apr_pool_t *pool, apr_pool_t *temp, const char *directory,
                                       apr_array_header_t *migrations)
{
    const char *set = set_of(pool, directory), *problem = NULL;
    int before = migrations->nelts;
    apr_finfo_t entry;
    apr_status_t rv;
    apr_dir_t *dir;
    char reason[128];

    if ((rv = apr_dir_open(&dir, directory, temp)) != APR_SUCCESS)
        return apr_psprintf(pool, "cannot read the directory %s (%s)", directory,
                            apr_strerror(rv, reason, sizeof(reason)));
    while (!problem && apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *path;
        apr_file_t *file;
        prometheus_migration_t *migration;

        if (!is_migration(entry.name))
            continue;
        path = apr_pstrcat(temp, directory, "/", entry.name, NULL);
        rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, temp);
        if (rv != APR_SUCCESS) {
            problem = apr_psprintf(pool, "cannot read %s (%s)", path, apr_strerror(rv, reason, sizeof(reason)));
            break;
        }
        migration = apr_array_push(migrations);
        migration->name = apr_pstrcat(pool, set, "/", entry.name, NULL);
        if (!(migration->checksum = checksum_of(pool, file)))
            problem = apr_psprintf(pool, "cannot read %s to its end", path);
        apr_file_close(file);
    }
    apr_dir_close(dir);
    if (!problem && migrations->nelts == before)
        problem = apr_psprintf(pool, "the directory %s holds no file NNNN_name.sql", directory);
    return problem;
}

void prometheus_migrations_compare(const apr_array_header_t *expected, apr_hash_t *applied, int *pending, int *changed)
{
    *pending = *changed = 0;
    for (int i = 0; i < expected->nelts; i++) {
        const prometheus_migration_t *migration = &APR_ARRAY_IDX(expected, i, prometheus_migration_t);
        const char *checksum = apr_hash_get(applied, migration->name, APR_HASH_KEY_STRING);

        if (!checksum)
            ++*pending;
        else if (strcmp(checksum, migration->checksum))
            ++*changed;
    }
}
