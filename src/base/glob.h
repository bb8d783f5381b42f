/* glob.h - the patterns of ":matches" (RFC 5228 2.7.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/arena.h"

/* A pattern is split once: literal runs, "?" and "*"; "\\" quotes the next
 * byte ("\\" at the very end stands for itself).  "?" is one character: one
 * UTF-8 sequence, or one byte when `octets` or where the value is not valid
 * UTF-8. */
struct glob;

/* The pattern is borrowed. */
struct glob *glob_new(struct arena *, struct str pattern, bool octets);
/* Matches the whole value; iterative, at worst O(value * pattern), "*" takes as
 * little as it can (RFC 5229 3.2: non-greedy).  If ret is not NULL, ret[0] is
 * the value and ret[i] what the i-th wildcard matched (spans of v; at most n -
 * 1 of them); *ret_n is how many of ret were set.  *work grows by about one
 * for each 64 bytes looked at; beyond LIMIT_WORK in one call the answer is no.
 * If the answer is no, ret may have been written to, *ret_n not. */
bool glob_match(const struct glob *, struct str v, struct str *ret, size_t n, size_t *ret_n, uint64_t *work);
/* The same for a text in another form, where characters have become longer or shorter: they begin where `starts` has a
 * bit, one for each byte of v. */
bool glob_match_starts(const struct glob *, struct str v, const uint64_t *starts, struct str *ret, size_t n, size_t *ret_n,
                       uint64_t *work);
/* the longest literal that every matching value must contain; empty if none */
struct str glob_literal(const struct glob *);
/* at least one wildcard?  At least one "?"? */
bool glob_wild(const struct glob *);
bool glob_ones(const struct glob *);

#endif
