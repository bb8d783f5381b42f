/* message.c - one message: where its bytes are, and the index of its fields
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/header.h"

#define BUCKETS_MIN     16u

enum { BLOCK = 128 };          /* bytes; less than a byte can count */

void
message_init(struct message *m)
{
	memset(m, 0, sizeof *m);
	/* no budget: what is computed is linear in the message, and how large
	 * that may be is the host's decision */
	arena_init(&m->arena, 0);
	arena_init(&m->scratch, 0);
	m->header = m->body = STR_EMPTY;
}

void
message_reset(struct message *m)
{
	struct arena kept, scratch;

	arena_reset(&m->arena);
	kept = m->arena;
	scratch = m->scratch;
	memset(m, 0, sizeof *m);
	m->arena = kept;
	m->scratch = scratch;
	m->header = m->body = STR_EMPTY;
}

void
message_done(struct message *m)
{
	if (m) {
		arena_done(&m->arena);
		arena_done(&m->scratch);
	}
}

void
message_set_header(struct message *m, struct str block)
{
	m->header = block;
	m->indexed = false;
	m->field = NULL;
	m->nfields = 0;
	m->bucket = NULL;
	m->nbuckets = 0;
	m->root = NULL;
}

void
message_set_body(struct message *m, struct str body, uint64_t size)
{
	m->body = body;
	m->size = size;
	m->root = NULL;
	m->wire = NULL;
}

void
message_set_fact(struct message *m, struct str name, struct str value)
{
	struct cell *cell = message_fact(m, name);
	struct fact *fact;

	if (!cell) {
		fact = ARENA_NEW(&m->arena, struct fact);
		fact->name = arena_str(&m->arena, name);
		fact->next = m->fact;
		m->fact = fact;
		cell = &fact->value;
	}
	*cell = cell_of(arena_str(&m->arena, value));
}

struct fact *
message_facts(struct message *m)
{
	void (*tell)(void *, struct message *) = m->tell;

	m->tell = NULL;
	if (tell)
		tell(m->tell_ctx, m);
	return m->fact;
}

struct cell *
message_fact(struct message *m, struct str name)
{
	struct fact *fact;

	for (fact = message_facts(m); fact; fact = fact->next)
		if (str_ieq(fact->name, name))
			return &fact->value;
	return NULL;
}

void
message_split(struct str raw, struct str *ret_header, struct str *ret_body)
{
	size_t from = header_mbox_line(raw), at = from, n, name, colon;

	while ((n = header_next(str_sub(raw, at, raw.len), &name, &colon)) > 0)
		at += n;
	at += header_empty_line(str_sub(raw, at, raw.len));
	*ret_header = str_sub(raw, from, at);
	*ret_body = str_sub(raw, at, raw.len);
}

/* Bare line feeds in a block: a loop of constant length, so that it is made of
 * vectors. */
static unsigned
bare_in_block(const char *p)
{
	unsigned char bare = 0;

	for (int i = 0; i < BLOCK; i++)
		bare = (unsigned char)(bare + ((p[i] == '\n') & (p[i - 1] != '\r')));
	return bare;
}

uint64_t
message_wire_size(struct str raw)
{
	uint64_t size = raw.len;
	size_t i = 1;

	size += raw.len && raw.s[0] == '\n';
	for (; i + BLOCK <= raw.len; i += BLOCK)
		size += bare_in_block(raw.s + i);
	for (; i < raw.len; i++)
		size += raw.s[i] == '\n' && raw.s[i - 1] != '\r';
	return size;
}

/* Puts f before the later fields of its name.  Fields come from the last to
 * the first, so that each chain of a name ends up top to bottom without a
 * walk to its end. */
static void
index_field(struct message *m, struct field *f)
{
	struct field **slot = &m->bucket[f->hash & (m->nbuckets - 1)];

	while (*slot && ((*slot)->hash != f->hash || !str_eq((*slot)->name, f->name)))
		slot = &(*slot)->chain;
	f->same = *slot;
	f->nsame = 1;
	f->chain = NULL;
	if (f->same) {
		f->nsame = f->same->nsame + 1;
		f->chain = f->same->chain;
	}
	*slot = f;
}

static void
index_fields(struct message *m)
{
	const uint64_t seed = str_seed();
	unsigned i;

	m->indexed = true;
	m->nfields = header_scan(&m->arena, m->header, &m->field);
	m->work += m->header.len / 64 + m->nfields;
	m->nbuckets = BUCKETS_MIN;
	while (m->nbuckets < m->nfields)
		m->nbuckets *= 2;
	m->bucket = ARENA_ARRAY(&m->arena, m->nbuckets, struct field *);
	memset(m->bucket, 0, m->nbuckets * sizeof *m->bucket);
	for (i = m->nfields; i > 0; i--) {
		struct field *f = &m->field[i - 1];

		f->hash = (uint32_t)str_hash(f->name, seed);
		index_field(m, f);
	}
}

void
message_index(struct message *m)
{
	if (!m->indexed)
		index_fields(m);
}

struct field *
message_field(struct message *m, struct str name, uint32_t hash)
{
	struct field *f;

	message_index(m);
	for (f = m->bucket[hash & (m->nbuckets - 1)]; f; f = f->chain)
		if (f->hash == hash && str_eq(f->name, name))
			return f;
	return NULL;
}
