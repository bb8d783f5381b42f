/* twins.c - which deliveries of a message are the same
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/twins.h"

#include <stdlib.h>

struct twin {
	struct delivery *d;
	const struct merge_rcpt *r;
	enum delivery_kind as;          /* an address of his own is as himself */
	struct str place;               /* whom it comes to */
	size_t at;                      /* among all of them */
};

/* --- orders: 0 is the same */

static int
order_number(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
order_str(struct str a, struct str b)
{
	int order = order_number(a.len, b.len);

	return order || a.s == b.s ? order : memcmp(a.s, b.s, a.len);
}

static int
order_content(const struct twin *a, const struct twin *b)
{
	int order = order_number(a->d->own_sender, b->d->own_sender);

	if (!order)
		order = order_str(a->d->edits, b->d->edits);
	if (!order)
		order = order_str(a->d->mark, b->d->mark);
	return order || !a->d->own_sender ? order : order_str(a->d->sender, b->d->sender);
}

/* What goes to an address may be another recipient's as well. */
static int
order_delivery(const struct twin *a, const struct twin *b)
{
	int order = order_number(a->d->kind, b->d->kind);

	if (!order && a->d->kind != DELIVERY_ADDRESS)
		order = order_number((size_t)a->r, (size_t)b->r);
	if (!order)
		order = order_number(a->d->filtered, b->d->filtered);
	if (!order)
		order = order_str(a->d->canonical, b->d->canonical);
	return order ? order : order_number(a->d->content, b->d->content);
}

/* What is put in quarantine has the recipient as he was written in it. */
static int
order_copy(const struct twin *a, const struct twin *b)
{
	int order = order_number(a->as, b->as);

	if (!order)
		order = order_str(a->place, b->place);
	if (order || a->as == DELIVERY_QUARANTINE)
		return order;
	order = order_str(a->d->folder, b->d->folder);
	return order ? order : order_number(a->d->content, b->d->content);
}

static bool
is_queued(const struct twin *a)
{
	return a->d->kind == DELIVERY_ADDRESS && a->d->way == WAY_QUEUE;
}

/* Those come first. */
static int
order_queued(const struct twin *a, const struct twin *b)
{
	int order = order_number(!is_queued(a), !is_queued(b));

	return order ? order : order_str(a->d->canonical, b->d->canonical);
}

#define COMPARE(name) \
	static int \
	compare_##name(const void *a, const void *b) \
	{ \
		const struct twin *one = a, *other = b; \
		int order = order_##name(one, other); \
	\
		return order ? order : order_number(one->at, other->at); \
	}
COMPARE(content)
COMPARE(delivery)
COMPARE(queued)
COMPARE(copy)
#undef COMPARE

/* --- all of them */

struct twins {
	struct twin *v;
	size_t n;
	struct twin few[8];             /* what v is while they are enough */
};

/* What is put in quarantine or reported has the recipient as he was written in it. */
static struct twin
twin_of(const struct merge *m, const struct merge_rcpt *r, struct delivery *d, size_t at)
{
	const struct merge_rcpt *to = d->kind == DELIVERY_SELF ? r : d->kind == DELIVERY_ADDRESS ? merge_find(m, d->canonical) : NULL;

	return (struct twin){
		.d = d, .r = r, .as = d->kind == DELIVERY_ADDRESS ? DELIVERY_SELF : d->kind,
		.place = to ? merge_mailbox(m, to) : d->kind == DELIVERY_ADDRESS ? d->canonical : r->canonical, .at = at,
	};
}

static void
twins_all(struct merge *m, struct twins *t)
{
	t->n = 0;
	for (size_t i = 0; i < m->n; i++)
		t->n += m->rcpt[i].refused ? 0 : m->rcpt[i].plan->d.n;
	t->v = t->n <= sizeof t->few / sizeof *t->few ? t->few : mem_alloc(t->n * sizeof *t->v);
	t->n = 0;
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		for (size_t i = 0; !r->refused && i < r->plan->d.n; i++) {
			t->v[t->n] = twin_of(m, r, &r->plan->d.v[i], t->n);
			t->n++;
		}
	}
}

static void
twins_done(struct twins *t)
{
	if (t->v != t->few)
		free(t->v);
}

static void
twins_sort(struct twins *t, int (*compare)(const void *, const void *))
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof *t->v, compare);
}

size_t
twins_number(struct merge *m)
{
	struct twins t;
	size_t n = 0;

	twins_all(m, &t);
	twins_sort(&t, compare_content);
	for (size_t i = 0; i < t.n; i++) {
		n += i == 0 || order_content(&t.v[i - 1], &t.v[i]);
		t.v[i].d->content = (unsigned)(n - 1);
	}
	twins_done(&t);
	return n;
}

/* One that has left stands for all of them, wherever it is among them; else the first does, of whose failure the sender
 * wants to hear if he does of any. */
static void
cover_deliveries(struct twin *v, size_t n)
{
	const struct delivery *first = NULL;
	bool quiet = true;

	for (size_t i = 0; i < n; i++) {
		if (v[i].d->way != WAY_DONE && (v[i].d->way != WAY_QUEUE || (first && (!quiet || v[i].r->quiet))))
			continue;
		first = v[i].d;
		quiet = v[i].r->quiet;
		if (first->way == WAY_DONE)
			break;
	}
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = v[i].d;

		if (d == first || d->way != WAY_QUEUE)
			continue;
		d->way = WAY_COVERED;
		d->with = first->way == WAY_DONE ? NULL : first;
	}
}

void
twins_cover(struct merge *m)
{
	struct twins t;
	size_t n;

	twins_all(m, &t);
	twins_sort(&t, compare_delivery);
	for (size_t i = 0; i < t.n; i += n) {
		for (n = 1; i + n < t.n && !order_delivery(&t.v[i], &t.v[i + n]); n++)
			;
		cover_deliveries(t.v + i, n);
	}
	twins_done(&t);
}

void
twins_cover_queued(struct merge *m)
{
	const struct delivery *first = NULL;
	struct twins t;

	twins_all(m, &t);
	twins_sort(&t, compare_queued);
	for (size_t i = 0; i < t.n && is_queued(&t.v[i]); i++) {
		if (first && str_eq(t.v[i].d->canonical, first->canonical))
			t.v[i].d->way = WAY_COVERED;
		else
			first = t.v[i].d;
	}
	twins_done(&t);
}

/* Those that are the same as the first: what has left counts wherever it stands, what is to leave for those behind it. */
static void
cover_copies(struct twin *v, size_t n)
{
	const struct twin *done = NULL, *another = NULL, *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (v[i].d->way != WAY_DONE || v[i].d->redirect)
			continue;
		if (!done)
			done = &v[i];
		else if (!another && v[i].r != done->r)
			another = &v[i];
	}
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = v[i].d;
		bool leaves = d->way == WAY_COPY && !d->redirect;

		if (!leaves && (d->kind != DELIVERY_QUARANTINE || d->way != WAY_QUEUE))
			continue;
		if ((done && done->r != v[i].r) || another || (leaves && first && first->r != v[i].r)) {
			d->way = WAY_COVERED;
			d->with = done || another ? NULL : first->d;
		} else if (leaves && !first) {
			first = &v[i];
		}
	}
}

void
twins_cover_copies(struct merge *m)
{
	struct twins t;
	size_t n;

	twins_all(m, &t);
	twins_sort(&t, compare_copy);
	for (size_t i = 0; i < t.n; i += n) {
		for (n = 1; i + n < t.n && !order_copy(&t.v[i], &t.v[i + n]); n++)
			;
		cover_copies(t.v + i, n);
	}
	twins_done(&t);
}
