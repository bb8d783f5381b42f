/* merge.c - one message, one answer, several plans
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/merge.h"

#include <stdlib.h>

#include "base/keyset.h"

static struct delivery *
delivery_end(const struct merge_rcpt *r)
{
	return r->plan->d.n && !r->refused ? r->plan->d.v + r->plan->d.n : r->plan->d.v;
}

/* Every delivery of every recipient that is still one. */
#define EACH_DELIVERY(m, r, at) \
	for (struct merge_rcpt *r = (m)->rcpt; r < (m)->rcpt + (m)->n; r++) \
		for (struct delivery *at = r->plan->d.v; at < delivery_end(r); at++)

static bool
is_original(const struct delivery *d)
{
	return !d->edits.len && !d->mark.len && !d->own_sender;
}

bool
merge_same_content(const struct delivery *a, const struct delivery *b)
{
	return str_eq(a->edits, b->edits) && str_eq(a->mark, b->mark) && a->own_sender == b->own_sender &&
	       (!a->own_sender || str_eq(a->sender, b->sender));
}

static void
merge_keep(struct merge_rcpt *r)
{
	if (!plan_keeps(r->plan))
		plan_add_keep(r->plan, STR_EMPTY);
}

/* --- recipients interfere */

/* Who they are, made once: those who are recipients still before those who were refused. */
static void
merge_index(struct merge *m)
{
	struct str *key = ARENA_ARRAY(m->arena, m->n, struct str);
	size_t n = 0;

	m->order = ARENA_ARRAY(m->arena, m->n, struct merge_rcpt *);
	for (int refused = 0; refused < 2; refused++)
		for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
			if (r->refused == refused) {
				key[n] = r->canonical;
				m->order[n++] = r;
			}
	m->index = keyset_new(m->arena, key, n);
}

static struct merge_rcpt *
merge_find(const struct merge *m, struct str canonical)
{
	ptrdiff_t i = keyset_find(m->index, canonical);

	return i < 0 ? NULL : m->order[i];
}

/* The redirect is as if it had not been written; nothing cancels the keep then (RFC 5228 4.2). */
static void
merge_ignore(struct merge_rcpt *r, size_t i)
{
	r->ignored = true;
	r->plan->d.v[i] = r->plan->d.v[--r->plan->d.n];
	merge_keep(r);
}

/* To oneself, or to somebody whom his own rules refused at RCPT TO. */
static void
merge_ignore_futile(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		for (size_t i = 0; !r->refused && i < r->plan->d.n; i++) {
			struct delivery *d = &r->plan->d.v[i];
			struct merge_rcpt *to = d->redirect && !d->done ? merge_find(m, d->canonical) : NULL;

			if (to && (to == r || to->refused || str_eq(to->canonical, r->canonical)))
				merge_ignore(r, i--);
		}
	}
}

struct circle {
	bool *settled, *reaches;        /* of each recipient; reaches: it comes to somebody */
};

/* Does his plan come to an end, or at least that of somebody to whom it leads?  Of several redirects, one that reaches
 * somebody is enough; those who throw away what they get settle only what goes to nobody else. */
static bool
is_settled(const struct merge *m, const struct merge_rcpt *r, struct circle *c)
{
	bool *reaches = &c->reaches[r - m->rcpt], all = true;

	for (size_t i = 0; i < r->plan->d.n; i++) {
		const struct delivery *d = &r->plan->d.v[i];
		const struct merge_rcpt *to = d->redirect && !d->done ? merge_find(m, d->canonical) : NULL;

		*reaches |= !to || c->reaches[to - m->rcpt];
		all &= !to || c->settled[to - m->rcpt];
	}
	return *reaches || all;         /* without deliveries: his rules say so, refused or discarded */
}

/* Recipients that redirect in a circle would each leave the message to the other: they keep it. */
static void
merge_break_circles(struct merge *m)
{
	struct circle c = { ARENA_ARRAY(m->arena, m->n, bool), ARENA_ARRAY(m->arena, m->n, bool) };
	bool more = true;

	memset(c.settled, 0, m->n * sizeof *c.settled);
	memset(c.reaches, 0, m->n * sizeof *c.reaches);
	/* there and back, so that a row of them in either direction is settled at once */
	for (bool back = false; more; back = !back) {
		more = false;
		for (size_t k = 0; k < m->n; k++) {
			size_t i = back ? m->n - 1 - k : k;
			bool reached = c.reaches[i], was = c.settled[i];

			c.settled[i] |= m->rcpt[i].refused || is_settled(m, &m->rcpt[i], &c);
			more |= c.settled[i] != was || c.reaches[i] != reached;
		}
	}
	for (size_t i = 0; i < m->n; i++) {
		while (!c.settled[i] && m->rcpt[i].plan->d.n && m->rcpt[i].plan->d.v[0].redirect)
			merge_ignore(&m->rcpt[i], 0);
	}
}

/* The first delivery of the message that makes this one of that recipient needless; or NULL. */
static const struct delivery *
merge_twin(const struct merge *m, const struct merge_rcpt *of, const struct delivery *d)
{
	/* what goes to a recipient himself has none with others */
	if (d->kind != DELIVERY_ADDRESS && d == of->plan->d.v)
		return NULL;
	EACH_DELIVERY(m, r, e) {
		if (e == d)
			return NULL;
		if (e->kind == d->kind && (d->kind == DELIVERY_ADDRESS || r == of) && e->way != WAY_COVERED &&
		    e->filtered == d->filtered && str_eq(e->canonical, d->canonical) && merge_same_content(d, e))
			return e;
	}
	return NULL;
}

/* What goes to a recipient of this message is his own plan's affair; the same
 * content to the same address is sent once. */
static void
merge_cover(struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		bool other = d->redirect && merge_find(m, d->canonical);

		d->way = WAY_QUEUE;
		if (d->done)
			d->way = WAY_DONE;
		else if (other || merge_twin(m, r, d))
			d->way = WAY_COVERED;
	}
}

/* --- refusals */

/* Does some plan need the message to go on? */
static bool
merge_delivers(const struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		(void)r;
		if (d->way != WAY_COVERED)
			return true;
	}
	return false;
}

static bool
merge_refuses(const struct merge *m)
{
	bool any = false;

	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		if (r->refused || !r->plan->refuses)
			continue;
		if (!m->can_refuse || (m->speakable && !m->speakable(m->ctx, r->plan)))
			return false;
		any = true;
	}
	return any && !merge_delivers(m);
}

/* Who refuses what others take: the sender is told by a report, or else it is kept with a mark. */
static void
merge_refuse_late(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		if (r->refused || !r->plan->refuses || r->plan->d.n)
			continue;
		if (m->can_report)
			vec_push(&r->plan->d, (struct delivery){ .kind = DELIVERY_REPORT, .target = STR_EMPTY, .canonical = STR_EMPTY,
			         .folder = STR_EMPTY, .edits = STR_EMPTY, .mark = STR_EMPTY, .sender = STR_EMPTY });
		else
			plan_add_keep(r->plan, r->plan->late_mark);
	}
}

/* --- copies */

/* The client named one person twice, in two ways of writing: one copy is enough, and one report.  What has left by an
 * earlier attempt counts wherever he stands now. */
static bool
merge_copied(const struct merge *m, const struct merge_rcpt *of, const struct delivery *d)
{
	EACH_DELIVERY(m, r, e) {
		if (r == of || e->kind != d->kind || e->kind == DELIVERY_ADDRESS)
			continue;
		if ((e->way != WAY_DONE && (e->way != WAY_COPY || r > of)) || !str_eq(r->canonical, of->canonical))
			continue;
		/* a mark of quarantine has the address as it was written */
		if (d->kind == DELIVERY_QUARANTINE || (str_eq(e->folder, d->folder) && merge_same_content(d, e)))
			return true;
	}
	return false;
}

/* --- quarantine */

/* Is there something that the server's own message has to bring to somebody? */
static bool
merge_carries(const struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		(void)r;
		if (d->way == WAY_QUEUE && d->kind != DELIVERY_QUARANTINE && d->kind != DELIVERY_REPORT && !d->filtered)
			return true;
	}
	return false;
}

/* He has it in another way, or keeps it. */
static void
merge_unhold(struct merge_rcpt *r, struct delivery *d)
{
	struct plan *p = r->plan;

	r->unheld = true;
	for (size_t i = 0; i < p->d.n; i++)
		if (plan_is_keep(p, &p->d.v[i])) {
			*d = p->d.v[--p->d.n];
			return;
		}
	*d = plan_new_keep(r->plan, r->plan->kept_mark);
}

/* The server holds a message for all of its recipients or for none. */
static void
merge_quarantine(struct merge *m)
{
	bool alone = m->can_hold && !merge_carries(m);

	EACH_DELIVERY(m, r, d) {
		if (d->kind != DELIVERY_QUARANTINE || d->way != WAY_QUEUE)
			continue;
		if (merge_copied(m, r, d))
			d->way = WAY_COVERED;
		else if (alone)
			m->hold = true;
		else if (m->can_set_aside)
			d->way = WAY_COPY;
		else
			merge_unhold(r, d);
	}
}

/* --- contents */

/* One of those whose content the server's message may have. */
static bool
in_place(const struct delivery *d)
{
	return d->kind != DELIVERY_REPORT && d->kind != DELIVERY_QUARANTINE && !d->filtered;
}

static size_t
merge_weight(const struct merge *m, const struct delivery *like)
{
	size_t n = 0;

	EACH_DELIVERY(m, r, d) {
		(void)r;
		n += d->way == WAY_QUEUE && in_place(d) && merge_same_content(d, like);
	}
	return n;
}

/* The content that most deliveries have; as it came, if somebody has no rules
 * or nothing can go as a copy. */
static void
merge_choose_content(struct merge *m)
{
	size_t most = 0, all = 0, n;
	const struct delivery *best = NULL;

	m->content = NULL;
	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		if (!r->refused && (r->plan->unfiltered || r->stays))
			return;
	EACH_DELIVERY(m, r, d) {
		if (d->way != WAY_QUEUE || !in_place(d))
			continue;
		all++;
		n = merge_weight(m, d);
		if (n > most || (n == most && is_original(d))) {
			most = n;
			best = d;
			m->content_of = (size_t)(r - m->rcpt);
		}
	}
	if (best && !is_original(best) && (most == all || m->can_copy))
		m->content = best;
}

static void
merge_ways(struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		bool here = m->content ? merge_same_content(d, m->content) : is_original(d);

		if (d->way != WAY_QUEUE || d->kind == DELIVERY_QUARANTINE)
			continue;
		if (d->kind == DELIVERY_REPORT || d->filtered || (!here && m->can_copy))
			d->way = merge_copied(m, r, d) ? WAY_COVERED : WAY_COPY;
		else if (!here && !r->plain)
			r->plain = d;
	}
}

/* --- the envelope */

static bool
stays_in_envelope(const struct merge_rcpt *r)
{
	for (size_t i = 0; i < r->plan->d.n; i++) {
		enum delivery_kind kind = r->plan->d.v[i].kind;

		if ((kind == DELIVERY_SELF || kind == DELIVERY_QUARANTINE) && r->plan->d.v[i].way == WAY_QUEUE)
			return true;
	}
	return false;
}

/* Whom the client named by this very address, or else in another way of writing it and who remains; or NULL. */
static struct merge_rcpt *
merge_named_as(const struct merge *m, const struct delivery *d)
{
	struct merge_rcpt *first = merge_find(m, d->canonical), *same = NULL;

	if (!first || first->refused)
		return NULL;
	for (struct merge_rcpt *r = m->rcpt; !same && r < m->rcpt + m->n; r++)
		if (!r->refused && str_eq(r->address, d->target))
			same = r;
	if (same && same != first && first->removed) {
		/* to Postfix the two are one, and that is the first, which goes: it is added, and not taken away then */
		same->removed = false;
		return NULL;
	}
	return same == first || !first->removed ? first : NULL;
}

/* An address to be added that the client named as well: added it would come twice, and taken away with its recipient,
 * whose own plan may be another, not at all.  If he wrote it in another way, and it goes, it is added: folders may
 * differ by the case of their letters, and which it is the rules say. */
static void
merge_named(struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		struct merge_rcpt *to = d->kind == DELIVERY_ADDRESS && d->way == WAY_QUEUE ? merge_named_as(m, d) : NULL;

		(void)r;
		if (!to)
			continue;
		d->way = WAY_COVERED;
		to->removed = false;
	}
}

/* To Sendmail those whose addresses are equal are one: he goes when all of them go. */
static void
merge_remove(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		r->removed = !r->refused && !stays_in_envelope(r);
	merge_named(m);
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		for (struct merge_rcpt *q = m->rcpt; r->group.len && q < m->rcpt + m->n; q++)
			if (str_eq(r->group, q->group) && !q->refused && stays_in_envelope(q))
				r->removed = false;
}

void
merge_plans(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		r->removed = false, r->plain = NULL;
	m->hold = false;
	if (!m->index)
		merge_index(m);
	merge_ignore_futile(m);
	merge_break_circles(m);
	merge_cover(m);
	m->refuse = merge_refuses(m);
	if (m->refuse)
		return;
	merge_refuse_late(m);
	merge_cover(m);
	merge_quarantine(m);
	merge_choose_content(m);
	merge_ways(m);
	merge_remove(m);
}
