/* outlet.h - lines of the log on their way out
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who says a line does not wait for who reads it: from outlet_start() to outlet_stop() a thread writes them, as many at
 * once as there are.  Before and after, a line is written at once by who says it. */
#ifndef HOST_OUTLET_H
#define HOST_OUTLET_H

#include <stdbool.h>

#include "base/buf.h"

enum {
	OUTLET_ROOM = 1 << 20,          /* bytes of lines that wait */
	OUTLET_PATIENCE = 1000,         /* milliseconds: how long one waits for room among them, and outlet_stop() for the last */
	OUTLET_REST = 5                 /* milliseconds from one write to the next */
};

/* 0, or -1: there is no thread for it, and all stays as it is. */
int outlet_start(bool to_syslog);
/* A line without its end, and without NULs.  It is lost if the log has not been read for OUTLET_PATIENCE. */
void outlet_put(bool to_syslog, int level, struct str line);
/* How many were, as soon as it is read again; each is told once. */
unsigned outlet_lost(void);
/* Returns when all is written, or after OUTLET_PATIENCE; then what is left is lost, and what is said later. */
void outlet_stop(void);

#endif
