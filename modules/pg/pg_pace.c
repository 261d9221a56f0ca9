#include "pg_pace.h"

#define TIME_BITS 24
#define TIME_MAX  ((UINT64_C(1) << TIME_BITS) - 1)

static uint64_t tag_of(uint64_t batch)
{
    return batch & ~TIME_MAX;
}

uint32_t pg_pace_of(const pg_paces_t *paces, uint64_t batch)
{
    uint64_t word = atomic_load_explicit(&paces->words[batch % PG_PACES], memory_order_relaxed);

    return word && tag_of(word) == tag_of(batch) ? (uint32_t)(word & TIME_MAX) : UINT32_MAX;
}

void pg_pace_set(pg_paces_t *paces, uint64_t batch, uint64_t time)
{
    uint64_t kept = time > TIME_MAX ? TIME_MAX : time ? time : 1;

    atomic_store_explicit(&paces->words[batch % PG_PACES], tag_of(batch) | kept, memory_order_relaxed);
}

void pg_pace_note(pg_paces_t *paces, uint64_t batch, uint64_t time)
{
    uint64_t known = pg_pace_of(paces, batch);

    if (time > TIME_MAX)
        time = TIME_MAX;
    if (known == UINT32_MAX)
        known = time;
    else if (time > known)
        known += (time - known + 7) / 8;
    else if (known > PG_QUICK)
        known -= (known - time) / 2;
    else
        known = time;
    pg_pace_set(paces, batch, known);
}
