/* merge.c - one message, one answer, several plans
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/merge.h"

#include <stdlib.h>

#include "base/keyset.h"
#include "milter/twins.h"

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
	key = ARENA_ARRAY(m->arena, m->n, struct str);
	for (size_t i = 0; i < m->n; i++)
		key[i] = m->order[i]->address;
	m->by_address = keyset_new(m->arena, key, m->n);
	if (!m->one_mailbox)
		return;
	key = ARENA_ARRAY(m->arena, m->n, struct str);
	for (size_t i = 0; i < m->n; i++)
		key[i] = m->order[i]->group;
	m->by_group = keyset_new(m->arena, key, m->n);
}

struct merge_rcpt *
merge_find(const struct merge *m, struct str canonical)
{
	ptrdiff_t i = keyset_find(m->index, canonical);

	return i < 0 ? NULL : m->order[i];
}

struct str
merge_mailbox(const struct merge *m, const struct merge_rcpt *r)
{
	ptrdiff_t i = m->by_group && r->group.len ? keyset_find(m->by_group, r->group) : -1;

	return i < 0 ? r->canonical : m->order[i]->canonical;
}

static void
merge_ignore(struct merge_rcpt *r, size_t i)
{
	r->ignored = true;
	r->plan->d.v[i] = r->plan->d.v[--r->plan->d.n];
	plan_without_redirect(r->plan);
}

/* To oneself, or to somebody whom his own rules refused at RCPT TO. */
static void
merge_ignore_futile(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		for (size_t i = 0; !r->refused && i < r->plan->d.n; i++) {
			struct delivery *d = &r->plan->d.v[i];
			struct merge_rcpt *to = d->redirect && !d->done ? merge_find(m, d->canonical) : NULL;
			/* under the address that his mail goes to */
			bool home = r->elsewhere && d->redirect && !d->done && str_eq(d->canonical, r->plan->home_canonical);

			if (home || (to && (to->refused || str_eq(to->canonical, r->canonical))))
				merge_ignore(r, i--);
		}
	}
}

struct circle {
	bool *settled, *reaches;        /* of each recipient; reaches: it comes to somebody */
	/* who redirects to somebody is looked at again when more is known of that one */
	size_t *first, *next, *from;    /* of each recipient the first of those; of each redirect the next one, and whose it is */
	size_t *due, ndue;              /* to be looked at, again */
	bool *listed;
};

#define NONE SIZE_MAX

/* Whom a delivery leaves the message to. */
static struct merge_rcpt *
circle_next(const struct merge *m, const struct delivery *d)
{
	return d->redirect && !d->done ? merge_find(m, d->canonical) : NULL;
}

static void
circle_list(struct circle *c, size_t i)
{
	if (!c->listed[i])
		c->due[c->ndue++] = i;
	c->listed[i] = true;
}

static struct circle
circle_begin(struct merge *m, struct arena *a)
{
	struct circle c = { 0 };
	size_t n = 0;

	EACH_DELIVERY(m, r, d) {
		(void)r;
		n += d->redirect;
	}
	c.settled = ARENA_ARRAY(a, m->n, bool);
	c.reaches = ARENA_ARRAY(a, m->n, bool);
	c.listed = ARENA_ARRAY(a, m->n, bool);
	c.first = ARENA_ARRAY(a, m->n, size_t);
	c.due = ARENA_ARRAY(a, m->n, size_t);
	c.next = ARENA_ARRAY(a, n, size_t);
	c.from = ARENA_ARRAY(a, n, size_t);
	for (size_t i = 0; i < m->n; i++) {
		c.settled[i] = c.reaches[i] = c.listed[i] = false;
		c.first[i] = NONE;
		circle_list(&c, i);
	}
	n = 0;
	EACH_DELIVERY(m, r, d) {
		const struct merge_rcpt *to = circle_next(m, d);

		if (!to)
			continue;
		c.from[n] = (size_t)(r - m->rcpt);
		c.next[n] = c.first[to - m->rcpt];
		c.first[to - m->rcpt] = n++;
	}
	return c;
}

/* Does his plan come to an end, or at least that of somebody to whom it leads?  Of several redirects, one that reaches
 * somebody is enough; those who throw away what they get settle only what goes to nobody else. */
static bool
is_settled(const struct merge *m, const struct merge_rcpt *r, struct circle *c)
{
	bool *reaches = &c->reaches[r - m->rcpt], all = true;

	for (size_t i = 0; i < r->plan->d.n; i++) {
		const struct merge_rcpt *to = circle_next(m, &r->plan->d.v[i]);

		*reaches |= !to || c->reaches[to - m->rcpt];
		all &= !to || c->settled[to - m->rcpt];
	}
	return *reaches || all;         /* without deliveries: his rules say so, refused or discarded */
}

/* Recipients that redirect in a circle would each leave the message to the other: they keep it. */
static void
merge_break_circles(struct merge *m)
{
	struct arena arena = { 0 };
	struct circle c = circle_begin(m, &arena);

	while (c.ndue) {
		size_t i = c.due[--c.ndue];
		bool reached = c.reaches[i], was = c.settled[i];

		c.listed[i] = false;
		c.settled[i] |= m->rcpt[i].refused || is_settled(m, &m->rcpt[i], &c);
		for (size_t k = c.settled[i] != was || c.reaches[i] != reached ? c.first[i] : NONE; k != NONE; k = c.next[k])
			circle_list(&c, c.from[k]);
	}
	for (size_t i = 0; i < m->n; i++) {
		while (!c.settled[i] && m->rcpt[i].plan->d.n && m->rcpt[i].plan->d.v[0].redirect)
			merge_ignore(&m->rcpt[i], 0);
	}
	arena_done(&arena);
}

/* Can it go in a copy of its own? */
static bool
can_copy(const struct merge *m, const struct delivery *d)
{
	return m->can_copy && (d->filtered || !d->redirect || !m->to_store);
}

/* Do all keep what came where it is, so that nobody is taken away, who might be the one to whom another name leads? */
static bool
merge_all_stay(const struct merge *m)
{
	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		bool stays = r->refused;

		for (size_t i = 0; !r->refused && i < r->plan->d.n; i++) {
			const struct delivery *d = &r->plan->d.v[i];

			if (!is_original(d))
				return false;
			stays |= d->kind == DELIVERY_SELF && !d->done;
		}
		if (!stays)
			return false;
	}
	return true;
}

/* Must it leave by itself, so that who sent it is told what he wants to know, and no more, or because the server would
 * not say the address in a way that the next one takes, or would take it away with somebody? */
static bool
is_apart(const struct merge *m, const struct merge_rcpt *r, const struct delivery *d, bool all_stay)
{
	bool wished = r->wishes && !r->stays && !(d->own_sender && m->own_hears);

	wished |= m->has_body && d->may_return && !all_stay;
	if ((!wished && !(d->utf8 && m->utf8)) || d->filtered || !can_copy(m, d) || (m->to_store && r->elsewhere))
		return false;
	/* of who has no rules no copies are made; who is in the envelope himself would have it twice */
	if (r->plan->unfiltered || merge_find(m, d->canonical))
		return false;
	return d->kind == DELIVERY_ADDRESS;
}

/* What goes to a recipient of this message is his own plan's affair; the same
 * content to the same address is sent once. */
static void
merge_cover(struct merge *m)
{
	const bool all_stay = merge_all_stay(m);

	m->contents = twins_number(m);
	EACH_DELIVERY(m, r, d) {
		d->way = d->done ? WAY_DONE : d->redirect && merge_find(m, d->canonical) ? WAY_COVERED : WAY_QUEUE;
		d->with = NULL;
		d->apart = is_apart(m, r, d, all_stay);
	}
	twins_cover(m);
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

/* With the mark.  What a script of the site has kept for him already has it then, so that he gets it once. */
static void
merge_keep_late(struct plan *p)
{
	for (size_t i = 0; i < p->d.n; i++) {
		struct delivery *d = &p->d.v[i];

		if (!plan_is_keep(p, d) || d->mark.len || d->done)
			continue;
		d->mark = p->late_mark;
		return;
	}
	plan_add_keep(p, p->late_mark);
}

/* Who refuses what others take, or a script of the site delivers besides: the sender is told by a report, or else it is
 * kept with a mark. */
static void
merge_refuse_late(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		if (r->refused || !r->plan->refuses || r->late)
			continue;
		r->late = m->can_report && !r->silent ? LATE_TOLD : LATE_KEPT;
		if (r->late == LATE_TOLD)
			vec_push(&r->plan->d, (struct delivery){ .kind = DELIVERY_REPORT, .target = STR_EMPTY, .canonical = STR_EMPTY,
			         .folder = STR_EMPTY, .edits = STR_EMPTY, .mark = STR_EMPTY, .sender = STR_EMPTY });
		else
			merge_keep_late(r->plan);
	}
}

/* --- quarantine */

/* One of those whose content the server's message may have. */
static bool
in_place(const struct delivery *d)
{
	return d->way == WAY_QUEUE && d->kind != DELIVERY_REPORT && d->kind != DELIVERY_QUARANTINE && !d->filtered &&
	       !d->apart;
}

/* How many are put in quarantine, and whether the server's own message has to bring something to somebody.  What is
 * released goes to those who are in the envelope: it does not do for who keeps his mail under another address. */
static size_t
merge_count_quarantine(const struct merge *m, bool *ret_shared, bool *ret_elsewhere)
{
	size_t n = 0;

	*ret_shared = *ret_elsewhere = false;
	EACH_DELIVERY(m, r, d) {
		n += d->kind == DELIVERY_QUARANTINE;
		*ret_shared |= in_place(d) || (d->apart && d->way == WAY_QUEUE);
		*ret_elsewhere |= d->kind == DELIVERY_QUARANTINE && r->elsewhere;
	}
	return n;
}

/* He has it in another way, or keeps it. */
static void
merge_unhold(struct merge_rcpt *r, struct delivery *d, bool shared)
{
	struct plan *p = r->plan;

	r->unheld = shared || !r->elsewhere ? UNHELD_SHARED : UNHELD_ELSEWHERE;
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
	bool shared, elsewhere, alone, unheld = false;

	if (!merge_count_quarantine(m, &shared, &elsewhere))
		return;
	alone = m->can_hold && !shared && !elsewhere;
	twins_cover_copies(m);          /* what has left */
	EACH_DELIVERY(m, r, d) {
		if (d->kind != DELIVERY_QUARANTINE || d->way != WAY_QUEUE)
			continue;
		if (alone)
			m->hold = true;
		else if (m->can_set_aside)
			d->way = WAY_COPY;
		else {
			merge_unhold(r, d, shared);
			unheld = true;
		}
	}
	/* what he keeps may be another's as well, and what stands for others' has another place */
	if (unheld) {
		merge_cover(m);
		twins_cover_copies(m);
	} else {
		m->contents = twins_number(m);
	}
}

/* --- contents */

/* How many have each content. */
static size_t *
merge_weigh(const struct merge *m)
{
	size_t *weight = mem_alloc((m->contents + 1) * sizeof *weight);

	memset(weight, 0, (m->contents + 1) * sizeof *weight);
	EACH_DELIVERY(m, r, d) {
		(void)r;
		weight[d->content] += in_place(d);
	}
	return weight;
}

/* What those that cannot go in copies have, if they all have the same. */
static bool
merge_is_bound(const struct merge *m, const struct delivery **ret)
{
	const struct delivery *first = NULL;

	EACH_DELIVERY(m, r, d) {
		(void)r;
		if (!in_place(d) || can_copy(m, d))
			continue;
		if (first && first->content != d->content) {
			*ret = NULL;
			return true;
		}
		first = d;
	}
	*ret = first;
	return first;
}

/* The content that most deliveries have, or that of those that cannot go as
 * copies; as it came, if somebody has no rules or those have several. */
static void
merge_choose_content(struct merge *m)
{
	size_t most = 0, n, *weight;
	const struct delivery *best = NULL, *bound;
	const bool is_bound = merge_is_bound(m, &bound);

	m->content = NULL;
	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		if (!r->refused && (r->plan->unfiltered || r->stays))
			return;
	weight = merge_weigh(m);
	EACH_DELIVERY(m, r, d) {
		if (!in_place(d))
			continue;
		if ((m->many_fields && d->edits.len) || (is_bound && (!bound || d->content != bound->content)))
			continue;
		if (m->drops_resent && d->resends && can_copy(m, d))
			continue;
		n = weight[d->content];
		if (n > most || (n == most && is_original(d))) {
			most = n;
			best = d;
			m->content_of = (size_t)(r - m->rcpt);
		}
	}
	free(weight);
	if (best && !is_original(best))
		m->content = best;
}

static void
merge_ways(struct merge *m)
{
	EACH_DELIVERY(m, r, d) {
		bool here = m->content ? d->content == m->content->content : is_original(d);

		if (d->way != WAY_QUEUE || d->kind == DELIVERY_QUARANTINE)
			continue;
		if (d->kind == DELIVERY_REPORT || d->filtered || d->apart || (!here && can_copy(m, d)))
			d->way = WAY_COPY;
		else if (!here && !r->plain)
			r->plain = d;
	}
	twins_cover_queued(m);
	twins_cover_copies(m);
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
	struct merge_rcpt *first = merge_find(m, d->canonical), *same;
	ptrdiff_t i = keyset_find(m->by_address, d->target);

	if (!first || first->refused)
		return NULL;
	same = i < 0 || m->order[i]->refused ? NULL : m->order[i];
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

/* To the server those whose addresses are equal are one: he goes when all of them go. */
static void
merge_remove_groups(struct merge *m)
{
	struct arena arena = { 0 };
	struct str *stays = ARENA_ARRAY(&arena, m->n, struct str);
	struct keyset *groups;
	size_t n = 0;

	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		if (r->group.len && !r->refused && stays_in_envelope(r))
			stays[n++] = r->group;
	groups = keyset_new(&arena, stays, n);
	for (struct merge_rcpt *r = m->rcpt; n && r < m->rcpt + m->n; r++)
		if (r->group.len && keyset_find(groups, r->group) >= 0)
			r->removed = false;
	arena_done(&arena);
}

static void
merge_remove(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		r->removed = !r->refused && !stays_in_envelope(r);
	merge_named(m);
	merge_remove_groups(m);
}

/* Most messages: everybody keeps what came, and nobody does anything else, so that nothing can interfere. */
static bool
merge_leaves_all(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		const struct delivery *d = r->plan->d.v;

		if (!r->refused && (r->plan->refuses || r->plan->d.n != 1 || d->kind != DELIVERY_SELF || d->done || !is_original(d)))
			return false;
	}
	EACH_DELIVERY(m, r, d)
		d->way = WAY_QUEUE;
	return true;
}

void
merge_plans(struct merge *m)
{
	for (struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		r->removed = false, r->plain = NULL;
	m->hold = m->refuse = false;
	m->content = NULL;
	if (merge_leaves_all(m))
		return;
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
