/* clock.h - local time as rules name zones
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_CLOCK_H
#define VM_CLOCK_H

#include "vm/run.h"

struct zone;

/* An offset, or a zone with rules of its own. */
struct clock_zone {
	struct str name;
	int status;                     /* YES, or UNKNOWN: the host has no such zone now */
	const struct zone *zone;        /* NULL: always `offset` */
	int offset;                     /* minutes east of UTC */
	struct clock_zone *next;
};

/* For tables: "+hhmm", "-hhmm" or what can be an IANA name; NULL, or what is wrong. */
const char *clock_zone_check(struct str);
/* The zone of that name; empty: the local one of the recipient or the host. */
const struct clock_zone *clock_zone(struct run *, struct str name);
int clock_offset(const struct clock_zone *, int64_t utc);
/* seconds since 1970, UTC */
int64_t clock_now(const struct run *);

#endif
