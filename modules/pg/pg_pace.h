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
#define PG_QUICK 3000 /* what takes longer is not quick */

typedef struct {
    _Atomic uint64_t words[PG_PACES]; /* 40 bits of the batch's hash, 24 of its time; 0: none */
} pg_paces_t;

/* The batch's time as last known, UINT32_MAX if it is not. */
uint32_t pg_pace_of(const pg_paces_t *paces, uint64_t batch);

/* Notes the time of a batch that ran alone. A longer one counts by an eighth: the machine being busy makes no batch
 * slow. A shorter one counts at once, or, for a batch that is not quick, by half: quick is what is so several times. */
void pg_pace_note(pg_paces_t *paces, uint64_t batch, uint64_t time);

/* Sets the time of a batch that has held up others. */
void pg_pace_set(pg_paces_t *paces, uint64_t batch, uint64_t time);

#endif
