/* memory.c - what rules asked to be remembered, for the length of a command
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/buf.h"
#include "host/memory.h"
#include "host/print.h"
#include "host/text.h"

enum {
	BUCKETS_FIRST = 64,             /* a power of two */
	MEMORY_MAX = 1 << 20            /* things remembered; then nothing new is */
};

struct memory_item {
	struct memory_item *next;
	uint64_t hash;
	int64_t expires;
	size_t nwhat, nkey, nvalue;
	char text[];                    /* what, key, value */
};

struct memory {
	struct memory_item **bucket;
	size_t nbuckets, n;
};

struct memory *
memory_new(void)
{
	struct memory *m = mem_alloc(sizeof(*m));

	*m = (struct memory){ .nbuckets = BUCKETS_FIRST };
	m->bucket = calloc(m->nbuckets, sizeof(*m->bucket));
	if (!m->bucket)
		abort();
	return m;
}

struct memory *
memory_free(struct memory *m)
{
	size_t i;

	if (!m)
		return NULL;
	for (i = 0; i < m->nbuckets; i++) {
		while (m->bucket[i]) {
			struct memory_item *next = m->bucket[i]->next;

			free(m->bucket[i]);
			m->bucket[i] = next;
		}
	}
	free(m->bucket);
	free(m);
	return NULL;
}

static uint64_t
memory_hash(struct str what, struct str key)
{
	return str_hash(key, str_hash(what, 0));
}

/* The link that leads to the item, or to NULL. */
static struct memory_item **
memory_find(const struct memory *m, uint64_t hash, struct str what, struct str key)
{
	struct memory_item **p = &m->bucket[hash & (m->nbuckets - 1)];

	for (; *p; p = &(*p)->next) {
		const struct memory_item *i = *p;

		if (i->hash == hash && i->nwhat == what.len && i->nkey == key.len &&
		    !memcmp(i->text, what.s, what.len) && !memcmp(i->text + i->nwhat, key.s, key.len))
			break;
	}
	return p;
}

bool
memory_get(const struct memory *m, struct str what, struct str key, int64_t now, struct str *ret)
{
	const struct memory_item *i = *memory_find(m, memory_hash(what, key), what, key);

	if (!i || i->expires <= now)
		return false;
	*ret = (struct str){ i->text + i->nwhat + i->nkey, i->nvalue };
	return true;
}

static void
memory_grow(struct memory *m)
{
	struct memory_item **old = m->bucket;
	size_t nold = m->nbuckets, i;

	m->nbuckets *= 2;
	m->bucket = calloc(m->nbuckets, sizeof(*m->bucket));
	if (!m->bucket)
		abort();
	for (i = 0; i < nold; i++) {
		while (old[i]) {
			struct memory_item *item = old[i];
			struct memory_item **to = &m->bucket[item->hash & (m->nbuckets - 1)];

			old[i] = item->next;
			item->next = *to;
			*to = item;
		}
	}
	free(old);
}

void
memory_put(struct memory *m, struct str what, struct str key, struct str value, int64_t expires)
{
	uint64_t hash = memory_hash(what, key);
	struct memory_item **at = memory_find(m, hash, what, key), *i = *at;

	if (i) {
		*at = i->next;
		free(i);
		m->n--;
	}
	if (m->n >= MEMORY_MAX)
		return;
	if (m->n >= m->nbuckets)
		memory_grow(m);
	i = mem_alloc(sizeof(*i) + what.len + key.len + value.len);
	*i = (struct memory_item){ .hash = hash, .expires = expires, .nwhat = what.len, .nkey = key.len, .nvalue = value.len };
	memcpy(i->text, what.s, what.len);
	memcpy(i->text + what.len, key.s, key.len);
	memcpy(i->text + what.len + key.len, value.s, value.len);
	at = &m->bucket[hash & (m->nbuckets - 1)];
	i->next = *at;
	*at = i;
	m->n++;
}

void
memory_apply(struct memory *m, const struct tamis_outcome *o, int64_t now)
{
	const struct tamis_effect *e = NULL;
	uint64_t seconds;

	while ((e = tamis_outcome_next(o, e))) {
		if (e->kind != TAMIS_REMEMBER)
			continue;
		if (!str_number(print_option(e, "seconds"), &seconds) || seconds > INT32_MAX)
			seconds = INT32_MAX;
		memory_put(m, print_option(e, "what"), print_option(e, "key"), print_option(e, "value"),
		           now + (int64_t)seconds * 1000000);
	}
}
