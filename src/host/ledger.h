/* ledger.h - digests, and when they were written down
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_LEDGER_H
#define HOST_LEDGER_H

#include <stdatomic.h>

#include "base/str.h"

struct ledger_entry {
	uint8_t key[32];
	int64_t time;                   /* seconds; 0: the slot is free */
	uint32_t times;
};

struct ledger {                         /* zeroed: an empty one */
	struct ledger_entry *slot;
	size_t size;                    /* a power of two, or 0 */
	atomic_size_t n;
};

void ledger_done(struct ledger *);
/* Is nothing in it?  The one question that may be asked by a thread which does not keep others from writing. */
static inline bool
ledger_is_empty(const struct ledger *l)
{
	return !atomic_load_explicit(&l->n, memory_order_acquire);
}
/* NULL: it is not there; valid until the next put. */
struct ledger_entry *ledger_find(const struct ledger *, const uint8_t key[32]);
/* Replaces one of the same key; time > 0. */
void ledger_put(struct ledger *, const uint8_t key[32], int64_t time, uint32_t times);
void ledger_remove(struct ledger *, const uint8_t key[32]);
/* Leaves those that are newer than `time`. */
void ledger_forget(struct ledger *, int64_t time);
/* the time that leaves about three quarters of them, if that is given to ledger_forget() */
int64_t ledger_quarter(const struct ledger *);

#endif
