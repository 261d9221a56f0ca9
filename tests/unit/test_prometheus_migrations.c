/* modules/prometheus: migrations read from a directory, and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "prometheus/prometheus_health.h"
#include "prometheus/prometheus_migrations.h"

static apr_pool_t *pool;
static char directory[] = "/tmp/trestle-migrations-XXXXXX";

static void write_file(const char *name, const char *text)
{
    apr_file_t *file;

    apr_file_open(&file, apr_pstrcat(pool, directory, "/", name, NULL),
                  APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE, APR_FPROT_OS_DEFAULT, pool);
    apr_file_puts(text, file);
    apr_file_close(file);
}

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    return mkdtemp(directory) == NULL;
}

static int teardown(void **state)
{
    apr_finfo_t entry;
    apr_dir_t *dir;

    (void)state;
    apr_dir_open(&dir, directory, pool);
    while (apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_TYPE, dir) == APR_SUCCESS)
        apr_file_remove(apr_pstrcat(pool, directory, "/", entry.name, NULL), pool);
    apr_dir_close(dir);
    apr_dir_remove(directory, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static void only_numbered_files_count(void **state)
{
    apr_array_header_t *found = apr_array_make(pool, 4, sizeof(prometheus_migration_t));
    const prometheus_migration_t *one;

    (void)state;
    assert_non_null(strstr(prometheus_migrations_read(pool, pool, directory, found), "holds no file"));
    assert_non_null(strstr(prometheus_migrations_read(pool, pool, "/no/such", found), "cannot read the directory"));
    write_file("0001_first_one.sql", "abc");
    write_file("001_short.sql", "");
    write_file("00001_long.sql", "");
    write_file("0002_Capital.sql", "");
    write_file("0002_.sql", "");
    write_file("0002_draft.sql~", "");
    write_file("README.md", "");
    assert_null(prometheus_migrations_read(pool, pool, apr_pstrcat(pool, directory, "//", NULL), found));
    assert_int_equal(found->nelts, 1);
    one = &APR_ARRAY_IDX(found, 0, prometheus_migration_t);
    assert_string_equal(one->name, apr_pstrcat(pool, strrchr(directory, '/') + 1, "/0001_first_one.sql", NULL));
    assert_string_equal(one->checksum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void what_is_missing_or_different_is_counted(void **state)
{
    static const prometheus_migration_t wanted[] = { { "a/1", "x" }, { "a/2", "y" }, { "b/1", "z" } };
    apr_array_header_t *expected = apr_array_make(pool, 4, sizeof(prometheus_migration_t));
    apr_hash_t *applied = apr_hash_make(pool);
    int pending, changed;

    (void)state;
    for (int i = 0; i < 3; i++)
        APR_ARRAY_PUSH(expected, prometheus_migration_t) = wanted[i];
    prometheus_migrations_compare(expected, applied, &pending, &changed);
    assert_true(pending == 3 && changed == 0);
    apr_hash_set(applied, "a/1", APR_HASH_KEY_STRING, "x");
    apr_hash_set(applied, "a/2", APR_HASH_KEY_STRING, "another");
    apr_hash_set(applied, "c/1", APR_HASH_KEY_STRING, "ahead");
    prometheus_migrations_compare(expected, applied, &pending, &changed);
    assert_true(pending == 1 && changed == 1);
    apr_hash_set(applied, "a/2", APR_HASH_KEY_STRING, "y");
    apr_hash_set(applied, "b/1", APR_HASH_KEY_STRING, "z");
    prometheus_migrations_compare(expected, applied, &pending, &changed);
    assert_true(pending == 0 && changed == 0);
}

static void a_report_is_as_well_as_its_worst_part(void **state)
{
    static const trestle_health_t parts[] = { { "a", TRESTLE_HEALTHY, "Fine.", 1000 },
                                              { "b", TRESTLE_DEGRADED, "Slow.", 2000 },
                                              { "c", TRESTLE_UNHEALTHY, NULL, 0 } };
    const prometheus_report_t report = { .service = "s", .time = 1735689600000000, .uptime = 5500000 };
    apr_array_header_t *checks = apr_array_make(pool, 3, sizeof(trestle_health_t));
    const trestle_template_t *standard;
    trestle_text_t text = trestle_text_make(pool, 0);

    (void)state;
    assert_null(trestle_template_compile(pool, prometheus_health_template, prometheus_health_vocabulary, &standard));
    prometheus_health_write(checks, &report, standard, &text);
    assert_string_equal(text.bytes, "{\"status\":\"healthy\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"service\":\"s\","
                                    "\"uptime\":5}");
    for (int i = 0; i < 3; i++) {
        APR_ARRAY_PUSH(checks, trestle_health_t) = parts[i];
        assert_int_equal(prometheus_health_worst(checks), parts[i].state);
    }
    text.length = 0;
    prometheus_health_write(checks, &report, standard, &text);
    assert_string_equal(text.bytes,
                        "{\"status\":\"unhealthy\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"service\":\"s\",\"uptime\":"
                        "5,\"checks\":{\"a\":{\"status\":\"healthy\",\"message\":\"Fine.\"},\"b\":{\"status\":"
                        "\"degraded\",\"message\":\"Slow.\"},\"c\":{\"status\":\"unhealthy\",\"message\":null}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_numbered_files_count),
        cmocka_unit_test(what_is_missing_or_different_is_counted),
        cmocka_unit_test(a_report_is_as_well_as_its_worst_part),
    };

    return cmocka_run_group_tests_name("prometheus", tests, setup, teardown);
}
