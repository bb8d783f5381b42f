/* names.h - numbers for strings, in the order in which they came
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/arena.h"

#define NAMES_NONE UINT32_MAX

/* A growing list and its hash; all zero is an empty one.  It keeps the
 * strings, not their bytes.  Who takes the list leaves v NULL and n and cap 0. */
struct names {
	struct str *v;
	size_t n, cap;
	uint32_t *slot;                         /* open addressing: number + 1, or 0 */
	size_t mask;
	uint64_t seed;
};

/* its number, or NAMES_NONE */
uint32_t names_find(const struct names *, struct str);
/* its number, a new one if it was not there */
uint32_t names_add(struct names *, struct str);
void names_done(struct names *);

#endif
