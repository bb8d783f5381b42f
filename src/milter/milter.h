/* milter.h - the milter protocol, as libmilter speaks it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_MILTER_H
#define MILTER_MILTER_H

#include "milter/daemon.h"

/* Takes the socket: 0, or -1 after saying why on standard error. */
int milter_open(struct daemon *, const struct conf *);
/* Serves until libmilter cannot go on. */
void milter_serve(void);
/* Takes the socket's name away. */
void milter_close(const struct conf *);

#endif
