/* listen.h - the socket that the mail server connects to
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_LISTEN_H
#define MILTER_LISTEN_H

#include "host/conf.h"

/* The path of a unix socket; NULL: it is none. */
const char *listen_unix_path(const struct conf *);
/* A descriptor that listens, or is said to (fd:N); -1 after saying why not on standard error. */
int listen_open(const struct conf *);
/* NULL, or why nothing can listen at the address of a TCP socket, whoever tries; of what listens there nothing is asked. */
const char *listen_inet_wrong(const struct conf *);
/* Says why on standard error: -1. */
int listen_wrong(const char *subject, const char *why);

#endif
