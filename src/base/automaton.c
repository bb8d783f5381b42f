/* automaton.c - search for many strings at once (Aho and Corasick)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * States are numbered level by level, so that
 *   - the children of one state are neighbours, and end where those of the
 *     next state begin: an edge costs one byte, its label;
 *   - those near the start, where a search spends its time, come first.  They
 *     have full rows (one entry for each class of bytes, failures followed
 *     already), as many as ROWS_MAX allows.
 * A place is what the search moves in: for a state with a row the offset of
 * that row, else its number plus a constant.  Its top bit says that a key ends
 * here.
 *
 * In long texts, what cannot begin a key is skipped by a prefilter.  Where one
 * may begin the automaton takes over until it is back at the root, so the worst
 * case stays linear. */
#include <stdlib.h>

#include "base/automaton.h"
#include "base/limits.h"
#include "base/prefilter.h"

enum {
	ROWS_MAX = 1 << 18,     /* entries: 1 MB */
	LONG_TEXT = 128,        /* bytes that are worth a prefilter */
	STOP_BYTES = 16,        /* between its stops, else it does not pay */
};

#define HIT ((uint32_t)1 << 31)

struct state {
	uint32_t first;         /* child */
	uint32_t fail;          /* a place */
	uint32_t end;           /* the longest key that ends here, an index of ends; 0: none */
};

/* equal keys, and the next shorter key that ends at the same place */
struct end {
	uint32_t from, n;       /* in order */
	uint32_t next;
	uint32_t lowest;        /* index of them and all that follow */
};

struct automaton {
	const uint32_t *rows;
	const struct state *states;     /* and one more that ends the last */
	const unsigned char *labels;    /* of the edge to each state */
	const struct end *ends;
	const uint32_t *order;          /* key indices, sorted by key */
	const struct prefilter *prefilter;      /* or NULL */
	struct str only;        /* key, if it is one */
	size_t nkeys;
	uint32_t classes;
	uint32_t dense;                 /* states with a row */
	unsigned char class[256];
};

static uint32_t
place_of(const struct automaton *a, uint32_t state)
{
	if (state < a->dense)
		return state * a->classes;
	return a->dense * a->classes + (state - a->dense);
}

static uint32_t
state_of(const struct automaton *a, uint32_t place)
{
	if (place < a->dense * a->classes)
		return place / a->classes;
	return place - a->dense * a->classes + a->dense;
}

/* The number of the child, or 0: the root is nobody's. */
static uint32_t
child_of(const struct automaton *a, uint32_t state, unsigned char c)
{
	uint32_t from = a->states[state].first, n = a->states[state + 1].first - from;
	const unsigned char *labels = a->labels + from, *at;

	if (n == 1)
		return *labels == c ? from : 0;
	if (!n || !(at = memchr(labels, c, n)))
		return 0;
	return from + (uint32_t)(at - labels);
}

static uint32_t
step_sparse(const struct automaton *a, uint32_t place, unsigned char c)
{
	uint32_t dense = a->dense * a->classes, child;

	while (place >= dense) {
		uint32_t state = place - dense + a->dense;

		child = child_of(a, state, c);
		if (child)
			return place_of(a, child) | (a->states[child].end ? HIT : 0);
		place = a->states[state].fail;
	}
	return a->rows[place + a->class[c]];
}

static inline uint32_t
step(const struct automaton *a, uint32_t place, unsigned char c)
{
	if (place < a->dense * a->classes)
		return a->rows[place + a->class[c]];
	return step_sparse(a, place, c);
}

/* --- building */

/* keys that share the bytes up to a state */
struct range {
	uint32_t from, n;
};

struct build {
	struct automaton *a;
	const struct str *keys;
	uint32_t *order, *spare;        /* spare is for sorting */
	struct range *level, *below;    /* of this level's states, and the next's */
	uint32_t nbelow;
	size_t depth;                   /* of this level */
	struct state *states;
	unsigned char *labels;
	struct end *ends;
	uint32_t nstates, nends;
	uint32_t *rows;
};

/* What a key is sorted by at this depth: 0 if it ends, else its byte + 1. */
static unsigned
rank(const struct build *b, uint32_t key)
{
	struct str k = b->keys[key];

	return k.len == b->depth ? 0 : (unsigned char)k.s[b->depth] + 1u;
}

static void
sort_few(struct build *b, uint32_t *order, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		uint32_t key = order[i], k = i;
		unsigned r = rank(b, key);

		for (; k && rank(b, order[k - 1]) > r; k--)
			order[k] = order[k - 1];
		order[k] = key;
	}
}

static void
sort_many(struct build *b, uint32_t *order, uint32_t n)
{
	uint32_t at[258] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		at[rank(b, order[i]) + 1]++;
	for (uint32_t c = 0; c < 257; c++)
		at[c + 1] += at[c];
	memcpy(b->spare, order, n * sizeof *order);
	for (uint32_t i = 0; i < n; i++)
		order[at[rank(b, b->spare[i])]++] = b->spare[i];
}

/* Makes an end of those keys that have no more than `len` bytes.  Indices are
 * in ascending order, as all sorting here is stable. */
static uint32_t
end_new(struct build *b, struct range keys, size_t len, uint32_t next)
{
	struct end e = { .from = keys.from, .next = next };

	for (uint32_t i = keys.from; i < keys.from + keys.n; i++) {
		if (b->keys[b->order[i]].len != len)
			continue;
		if (!e.n++)
			e.lowest = b->order[i];
	}
	if (!e.n)
		return next;
	if (next && b->ends[next].lowest < e.lowest)
		e.lowest = b->ends[next].lowest;
	b->ends[b->nends] = e;
	return b->nends++;
}

/* Adds a child of `parent`.  Its failure is where the parent's leads with the
 * same byte: that is nearer to the root, and complete. */
static void
child_new(struct build *b, uint32_t parent, unsigned char c, struct range keys)
{
	struct automaton *a = b->a;
	uint32_t child = b->nstates++, fail = 0;
	struct state *s = &b->states[child];

	if (parent)
		fail = step(a, b->states[parent].fail, c) & ~HIT;
	b->labels[child] = c;
	b->below[b->nbelow++] = keys;
	s->fail = fail;
	s->end = end_new(b, keys, b->depth + 1, b->states[state_of(a, fail)].end);
	if (parent < a->dense)
		b->rows[parent * a->classes + a->class[c]] =
			place_of(a, child) | (s->end ? HIT : 0);
}

static void
state_expand(struct build *b, uint32_t state, struct range keys)
{
	struct automaton *a = b->a;
	uint32_t *order = b->order + keys.from;
	uint32_t root = b->states[0].end ? HIT : 0;

	b->states[state].first = b->nstates;
	if (state < a->dense) {
		uint32_t *row = b->rows + (size_t)state * a->classes;

		if (state)
			memcpy(row, b->rows + b->states[state].fail, a->classes * sizeof *row);
		else
			for (uint32_t c = 0; c < a->classes; c++)
				row[c] = root;
	}
	if (keys.n > 16)
		sort_many(b, order, keys.n);
	else if (keys.n > 1)
		sort_few(b, order, keys.n);
	for (uint32_t i = 0, to; i < keys.n; i = to) {
		unsigned r = rank(b, order[i]);

		for (to = i + 1; to < keys.n && rank(b, order[to]) == r;)
			to++;
		if (r)
			child_new(b, state, (unsigned char)(r - 1),
			          (struct range){ keys.from + i, to - i });
	}
	/* while it is being built, the newest state ends nowhere */
	b->states[state + 1].first = b->nstates;
}

static void
build_states(struct build *b)
{
	uint32_t n = 1, state = 0;

	b->nstates = 1;
	b->nends = 1;
	b->level[0] = (struct range){ 0, (uint32_t)b->a->nkeys };
	b->states[0] = (struct state){ 0 };
	b->states[0].end = end_new(b, b->level[0], 0, 0);
	for (b->depth = 0; n; b->depth++) {
		struct range *done = b->level;

		b->nbelow = 0;
		for (uint32_t i = 0; i < n; i++)
			state_expand(b, state++, b->level[i]);
		n = b->nbelow;
		b->level = b->below;
		b->below = done;
	}
}

static void *
keep(struct arena *arena, void *from, size_t size)
{
	void *to = memcpy(arena_alloc(arena, size), from, size);

	free(from);
	return to;
}

static void
build(struct arena *arena, struct automaton *a, const struct str *keys, size_t bytes)
{
	struct build b = { .a = a, .keys = keys };
	size_t most = bytes + 1;

	b.order = arena_alloc(arena, a->nkeys * sizeof *b.order);
	b.spare = mem_alloc(a->nkeys * sizeof *b.spare);
	b.level = mem_alloc((a->nkeys + 1) * sizeof *b.level);
	b.below = mem_alloc((a->nkeys + 1) * sizeof *b.below);
	b.states = mem_alloc((most + 1) * sizeof *b.states);
	b.labels = mem_alloc(most);
	b.ends = mem_alloc((a->nkeys + 1) * sizeof *b.ends);
	a->dense = ROWS_MAX / a->classes;
	if (a->dense > most)
		a->dense = (uint32_t)most;
	b.rows = mem_alloc((size_t)a->dense * a->classes * sizeof *b.rows);
	a->rows = b.rows;
	a->states = b.states;
	a->labels = b.labels;
	for (size_t i = 0; i < a->nkeys; i++)
		b.order[i] = (uint32_t)i;
	build_states(&b);
	free(b.spare);
	free(b.level);
	free(b.below);
	/* places stay as they are if fewer states than that exist */
	if (a->dense > b.nstates)
		a->dense = b.nstates;
	a->order = b.order;
	a->states = keep(arena, b.states, (b.nstates + 1) * sizeof *b.states);
	a->labels = keep(arena, b.labels, b.nstates);
	a->ends = keep(arena, b.ends, b.nends * sizeof *b.ends);
	a->rows = keep(arena, b.rows, (size_t)a->dense * a->classes * sizeof *b.rows);
}

/* Bytes that are in no key share class 0. */
static void
classes_init(struct automaton *a, const struct str *keys)
{
	bool used[256] = { false };
	size_t count = 0;

	for (size_t i = 0; i < a->nkeys; i++)
		for (size_t k = 0; k < keys[i].len; k++)
			used[(unsigned char)keys[i].s[k]] = true;
	for (size_t c = 0; c < 256; c++)
		count += used[c];
	a->classes = count < 256;
	for (size_t c = 0; c < 256; c++)
		if (used[c])
			a->class[c] = (unsigned char)a->classes++;
}

static struct prefilter *
prefilter_sorted(struct arena *arena, const struct automaton *a, const struct str *keys)
{
	struct str sorted[PREFILTER_KEYS];

	if (a->nkeys > PREFILTER_KEYS)
		return NULL;
	for (size_t i = 0; i < a->nkeys; i++)
		sorted[i] = keys[a->order[i]];
	return prefilter_new(arena, sorted, a->nkeys, PREFILTER_32);
}

struct automaton *
automaton_new(struct arena *arena, const struct str *keys, size_t n)
{
	struct automaton *a;
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].len > AUTOMATON_MAX || bytes + keys[i].len > AUTOMATON_MAX)
			return NULL;
		bytes += keys[i].len;
	}
	if (n > AUTOMATON_MAX)
		return NULL;
	a = ARENA_NEW(arena, struct automaton);
	a->nkeys = n;
	classes_init(a, keys);
	build(arena, a, keys, bytes);
	if (n == 1)
		a->only = arena_str(arena, keys[0]);
	a->prefilter = prefilter_sorted(arena, a, keys);
	return a;
}

/* --- searching */

/* Calls hit() with the longest key that ends, wherever one does, until it
 * returns false. */
static inline void
search(const struct automaton *a, struct str v,
       bool (*hit)(const struct automaton *, uint32_t end, void *ctx), void *ctx)
{
	const struct prefilter *prefilter = v.len >= LONG_TEXT ? a->prefilter : NULL;
	const uint32_t *rows = a->rows, dense = a->dense * a->classes;
	uint32_t place = 0;
	size_t i = 0, stops = 0;

	if (a->states[0].end && !hit(a, a->states[0].end, ctx))
		return;
	while (i < v.len) {
		if (prefilter && !place) {
			i = prefilter_next(prefilter, v, i);
			if (i == v.len)
				return;
			if (++stops > STOP_BYTES + i / STOP_BYTES)
				prefilter = NULL;
		}
		do {
			unsigned char c = (unsigned char)v.s[i++];

			place = place < dense ? rows[place + a->class[c]] : step_sparse(a, place, c);
		} while (!(place & HIT) && i < v.len && (place || !prefilter));
		if (place & HIT) {
			place &= ~HIT;
			if (!hit(a, a->states[state_of(a, place)].end, ctx))
				return;
		}
	}
}

static bool
first_hit(const struct automaton *a, uint32_t end, void *ctx)
{
	*(ptrdiff_t *)ctx = a->ends[end].lowest;
	return false;
}

ptrdiff_t
automaton_first(const struct automaton *a, struct str v)
{
	ptrdiff_t key = -1;

	if (a->nkeys == 1 && v.len >= LONG_TEXT)
		return str_find(v, a->only) < 0 ? -1 : 0;
	search(a, v, first_hit, &key);
	return key;
}

struct each {
	bool (*found)(void *ctx, size_t key);
	void *ctx;
};

static bool
each_hit(const struct automaton *a, uint32_t end, void *ctx)
{
	const struct each *each = ctx;

	for (; end; end = a->ends[end].next)
		for (uint32_t i = 0; i < a->ends[end].n; i++)
			if (!each->found(each->ctx, a->order[a->ends[end].from + i]))
				return false;
	return true;
}

void
automaton_each(const struct automaton *a, struct str v,
               bool (*found)(void *ctx, size_t key), void *ctx)
{
	struct each each = { found, ctx };

	search(a, v, each_hit, &each);
}

/* Whoever marked the first key of an end marked all that follow it, too. */
static bool
mark_hit(const struct automaton *a, uint32_t end, void *ctx)
{
	uint64_t *bits = ctx;

	for (; end; end = a->ends[end].next) {
		const struct end *e = &a->ends[end];
		uint32_t key = a->order[e->from];

		if (bits[key / 64] >> key % 64 & 1)
			break;
		for (uint32_t i = 0; i < e->n; i++) {
			key = a->order[e->from + i];
			bits[key / 64] |= (uint64_t)1 << key % 64;
		}
	}
	return true;
}

void
automaton_mark(const struct automaton *a, struct str v, uint64_t *bits)
{
	if (a->nkeys == 1 && v.len >= LONG_TEXT)
		*bits |= str_find(v, a->only) >= 0;
	else
		search(a, v, mark_hit, bits);
}
