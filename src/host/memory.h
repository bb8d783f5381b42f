/* memory.h - what rules asked to be remembered, for the length of a command
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include "base/str.h"
#include "tamis.h"

struct memory;

struct memory *memory_new(void);
struct memory *memory_free(struct memory *);
/* Is there a value that has not expired at `now` (microseconds)?  It is valid
 * until the next put. */
bool memory_get(const struct memory *, struct str what, struct str key, int64_t now, struct str *ret);
/* Replaces an older one. */
void memory_put(struct memory *, struct str what, struct str key, struct str value, int64_t expires);
/* Everything that the plan of an outcome wants remembered. */
void memory_apply(struct memory *, const struct tamis_outcome *, int64_t now);

#endif
