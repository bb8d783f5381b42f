/* ledger.c - digests, and when they were written down
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/arena.h"
#include "host/ledger.h"

enum { SLOTS_FIRST = 256 };

void
ledger_done(struct ledger *l)
{
	free(l->slot);
	*l = (struct ledger){ 0 };
}

/* Where it is, or the free slot where it would be. */
static struct ledger_entry *
slot_of(const struct ledger *l, const uint8_t key[32])
{
	size_t at = (size_t)str_hash((struct str){ (const char *)key, 32 }, str_seed()) & (l->size - 1);

	while (l->slot[at].time && memcmp(l->slot[at].key, key, 32) != 0)
		at = (at + 1) & (l->size - 1);
	return &l->slot[at];
}

static void
resize(struct ledger *l, size_t size, int64_t newer)
{
	struct ledger_entry *old = l->slot;
	size_t old_size = l->size, n = 0;

	l->slot = calloc(size, sizeof *l->slot);
	l->size = size;
	if (!l->slot)
		abort();
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].time <= newer)
			continue;
		*slot_of(l, old[i].key) = old[i];
		n++;
	}
	/* at once: it must not look empty meanwhile */
	l->n = n;
	free(old);
}

struct ledger_entry *
ledger_find(const struct ledger *l, const uint8_t key[32])
{
	struct ledger_entry *e = l->size ? slot_of(l, key) : NULL;

	return e && e->time ? e : NULL;
}

void
ledger_put(struct ledger *l, const uint8_t key[32], int64_t time, uint32_t times)
{
	struct ledger_entry *e;

	if (2 * (l->n + 1) > l->size)
		resize(l, l->size ? 2 * l->size : SLOTS_FIRST, 0);
	e = slot_of(l, key);
	if (!e->time)
		l->n++;
	memcpy(e->key, key, 32);
	e->time = time;
	e->times = times;
}

void
ledger_remove(struct ledger *l, const uint8_t key[32])
{
	struct ledger_entry *e = ledger_find(l, key), next;

	if (!e)
		return;
	e->time = 0;
	l->n--;
	/* it may have been in the way of those behind it, which are looked for up to a free slot */
	for (size_t at = (size_t)(e + 1 - l->slot) & (l->size - 1); l->slot[at].time; at = (at + 1) & (l->size - 1)) {
		next = l->slot[at];
		l->slot[at].time = 0;
		*slot_of(l, next.key) = next;
	}
}

void
ledger_forget(struct ledger *l, int64_t time)
{
	if (l->size)
		resize(l, l->size, time > 0 ? time : 0);
}

static int
earlier(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int64_t
ledger_quarter(const struct ledger *l)
{
	int64_t *times = mem_alloc((l->n + 1) * sizeof *times), time;
	size_t n = 0;

	for (size_t i = 0; i < l->size; i++)
		if (l->slot[i].time)
			times[n++] = l->slot[i].time;
	qsort(times, n, sizeof *times, earlier);
	time = n ? times[n / 4] : 0;
	free(times);
	return time;
}
