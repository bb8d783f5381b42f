/* names.c - numbers for strings, in the order in which they came
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/names.h"

enum { SLOTS_FIRST = 64 };

/* The slot of the string, or the empty one where it belongs: at least half
 * of the slots are empty. */
static size_t
slot_find(const struct names *t, struct str s)
{
	size_t at = (size_t)str_hash(s, t->seed) & t->mask;

	while (t->slot[at] && !str_eq(t->v[t->slot[at] - 1], s))
		at = (at + 1) & t->mask;
	return at;
}

static void
slots_grow(struct names *t)
{
	size_t size = t->slot ? (t->mask + 1) * 2 : SLOTS_FIRST;

	if (!t->slot)
		t->seed = str_seed();
	free(t->slot);
	t->slot = memset(mem_alloc(size * sizeof *t->slot), 0, size * sizeof *t->slot);
	t->mask = size - 1;
	for (size_t i = 0; i < t->n; i++)
		t->slot[slot_find(t, t->v[i])] = (uint32_t)i + 1;
}

uint32_t
names_find(const struct names *t, struct str s)
{
	uint32_t entry = t->slot ? t->slot[slot_find(t, s)] : 0;

	return entry ? entry - 1 : NAMES_NONE;
}

uint32_t
names_add(struct names *t, struct str s)
{
	size_t at;

	if (!t->slot || (t->n + 1) * 2 > t->mask)
		slots_grow(t);
	at = slot_find(t, s);
	if (!t->slot[at]) {
		vec_push(t, s);
		t->slot[at] = (uint32_t)t->n;
	}
	return t->slot[at] - 1;
}

void
names_done(struct names *t)
{
	vec_done(t);
	free(t->slot);
	*t = (struct names){ 0 };
}
