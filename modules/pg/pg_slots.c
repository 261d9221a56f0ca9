#include "pg_slots.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define STATE_BITS       3
#define WORD(pid, state) ((uint32_t)(pid) << STATE_BITS | (uint32_t)(state))
#define OWNER(word)      ((word) >> STATE_BITS)
#define STATE(word)      ((word) & ((1u << STATE_BITS) - 1))

static int is_dead(uint32_t pid)
{
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void pg_shared_init(pg_shared_t *shared)
{
    shared->version = PG_SHARED_VERSION;
    shared->size = sizeof(*shared);
    for (int i = 0; i < PG_MEMBERS; i++)
        sem_init(&shared->member[i].bell, 1, 0);
}

static int count_taken(pg_shared_t *shared)
{
    int taken = 0;

    for (int i = 0; i < PG_SLOTS; i++)
        taken += atomic_load_explicit(&shared->slots[i], memory_order_relaxed) != 0;
    return taken;
}

/*
 * Claims below max alone keep the bound, except while children of an older configuration hold slots above a PgMax that
 * shrank: then the claim is checked after it was made. Two that check at once may both step back; they try again.
 */
static int try_claim(pg_shared_t *shared, uint32_t pid, int max)
{
    for (int i = 0; i < max; i++) {
        uint32_t none = 0;

        if (atomic_load_explicit(&shared->slots[i], memory_order_relaxed) == 0
            && atomic_compare_exchange_strong(&shared->slots[i], &none, WORD(pid, PG_SLOT_CONNECTING))) {
            if (count_taken(shared) <= max)
                return i;
            pg_slot_free(shared, i);
            return -1;
        }
    }
    return -1;
}

int pg_slot_claim(pg_shared_t *shared, uint32_t pid)
{
    int max = (int)atomic_load(&shared->max);
    int slot = try_claim(shared, pid, max);
    uint32_t checked = pid;
    int freed = 0;

    if (slot >= 0)
        return slot;
    for (int i = 0; i < PG_SLOTS; i++) {
        uint32_t owner = OWNER(atomic_load(&shared->slots[i]));

        if (owner && owner != checked) {
            checked = owner;
            if (is_dead(owner))
                freed += pg_shared_forget(shared, owner);
        }
    }
    return freed ? try_claim(shared, pid, max) : -1;
}

void pg_slot_state(pg_shared_t *shared, int slot, uint32_t pid, pg_slot_state_e state)
{
    atomic_store_explicit(&shared->slots[slot], WORD(pid, state), memory_order_relaxed);
}

void pg_slot_free(pg_shared_t *shared, int slot)
{
    atomic_store(&shared->slots[slot], 0);
}

int pg_member_enter(pg_shared_t *shared, uint32_t pid)
{
    for (int i = 0; i < PG_MEMBERS; i++) {
        pg_member_t *member = &shared->member[i];
        uint32_t owner = atomic_load(&member->pid), members;

        if (owner && !is_dead(owner))
            continue;
        if (!atomic_compare_exchange_strong(&member->pid, &owner, pid))
            continue;
        atomic_store(&member->waiting, 0);
        while (sem_trywait(&member->bell) == 0)
            ;
        members = atomic_load(&shared->members);
        while (members < (uint32_t)i + 1 && !atomic_compare_exchange_weak(&shared->members, &members, (uint32_t)i + 1))
            ;
        return i;
    }
    return -1;
}

void pg_member_leave(pg_shared_t *shared, int member)
{
    atomic_store(&shared->member[member].waiting, 0);
    atomic_store(&shared->member[member].pid, 0);
}

int pg_shared_forget(pg_shared_t *shared, uint32_t pid)
{
    uint32_t members = atomic_load(&shared->members), listener = pid;
    int freed = 0;

    for (int i = 0; i < PG_SLOTS; i++) {
        uint32_t word = atomic_load(&shared->slots[i]);

        if (word && OWNER(word) == pid && atomic_compare_exchange_strong(&shared->slots[i], &word, 0))
            freed++;
    }
    for (uint32_t i = 0; i < members; i++)
        if (atomic_load(&shared->member[i].pid) == pid)
            pg_member_leave(shared, (int)i);
    if (atomic_compare_exchange_strong(&shared->listener, &listener, 0))
        atomic_store(&shared->listener_waits, 0);
    if (freed)
        pg_ring_waiting(shared, -1);
    return freed;
}

static int is_waiting(pg_shared_t *shared, uint32_t i)
{
    return atomic_load_explicit(&shared->member[i].waiting, memory_order_relaxed)
           && atomic_load_explicit(&shared->member[i].pid, memory_order_relaxed);
}

int pg_others_waiting(pg_shared_t *shared, int member)
{
    uint32_t members = atomic_load_explicit(&shared->members, memory_order_relaxed);
    int waiting = (int)atomic_load_explicit(&shared->listener_waits, memory_order_relaxed);

    for (uint32_t i = 0; i < members; i++)
        waiting += (int)i != member && is_waiting(shared, i);
    return waiting;
}

void pg_ring_waiting(pg_shared_t *shared, int member)
{
    uint32_t members = atomic_load(&shared->members);

    for (uint32_t n = 1; n <= members; n++) {
        uint32_t i = (uint32_t)(member + (int)n) % members;

        if ((int)i != member && is_waiting(shared, i)) {
            sem_post(&shared->member[i].bell);
            return;
        }
    }
}

int pg_others_idle(pg_shared_t *shared, uint32_t pid)
{
    for (int i = 0; i < PG_SLOTS; i++) {
        uint32_t word = atomic_load_explicit(&shared->slots[i], memory_order_relaxed);

        if (STATE(word) == PG_SLOT_IDLE && OWNER(word) != pid)
            return 1;
    }
    return 0;
}

void pg_ring_all(pg_shared_t *shared, int member)
{
    uint32_t members = atomic_load(&shared->members);

    for (uint32_t i = 0; i < members; i++)
        if ((int)i != member && atomic_load(&shared->member[i].pid))
            sem_post(&shared->member[i].bell);
}

int pg_should_give_up(int open, int waiting, int others_waiting, int max)
{
    int sharers = others_waiting + 1;

    if (!others_waiting)
        return 0;
    return !waiting || open > (max + sharers - 1) / sharers;
}

void pg_shared_usage(pg_shared_t *shared, pg_usage_t *usage)
{
    uint32_t members = atomic_load(&shared->members);

    memset(usage, 0, sizeof(*usage));
    for (int i = 0; i < PG_SLOTS; i++) {
        uint32_t word = atomic_load_explicit(&shared->slots[i], memory_order_relaxed);

        usage->used += word != 0;
        usage->connecting += STATE(word) == PG_SLOT_CONNECTING;
        usage->busy += STATE(word) == PG_SLOT_BUSY;
        usage->idle += STATE(word) == PG_SLOT_IDLE;
        usage->listening += STATE(word) == PG_SLOT_LISTENING;
        usage->closing += STATE(word) == PG_SLOT_CLOSING;
    }
    for (uint32_t i = 0; i < members; i++)
        if (atomic_load(&shared->member[i].pid)) {
            usage->children++;
            usage->waiting += (int)atomic_load(&shared->member[i].waiting);
        }
}

int pg_channel_find(pg_shared_t *shared, const char *name)
{
    uint32_t n = atomic_load_explicit(&shared->nchannels, memory_order_acquire);

    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(shared->channels[i].name, name))
            return (int)i;
    return -1;
}

int pg_channel_add(pg_shared_t *shared, const char *name)
{
    int found = pg_channel_find(shared, name);
    uint32_t n = atomic_load(&shared->nchannels);

    if (found >= 0)
        return found;
    if (n == PG_CHANNELS || !*name || strlen(name) >= PG_CHANNEL_NAME)
        return -1;
    strcpy(shared->channels[n].name, name);
    atomic_store_explicit(&shared->nchannels, n + 1, memory_order_release);
    return (int)n;
}

void pg_channel_bump_all(pg_shared_t *shared)
{
    uint32_t n = atomic_load(&shared->nchannels);

    for (uint32_t i = 0; i < n; i++)
        atomic_fetch_add(&shared->channels[i].generation, 1);
}
