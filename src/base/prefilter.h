/* prefilter.h - where in a long text might one of a few strings begin?
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PREFILTER_H
#define BASE_PREFILTER_H

#include "base/arena.h"

enum { PREFILTER_KEYS = 256 };  /* with more, hardly a place is left out */

struct prefilter;

/* how it works: the best that the processor can do, but not better than asked for */
enum prefilter_way { PREFILTER_SHIFTS, PREFILTER_16, PREFILTER_32 };

/* NULL when it would not pay: too many keys, or a very short one.  Similar
 * keys should be neighbours. */
struct prefilter *prefilter_new(struct arena *, const struct str *keys, size_t n,
                                enum prefilter_way);
/* The first place from `at` on where a key may begin, v.len if there is none.
 * It may be wrong about the former, never about the latter. */
size_t prefilter_next(const struct prefilter *, struct str v, size_t at);

#endif
