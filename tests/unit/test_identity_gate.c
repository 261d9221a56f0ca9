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

static void make_gate(int places)
{
    gate = mmap(NULL, identity_gate_size(places), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(gate, MAP_FAILED);
    assert_ptr_not_equal(counter, MAP_FAILED);
    assert_int_equal(identity_gate_init(gate, places), APR_SUCCESS);
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
    make_gate(3);
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
    assert_int_equal(identity_gate_state(gate).refused, 0);
}

static void waiting_ends_in_time(void **state)
{
    apr_time_t before;
    int place;

    (void)state;
    make_gate(1);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    before = apr_time_now();
    assert_int_equal(identity_gate_enter(gate, 150000), -1);
    assert_in_range(apr_time_now() - before, 150000, 5 * APR_USEC_PER_SEC);
    assert_int_equal(identity_gate_state(gate).refused, 1);
    identity_gate_leave(gate, place);
    place = identity_gate_enter(gate, 0);
    assert_int_equal(place, 0);
    identity_gate_leave(gate, place);
}

static void places_of_the_dead_are_taken_again(void **state)
{
    (void)state;
    make_gate(2);
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
        assert_int_equal(identity_gate_enter(gate, 0), -1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_the_places_are_inside),
        cmocka_unit_test(waiting_ends_in_time),
        cmocka_unit_test(places_of_the_dead_are_taken_again),
    };

    return cmocka_run_group_tests_name("identity gate", tests, NULL, NULL);
}
