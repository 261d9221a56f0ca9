#include "identity_config.h"

#include "identity_gate.h"
#include "setting.h"
#include "trestle.h"

#include <apr_strings.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA identity_module;

void *identity_config_create_dir(apr_pool_t *p, char *dir TRESTLE_UNUSED)
{
    identity_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->lifetime = config->idle = config->absolute = config->grace = config->code_lifetime = TRESTLE_UNSET;
    config->grace_uses = config->confirm = config->taken = TRESTLE_UNSET;
    config->password_least = config->password_most = TRESTLE_UNSET;
    config->content_types = config->status = config->refusal = config->plain_cookies = TRESTLE_UNSET;
    return config;
}

void *identity_config_merge_dir(apr_pool_t *p, void *base_config, void *add_config)
{
    const identity_config_t *base = base_config, *add = add_config;
    identity_config_t *merged = apr_palloc(p, sizeof(*merged));

    merged->claims = TRESTLE_PICK_PTR(base, add, claims);
    merged->answer = TRESTLE_PICK_PTR(base, add, answer);
    merged->validate = TRESTLE_PICK_PTR(base, add, validate);
    merged->profile = TRESTLE_PICK_PTR(base, add, profile);
    merged->cookie = TRESTLE_PICK_PTR(base, add, cookie);
    merged->refresh_cookie = TRESTLE_PICK_PTR(base, add, refresh_cookie);
    merged->client = TRESTLE_PICK_PTR(base, add, client);
    merged->names = TRESTLE_PICK_PTR(base, add, names);
    merged->repeats = TRESTLE_PICK_PTR(base, add, repeats);
    merged->origins = TRESTLE_PICK_PTR(base, add, origins);
    merged->refresh_keys = TRESTLE_PICK_PTR(base, add, refresh_keys);
    merged->lifetime = TRESTLE_PICK(base, add, lifetime);
    merged->idle = TRESTLE_PICK(base, add, idle);
    merged->absolute = TRESTLE_PICK(base, add, absolute);
    merged->grace = TRESTLE_PICK(base, add, grace);
    merged->code_lifetime = TRESTLE_PICK(base, add, code_lifetime);
    merged->grace_uses = TRESTLE_PICK(base, add, grace_uses);
    merged->confirm = TRESTLE_PICK(base, add, confirm);
    merged->taken = TRESTLE_PICK(base, add, taken);
    merged->password_least = TRESTLE_PICK(base, add, password_least);
    merged->password_most = TRESTLE_PICK(base, add, password_most);
    merged->content_types = TRESTLE_PICK(base, add, content_types);
    merged->status = TRESTLE_PICK(base, add, status);
    merged->refusal = TRESTLE_PICK(base, add, refusal);
    merged->plain_cookies = TRESTLE_PICK(base, add, plain_cookies);
    return merged;
}

void *identity_config_create_server(apr_pool_t *p, server_rec *s TRESTLE_UNUSED)
{
    identity_server_config_t *config = apr_pcalloc(p, sizeof(*config));

    config->places = config->queue = config->patience = config->cost.memory = TRESTLE_UNSET;
    config->notes = identity_notes_make(p);
    return config;
}

identity_server_config_t *identity_server_config(server_rec *s)
{
    return ap_get_module_config(s->module_config, &identity_module);
}

const identity_config_t *identity_config_of(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &identity_module);
}

apr_interval_time_t identity_config_lifetime(const identity_config_t *config)
{
    return TRESTLE_OR(config->lifetime, IDENTITY_SECONDS(15 * 60));
}

int identity_config_has_cookies(const identity_config_t *config)
{
    return (config->cookie && config->cookie->name) || (config->refresh_cookie && config->refresh_cookie->name);
}

identity_types_e identity_config_types(const identity_config_t *config)
{
    return TRESTLE_OR(config->content_types, IDENTITY_TYPES_STRICT);
}

int identity_config_confirms(const identity_config_t *config)
{
    return config->confirm != 0;
}

int identity_config_taken(const identity_config_t *config)
{
    if (!identity_config_confirms(config) && config->taken <= IDENTITY_TAKEN_HIDE)
        return HTTP_CONFLICT; /* whoever gets no session would know anyway */
    return TRESTLE_OR(config->taken, IDENTITY_TAKEN_HIDE);
}

const identity_refresh_key_t *identity_config_refresh_key(const identity_config_t *config)
{
    return config->refresh_keys ? &APR_ARRAY_IDX(config->refresh_keys, 0, const identity_refresh_key_t) : NULL;
}

const char *identity_config_seconds(apr_pool_t *pool, apr_interval_time_t value, apr_interval_time_t fallback)
{
    return apr_psprintf(pool, "%.3f", (double)TRESTLE_OR(value, fallback) / APR_USEC_PER_SEC);
}

int identity_config_places(server_rec *main_server)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        cores = 1;
    if (cores > IDENTITY_GATE_PLACES_MOST)
        cores = IDENTITY_GATE_PLACES_MOST;
    return TRESTLE_OR(identity_server_config(main_server)->places, (int)cores);
}

int identity_config_queue(server_rec *main_server)
{
    return TRESTLE_OR(identity_server_config(main_server)->queue, 4 * identity_config_places(main_server));
}

apr_interval_time_t identity_config_patience(server_rec *main_server)
{
    return TRESTLE_OR(identity_server_config(main_server)->patience, IDENTITY_SECONDS(2));
}

identity_cost_t identity_config_cost(server_rec *main_server)
{
    const identity_cost_t least = { 19 * 1024 * 1024, 2 }, set = identity_server_config(main_server)->cost;

    return set.memory != TRESTLE_UNSET ? set : least;
}

const char *identity_config_inherited(server_rec *main_server)
{
    return identity_server_config(main_server)->inherited;
}
