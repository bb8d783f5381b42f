/* automaton.h - search for many strings at once (Aho and Corasick)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Byte classes and sparse rows: memory and build time are linear in the bytes
 * of the keys (no 256-entry row per state), 100,000 keys included. */
#ifndef BASE_AUTOMATON_H
#define BASE_AUTOMATON_H

#include "base/arena.h"

struct automaton;

/* Keys are copied.  An empty key is in every string.  NULL when the keys
 * together are longer than AUTOMATON_MAX (base/limits.h): search one by one. */
struct automaton *automaton_new(struct arena *, const struct str *keys, size_t n);
/* the lowest index of all keys that occur in v and end first, or -1 */
ptrdiff_t automaton_first(const struct automaton *, struct str v);
/* calls found() once for each key index at each place where it ends, until it returns
 * false; equal keys are each reported */
void automaton_each(const struct automaton *, struct str v,
                    bool (*found)(void *ctx, size_t key), void *ctx);
/* Sets the bit of each key that occurs: bits has one for each key, zero at
 * first, or left by an earlier call.  Linear in v and the number of keys, while
 * automaton_each is only in v times the keys that end at one place. */
void automaton_mark(const struct automaton *, struct str v, uint64_t *bits);

#endif
