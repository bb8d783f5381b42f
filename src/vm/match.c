/* match.c - match type x comparator x keys, on the values that a test feeds
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/match.h"

#include <stdio.h>

#include "base/utf8.h"
#include "vm/trace.h"

enum {
	NEAREST_MAX = 2000,             /* keys looked at for the one that came closest */
	SCRATCH_MOST = 65536,           /* bytes */
};

/* --- forms */

static struct str
cell_make(struct run *r, struct cell *c, const struct comparator *k)
{
	if (!k->canonical)
		return c->v;
	if (k->form < 0)
		return k->canonical(&r->arena, c->v);
	run_work(r, c->v.len);
	return c->form[k->form] = k->canonical(&r->message->arena, c->v);
}

static inline struct str
cell_canonical(struct run *r, struct cell *c, const struct comparator *k)
{
	return k->form >= 0 && c->form[k->form].s ? c->form[k->form] : cell_make(r, c, k);
}

/* --- keys made at run time, kept for the rest of the run */

struct run_cache {
	const struct call *call;
	struct str written;             /* all keys, joined */
	struct matcher matcher;
	struct run_cache *next;
};

static struct str
keys_joined(struct arena *arena, const struct value *keys)
{
	struct buf joined = { 0 };
	struct str copy;

	for (uint32_t i = 0; i < keys->n; i++) {
		buf_printf(&joined, "%zu:", keys->str[i].len);
		buf_add(&joined, keys->str[i]);
	}
	copy = buf_copy(&joined, arena);
	buf_done(&joined);
	return copy;
}

/* The call's matcher with keys as they are now; NULL after an error. */
static const struct matcher *
matcher_dynamic(struct run *r, const struct call *k, const struct value *keys)
{
	struct str joined = keys_joined(&r->arena, keys);
	struct run_cache *c;
	const char *wrong;
	uint64_t looked = 0;
	size_t at;

	for (c = r->cache; c; c = c->next, looked++)
		if (c->call == k && str_eq(c->written, joined))
			return &c->matcher;
	c = arena_zalloc(&r->arena, sizeof *c);
	c->call = k;
	c->written = joined;
	c->matcher = *k->matcher;
	r->work += 20 + joined.len / 8 + looked / 8;
	wrong = matcher_prepare(&c->matcher, &r->arena, keys->str, keys->n, 0, &at);
	if (wrong) {
		run_error(r, k, "key \"%.*s\" of '%s': %s", keys->str[at].len > 80 ? 80 : (int)keys->str[at].len, keys->str[at].s,
		          k->matcher->type->name, wrong);
		return NULL;
	}
	c->next = r->cache;
	r->cache = c;
	return &c->matcher;
}

/* --- values */

static inline bool
match_canonical(struct match *m, struct str octets, struct str canonical)
{
	size_t key = 0;
	int rc;

	m->value = octets;
	m->canonical = canonical;
	rc = m->matcher->type->match(m->run, m->matcher, m->matcher->type->raw ? octets : canonical, &key);
	if (m->run->tracing)
		TRACE(m->run, value, m->call, octets, rc, rc == YES ? m->matcher->written[key] : STR_EMPTY);
	m->run->work += 1 + canonical.len / 64;
	if (rc != ERROR && !run_goes_on(m->run))
		rc = ERROR;
	if (rc == NO)
		return false;
	m->result = rc;
	return true;
}

bool
match_cell(struct match *m, struct cell *c)
{
	if (m->bits) {
		struct str v = cell_canonical(m->run, c, m->probe->comparator);

		automaton_mark(m->probe->automaton, v, m->bits);
		m->run->work += 1 + v.len / 64;
		return false;
	}
	if (m->matcher->type->counts) {
		m->count++;
		if (m->run->tracing)
			TRACE(m->run, value, m->call, c->v, UNKNOWN, STR_EMPTY);
		return false;
	}
	/* a type that folds for itself looks for literals only, in the forms that are cheap */
	if (m->matcher->type->raw && !m->matcher->comparator->octets)
		return match_canonical(m, c->v, c->v);
	return match_canonical(m, c->v, cell_canonical(m->run, c, m->matcher->comparator));
}

bool
match_text(struct match *m, struct str v)
{
	struct cell c = cell_of(v);

	/* forms of a passing value must not stay with the message */
	if (!m->bits && !m->matcher->type->counts && m->matcher->comparator->canonical)
		return match_canonical(m, v, m->matcher->comparator->canonical(&m->run->arena, v));
	return match_cell(m, &c);
}

bool
match_address(struct match *m, struct mail_address *a)
{
	const struct address_part *part = call_part(m->call);
	struct str v;

	if (!part || part->builtin == 1)
		return match_cell(m, &a->all);
	if (!a->valid)                  /* RFC 5228 5.1: what is no address has no parts */
		return false;
	if (part->builtin)
		return match_cell(m, part->builtin == 2 ? &a->local : &a->domain);
	return part->part(m->run, a->local.v, a->domain.v, a->all.v, &v) == YES && match_text(m, v);
}

static void
match_counted(struct match *m)
{
	char text[24];
	struct str v;

	snprintf(text, sizeof text, "%llu", (unsigned long long)m->count);
	v = arena_str(&m->run->arena, str_from(text));
	match_canonical(m, v, m->matcher->comparator->canonical ? m->matcher->comparator->canonical(&m->run->arena, v) : v);
}

/* --- captures */

/* Canonical text is made character by character.  A walk through both. */
struct walk {
	struct match *m;
	struct arena scratch;
	size_t value, canonical;        /* where it is */
};

static bool
walk_on(struct walk *w)
{
	struct str rest = str_sub(w->m->value, w->value, w->m->value.len);
	uint32_t code;
	size_t n;

	if (!rest.len)
		return false;
	n = utf8_next(rest, &code);
	n = n ? n : 1;
	w->value += n;
	w->canonical += w->m->matcher->comparator->canonical(&w->scratch, str_sub(rest, 0, n)).len;
	if (w->scratch.used > SCRATCH_MOST)
		arena_reset(&w->scratch);
	return true;
}

const uint64_t *
match_starts(struct match *m)
{
	struct walk w = { .m = m };
	uint64_t *starts;

	if (m->canonical.s == m->value.s)
		return NULL;
	starts = arena_zalloc(&m->run->arena, m->canonical.len / 64 * sizeof *starts + sizeof *starts);
	do
		starts[w.canonical / 64] |= (uint64_t)1 << (w.canonical % 64);
	while (walk_on(&w) && w.canonical <= m->canonical.len);
	arena_done(&w.scratch);
	m->run->work += m->value.len / 8;
	return starts;
}

/* Spans of the canonical text become spans of the value, whole characters. */
static void
spans_original(struct match *m, struct str *cap, size_t n)
{
	struct walk w = { .m = m };
	size_t from[MATCH_SLOTS], to[MATCH_SLOTS], left = n;
	bool begun[MATCH_SLOTS] = { false }, ended[MATCH_SLOTS] = { false };

	do {
		for (size_t i = 0; i < n; i++) {
			size_t start = (size_t)(cap[i].s - m->canonical.s);

			if (!begun[i] && w.canonical >= start) {
				begun[i] = true;
				from[i] = w.value;
			}
			if (!ended[i] && w.canonical >= start + cap[i].len) {
				ended[i] = true;
				to[i] = w.value;
				left--;
			}
		}
	} while (left && walk_on(&w));
	arena_done(&w.scratch);
	m->run->work += m->value.len / 8;
	for (size_t i = 0; i < n; i++)
		cap[i] = ended[i] ? str_sub(m->value, from[i], to[i]) : STR_EMPTY;
}

void
run_captures(struct run *r, const struct str *cap, size_t n)
{
	struct match *m = r->matching;
	bool same = m->matcher->type->raw || !m->matcher->comparator->canonical || m->canonical.s == m->value.s;
	struct str span[MATCH_SLOTS];

	n = n < MATCH_SLOTS ? n : MATCH_SLOTS;
	memcpy(span, cap, n * sizeof *span);
	for (size_t i = 0; i < n; i++)
		if (!span[i].len)
			span[i].s = m->canonical.s;
	if (!same && m->matcher->comparator->octets)
		for (size_t i = 0; i < n; i++)
			span[i].s = m->value.s + (span[i].s - m->canonical.s);
	else if (!same)
		spans_original(m, span, n);
	for (size_t i = 0; i < MATCH_SLOTS; i++) {
		r->match[i].v = i < n && span[i].len ? arena_str(&r->arena, span[i]) : STR_EMPTY;
		r->match[i].taint = r->unknown;
	}
}

/* --- the index */

/* Which keys occur in the source's values, and so which tests may match. */
static uint64_t *
probe_fill(struct run *r, const struct call *k, const struct probe *p)
{
	size_t size = (p->nbits + 63) / 64 * sizeof(uint64_t);
	uint64_t *bits = arena_zalloc(&r->arena, size);
	struct match m = { .run = r, .call = k, .matcher = k->matcher, .probe = p };

	m.bits = arena_zalloc(&r->arena, (p->nkeys + 63) / 64 * sizeof *m.bits);
	/* what cannot be told now is told again by the test itself */
	if (k->command->values(r, k, k->arg, &m) < 0)
		return memset(bits, 0xff, size);
	for (uint32_t i = 0; i < (p->nkeys + 63) / 64; i++)
		for (uint64_t word = m.bits[i]; word; word &= word - 1) {
			uint32_t bit = p->bit[i * 64 + (uint32_t)__builtin_ctzll(word)];

			bits[bit / 64] |= (uint64_t)1 << (bit % 64);
		}
	return bits;
}

bool
match_excluded(struct run *r, const struct call *k)
{
	const struct probe *p = &r->program->probe[k->probe];
	uint64_t *bits = r->probe[k->probe];

	if (!bits)
		bits = r->probe[k->probe] = probe_fill(r, k, p);
	return !(bits[k->bit / 64] >> (k->bit % 64) & 1);
}

/* --- */

static void
match_nearest(struct match *m)
{
	const struct matcher *k = m->matcher;
	struct str best = STR_EMPTY;
	unsigned distance = UINT32_MAX;

	if (!m->value.s)
		return;
	for (uint32_t i = 0; i < k->nkeys && i < NEAREST_MAX; i++) {
		unsigned limit = distance == UINT32_MAX ? 64 : distance - 1, d;

		if (!distance)
			break;
		d = str_distance(m->value.len > 200 ? str_sub(m->value, 0, 200) : m->value,
		                 k->written[i].len > 200 ? str_sub(k->written[i], 0, 200) : k->written[i], limit);
		if (d <= limit) {
			distance = d;
			best = k->written[i];
		}
	}
	if (!best.len && k->nkeys)
		best = k->written[0];
	TRACE(m->run, nearest, m->call, m->value, best);
}

/* The call's matcher, its keys as they are now; NULL after an error. */
static const struct matcher *
matcher_now(struct run *r, const struct call *k, const struct value *arg)
{
	const struct value *keys = NULL;

	if (k->matcher->prepared_ok)
		return k->matcher;
	for (uint8_t i = 0; i < k->nargs; i++)
		if (k->command->params[i].role == ROLE_KEYS)
			keys = &arg[i];
	return keys ? matcher_dynamic(r, k, keys) : NULL;
}

int
match_run(struct run *r, const struct call *k, const struct value *arg)
{
	struct match m;
	int rc;

	/* by hand: this is every comparing test, and the rest is written before it is read */
	m.run = r;
	m.call = k;
	m.matcher = matcher_now(r, k, arg);
	m.bits = NULL;
	m.result = NO;
	m.count = 0;
	m.value.s = NULL;

	if (!m.matcher)
		return ERROR;
	r->matching = &m;
	rc = k->command->values(r, k, arg, &m);
	if (rc == YES && m.matcher->type->counts && m.result == NO)
		match_counted(&m);
	r->matching = NULL;
	if (rc < 0)
		return rc;
	if (m.result == NO && r->tracing)
		match_nearest(&m);
	return m.result;
}

int
match_each(struct run *r, const struct call *k, const struct value *arg, struct cell *const *cell, unsigned n, bool *ret)
{
	struct match m = { .run = r, .call = k, .matcher = matcher_now(r, k, arg), .result = NO };
	bool tracing = r->tracing, counts = m.matcher && m.matcher->type->counts;
	int rc = m.matcher ? YES : ERROR;

	/* a trace shows the values that tests see */
	r->tracing = false;
	r->matching = &m;
	for (unsigned i = 0; i < n && rc >= 0; i++) {
		m.result = NO;
		match_cell(&m, cell[i]);
		rc = m.result;
		ret[i] = rc == YES;
	}
	if (counts && rc >= 0) {
		match_counted(&m);
		rc = m.result;
		memset(ret, rc == YES, n * sizeof *ret);
	}
	r->matching = NULL;
	r->tracing = tracing;
	return rc < 0 ? rc : YES;
}
