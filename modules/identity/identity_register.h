/*
 * Registration: at once, or confirmed by a code that is sent to the address.
 */
#ifndef IDENTITY_REGISTER_H
#define IDENTITY_REGISTER_H

#include "httpd.h"

/* Handler identity-register: makes an account, or a registration that waits for its code. */
int identity_register(request_rec *r);

/* Handler identity-confirm: takes the code. */
int identity_confirm(request_rec *r);

#endif
