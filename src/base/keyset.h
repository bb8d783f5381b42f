/* keyset.h - is this string one of those?
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_KEYSET_H
#define BASE_KEYSET_H

#include "base/arena.h"

/* A hash set over an array of keys that is borrowed; seeded (str_hash), open
 * addressing; each slot keeps some hash bits so that a miss touches no key. */
struct keyset;

/* n up to 2^31; equal keys: the first counts */
struct keyset *keyset_new(struct arena *, const struct str *keys, size_t n);
/* index of the key, or -1 */
ptrdiff_t keyset_find(const struct keyset *, struct str);

#endif
