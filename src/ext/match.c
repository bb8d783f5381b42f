/* match.c - :is, :contains, :matches (RFC 5228 2.7.1) and the comparators that need no require (2.7.3, RFC 4790)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/automaton.h"
#include "base/buf.h"
#include "base/glob.h"
#include "base/keyset.h"
#include "vm/match.h"

enum { SET_FROM = 5, AUTOMATON_FROM = 6 };      /* keys: fewer are looked at one by one */

/* --- :is */

static const char *
is_prepare(struct matcher *m, struct arena *arena, unsigned flags, size_t *ret_key)
{
	(void)flags;
	(void)ret_key;
	if (m->nkeys >= SET_FROM)
		m->prepared = keyset_new(arena, m->key, m->nkeys);
	return NULL;
}

static int
is_match(struct run *r, const struct matcher *m, struct str v, size_t *ret_key)
{
	(void)r;
	if (m->prepared) {
		ptrdiff_t at = keyset_find(m->prepared, v);

		*ret_key = at < 0 ? 0 : (size_t)at;
		return at >= 0;
	}
	for (uint32_t i = 0; i < m->nkeys; i++)
		if (str_eq(m->key[i], v)) {
			*ret_key = i;
			return YES;
		}
	return NO;
}

static struct str
key_literal(const struct matcher *m, size_t key)
{
	return m->key[key];
}

/* --- :contains */

static const char *
contains_prepare(struct matcher *m, struct arena *arena, unsigned flags, size_t *ret_key)
{
	(void)flags;
	(void)ret_key;
	if (m->nkeys >= AUTOMATON_FROM)
		m->prepared = automaton_new(arena, m->key, m->nkeys);
	return NULL;
}

static int
contains_match(struct run *r, const struct matcher *m, struct str v, size_t *ret_key)
{
	if (m->prepared) {
		ptrdiff_t at = automaton_first(m->prepared, v);

		*ret_key = at < 0 ? 0 : (size_t)at;
		return at >= 0;
	}
	for (uint32_t i = 0; i < m->nkeys; i++)
		if (str_find(v, m->key[i]) >= 0) {
			*ret_key = i;
			return YES;
		}
	run_work(r, v.len * m->nkeys);
	return NO;
}

/* --- :matches */

static bool
is_special(char c)
{
	return c == '*' || c == '?' || c == '\\';
}

/* The pattern in canonical form.  Not in one go: a character may become one that is a wildcard, as wide ones do. */
static struct str
pattern_canonical(const struct comparator *k, struct arena *arena, struct str v)
{
	struct buf out = { 0 };
	struct str copy;

	for (size_t i = 0, from = 0; i < v.len; from = ++i) {
		struct str run;

		while (i < v.len && !is_special(v.s[i]))
			i++;
		run = k->canonical(arena, str_sub(v, from, i));
		for (size_t j = 0; j < run.len; j++) {
			if (is_special(run.s[j]))
				buf_putc(&out, '\\');
			buf_putc(&out, run.s[j]);
		}
		if (i == v.len)
			break;
		if (v.s[i] != '\\' || i + 1 == v.len) {
			buf_putc(&out, v.s[i]);
		} else if (is_special(v.s[i + 1])) {
			buf_add(&out, str_sub(v, i, i + 2));
			i++;
		}
	}
	copy = buf_copy(&out, arena);
	buf_done(&out);
	return copy;
}

struct patterns {
	bool starts;                    /* it matters where characters of the value begin */
	struct glob *glob[];
};

static const char *
matches_prepare(struct matcher *m, struct arena *arena, unsigned flags, size_t *ret_key)
{
	struct patterns *p = arena_zalloc(arena, sizeof *p + m->nkeys * sizeof *p->glob);

	(void)flags;
	(void)ret_key;
	for (uint32_t i = 0; i < m->nkeys; i++) {
		struct str key = m->comparator->octets ? m->key[i] : pattern_canonical(m->comparator, arena, m->written[i]);

		p->glob[i] = glob_new(arena, key, m->comparator->octets);
		p->starts |= !m->comparator->octets && glob_ones(p->glob[i]);
	}
	m->prepared = p;
	return NULL;
}

static int
matches_match(struct run *r, const struct matcher *m, struct str v, size_t *ret_key)
{
	const struct patterns *p = m->prepared;
	const uint64_t *starts = p->starts ? match_starts(r->matching) : NULL;
	struct str cap[MATCH_SLOTS];
	size_t n = 0;

	for (uint32_t i = 0; i < m->nkeys; i++) {
		if (!run_goes_on(r))
			return ERROR;
		if (glob_match_starts(p->glob[i], v, starts, m->captures ? cap : NULL, COUNT(cap), &n, &r->work)) {
			if (m->captures)
				run_captures(r, cap, n);
			*ret_key = i;
			return YES;
		}
	}
	return NO;
}

static struct str
matches_literal(const struct matcher *m, size_t key)
{
	const struct patterns *p = m->prepared;

	return glob_literal(p->glob[key]);
}

static const struct match_type match_types[] = {
	{ .name = ":is", .summary = "the value equals a key", .initial = true, .prepare = is_prepare, .match = is_match,
	  .literal = key_literal },
	{ .name = ":contains", .summary = "a key occurs in the value", .substring = true, .prepare = contains_prepare,
	  .match = contains_match, .literal = key_literal },
	{ .name = ":matches", .summary = "the value has the form of a key with \"*\" and \"?\"", .substring = true,
	  .captures = true, .prepare = matches_prepare, .match = matches_match, .literal = matches_literal },
};

/* --- comparators */

static struct str
ascii_canonical(struct arena *arena, struct str v)
{
	return str_has_capital(v) ? arena_lower(arena, v) : v;
}

static int
capital(char c)
{
	unsigned u = (unsigned char)c;

	return (int)(u - 'a' < 26u ? u - 0x20 : u);
}

/* RFC 4790 9.2.1: letters are ordered as capitals, though they are kept small */
static int
ascii_order(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		int left = capital(a.s[i]), right = capital(b.s[i]);

		if (left != right)
			return left < right ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

static const struct comparator comparators[] = {
	{ .name = "i;ascii-casemap", .summary = "letters A to Z equal a to z", .document = "RFC 4790 9.2", .initial = true,
	  .form = CELL_ASCII, .canonical = ascii_canonical, .order = ascii_order, .substring = true, .octets = true },
	{ .name = "i;octet", .summary = "octet by octet", .document = "RFC 4790 9.3", .form = -1, .order = str_cmp,
	  .substring = true, .octets = true },
};

const struct extension ext_match = {
	.name = "", .document = "RFC 5228 2.7", .summary = "comparing strings",
	.match_types = match_types, .nmatch_types = COUNT(match_types),
	.comparators = comparators, .ncomparators = COUNT(comparators),
};
