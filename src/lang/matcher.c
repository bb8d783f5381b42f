/* matcher.c - keys in the form that they are compared in
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/matcher.h"

const char *
matcher_prepare(struct matcher *m, struct arena *arena, const struct str *written, uint32_t n, unsigned flags,
                size_t *ret_key)
{
	const struct str *key = written;

	*ret_key = 0;
	m->written = written;
	if (!m->type->raw && m->comparator->canonical) {
		struct str *canonical = arena_array(arena, n, sizeof *canonical);

		for (uint32_t i = 0; i < n; i++)
			canonical[i] = m->comparator->canonical(arena, written[i]);
		key = canonical;
	}
	m->key = key;
	m->nkeys = n;
	m->prepared_ok = true;
	return m->type->prepare ? m->type->prepare(m, arena, flags, ret_key) : NULL;
}
