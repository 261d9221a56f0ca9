/*
 * How long batches take, by their statements' text: whether one is quick enough to travel among others. A table of
 * fixed size that forgets on collision; every word is read and written atomically, so that no lock is needed. Times in
 * microseconds, from sending to the commit's answer.
 */
#ifndef PG_PACE_H
#define PG_PACE_H

#include <stdatomic.h>
#include <stdint.h>

#define PG_PACES 4096 /* a power of two */

typedef struct {
    _Atomic uint64_t words[PG_PACES]; /* 40 bits of the batch's hash, 24 of its time; 0: none */
} pg_paces_t;

/* The batch's time as last known, UINT32_MAX if it is not. */
uint32_t pg_pace_of(const pg_paces_t *paces, uint64_t batch);

/* Notes a time. A shorter one counts at once, a longer one by an eighth: the machine being busy makes no batch slow. */
void pg_pace_note(pg_paces_t *paces, uint64_t batch, uint64_t time);

#endif
