/* mod_pg's core: slots, the queue, the breaker, prepared statements, the pipeline's own statements, conninfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "pg/pg_breaker.h"
#include "pg/pg_conninfo.h"
#include "pg/pg_pace.h"
#include "pg/pg_pipeline.h"
#include "pg/pg_queue.h"
#include "pg/pg_slots.h"
#include "pg/pg_statements.h"

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static pg_shared_t *fresh(int max)
{
    pg_shared_t *shared = apr_pcalloc(pool, sizeof(*shared));

    pg_shared_init(shared);
    atomic_store(&shared->max, (uint32_t)max);
    return shared;
}

/* The pid of a process that has ended and was waited for. */
static uint32_t dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return (uint32_t)pid;
}

static void slots_keep_the_maximum(void **state)
{
    pg_shared_t *shared = fresh(3);
    uint32_t me = (uint32_t)getpid();
    pg_usage_t usage;

    (void)state;
    assert_int_equal(pg_slot_claim(shared, me), 0);
    assert_int_equal(pg_slot_claim(shared, me), 1);
    assert_int_equal(pg_slot_claim(shared, me), 2);
    assert_int_equal(pg_slot_claim(shared, me), -1);
    pg_slot_state(shared, 0, me, PG_SLOT_BUSY);
    pg_slot_state(shared, 1, me, PG_SLOT_IDLE);
    pg_shared_usage(shared, &usage);
    assert_int_equal(usage.used, 3);
    assert_int_equal(usage.busy, 1);
    assert_int_equal(usage.idle, 1);
    assert_int_equal(usage.connecting, 1);
    assert_false(pg_others_idle(shared, me));
    assert_true(pg_others_idle(shared, me + 1));
    pg_slot_free(shared, 1);
    assert_int_equal(pg_slot_claim(shared, me), 1);
}

static void slots_above_a_maximum_that_shrank_count(void **state)
{
    pg_shared_t *shared = fresh(6);
    uint32_t me = (uint32_t)getpid();

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(pg_slot_claim(shared, me), i);
    atomic_store(&shared->max, 3);
    for (int i = 0; i < 3; i++)
        pg_slot_free(shared, i);
    assert_int_equal(pg_slot_claim(shared, me), -1);
    pg_slot_free(shared, 5);
    assert_int_equal(pg_slot_claim(shared, me), 0);
    assert_int_equal(pg_slot_claim(shared, me), -1);
}

static void slots_of_the_dead_are_taken_back(void **state)
{
    pg_shared_t *shared = fresh(2);
    uint32_t gone = dead_pid(), me = (uint32_t)getpid();
    int member = pg_member_enter(shared, gone);

    (void)state;
    assert_int_equal(pg_slot_claim(shared, gone), 0);
    assert_int_equal(pg_slot_claim(shared, gone), 1);
    atomic_store(&shared->listener, gone);
    atomic_store(&shared->member[member].waiting, 1);
    assert_int_equal(pg_others_waiting(shared, -1), 1);
    assert_int_equal(pg_slot_claim(shared, me), 0);
    assert_int_equal(pg_slot_claim(shared, me), 1);
    assert_int_equal(atomic_load(&shared->listener), 0);
    assert_int_equal(pg_others_waiting(shared, -1), 0);
}

static void members_are_rung_in_turn(void **state)
{
    pg_shared_t *shared = fresh(2);
    int me = pg_member_enter(shared, (uint32_t)getpid());
    int other = pg_member_enter(shared, (uint32_t)getppid());
    int rung;

    (void)state;
    assert_int_equal(me, 0);
    assert_int_equal(other, 1);
    pg_ring_waiting(shared, me);
    assert_int_equal(sem_trywait(&shared->member[other].bell), -1);
    atomic_store(&shared->member[other].waiting, 3);
    atomic_store(&shared->member[me].waiting, 3);
    assert_int_equal(pg_others_waiting(shared, me), 1);
    pg_ring_waiting(shared, me);
    assert_int_equal(sem_trywait(&shared->member[other].bell), 0);
    sem_getvalue(&shared->member[me].bell, &rung);
    assert_int_equal(rung, 0);
    pg_ring_all(shared, other);
    assert_int_equal(sem_trywait(&shared->member[me].bell), 0);
    pg_member_leave(shared, other);
    assert_int_equal(pg_member_enter(shared, (uint32_t)getpid()), 1);
}

static void sharing_is_fair(void **state)
{
    (void)state;
    assert_false(pg_should_give_up(5, 0, 0, 16)); /* nobody else waits */
    assert_true(pg_should_give_up(1, 0, 1, 16));  /* not needed here */
    assert_true(pg_should_give_up(15, 3, 1, 16)); /* more than half */
    assert_false(pg_should_give_up(8, 3, 1, 16)); /* half */
    assert_true(pg_should_give_up(7, 3, 2, 16));  /* more than a third, rounded up */
    assert_false(pg_should_give_up(6, 3, 2, 16));
    assert_false(pg_should_give_up(1, 1, 99, 16)); /* everybody keeps one */
}

static void channels_are_found_by_name(void **state)
{
    pg_shared_t *shared = fresh(1);
    char name[PG_CHANNEL_NAME + 1];

    (void)state;
    assert_int_equal(pg_channel_add(shared, "a"), 0);
    assert_int_equal(pg_channel_add(shared, "b"), 1);
    assert_int_equal(pg_channel_add(shared, "a"), 0);
    assert_int_equal(pg_channel_find(shared, "c"), -1);
    assert_int_equal(pg_channel_add(shared, ""), -1);
    memset(name, 'x', sizeof(name));
    name[PG_CHANNEL_NAME] = 0;
    assert_int_equal(pg_channel_add(shared, name), -1);
    name[PG_CHANNEL_NAME - 1] = 0;
    assert_int_equal(pg_channel_add(shared, name), 2);
    pg_channel_bump_all(shared);
    assert_int_equal(atomic_load(&shared->channels[1].generation), 1);
    for (int i = 3; i < PG_CHANNELS; i++)
        assert_int_equal(pg_channel_add(shared, apr_psprintf(pool, "n%d", i)), i);
    assert_int_equal(pg_channel_add(shared, "one too many"), -1);
}

static void the_queue_keeps_the_order(void **state)
{
    pg_queue_t queue = { 0 };
    pg_waiter_t a, b, c;

    (void)state;
    pg_waiter_init(&a);
    pg_waiter_init(&b);
    pg_waiter_init(&c);
    assert_false(pg_queue_give(&queue, "x"));
    pg_queue_append(&queue, &a);
    pg_queue_append(&queue, &b);
    pg_queue_append(&queue, &c);
    assert_int_equal(queue.length, 3);
    pg_queue_remove(&queue, &b);
    assert_true(pg_queue_give(&queue, "one"));
    assert_string_equal(a.given, "one");
    pg_queue_prepend(&queue, &b);
    assert_true(pg_queue_give(&queue, "two"));
    assert_string_equal(b.given, "two");
    assert_true(queue.first == &c && queue.last == &c && queue.length == 1);
    pg_queue_remove(&queue, &c);
    assert_true(!queue.first && !queue.last && queue.length == 0);
    pg_waiter_destroy(&a);
    pg_waiter_destroy(&b);
    pg_waiter_destroy(&c);
}

static void the_breaker_tells_news_once(void **state)
{
    pg_breaker_t breaker = { 0 };
    apr_time_t now = apr_time_from_sec(100);
    apr_interval_time_t outage;

    (void)state;
    assert_false(pg_breaker_succeeded(&breaker, now, &outage));
    assert_true(pg_breaker_failed(&breaker, now, ""));
    assert_false(pg_breaker_failed(&breaker, now + 200000, ""));
    assert_true(pg_breaker_failed(&breaker, now + 400000, "57P03"));
    assert_int_equal(breaker.probe, now + 400000 + PG_PROBE_INTERVAL);
    assert_false(pg_breaker_hopeless(&breaker, now + 2000000, 2000000));
    assert_true(pg_breaker_hopeless(&breaker, now + 2000001, 2000000));
    assert_int_equal(pg_breaker_retry_after(&breaker, now + 5000000), 1);
    assert_int_equal(pg_breaker_retry_after(&breaker, now + 50000000), 5);
    assert_true(pg_breaker_succeeded(&breaker, now + 3000000, &outage));
    assert_int_equal(outage, 3000000);
    assert_false(pg_breaker_hopeless(&breaker, now + 9000000, 2000000));
}

static void the_sqlstate_of_a_failed_connection(void **state)
{
    static const char *const messages[][2] = {
        { "connection to server at \"::1\", port 5432 failed: FATAL:  28P01: password authentication failed for user "
          "\"x\"\nLOCATION:  auth_failed, auth.c:335\n",
          "28P01" },
        { "치명적오류:  3D000: 데이터베이스가 없습니다\n", "3D000" },
        { "connection to server on socket \"/x/.s.PGSQL.5432\" failed: No such file or directory", "" },
        { "x:  12345", "" },
        { "", "" },
    };
    char sqlstate[6];

    (void)state;
    for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        pg_connect_sqlstate(messages[i][0], sqlstate);
        assert_string_equal(sqlstate, messages[i][1]);
    }
    assert_non_null(strstr(pg_connect_mend("28P01"), "PgPasswordFile"));
    assert_non_null(strstr(pg_connect_mend(""), "server runs"));
}

static void statements_are_bounded_and_the_oldest_go(void **state)
{
    pg_statements_t statements;
    char evicted[PG_STATEMENT_NAME], first[PG_STATEMENT_NAME], text[40];
    const unsigned int types[] = { 23, 25 }, other[] = { 23, 20 };
    pg_prepared_t *prepared;

    (void)state;
    pg_statements_init(&statements, 1);
    assert_int_equal(statements.limit, 32);
    assert_null(pg_statements_find(&statements, "select 0", NULL, 0));
    for (int i = 0; i < 32; i++) {
        snprintf(text, sizeof(text), "select %d", i);
        prepared = pg_statements_add(&statements, text, NULL, 0, evicted);
        assert_string_equal(evicted, "");
        if (i == 1)
            strcpy(first, prepared->name);
    }
    assert_non_null(pg_statements_find(&statements, "select 0", NULL, 0));
    prepared = pg_statements_add(&statements, "select $1", types, 2, evicted);
    assert_string_equal(evicted, first);
    assert_null(pg_statements_find(&statements, "select 1", NULL, 0));
    assert_ptr_equal(pg_statements_find(&statements, "select $1", types, 2), prepared);
    assert_null(pg_statements_find(&statements, "select $1", other, 2));
    assert_null(pg_statements_find(&statements, "select $1", types, 1));
    assert_null(pg_statements_find(&statements, "select $1", NULL, 2));
    pg_statements_remove(&statements, prepared);
    assert_null(pg_statements_find(&statements, "select $1", types, 2));
    assert_int_equal(statements.count, 31);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "select 'churn %d'", i);
        assert_non_null(pg_statements_add(&statements, text, types, i % 3, evicted));
    }
    assert_int_equal(statements.count, 32);
    pg_statements_clear(&statements);
    assert_null(pg_statements_find(&statements, "select 0", NULL, 0));
    prepared = pg_statements_add(&statements, "again", NULL, 0, evicted);
    assert_string_not_equal(prepared->name, first);
    pg_statements_clear(&statements);
}

static void paces_are_learned(void **state)
{
    const uint64_t quick = 0xABCDEF0123456789u, collides = quick ^ (UINT64_C(1) << 60);
    pg_paces_t *paces = calloc(1, sizeof(*paces));

    (void)state;
    assert_int_equal(pg_pace_of(paces, quick), UINT32_MAX);
    pg_pace_note(paces, quick, 900);
    assert_int_equal(pg_pace_of(paces, quick), 900);
    pg_pace_note(paces, quick, 100);
    assert_int_equal(pg_pace_of(paces, quick), 100);
    pg_pace_note(paces, quick, 900);
    assert_int_equal(pg_pace_of(paces, quick), 200);
    for (int i = 0; i < 100; i++)
        pg_pace_note(paces, quick, UINT64_MAX);
    assert_true(pg_pace_of(paces, quick) > 16000000);
    /* What was slow is quick again when it was so several times. */
    pg_pace_set(paces, quick, 40000);
    for (int i = 0; i < 4; i++) {
        assert_true(pg_pace_of(paces, quick) > PG_QUICK);
        pg_pace_note(paces, quick, 100);
    }
    assert_true(pg_pace_of(paces, quick) <= PG_QUICK);
    /* Another batch with the same place in the table takes it; the first is unknown then, never mistaken. */
    pg_pace_note(paces, collides, 0);
    assert_int_equal(pg_pace_of(paces, collides), 1);
    assert_int_equal(pg_pace_of(paces, quick), UINT32_MAX);
    free(paces);
}

static void the_settings_statement(void **state)
{
    const char *text = pg_settings_statement(pool, PG_SETTINGS_MAX);

    (void)state;
    assert_string_equal(pg_settings_statement(pool, 1),
                        "SELECT pg_catalog.num_nulls(pg_catalog.set_config($1,$2,true))");
    assert_string_equal(pg_settings_statement(pool, 2), "SELECT pg_catalog.num_nulls(pg_catalog.set_config($1,$2,true),"
                                                        "pg_catalog.set_config($3,$4,true))");
    assert_non_null(strstr(text, "set_config($127,$128,true))"));
}

static void forbidden_statements(void **state)
{
    static const char *const forbidden[] = { "commit",          " ;; COMMIT",       "(begin",        "/**/end",
                                             "/*/*x*/*/ABORT",  "--x\nrollback",    "Copy t from x", "call p()",
                                             "do $$ begin $$;", "start transaction" };
    static const char *const allowed[] = {
        "select 1", "committed", "/* commit */ select 1", "-- commit", "/* unclosed ", "", "with do as (select 1)",
        "copying",  "do_it",     "deallocate x"
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_true(pg_statement_is_forbidden(forbidden[i]));
    for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        assert_false(pg_statement_is_forbidden(allowed[i]));
}

static void connection_strings(void **state)
{
    (void)state;
    assert_null(pg_conninfo_check(pool, "dbname=x host='/a b' port=5432"));
    assert_null(pg_conninfo_check(pool, "service=shop"));
    assert_null(pg_conninfo_check(pool, "postgresql://user@host:5432/db"));
    assert_null(pg_conninfo_check(pool, "dbname=x passfile=/etc/pgpass"));
    assert_non_null(strstr(pg_conninfo_check(pool, "  "), "write for example"));
    assert_non_null(strstr(pg_conninfo_check(pool, "dbname=x nonsense=1"), "nonsense"));
    assert_null(strstr(pg_conninfo_check(pool, "password=a hunter2"), "hunter2"));
    assert_null(strstr(pg_conninfo_check(pool, "postgresql://u:hunter2@h/d"), "hunter2"));
    assert_non_null(strstr(pg_conninfo_check(pool, "dbname=x sslpassword=y"), "PgPasswordFile"));
}

/* What pg_password_read says of a file with these bytes and rights. */
static const char *read_password(const char *bytes, size_t length, mode_t mode, const char **password)
{
    char path[] = "/tmp/pg_password_XXXXXX";
    int fd = mkstemp(path);
    const char *problem;

    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    fchmod(fd, mode);
    close(fd);
    problem = pg_password_read(pool, path, password);
    unlink(path);
    return problem;
}

static void password_files(void **state)
{
    const char *password = NULL;
    char huge[2000];

    (void)state;
    memset(huge, 'x', sizeof(huge));
    assert_null(read_password("s3cret\nmore\n", 12, 0600, &password));
    assert_string_equal(password, "s3cret");
    assert_null(read_password("no newline", 10, 0640, &password));
    assert_string_equal(password, "no newline");
    assert_non_null(strstr(read_password("x\n", 2, 0644, &password), "chmod 600"));
    assert_non_null(strstr(read_password("x\n", 2, 0620, &password), "chmod 600"));
    assert_non_null(strstr(read_password("\n", 1, 0600, &password), "first line"));
    assert_non_null(strstr(read_password("", 0, 0600, &password), "first line"));
    assert_non_null(strstr(read_password(huge, sizeof(huge), 0600, &password), "longer"));
    assert_non_null(strstr(pg_password_read(pool, "/", &password), "not a file"));
    assert_non_null(strstr(pg_password_read(pool, "/no/such", &password), "cannot read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_keep_the_maximum),
        cmocka_unit_test(slots_above_a_maximum_that_shrank_count),
        cmocka_unit_test(slots_of_the_dead_are_taken_back),
        cmocka_unit_test(members_are_rung_in_turn),
        cmocka_unit_test(sharing_is_fair),
        cmocka_unit_test(channels_are_found_by_name),
        cmocka_unit_test(the_queue_keeps_the_order),
        cmocka_unit_test(the_breaker_tells_news_once),
        cmocka_unit_test(the_sqlstate_of_a_failed_connection),
        cmocka_unit_test(statements_are_bounded_and_the_oldest_go),
        cmocka_unit_test(paces_are_learned),
        cmocka_unit_test(the_settings_statement),
        cmocka_unit_test(forbidden_statements),
        cmocka_unit_test(connection_strings),
        cmocka_unit_test(password_files),
    };

    return cmocka_run_group_tests_name("pg core", tests, setup, teardown);
}
