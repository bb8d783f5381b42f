/* regex.h - regular expressions: the only file that sees PCRE2
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/arena.h"

enum { REGEX_FOLD = 1, REGEX_JIT = 2 };
enum { REGEX_LIMIT = -2, REGEX_ERROR = -1, REGEX_NO = 0, REGEX_YES = 1 };

struct regex;
struct regex_scratch;           /* match data: one per run, not shared by threads */

/* UTF mode; callouts, backtracking verbs, recursion into the pattern
 * ((?R), (?1), (?&name)), \C, \G, (?xx) and start-of-pattern option verbs ((*UTF), (*LIMIT_...)) are refused with a text of ours.
 * Freed with the arena.  NULL: *ret_error says why in lower case without a
 * full stop, *ret_offset where in the pattern (bytes).  A constructed regex is immutable and may be used by several threads. */
struct regex *regex_new(struct arena *, struct str pattern, unsigned flags,
                        struct str *ret_error, size_t *ret_offset);
unsigned regex_groups(const struct regex *);
struct regex_scratch *regex_scratch_new(struct arena *);
/* A value that is not valid UTF-8 is matched with each bad byte replaced by U+FFFD
 * (captures then point into a copy in the arena).  Captures as in glob_match: ret[0] the whole match,
 * ret[i] group i, empty if it took no part.  match_limit bounds PCRE2's own
 * counter, and the steps of the whole match beyond a few for each byte of the
 * value; reaching it is REGEX_LIMIT.  *work grows by the cost. */
int regex_match(const struct regex *, struct regex_scratch *, struct arena *, struct str v,
                struct str *ret, size_t n, size_t *ret_n, uint32_t match_limit, uint64_t *work);
/* The longest literal that every match must contain (conservative: empty if
 * not sure; for REGEX_FOLD in lower case, ASCII only). */
struct str regex_literal(const struct regex *);
/* v, in lower case if REGEX_FOLD, lacks what every match contains. */
bool regex_excludes(const struct regex *, struct str v);

#endif
