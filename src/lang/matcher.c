/* matcher.c - keys in the form that they are compared in
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/matcher.h"

/* As written, unless one of them is not canonical. */
static const struct str *
keys_canonical(const struct comparator *k, struct arena *arena, const struct str *written, uint32_t n)
{
	struct str *canonical = NULL;

	for (uint32_t i = 0; i < n; i++) {
		struct str key = k->canonical(arena, written[i]);

		if (!canonical && key.s == written[i].s && key.len == written[i].len)
			continue;
		if (!canonical) {
			canonical = arena_array(arena, n, sizeof *canonical);
			memcpy(canonical, written, i * sizeof *canonical);
		}
		canonical[i] = key;
	}
	return canonical ? canonical : written;
}

const char *
matcher_prepare(struct matcher *m, struct arena *arena, const struct str *written, uint32_t n, unsigned flags,
                size_t *ret_key)
{
	*ret_key = 0;
	m->written = written;
	m->key = !m->type->raw && m->comparator->canonical ? keys_canonical(m->comparator, arena, written, n) : written;
	m->nkeys = n;
	m->prepared_ok = true;
	return m->type->prepare ? m->type->prepare(m, arena, flags, ret_key) : NULL;
}
