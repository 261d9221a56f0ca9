#include "identity_operation.h"

#include "identity_login.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *handler;
    identity_operation_t *answer;
} operations[] = {
    { "identity-login", identity_login },
};

enum { COUNT = sizeof(operations) / sizeof(operations[0]) };

int identity_operation_is_ours(const char *handler)
{
    return !strncasecmp(handler, "identity-", 9);
}

identity_operation_t *identity_operation_find(const char *handler)
{
    for (int i = 0; i < COUNT; i++)
        if (!strcmp(handler, operations[i].handler))
            return operations[i].answer;
    return NULL;
}

const char *identity_operation_names(apr_pool_t *pool)
{
    const char *names = operations[0].handler;

    for (int i = 1; i < COUNT; i++)
        names = apr_pstrcat(pool, names, ", ", operations[i].handler, NULL);
    return names;
}
