/* edit.c - edits of the header: what tests see of them, and what is written
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/edit.h"

#include <limits.h>

#include "base/fold.h"
#include "base/utf8.h"
#include "mail/header.h"

enum { BUCKETS = 64 };                  /* a power of two */
#define FOR_EVER UINT_MAX

/* A field of a name of which some field was edited. */
struct edited {
	struct field field;
	unsigned from, until;           /* the versions that have it: from <= version < until */
	struct edited *next;            /* of its name: top to bottom, with those that are gone */
	struct str written;             /* the name, of an added one */
	struct edited *beside;          /* the next one that was added, at top or bottom */
};

/* All fields of one name, copied when the first edit came. */
struct edited_name {
	struct str name;                /* lower case */
	struct edited *first;
	struct field *now;              /* those that are there */
	struct edited_name *chain;
};

struct edits {
	struct edited_name *bucket[BUCKETS];
	struct edited *top;             /* newest first */
	struct edited *bottom, **bottom_end;
	struct edited **original;       /* by position in the message; NULL: no field of that name was edited */
	unsigned noriginal;
};

static bool
is_there(const struct edited *e, unsigned version)
{
	return e->from <= version && version < e->until;
}

static struct edited_name **
name_slot(const struct edits *d, struct str name)
{
	struct edited_name **slot = (struct edited_name **)&d->bucket[str_hash_seeded(name) & (BUCKETS - 1)];

	while (*slot && !str_eq((*slot)->name, name))
		slot = &(*slot)->chain;
	return slot;
}

/* Links what is there now. */
static void
name_refresh(struct edited_name *n, unsigned version)
{
	struct field **link = &n->now;
	unsigned count = 0;

	n->now = NULL;
	for (struct edited *e = n->first; e; e = e->next)
		if (is_there(e, version)) {
			e->field.same = NULL;
			*link = &e->field;
			link = &e->field.same;
			count++;
		}
	if (n->now)
		n->now->nsame = count;
}

bool
edit_find(const struct outcome *o, struct str name, struct field **ret)
{
	const struct edited_name *n = *name_slot(o->edits, name);

	if (n)
		*ret = n->now;
	return n != NULL;
}

/* --- editing */

static void
edits_begin(struct outcome *o)
{
	struct message *m = o->recipient->message;
	struct edits *d = ARENA_NEW(&o->arena, struct edits);

	message_index(m);
	d->bottom_end = &d->bottom;
	d->noriginal = m->nfields;
	d->original = arena_zalloc(&o->arena, m->nfields * sizeof *d->original);
	o->edits = d;
}

/* The list of a name: made of the message's fields if it is the first time. */
static struct edited_name *
name_take(struct outcome *o, struct str name)
{
	struct edited_name **slot, *n;
	struct edited **link;

	if (!o->edits)
		edits_begin(o);
	slot = name_slot(o->edits, name);
	if (*slot)
		return *slot;
	n = *slot = ARENA_NEW(&o->arena, struct edited_name);
	n->name = arena_str(&o->arena, name);
	link = &n->first;
	for (const struct field *f = message_field(o->recipient->message, name, str_hash_seeded(name)); f; f = f->same) {
		struct edited *e = *link = ARENA_NEW(&o->arena, struct edited);

		e->field = *f;
		e->until = FOR_EVER;
		o->edits->original[f->position] = e;
		link = &e->next;
	}
	name_refresh(n, o->version);
	return n;
}

void
edit_add(struct outcome *o, struct str name, struct str value, bool last)
{
	struct edited_name *n = name_take(o, arena_lower(&o->arena, name));
	struct edits *d = o->edits;
	struct edited *e = ARENA_NEW(&o->arena, struct edited), **link = &n->first;

	e->field = *field_new(&o->arena, name, value);
	/* words that somebody encoded are what they say, as in any field */
	if (utf8_is_ascii(value))
		e->field.value = NULL;
	e->written = arena_str(&o->arena, name);
	e->from = ++o->version;
	e->until = FOR_EVER;
	while (last && *link)
		link = &(*link)->next;
	e->next = *link;
	*link = e;
	if (last) {
		*d->bottom_end = e;
		d->bottom_end = &e->beside;
	} else {
		e->beside = d->top;
		d->top = e;
	}
	name_refresh(n, o->version);
}

void
edit_delete(struct outcome *o, struct str name, const bool *gone)
{
	struct edited_name *n = name_take(o, name);
	unsigned i = 0;

	for (struct edited *e = n->first; e; e = e->next)
		if (is_there(e, o->version) && gone[i++])
			e->until = o->version + 1;
	name_refresh(n, ++o->version);
}

void
edit_undo(struct outcome *o, unsigned version)
{
	if (o->version == version)
		return;
	o->version = version;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct edited_name *n = o->edits->bucket[i]; n; n = n->chain) {
			for (struct edited *e = n->first; e; e = e->next) {
				if (e->from > version)          /* numbers are used again: in none of them */
					e->until = 0;
				else if (e->until > version)
					e->until = FOR_EVER;
			}
			name_refresh(n, version);
		}
}

/* --- writing */

/* As the message's own lines end; RFC 5322 2.1 where it has none. */
static const char *
line_end(const struct message *m)
{
	struct str v = memchr(m->header.s, '\n', m->header.len) ? m->header : m->body;
	const char *nl = memchr(v.s, '\n', v.len);

	return nl && (nl == v.s || nl[-1] != '\r') ? "\n" : "\r\n";
}

static bool
added_write(struct buf *out, const struct edited *e, unsigned version, const char *end)
{
	bool any = false;

	for (; e; e = e->beside) {
		if (!is_there(e, version))
			continue;
		if (out->len && out->s[out->len - 1] != '\n')
			buf_puts(out, end);
		fold_field(out, e->written, e->field.raw, end);
		any = true;
	}
	return any;
}

/* The fields that came with the message: how many bytes of its header they are */
static size_t
original_write(struct buf *out, const struct edits *d, const struct message *m, size_t at, unsigned version)
{
	size_t n, name, colon;

	for (unsigned i = 0; i < m->nfields; i++) {
		const struct edited *e = i < d->noriginal ? d->original[i] : NULL;

		if (!e || is_there(e, version))
			buf_add(out, m->field[i].whole);
		at += m->field[i].whole.len;
	}
	/* those that are beyond the limit */
	while ((n = header_next(str_sub(m->header, at, m->header.len), &name, &colon))) {
		buf_add(out, str_sub(m->header, at, at + n));
		at += n;
	}
	return at;
}

int
edit_write(const struct outcome *o, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx)
{
	struct message *m = o->recipient->message;
	size_t at = header_mbox_line(m->header), rest;
	const char *end = line_end(m);
	struct buf out = { 0 };
	bool added;
	int rc;

	message_index(m);
	version = version < o->version ? version : o->version;
	buf_add(&out, str_sub(m->header, 0, at));
	added = added_write(&out, o->edits->top, version, end);
	rest = original_write(&out, o->edits, m, at, version);
	added |= added_write(&out, o->edits->bottom, version, end);
	buf_add(&out, str_sub(m->header, rest, m->header.len));
	/* a body that begins without an empty line before it is none of a header that has grown */
	if (added && rest == m->header.len && m->body.len)
		buf_puts(&out, end);
	rc = write(ctx, text_of(buf_str(&out)));
	buf_done(&out);
	return rc < 0 || !m->body.len ? rc : write(ctx, text_of(m->body));
}
