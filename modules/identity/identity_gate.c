#include "identity_gate.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How many are somewhere. */
typedef struct {
    int now, most;
} count_t;

struct identity_gate_t {
    apr_uint32_t turn; /* futex: grows whenever a place becomes free */
    int places, queue;
    count_t inside, waiting;
    apr_uint32_t entered, late, full;
    pthread_mutex_t seat[]; /* the places, then those of the queue; locked while somebody has it */
};

/* A child that is killed wakes nobody: those who wait look for its place this often. */
static const apr_interval_time_t LOOK_AGAIN = 100000;

apr_size_t identity_gate_size(int places, int queue)
{
    return sizeof(identity_gate_t) + ((apr_size_t)places + (apr_size_t)queue) * sizeof(pthread_mutex_t);
}

apr_status_t identity_gate_init(identity_gate_t *gate, int places, int queue)
{
    pthread_mutexattr_t kind;
    int failed = pthread_mutexattr_init(&kind);

    failed = failed ? failed : pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    failed = failed ? failed : pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; !failed && i < places + queue; i++)
        failed = pthread_mutex_init(&gate->seat[i], &kind);
    gate->places = places;
    gate->queue = queue;
    return failed;
}

/* Waits until turn is another, or for the time given. */
static void wait_for_turn(identity_gate_t *gate, apr_uint32_t turn, apr_interval_time_t time)
{
    struct timespec timeout = { time / APR_USEC_PER_SEC, time % APR_USEC_PER_SEC * 1000 };

    syscall(SYS_futex, &gate->turn, FUTEX_WAIT, turn, &timeout, NULL, 0);
}

static int load(const int *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

static void increment(apr_uint32_t *number)
{
    __atomic_add_fetch(number, 1, __ATOMIC_RELAXED);
}

static void count_in(count_t *count)
{
    int now = __atomic_add_fetch(&count->now, 1, __ATOMIC_RELAXED), most = load(&count->most);

    while (now > most && !__atomic_compare_exchange_n(&count->most, &most, now, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* Takes one of n seats from first on, a free one or that of somebody who died; -1 if there is none. */
static int take(identity_gate_t *gate, int first, int n, count_t *count)
{
    for (int i = first; i < first + n; i++) {
        int rv = pthread_mutex_trylock(&gate->seat[i]);

        if (rv == EOWNERDEAD)
            pthread_mutex_consistent(&gate->seat[i]); /* the dead one's part of the count is now ours */
        else if (rv == 0)
            count_in(count);
        if (rv == EOWNERDEAD || rv == 0)
            return i;
    }
    return -1;
}

static void give_back(identity_gate_t *gate, int seat, count_t *count)
{
    __atomic_sub_fetch(&count->now, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&gate->seat[seat]);
}

/* A place; -1 if none became free before the deadline. */
static int wait_for_place(identity_gate_t *gate, apr_time_t deadline)
{
    for (;;) {
        apr_uint32_t turn = __atomic_load_n(&gate->turn, __ATOMIC_SEQ_CST);
        int place = take(gate, 0, gate->places, &gate->inside);
        apr_interval_time_t left = deadline - apr_time_now();

        if (place >= 0 || left <= 0)
            return place;
        wait_for_turn(gate, turn, left < LOOK_AGAIN ? left : LOOK_AGAIN);
    }
}

int identity_gate_enter(identity_gate_t *gate, apr_interval_time_t patience)
{
    const apr_time_t deadline = apr_time_now() + patience;
    int place = take(gate, 0, gate->places, &gate->inside);

    if (place < 0) {
        int seat = take(gate, gate->places, gate->queue, &gate->waiting);

        if (seat < 0) {
            increment(&gate->full);
            return IDENTITY_GATE_FULL;
        }
        place = wait_for_place(gate, deadline);
        give_back(gate, seat, &gate->waiting);
    }
    increment(place < 0 ? &gate->late : &gate->entered);
    return place < 0 ? IDENTITY_GATE_LATE : place;
}

void identity_gate_leave(identity_gate_t *gate, int place)
{
    give_back(gate, place, &gate->inside);
    __atomic_add_fetch(&gate->turn, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &gate->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

identity_gate_state_t identity_gate_state(identity_gate_t *gate)
{
    identity_gate_state_t state = { gate->places,
                                    load(&gate->inside.now),
                                    load(&gate->inside.most),
                                    gate->queue,
                                    load(&gate->waiting.now),
                                    load(&gate->waiting.most),
                                    __atomic_load_n(&gate->entered, __ATOMIC_RELAXED),
                                    __atomic_load_n(&gate->late, __ATOMIC_RELAXED),
                                    __atomic_load_n(&gate->full, __ATOMIC_RELAXED) };

    return state;
}
