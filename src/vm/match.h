/* match.h - one comparing test at work: values come in, keys are looked at
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_MATCH_H
#define VM_MATCH_H

#include "vm/run.h"

struct match {
	struct run *run;
	const struct call *call;
	const struct matcher *matcher;
	uint64_t *bits;                 /* filling a probe instead */
	const struct probe *probe;
	int result;                     /* YES, NO, ERROR so far */
	uint64_t count;
	struct str value;               /* the one being matched: octets, for captures */
	struct str canonical;
};

/* Where in .canonical the characters of .value begin, a bit for each byte; NULL: where UTF-8 has them begin. */
const uint64_t *match_starts(struct match *);
/* Runs the test's values through the matcher: YES, NO, UNKNOWN or ERROR. */
int match_run(struct run *, const struct call *, const struct value *arg);
/* Marks those of n values that match, for an action: YES, UNKNOWN or ERROR.  What counts values counts them all, and all
 * or none match. */
int match_each(struct run *, const struct call *, const struct value *arg, struct cell *const *, unsigned n, bool *ret);
/* The test's bit in its index is clear: it cannot match. */
bool match_excluded(struct run *, const struct call *);

#endif
