/*
 * mod_pg inside: the pool, its connections, and the child they live in. What other modules may use is in
 * modules/include/trestle_pg.h.
 *
 * Threads: a pool's lock guards what is marked so below. A connection belongs to one thread at a time: to the one that
 * acquired it, or, while it is idle, to whoever holds the lock. Times are microseconds of the monotonic clock (pg_now).
 */
#ifndef PG_H
#define PG_H

#include "trestle.h"
#include "trestle_pg.h"

#include "pg_breaker.h"
#include "pg_pace.h"
#include "pg_queue.h"
#include "pg_slots.h"
#include "pg_statements.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

typedef struct pg_connection_t {
    struct pg_connection_t *next; /* in the pool's idle list; guarded by its lock */
    trestle_pg_pool_t *pool;
    PGconn *pg;               /* non-blocking, in pipeline mode */
    int slot;                 /* in the pool's shared table */
    apr_time_t used;          /* when it was last given back */
    pg_statements_t prepared; /* its prepared statements */
    int forget;               /* 1: DEALLOCATE ALL before the next batch */
    int ready;                /* 1: counted in the pool's nready */
    int resetting;            /* 1: the reset behind its last batch has not been answered yet */
    apr_time_t reset_by;      /* when that is too late */
} pg_connection_t;

typedef struct pg_lane_t pg_lane_t; /* pg_multiplex.h */

/* A connection whose query is being cancelled. */
typedef struct pg_cancelling_t {
    struct pg_cancelling_t *next;
    PGcancel *cancel;
    pg_connection_t *connection; /* NULL once it has been closed */
    apr_time_t since;
    int sent; /* 1: the canceller has taken it up */
} pg_cancelling_t;

typedef enum {
    PG_RUNNING,
    PG_ENDING, /* graceful: requests are served to their end, connections are closed when given back */
    PG_STOPPED /* at once: waiters wake, queries are cancelled */
} pg_stop_e;

/* The child process. */
typedef struct {
    uint32_t pid;
    int threaded;              /* the MPM has threads: a signal handler does not interrupt a request */
    _Atomic int stop;          /* pg_stop_e */
    int stop_fd;               /* readable once stop is PG_STOPPED */
    _Atomic int quit;          /* 1: threads of the child must end */
    apr_array_header_t *pools; /* trestle_pg_pool_t * */
} pg_child_t;

/* A pool as <PgPool> describes it, and its state in this child. Lives in pconf. */
struct trestle_pg_pool_t {
    const char *name;
    const char *key; /* unique in the server, the same after a restart */
    server_rec *server;
    const char *where; /* file and line of the section, for messages */

    const char *conninfo;
    const char *listen_conninfo; /* NULL: conninfo */
    const char *password;        /* NULL: none, or another way that libpq knows */
    int min, keep, max;
    apr_interval_time_t exptime, wait, timeout, connect_timeout;
    int prepare, prepare_max, reset;
    int multiplex; /* flights on one connection; 1: each has its own */

    pg_shared_t *shared; /* NULL during the rehearsal of the configuration */

    pg_child_t *child; /* NULL in the parent */
    int member;        /* in shared->member; -1: none left */
    pthread_mutex_t lock;
    pg_connection_t *idle; /* guarded: most recently used first */
    int nidle;             /* guarded */
    int nopen;             /* guarded: idle, busy, connecting and closing ones */
    int nready;            /* guarded: idle and busy ones */
    pg_queue_t waiters;    /* guarded */
    pg_breaker_t breaker;  /* guarded */
    pg_paces_t *paces;     /* NULL: nothing is multiplexed in this child */
    pg_lane_t *lanes;      /* PG_LANES of them, if paces is set */
    sem_t bell;            /* the maintenance thread's, if member is -1 */
    pthread_t maintainer;
    int maintained; /* 1: the thread runs */

    pg_cancelling_t *cancelling; /* guarded: oldest first */
    pthread_cond_t cancel_wake;
    pthread_t canceller;
    int cancels; /* guarded. 1: the thread runs */

    pthread_t listener;
    int listens; /* 1: the thread runs or ran; touched by the maintenance thread alone */

    _Atomic apr_time_t warned; /* when a request's failure was last logged as a warning */
};

/* Why there is no connection. */
typedef enum { PG_GOT, PG_NO_TIME, PG_NO_DATABASE, PG_NO_CHILD } pg_acquire_e;

apr_time_t pg_now(void);

/* pg_connection.c */

/* What may end a wait besides the socket itself. */
typedef enum { PG_READY, PG_WAIT_DEADLINE, PG_WAIT_STOPPED, PG_WAIT_CLIENT_GONE } pg_wait_e;

/* What a request looks at while it waits for the database. */
typedef struct {
    int client;       /* descriptor of the client's connection; -1: not watched */
    conn_rec *stream; /* HTTP/2: whose end mod_http2 marks as aborted; otherwise NULL */
    apr_time_t deadline;
} pg_watch_t;

/* Waits until the socket has one of events (POLLIN, POLLOUT), the deadline, the child's stop (threaded MPMs), or, if
 * client is a descriptor, until the client has closed; of the last two it takes notice within 20 ms. */
pg_wait_e pg_wait(pg_child_t *child, int fd, short events, int client, apr_time_t deadline);

/* The same for all that watch names. */
pg_wait_e pg_wait_watching(pg_child_t *child, int fd, short events, const pg_watch_t *watch);

/* Connects to conninfo within the deadline, in the slot given. NULL on failure: message (malloc'd, to be freed) and
 * sqlstate[6] are set. Takes no lock. */
pg_connection_t *pg_connect(trestle_pg_pool_t *pool, const char *conninfo, int slot, apr_time_t deadline,
                            char **message, char *sqlstate);

/* 1 if an idle connection is still good: its session is reset, for which it waits if need be, and nothing else has come
 * from the server but what libpq digests itself. */
int pg_connection_alive(pg_connection_t *connection);

/* Waits until the session is reset. 1: it is. 0: the connection is of no use any more; resetting is still 1 if the
 * server has not answered in time. */
int pg_connection_settle(pg_connection_t *connection);

/* Closes and frees the connection. Waits a moment for the server's end of an idle one, so that its slot is not taken
 * by another before the server has counted it out. Does not free the slot. */
void pg_connection_close(pg_connection_t *connection);

/* pg_pool.c */

/* A connection by deadline (absolute), in the order of arrival. */
pg_acquire_e pg_pool_acquire(trestle_pg_pool_t *pool, apr_time_t deadline, pg_connection_t **connection);

/* Gives back a connection that is idle and in sync: to the first waiter, to the idle list, or closes it. */
void pg_pool_release(pg_connection_t *connection);

/* Closes a connection and frees its slot. */
void pg_pool_discard(pg_connection_t *connection);

/* One attempt to open a connection into the pool; logs and notes failure and success. NULL if it failed or no slot was
 * free. */
pg_connection_t *pg_pool_open(trestle_pg_pool_t *pool, apr_time_t deadline);

/* Frees the slot of a connection that is no longer counted, and tells whoever waits for one. The lock is not held. */
void pg_pool_free_slot(trestle_pg_pool_t *pool, int slot);

/* Closes all idle connections, or those that min, keep and exptime say. */
void pg_pool_close_idle(trestle_pg_pool_t *pool, int all);

/* pg_batch.c */

/* Runs the batch; wait: longest wait for a connection. */
void pg_batch_run(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch, apr_interval_time_t wait,
                  trestle_pg_reply_t *reply);

/* What is being waited for by the only request thread of a child without threads; for the signal handler. */
extern PGcancel *volatile pg_running_cancel;

/* pg_reply.c: what a batch came to, in the reply, the counters and the log */

#define PG_SETTINGS_PLACE (-1) /* the place of role and settings, where statements have their index */

void pg_reply_refused(request_rec *r, trestle_pg_pool_t *pool, const trestle_pg_batch_t *batch, const PGresult *failure,
                      int place, trestle_pg_reply_t *reply);
void pg_reply_timeout(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply, const char *why);
void pg_reply_gone(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply);
void pg_reply_unavailable(request_rec *r, trestle_pg_pool_t *pool, trestle_pg_reply_t *reply, const char *why,
                          int level);

/* pg_cancel.c */

/* Takes over a connection with a query in flight: cancels the query, closes the connection, frees its slot. Does not
 * wait. */
void pg_cancel_take(pg_connection_t *connection);

/* Closes connections whose cancelling hangs. */
void pg_cancel_expire(trestle_pg_pool_t *pool);

/* Ends the thread, within a bounded time. */
void pg_cancel_stop(trestle_pg_pool_t *pool);

/* pg_maintain.c */

/* Starts the pool in this child. */
apr_status_t pg_maintain_start(trestle_pg_pool_t *pool, pg_child_t *child);
void pg_maintain_wake(trestle_pg_pool_t *pool);

/* Ends the pool's threads and closes its connections. */
void pg_maintain_stop(trestle_pg_pool_t *pool);

/* Starts a thread that receives no signals. */
int pg_thread_start(pthread_t *thread, void *(*function)(void *), void *argument);

/* pg_listen.c */

/* Takes the listener's seat if it is free, and starts the thread. Called by the maintenance thread. */
void pg_listen_tend(trestle_pg_pool_t *pool);
void pg_listen_stop(trestle_pg_pool_t *pool);

/* pg_memory.c */

/* The pool's shared memory: found again after a restart, or made. APR_SUCCESS or why not. */
apr_status_t pg_memory_attach(trestle_pg_pool_t *pool);

/* Frees what a process that has ended held in any pool. For the parent. */
void pg_memory_forget(pid_t pid);

/* pg_status.c */
int pg_status_section(request_rec *r, int flags);
int pg_health_check(request_rec *r, apr_time_t deadline, apr_array_header_t *checks);

#endif
