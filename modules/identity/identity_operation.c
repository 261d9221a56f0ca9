#include "identity_operation.h"

#include "identity_login.h"
#include "identity_logout.h"
#include "identity_me.h"
#include "identity_refresh.h"
#include "identity_register.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const identity_operation_t operations[] = {
    { "identity-register", identity_register, "POST", IDENTITY_NEEDS_POOL },
    { "identity-confirm", identity_confirm, "POST", IDENTITY_NEEDS_POOL },
    { "identity-login", identity_login, "POST", IDENTITY_NEEDS_POOL | IDENTITY_NEEDS_SIGNING_KEY },
    { "identity-refresh", identity_refresh, "POST",
      IDENTITY_NEEDS_POOL | IDENTITY_NEEDS_SIGNING_KEY | IDENTITY_NEEDS_REFRESH_KEY },
    { "identity-logout", identity_logout, "POST", IDENTITY_NEEDS_POOL },
    { "identity-me", identity_me, "GET, HEAD", IDENTITY_NEEDS_POOL },
    { "identity-check", identity_check, "GET, HEAD, POST", IDENTITY_NEEDS_POOL },
};

enum { COUNT = sizeof(operations) / sizeof(operations[0]) };

int identity_operation_is_ours(const char *handler)
{
    return !strncasecmp(handler, "identity-", 9);
}

const identity_operation_t *identity_operation_find(const char *handler)
{
    for (int i = 0; i < COUNT; i++)
        if (!strcmp(handler, operations[i].handler))
            return &operations[i];
    return NULL;
}

int identity_operation_allows(const identity_operation_t *operation, request_rec *r)
{
    return (r->method_number == M_GET && strstr(operation->allow, "GET"))
           || (r->method_number == M_POST && strstr(operation->allow, "POST"));
}

const char *identity_operation_names(apr_pool_t *pool)
{
    const char *names = operations[0].handler;

    for (int i = 1; i < COUNT; i++)
        names = apr_pstrcat(pool, names, ", ", operations[i].handler, NULL);
    return names;
}
