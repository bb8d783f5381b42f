/* pattern.h - what a regular expression says, as far as we must know it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/arena.h"

/* Refuses what regex.h says is refused: false, with the reason and its place.
 * Whether the rest is well formed is left to PCRE2.  *ret_literal: a string
 * that every match contains, in lower case if `fold`; empty if there is none
 * or it is not certain. */
bool pattern_scan(struct arena *, struct str pattern, bool fold,
                  struct str *ret_literal, struct str *ret_error, size_t *ret_offset);

#endif
