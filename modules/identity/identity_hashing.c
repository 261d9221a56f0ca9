#include "identity_hashing.h"

#include "identity_config.h"
#include "identity_gate.h"
#include "identity_stored.h"
#include "request.h"

#include "http_log.h"
#include "http_protocol.h"
#include "mod_status.h"

#include <apr_atomic.h>
#include <apr_shm.h>
#include <string.h>

APLOG_USE_MODULE(identity);

/* Kept over restarts: children of before and after them share the gate. */
typedef struct {
    int places, queue;
    identity_gate_t *gate;
} retained_t;

static identity_gate_t *gate;
static apr_interval_time_t patience;
static identity_cost_t cost;
static const char *dummy;           /* of that cost */
static const char *inherited_dummy; /* of IdentityInheritedHash; NULL: Off */

static apr_status_t make_gate(server_rec *s, int places, int queue, retained_t *retained)
{
    const apr_size_t size = identity_gate_size(places, queue);
    apr_shm_t *memory;
    apr_status_t rv = apr_shm_create(&memory, size, NULL, s->process->pool);

    if (rv != APR_SUCCESS)
        return rv;
    retained->gate = apr_shm_baseaddr_get(memory);
    retained->places = places;
    retained->queue = queue;
    memset(retained->gate, 0, size);
    return identity_gate_init(retained->gate, places, queue);
}

apr_status_t identity_hashing_prepare(apr_pool_t *pconf, server_rec *s)
{
    retained_t *retained = ap_retained_data_get("identity-gate");
    int places = identity_config_places(s), queue = identity_config_queue(s), known = retained && retained->gate;
    apr_status_t rv = APR_SUCCESS;

    if (!retained)
        retained = ap_retained_data_create("identity-gate", sizeof(*retained));
    if (!known || retained->places != places || retained->queue != queue) {
        if (known)
            ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                         "TRSID02: IdentityHashGate is now %d, IdentityHashQueue %d; they were %d and %d", places,
                         queue, retained->places, retained->queue);
        rv = make_gate(s, places, queue, retained);
    }
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s, "TRSID03: no shared memory for %d hashing places", places);
    gate = retained->gate;
    patience = identity_config_patience(s);
    cost = identity_config_cost(s);
    dummy = identity_password_dummy(pconf, &cost);
    inherited_dummy = identity_config_inherited(s);
    return rv;
}

/* Once per child: whoever must act reads it once. */
static void complain_about_format(request_rec *r, const char *account)
{
    static apr_uint32_t complained;

    if (apr_atomic_cas32(&complained, 1, 0) == 0)
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "TRSID04: the password hash of account %s, and perhaps of others, has a format that is not "
                      "verified; these accounts cannot sign in until their password is reset",
                      account);
}

/* A place at the gate; negative, with the cause in the log, when there is none. */
static int enter(request_rec *r)
{
    apr_time_t asked = apr_time_now();
    int place = identity_gate_enter(gate, patience);

    if (place < 0)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSID05: no turn to hash: %s",
                      place == IDENTITY_GATE_FULL ? "IdentityHashQueue is full" : "none within IdentityHashWait");
    else
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "TRSID14: waited %" APR_TIME_T_FMT "us for a turn to hash",
                      apr_time_now() - asked);
    return place;
}

static void leave(request_rec *r, int place, apr_time_t entered)
{
    identity_gate_leave(gate, place);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "TRSID06: hashed for %" APR_TIME_T_FMT "us, request %s",
                  apr_time_now() - entered, trestle_request_id_of(r));
}

static void complain_about_memory(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "TRSID07: not enough memory to hash a password; lower IdentityHashGate or add memory");
}

/*
 * A wrong password costs the same for each account, and where there is none: one hash of ours and, where hashes were
 * inherited, one of that kind. Which of the two is the account's own does not show.
 */
static identity_password_e verify(identity_stored_e kind, const char *stored, const char *password, apr_size_t n)
{
    const char *other = kind == IDENTITY_STORED_INHERITED ? dummy : inherited_dummy;
    identity_password_e outcome = identity_stored_verify(kind ? stored : dummy, password, n);

    if (outcome == IDENTITY_PASSWORD_DIFFERS && inherited_dummy
        && identity_stored_verify(other, password, n) == IDENTITY_PASSWORD_FAILED)
        return IDENTITY_PASSWORD_FAILED;
    return kind || outcome == IDENTITY_PASSWORD_FAILED ? outcome : IDENTITY_PASSWORD_DIFFERS;
}

identity_hashing_e identity_hashing_verify(request_rec *r, const char *account, const char *stored,
                                           const char *password, const char **better)
{
    identity_stored_e kind = stored ? identity_stored_kind(stored) : IDENTITY_STORED_UNKNOWN;
    apr_size_t n = strlen(password);
    identity_password_e outcome;
    apr_time_t entered;
    int place;

    *better = NULL;
    if (stored && !kind)
        complain_about_format(r, account);
    if ((place = enter(r)) < 0)
        return IDENTITY_HASHING_BUSY;
    entered = apr_time_now();
    outcome = verify(kind, stored, password, n);
    if (outcome == IDENTITY_PASSWORD_MATCHES && !identity_password_has_cost(stored, &cost))
        *better = identity_password_hash(r->pool, password, n, &cost);
    leave(r, place, entered);
    if (outcome == IDENTITY_PASSWORD_FAILED) {
        complain_about_memory(r);
        return IDENTITY_HASHING_BUSY;
    }
    return outcome == IDENTITY_PASSWORD_MATCHES ? IDENTITY_HASHING_MATCHES : IDENTITY_HASHING_DIFFERS;
}

const char *identity_hashing_make(request_rec *r, const char *password)
{
    apr_time_t entered;
    const char *hash;
    int place;

    if ((place = enter(r)) < 0)
        return NULL;
    entered = apr_time_now();
    hash = identity_password_hash(r->pool, password, strlen(password), &cost);
    leave(r, place, entered);
    if (!hash)
        complain_about_memory(r);
    return hash;
}

int identity_hashing_status(request_rec *r, int flags)
{
    identity_gate_state_t state;

    if (!gate)
        return DECLINED;
    state = identity_gate_state(gate);
    if (flags & AP_STATUS_SHORT)
        ap_rprintf(r,
                   "IdentityHashGate: %d\nIdentityHashing: %d\nIdentityHashingMost: %d\nIdentityHashQueue: %d\n"
                   "IdentityHashWaiting: %d\nIdentityHashWaitingMost: %d\nIdentityHashed: %u\n"
                   "IdentityHashLate: %u\nIdentityHashQueueFull: %u\n",
                   state.places, state.inside, state.most, state.queue, state.waiting, state.most_waiting,
                   state.entered, state.late, state.full);
    else
        ap_rprintf(r,
                   "<hr>\n<h2>Password hashing</h2>\n<p>%d of %d places taken, %d at most so far; %d of %d wait, %d at "
                   "most so far; %u hashes, %u waited in vain, %u found the queue full</p>\n",
                   state.inside, state.places, state.most, state.waiting, state.queue, state.most_waiting,
                   state.entered, state.late, state.full);
    return OK;
}
