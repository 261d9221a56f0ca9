#include "identity_origin.h"

#include "identity_config.h"

#include "origin_request.h"

const trestle_problem_t *identity_origin_check(request_rec *r)
{
    return trestle_origin_of(r, identity_config_of(r)->origins) == TRESTLE_ORIGIN_TRUSTED ? NULL
                                                                                          : trestle_origin_problem(r);
}

const trestle_problem_t *identity_origin_check_sign_in(request_rec *r)
{
    if (!identity_config_has_cookies(identity_config_of(r)))
        return NULL;
    return trestle_origin_of(r, identity_config_of(r)->origins) == TRESTLE_ORIGIN_FOREIGN ? trestle_origin_problem(r)
                                                                                          : NULL;
}
