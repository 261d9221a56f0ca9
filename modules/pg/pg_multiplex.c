#include "pg_multiplex.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define STALLED    5000        /* microseconds: no more flights behind one that has not been answered for so long */
#define HELD_UP    (10 * 1000) /* microseconds: who kept others waiting for so long is not quick */
#define PATIENCE   (50 * 1000) /* microseconds: longest wait while nothing moves */
#define ALWAYS     2           /* lanes that are used even if others have room */
#define FLIGHT_MAX 4096        /* bytes of parameters; larger flights could fill the socket */

int pg_multiplex_start(trestle_pg_pool_t *pool)
{
    pthread_mutexattr_t attributes;

    if (pool->multiplex <= 1 || !pool->prepare || !pool->child->threaded)
        return 1;
    pool->paces = calloc(1, sizeof(*pool->paces));
    pool->lanes = calloc(PG_LANES, sizeof(*pool->lanes));
    if (!pool->paces || !pool->lanes)
        return 0;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    for (int i = 0; i < PG_LANES; i++) {
        pool->lanes[i].pool = pool;
        pthread_mutex_init(&pool->lanes[i].lock, &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
    return 1;
}

static size_t parameters_size(const trestle_pg_statement_t *statement)
{
    size_t size = 0;

    for (int i = 0; i < statement->nparams; i++) {
        if (!statement->values[i])
            continue;
        size +=
            statement->formats && statement->formats[i] ? (size_t)statement->lengths[i] : strlen(statement->values[i]);
    }
    return size;
}

uint64_t pg_multiplex_key(const trestle_pg_pool_t *pool, const pg_flight_t *flight)
{
    const trestle_pg_batch_t *batch = flight->batch;
    size_t size = parameters_size(&flight->settings);
    uint64_t key = 0;

    if (!pool->paces || !batch->read_only)
        return 0;
    for (int i = 0; i < batch->nstatements; i++) {
        const trestle_pg_statement_t *statement = &batch->statements[i];

        size += parameters_size(statement);
        key = key * 31
              + pg_statement_hash(statement->sql, strlen(statement->sql), statement->types,
                                  statement->types ? statement->nparams : 0);
    }
    return size > FLIGHT_MAX ? 0 : key ? key : 1;
}

pg_lane_t *pg_multiplex_lane(trestle_pg_pool_t *pool, uint64_t key)
{
    pg_lane_t *best = NULL;
    int shortest = pool->multiplex;

    if (!key || pg_pace_of(pool->paces, key) > PG_QUICK)
        return NULL;
    for (int i = 0; i < PG_LANES && (i < ALWAYS || !best); i++) {
        pg_lane_t *lane = &pool->lanes[i];
        int length = atomic_load_explicit(&lane->length, memory_order_relaxed);

        if (length < shortest && (!length || pg_now() - lane->since < STALLED)) {
            shortest = length;
            best = lane;
        }
    }
    return best;
}

static void make_reader(pg_lane_t *lane, pg_turn_t *turn)
{
    lane->since = pg_now();
    turn->state = PG_TURN_READING;
}

static void tell(pg_turn_t *turn, pg_turn_e state)
{
    turn->state = state;
    sem_post(&turn->wake);
}

/* Half a flight must not be followed by another: what cannot be sent whole breaks the connection, which who
 * reads finds out. The lock is held. */
static void send_flight(pg_lane_t *lane, pg_turn_t *turn)
{
    turn->place = (lane->first + lane->length) % PG_DEPTH;
    lane->ring[turn->place] = turn;
    if (!lane->length++)
        make_reader(lane, turn);
    if (!pg_flight_send(turn->flight, lane->connection, 0, 1))
        shutdown(PQsocket(lane->connection->pg), SHUT_RDWR);
}

static void prepare_turn(pg_turn_t *turn, pg_flight_t *flight, uint64_t key)
{
    turn->flight = flight;
    turn->key = key;
    turn->state = PG_TURN_WAITING;
    sem_init(&turn->wake, 0, 0);
}

/* Sends what has come to be sent meanwhile, in the order it came. The lock is held. */
static void send_joining(pg_lane_t *lane)
{
    pg_turn_t *newest = atomic_exchange(&lane->joining, NULL), *oldest = NULL, *next;

    for (; newest; newest = next) {
        next = newest->next;
        newest->next = oldest;
        oldest = newest;
    }
    for (; oldest; oldest = next) {
        next = oldest->next;
        if (lane->length && lane->length < lane->pool->multiplex && !lane->connection->forget)
            send_flight(lane, oldest);
        else
            tell(oldest, PG_TURN_BROKEN);
    }
}

/* Lets the lock go. What came while it was held, and was left to its holder, is sent. */
static void unlock(pg_lane_t *lane)
{
    do {
        send_joining(lane);
        pthread_mutex_unlock(&lane->lock);
        /* Either this sees who has just joined, or he sees that the lock is free. */
        atomic_thread_fence(memory_order_seq_cst);
    } while (atomic_load(&lane->joining) && pthread_mutex_trylock(&lane->lock) == 0);
}

/* Others want the connection: the lane must come to its end. */
static int is_wanted(trestle_pg_pool_t *pool)
{
    return pg_others_waiting(pool->shared, pool->member) > 0
           || (pool->member >= 0 && atomic_load(&pool->shared->member[pool->member].waiting) > 0);
}

int pg_multiplex_join(pg_lane_t *lane, pg_turn_t *turn, pg_flight_t *flight, uint64_t key)
{
    if (!atomic_load_explicit(&lane->length, memory_order_relaxed) || is_wanted(lane->pool))
        return 0;
    prepare_turn(turn, flight, key);
    turn->next = atomic_load(&lane->joining);
    while (!atomic_compare_exchange_weak(&lane->joining, &turn->next, turn))
        ;
    atomic_thread_fence(memory_order_seq_cst);
    if (pthread_mutex_trylock(&lane->lock) == 0)
        unlock(lane);
    return 1;
}

int pg_multiplex_open(pg_lane_t *lane, pg_connection_t *connection, pg_turn_t *turn, pg_flight_t *flight, uint64_t key)
{
    int opened = 0;

    pthread_mutex_lock(&lane->lock);
    if (!lane->connection) {
        lane->connection = connection;
        prepare_turn(turn, flight, key);
        send_flight(lane, turn);
        opened = 1;
    }
    unlock(lane);
    return opened;
}

/* Takes the first off the lane. The lock is held. */
static void pop(pg_lane_t *lane)
{
    lane->first = (lane->first + 1) % PG_DEPTH;
    lane->length--;
}

/* Ends the lane: all but the turn given run alone. Its connection, which is the caller's. The lock is held. */
static pg_connection_t *break_up(pg_lane_t *lane, const pg_turn_t *but)
{
    pg_connection_t *connection = lane->connection;

    for (; lane->length; pop(lane))
        if (lane->ring[lane->first] && lane->ring[lane->first] != but)
            tell(lane->ring[lane->first], PG_TURN_BROKEN);
    lane->connection = NULL;
    return connection;
}

/* What the thread that leaves a lane does with its connection, without the lock. */
typedef enum { KEEP_GOING, RELEASE, DISCARD, CANCEL } leave_e;

/* Takes what has come for the first flight of the ring, and it off the lane once all has. Of one that nobody waits for
 * any more it is not known which of its commands failed: it may have prepared a statement. The lock is held. */
static pg_take_e take_first(pg_lane_t *lane)
{
    pg_connection_t *connection = lane->connection;
    pg_turn_t *turn = lane->ring[lane->first];
    pg_take_e take = turn ? pg_flight_take(turn->flight) : pg_flight_skip(connection, &connection->forget);

    if (take != PG_TAKE_DONE)
        return take;
    pop(lane);
    if (turn)
        connection->forget |= pg_flight_is_stale(turn->flight);
    return PG_TAKE_DONE;
}

static pg_turn_t *first_who_waits(pg_lane_t *lane)
{
    for (int i = 0; i < lane->length; i++)
        if (lane->ring[(lane->first + i) % PG_DEPTH])
            return lane->ring[(lane->first + i) % PG_DEPTH];
    return NULL;
}

/*
 * Who has read is off the lane: hands out what else has been answered, and makes the first who has not been answered
 * the one who reads. The lock is held.
 */
static leave_e pass_on(pg_lane_t *lane, pg_connection_t **connection)
{
    *connection = lane->connection;
    while (lane->length) {
        pg_turn_t *turn = lane->ring[lane->first];
        pg_take_e take = take_first(lane);

        if (take == PG_TAKE_DONE) {
            if (turn)
                tell(turn, PG_TURN_ANSWERED);
        } else if (take == PG_TAKE_BUSY && (turn = first_who_waits(lane))) {
            make_reader(lane, turn);
            sem_post(&turn->wake);
            return KEEP_GOING;
        } else {
            break_up(lane, NULL);
            return take == PG_TAKE_BUSY ? CANCEL : DISCARD;
        }
    }
    lane->connection = NULL;
    return PQtransactionStatus((*connection)->pg) == PQTRANS_IDLE
                   && PQpipelineStatus((*connection)->pg) == PQ_PIPELINE_ON
               ? RELEASE
               : DISCARD;
}

static void leave(pg_connection_t *connection, leave_e how)
{
    if (how == RELEASE)
        pg_pool_release(connection);
    else if (how == DISCARD)
        pg_pool_discard(connection);
    else if (how == CANCEL)
        pg_cancel_take(connection);
}

/* How long it took says whether the batch may travel among others again. */
static void note_pace(pg_lane_t *lane, const pg_turn_t *turn, apr_time_t began)
{
    apr_interval_time_t took = pg_now() - began;

    if (took > HELD_UP)
        pg_pace_set(lane->pool->paces, turn->key, (uint64_t)took);
}

/* The wait of who reads came to nothing. The lock is held. */
static pg_lane_e give_up(pg_lane_t *lane, pg_turn_t *turn, pg_wait_e waited, const pg_watch_t *watch, leave_e *how,
                         pg_connection_t **connection)
{
    int behind_others = lane->ring[lane->first] != turn;

    if (waited == PG_WAIT_CLIENT_GONE) {
        lane->ring[turn->place] = NULL;
        *how = pass_on(lane, connection);
        return PG_LANE_CLIENT_GONE;
    }
    break_up(lane, turn);
    *how = CANCEL;
    if (waited == PG_WAIT_STOPPED)
        return PG_LANE_STOPPED;
    return behind_others && pg_now() < watch->deadline ? PG_LANE_ALONE : PG_LANE_TIMEOUT;
}

/* Takes what has come up to the end of the turn's own flight; began: when that became the first. The lock is held. */
static pg_take_e take_up_to(pg_lane_t *lane, const pg_turn_t *turn, apr_time_t *began)
{
    while (lane->ring[lane->first] != turn) {
        pg_take_e take = take_first(lane);

        if (take != PG_TAKE_DONE)
            return take;
        *began = pg_now();
    }
    return take_first(lane);
}

/* Reads, being the first who waits. */
static pg_lane_e read_answers(pg_lane_t *lane, pg_turn_t *turn, const pg_watch_t *watch)
{
    pg_lane_e end = PG_LANE_ANSWERED;
    pg_connection_t *connection;
    apr_time_t began;
    leave_e how;
    int lost = 0;

    pthread_mutex_lock(&lane->lock);
    connection = lane->connection;
    began = lane->since;
    for (;;) {
        pg_take_e take = lost ? PG_TAKE_LOST : take_up_to(lane, turn, &began);
        pg_watch_t patient = *watch;
        pg_wait_e waited;
        short events;
        int socket;

        if (take == PG_TAKE_DONE) {
            how = pass_on(lane, &connection);
            break;
        }
        if (take == PG_TAKE_LOST) {
            break_up(lane, turn);
            how = DISCARD;
            end = PG_LANE_LOST;
            break;
        }
        if (lane->ring[lane->first] != turn && began + PATIENCE < patient.deadline)
            patient.deadline = began + PATIENCE;
        events = (short)(PQflush(connection->pg) > 0 ? POLLIN | POLLOUT : POLLIN);
        socket = PQsocket(connection->pg);
        unlock(lane);
        waited = pg_wait_watching(lane->pool->child, socket, events, &patient);
        pthread_mutex_lock(&lane->lock);
        if (waited != PG_READY) {
            end = give_up(lane, turn, waited, watch, &how, &connection);
            break;
        }
        lost = !PQconsumeInput(connection->pg);
    }
    unlock(lane);
    leave(connection, how);
    if (end == PG_LANE_ANSWERED || end == PG_LANE_TIMEOUT)
        note_pace(lane, turn, began);
    return end;
}

/* 1 if the turn's state has changed; 0 when nothing has moved for so long that patience ends. */
static int wait_for_turn(pg_lane_t *lane, pg_turn_t *turn, apr_time_t deadline)
{
    for (;;) {
        apr_time_t now = pg_now(), until = lane->since + PATIENCE;
        struct timespec at;

        if (until > deadline)
            until = deadline;
        if (until <= now)
            return 0;
        at.tv_sec = until / APR_USEC_PER_SEC;
        at.tv_nsec = until % APR_USEC_PER_SEC * 1000;
        if (sem_clockwait(&turn->wake, CLOCK_MONOTONIC, &at) == 0)
            return 1;
    }
}

pg_lane_e pg_multiplex_wait(pg_lane_t *lane, pg_turn_t *turn, const pg_watch_t *watch)
{
    /* Whoever is told something has taken the post, or had the lock behind it: his turn is on his stack. */
    if (turn->state != PG_TURN_READING && !wait_for_turn(lane, turn, watch->deadline)) {
        pthread_mutex_lock(&lane->lock);
        send_joining(lane);
        if (turn->state == PG_TURN_WAITING) {
            lane->ring[turn->place] = NULL;
            turn->state = PG_TURN_BROKEN;
        }
        unlock(lane);
    }
    if (turn->state == PG_TURN_READING)
        return read_answers(lane, turn, watch);
    return turn->state == PG_TURN_ANSWERED ? PG_LANE_ANSWERED : PG_LANE_ALONE;
}
