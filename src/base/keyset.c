/* keyset.c - is this string one of those?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/keyset.h"

/* An empty slot has entry 0; else entry - 1 is the index of the key. */
struct slot {
	uint32_t tag, entry;
};

struct keyset {
	const struct str *keys;
	const struct slot *slots;
	size_t mask;
	uint64_t seed;
};

/* The low bits choose the slot, the high ones are its tag.  A run of slots
 * is searched up to the first empty one: at least half of them are empty. */
static struct slot *
slot_find(const struct str *keys, const struct slot *slots, size_t mask,
          struct str key, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		const struct slot *s = &slots[i];

		if (!s->entry || (s->tag == tag && str_eq(keys[s->entry - 1], key)))
			return (struct slot *)s;
	}
}

struct keyset *
keyset_new(struct arena *a, const struct str *keys, size_t n)
{
	struct keyset *set = ARENA_NEW(a, struct keyset);
	struct slot *slots;
	size_t size = 4;

	if (n > (size_t)1 << 31)
		abort();
	while (size < n * 2)
		size *= 2;
	slots = memset(ARENA_ARRAY(a, size, struct slot), 0, size * sizeof *slots);
	*set = (struct keyset){
		.keys = keys, .slots = slots, .mask = size - 1, .seed = str_seed(),
	};
	for (size_t i = 0; i < n; i++) {
		uint64_t hash = str_hash(keys[i], set->seed);
		struct slot *s = slot_find(keys, slots, set->mask, keys[i], hash);

		if (!s->entry)
			*s = (struct slot){ (uint32_t)(hash >> 32), (uint32_t)i + 1 };
	}
	return set;
}

ptrdiff_t
keyset_find(const struct keyset *set, struct str key)
{
	uint64_t hash = str_hash(key, set->seed);
	const struct slot *s = slot_find(set->keys, set->slots, set->mask, key, hash);

	return (ptrdiff_t)s->entry - 1;
}
