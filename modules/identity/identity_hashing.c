#include "identity_hashing.h"

#include "identity_config.h"
#include "identity_gate.h"
#include "identity_password.h"
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
static const char *dummy;

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
    const identity_cost_t cost = identity_config_cost(s);
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
    dummy = identity_password_dummy(pconf, &cost);
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

identity_hashing_e identity_hashing_verify(request_rec *r, const char *account, const char *stored,
                                           const char *password)
{
    int real = stored && identity_password_is_known(stored), place;
    apr_time_t asked = apr_time_now(), entered, done;
    identity_password_e outcome;

    if (stored && !real)
        complain_about_format(r, account);
    if ((place = identity_gate_enter(gate, patience)) < 0) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "TRSID05: no turn to hash: %s",
                      place == IDENTITY_GATE_FULL ? "IdentityHashQueue is full" : "none within IdentityHashWait");
        return IDENTITY_HASHING_BUSY;
    }
    entered = apr_time_now();
    outcome = identity_password_verify(real ? stored : dummy, password, strlen(password));
    identity_gate_leave(gate, place);
    done = apr_time_now();
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  "TRSID06: hashed a password in %" APR_TIME_T_FMT "us after waiting %" APR_TIME_T_FMT "us, request %s",
                  done - entered, entered - asked, trestle_request_id_of(r));
    if (outcome == IDENTITY_PASSWORD_FAILED) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "TRSID07: not enough memory to hash a password; lower IdentityHashGate or add memory");
        return IDENTITY_HASHING_BUSY;
    }
    return real && outcome == IDENTITY_PASSWORD_MATCHES ? IDENTITY_HASHING_MATCHES : IDENTITY_HASHING_DIFFERS;
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
