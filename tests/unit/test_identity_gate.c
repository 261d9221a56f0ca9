/* The gate: never more inside than places, among threads and processes, and places of the dead come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity/identity_gate.h"

typedef struct {
    int inside, most;
} counter_t;

static identity_gate_t *gate;
static counter_t *counter;

static void make_gate(int places, int queue)
{
    gate = mmap(NULL, identity_gate_size(places, queue), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(gate, MAP_FAILED);
    assert_ptr_not_equal(counter, MAP_FAILED);
    assert_int_equal(identity_gate_init(gate, places, queue), APR_SUCCESS);
}

static void *go_through(void *data)
{
    (void)data;
    for (int i = 0; i < 200; i++) {
        int place = identity_gate_enter(gate, 10 * APR_USEC_PER_SEC), inside, most;

        if (place < 0)
            return gate;
        inside = __atomic_add_fetch(&counter->inside, 1, __ATOMIC_SEQ_CST);
        most = __atomic_load_n(&counter->most, __ATOMIC_SEQ_CST);
        while (inside > most
               && !__atomic_compare_exchange_n(&counter->most, &most, inside, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            ;
        if (i % 8 == 0)
            usleep(100);
        __atomic_sub_fetch(&counter->inside, 1, __ATOMIC_SEQ_CST);
        identity_gate_leave(gate, place);
    }
    return NULL;
}

static int run_threads(int n)
{
    pthread_t threads[16];
    int failed = 0;

    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, go_through, NULL);
    for (int i = 0; i < n; i++) {
        void *result;

        pthread_join(threads[i], &result);
        failed |= result != NULL;
    }
    return failed;
}

static void no_more_than_the_places_are_inside(void **state)
{
    pid_t children[3];

    (void)state;
    make_gate(3, 24);
    for (int i = 0; i < 3; i++)
        if ((children[i] = fork()) == 0)
            _exit(run_threads(8));
    for (int i = 0; i < 3; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_in_range(counter->most, 1, 3);
    assert_int_equal(identity_gate_state(gate).entered, 3 * 8 * 200);
    assert_int_equal(identity_gate_state(gate).inside, 0);
    assert_int_equal(identity_gate_state(gate).late, 0);
    assert_int_equal(identity_gate_state(gate).full, 0);
    assert_int_equal(identity_gate_state(gate).waiting, 0);
    assert_in_range(identity_gate_state(gate).most_waiting, 1, 24);
}

static void waiting_ends_in_time(void **state)
{
    apr_time_t before;
    int place;

    (void)state;
    make_gate(1, 1);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    before = apr_time_now();
    assert_int_equal(identity_gate_enter(gate, 150000), IDENTITY_GATE_LATE);
    assert_in_range(apr_time_now() - before, 150000, 5 * APR_USEC_PER_SEC);
    assert_int_equal(identity_gate_state(gate).late, 1);
    assert_int_equal(identity_gate_state(gate).waiting, 0);
    identity_gate_leave(gate, place);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    identity_gate_leave(gate, place);
}

static void places_of_the_dead_are_taken_again(void **state)
{
    (void)state;
    make_gate(2, 1);
    for (int round = 0; round < 20; round++) {
        int ready[2], place;
        char byte;
        pid_t child;

        assert_int_equal(pipe(ready), 0);
        if ((child = fork()) == 0) {
            int both = identity_gate_enter(gate, 0) >= 0 && identity_gate_enter(gate, 0) >= 0;

            _exit(write(ready[1], "x", 1) != 1 || !both || pause());
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(identity_gate_enter(gate, 0), IDENTITY_GATE_LATE);
        assert_int_equal(identity_gate_state(gate).inside, 2);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        place = identity_gate_enter(gate, 0);
        assert_true(place >= 0);
        assert_true(identity_gate_enter(gate, 0) >= 0);
        assert_int_equal(identity_gate_state(gate).inside, 2);
        identity_gate_leave(gate, place);
        identity_gate_leave(gate, 1 - place);
        assert_int_equal(identity_gate_state(gate).inside, 0);
        close(ready[0]);
        close(ready[1]);
    }
}

static void *wait_for_a_place(void *data)
{
    int place = identity_gate_enter(gate, 60 * APR_USEC_PER_SEC);

    (void)data;
    if (place >= 0)
        identity_gate_leave(gate, place);
    return NULL;
}

/* Until that many wait. */
static void await_waiting(int n)
{
    for (int i = 0; identity_gate_state(gate).waiting != n && i < 20000; i++)
        usleep(1000);
    assert_int_equal(identity_gate_state(gate).waiting, n);
}

static void a_full_queue_refuses_at_once(void **state)
{
    pthread_t threads[2];
    apr_time_t before;
    int place;

    (void)state;
    make_gate(1, 2);
    place = identity_gate_enter(gate, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, wait_for_a_place, NULL);
    await_waiting(2);
    before = apr_time_now();
    for (int i = 0; i < 100; i++)
        assert_int_equal(identity_gate_enter(gate, 60 * APR_USEC_PER_SEC), IDENTITY_GATE_FULL);
    assert_in_range(apr_time_now() - before, 0, 30 * APR_USEC_PER_SEC);
    assert_int_equal(identity_gate_state(gate).full, 100);
    assert_int_equal(identity_gate_state(gate).late, 0);
    identity_gate_leave(gate, place);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(identity_gate_state(gate).waiting, 0);
    assert_int_equal(identity_gate_state(gate).most_waiting, 2);
    assert_int_equal(identity_gate_state(gate).entered, 3);
}

static void without_a_queue_nobody_waits(void **state)
{
    int place;

    (void)state;
    make_gate(1, 0);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    assert_int_equal(identity_gate_enter(gate, 60 * APR_USEC_PER_SEC), IDENTITY_GATE_FULL);
    identity_gate_leave(gate, place);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    identity_gate_leave(gate, place);
}

static void *wait_in_vain(void *data)
{
    (void)data;
    return identity_gate_enter(gate, 100000) == IDENTITY_GATE_LATE ? NULL : gate;
}

static void the_dead_do_not_wait(void **state)
{
    (void)state;
    make_gate(1, 2);
    for (int round = 0; round < 5; round++) {
        int place = identity_gate_enter(gate, 0);
        pthread_t threads[2];
        pid_t child;

        assert_int_equal(place, 0);
        if ((child = fork()) == 0) {
            pthread_create(&threads[0], NULL, wait_for_a_place, NULL);
            wait_for_a_place(NULL);
            _exit(0);
        }
        await_waiting(2);
        assert_int_equal(identity_gate_enter(gate, 60 * APR_USEC_PER_SEC), IDENTITY_GATE_FULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (int tries = 0; identity_gate_state(gate).waiting && tries < 50; tries++)
            for (int i = 0; i < 4; i++) {
                void *result = NULL;

                if (i < 2)
                    pthread_create(&threads[i], NULL, wait_in_vain, NULL);
                else
                    pthread_join(threads[i - 2], &result);
                assert_null(result);
            }
        assert_int_equal(identity_gate_state(gate).waiting, 0);
        assert_int_equal(identity_gate_state(gate).most_waiting, 2);
        identity_gate_leave(gate, place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_the_places_are_inside), cmocka_unit_test(waiting_ends_in_time),
        cmocka_unit_test(places_of_the_dead_are_taken_again), cmocka_unit_test(a_full_queue_refuses_at_once),
        cmocka_unit_test(without_a_queue_nobody_waits),       cmocka_unit_test(the_dead_do_not_wait),
    };

    return cmocka_run_group_tests_name("identity gate", tests, NULL, NULL);
}
