/* slots.h - which rules were running when the daemon died
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each run is written to a mapped file, which outlives the process.  What
 * stands there at the next start is a case; the second case of the same user
 * with the same rules sets them aside: he is without rules until they change.
 * The cases are lines of the file "aside" in the same directory,
 *
 *     <how often> <when last> <digest of the rules> <user>
 *
 * of which an operator may remove any, at any time; it is looked at twice a
 * second. */
#ifndef HOST_SLOTS_H
#define HOST_SLOTS_H

#include "base/str.h"

enum {
	SLOTS_MAX = 1024,               /* runs at the same time; those beyond are not recorded */
	SLOTS_ASIDE_MAX = 1000,         /* cases that are kept: the newest */
	SLOTS_SUSPECT_DAYS = 7,         /* for which one that happened once is kept */
	SLOTS_TWICE = 2,
};

struct slots;                           /* may be used by many threads */

/* NULL: *ret_errno; EWOULDBLOCK: another process has it open.  Cases are logged.  What stands there after the machine
 * was started anew is none: that was not the rules. */
struct slots *slots_open(const char *directory, int *ret_errno);
struct slots *slots_close(struct slots *);
/* The process ends because it is to: rules that still run then, or begin to, are no case. */
void slots_stop(struct slots *);

/* A number for slots_end(); -1 (there is no room) is one as well. */
int slots_begin(struct slots *, struct str user, const uint8_t program[32], const uint8_t fingerprint[32]);
void slots_end(struct slots *, int slot);
bool slots_aside(struct slots *, struct str user, const uint8_t program[32]);

#endif
