/* pattern.h - what a regular expression says, as far as we must know it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/arena.h"

enum { PATTERN_PARTS = 8 };

struct pattern {
	/* Every match contains these, in this order; in lower case if `fold`.
	 * Empty if there are none or it is not certain. */
	struct str part[PATTERN_PARTS];
	unsigned nparts;
	struct str literal;     /* the longest */
	size_t reach;           /* bytes of the longest match, or more; SIZE_MAX: no bound */
	bool one_line;          /* no match contains CR or LF */
	unsigned weight;        /* what it may cost to look at one character */
};

/* Refuses what regex.h says is refused: false, with the reason and its place.
 * Whether the rest is well formed is left to PCRE2. */
bool pattern_scan(struct arena *, struct str text, bool fold, struct pattern *ret,
                  struct str *ret_error, size_t *ret_offset);

#endif
