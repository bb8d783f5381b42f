/* pattern.h - what a regular expression says, as far as we must know it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/arena.h"

struct pattern {
	/* Every match contains it; in lower case if `fold`.  Empty if there is
	 * none or it is not certain. */
	struct str literal;
	size_t reach;           /* bytes of the longest match, or more; SIZE_MAX: no bound */
	bool one_line;          /* no match contains CR or LF */
	unsigned weight;        /* what it may cost to look at one character */
};

/* Refuses what regex.h says is refused: false, with the reason and its place.
 * Whether the rest is well formed is left to PCRE2. */
bool pattern_scan(struct arena *, struct str text, bool fold, struct pattern *ret,
                  struct str *ret_error, size_t *ret_offset);

#endif
