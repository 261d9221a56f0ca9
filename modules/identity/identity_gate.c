#include "identity_gate.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct identity_gate_t {
    apr_uint32_t turn; /* futex: grows whenever a place becomes free */
    int places;
    int inside, most;
    apr_uint32_t entered, refused;
    pthread_mutex_t place[]; /* locked while somebody is inside */
};

/* A child that is killed wakes nobody: those who wait look for its place this often. */
static const apr_interval_time_t LOOK_AGAIN = 100000;

apr_size_t identity_gate_size(int places)
{
    return sizeof(identity_gate_t) + (apr_size_t)places * sizeof(pthread_mutex_t);
}

apr_status_t identity_gate_init(identity_gate_t *gate, int places)
{
    pthread_mutexattr_t kind;
    int failed = pthread_mutexattr_init(&kind);

    failed = failed ? failed : pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    failed = failed ? failed : pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; !failed && i < places; i++)
        failed = pthread_mutex_init(&gate->place[i], &kind);
    gate->places = places;
    return failed;
}

/* Waits until turn is another, or for the time given. */
static void wait_for_turn(identity_gate_t *gate, apr_uint32_t turn, apr_interval_time_t time)
{
    struct timespec timeout = { time / APR_USEC_PER_SEC, time % APR_USEC_PER_SEC * 1000 };

    syscall(SYS_futex, &gate->turn, FUTEX_WAIT, turn, &timeout, NULL, 0);
}

static void note_entry(identity_gate_t *gate, int inside)
{
    int most = __atomic_load_n(&gate->most, __ATOMIC_RELAXED);

    while (inside > most
           && !__atomic_compare_exchange_n(&gate->most, &most, inside, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    __atomic_add_fetch(&gate->entered, 1, __ATOMIC_RELAXED);
}

/* A free place, or that of somebody who died inside; -1 if there is none. */
static int try_places(identity_gate_t *gate)
{
    for (int i = 0; i < gate->places; i++) {
        int rv = pthread_mutex_trylock(&gate->place[i]);

        if (rv == EOWNERDEAD) {
            pthread_mutex_consistent(&gate->place[i]); /* the dead one's part of inside is now ours */
            note_entry(gate, __atomic_load_n(&gate->inside, __ATOMIC_RELAXED));
            return i;
        }
        if (rv == 0) {
            note_entry(gate, __atomic_add_fetch(&gate->inside, 1, __ATOMIC_RELAXED));
            return i;
        }
    }
    return -1;
}

int identity_gate_enter(identity_gate_t *gate, apr_interval_time_t patience)
{
    const apr_time_t deadline = apr_time_now() + patience;

    for (;;) {
        apr_uint32_t turn = __atomic_load_n(&gate->turn, __ATOMIC_SEQ_CST);
        int place = try_places(gate);
        apr_interval_time_t left;

        if (place >= 0)
            return place;
        if ((left = deadline - apr_time_now()) <= 0) {
            __atomic_add_fetch(&gate->refused, 1, __ATOMIC_RELAXED);
            return -1;
        }
        wait_for_turn(gate, turn, left < LOOK_AGAIN ? left : LOOK_AGAIN);
    }
}

void identity_gate_leave(identity_gate_t *gate, int place)
{
    __atomic_sub_fetch(&gate->inside, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&gate->place[place]);
    __atomic_add_fetch(&gate->turn, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &gate->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

identity_gate_state_t identity_gate_state(identity_gate_t *gate)
{
    identity_gate_state_t state = { gate->places, __atomic_load_n(&gate->inside, __ATOMIC_RELAXED),
                                    __atomic_load_n(&gate->most, __ATOMIC_RELAXED),
                                    __atomic_load_n(&gate->entered, __ATOMIC_RELAXED),
                                    __atomic_load_n(&gate->refused, __ATOMIC_RELAXED) };

    return state;
}
