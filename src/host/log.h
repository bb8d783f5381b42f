/* log.h - what happened, one line for each event, in syslog or on standard error
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     4XyzAb12Cd: rcpt=alice@example.org rules="alice smith.sieve" verdict=keep ms=3
 *     4XyzAb12Ce: level=warning error="no room on device" */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include <stdbool.h>
#include <syslog.h>             /* LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR */

#include "base/str.h"

/* -1: there is no such facility ("mail", "daemon", "local0", ...) */
int log_facility(const char *name);
/* Without it, lines go to standard error. */
void log_open(bool to_stderr, const char *facility, const char *ident);
/* From here to log_close() a thread writes the lines: nobody waits for who reads them, but for room among those that wait,
 * a second at most; then lines are lost, and counted ("event=lost").  Once a process, after log_open() and after any
 * fork().  0, or -1: there is no thread, and lines are written by who says them. */
int log_start(void);
/* Says how often the last warning was repeated.  Waits for what is being written, a second at most. */
void log_close(void);

/* One line; id (of the message, or NULL) goes first.  The format is that of printf, but for this: the text of a
 * %s or %.*s is quoted when it holds anything but visible characters, or '"', '\' or '=', or nothing; controls
 * and what is no UTF-8 become \xHH; and it is cut at LOG_VALUE_MAX bytes.  No value can look like another key, or
 * end the line.  Between quotes in the format itself, it is only escaped: "error=\"%s: %s\"".
 * Conversions: s .*s d i u x, with l ll z j; .*s takes exactly so many bytes, NULs too.
 *
 * A warning or error that says the same as the one before it, within a minute, is counted and not written. */
void log_line(int level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What is said next is written, whatever was said before: somebody waits for it. */
void log_anew(void);

/* The same of n values, key=value each: for lines that there are many of. */
struct log_value {
	const char *key;
	struct str value;
};
void log_values(int level, const char *id, const struct log_value *, size_t n);

#define LOG_VALUE_MAX 300       /* bytes of one value, as they came */
#define LOG_LINE_MAX 4000       /* bytes of a line; syslog daemons take 8 KiB */

#endif
