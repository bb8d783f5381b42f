/* glob.c - the patterns of ":matches" (RFC 5228 2.7.1)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between two "*" lies a segment.  The first is bound to the start of the
 * value, the last to its end; each other one is looked for from left to right
 * and taken where it is first found.  That is enough: if the whole matches
 * with a segment further right, it also matches with it here, as the "*" that
 * follows can be longer.  So nothing is ever tried twice, and each "*" is as
 * short as those before it allow.
 *
 * Where characters begin is a property of the value alone, so "?" cannot
 * match a part of one. */
#include "base/glob.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { LITERAL, ONE, MANY };

/* a literal run, some "?" or some "*" */
struct piece {
	const char *s;                  /* LITERAL */
	uint32_t n;                     /* bytes, or how many */
	uint32_t kind : 2, wild : 30;   /* the number of its first wildcard */
};

struct glob {
	struct str literal;     /* the longest */
	uint32_t n, wilds;
	uint32_t head, tail;    /* first and last MANY; n if there is none */
	bool octets;
	struct piece pieces[];
};

struct match {
	const struct glob *g;
	struct str v;
	const uint64_t *starts; /* a bit where a character begins; NULL: as UTF-8 has it */
	struct str *ret;
	size_t n;               /* of ret */
	uint64_t cost;          /* bytes looked at, and some for each piece */
};

/* what a step costs beside its bytes */
enum { COST_LITERAL = 8, COST_ONE = 4, COST_UNIT = 64 };

static void
piece_wild(struct glob *g, unsigned kind)
{
	struct piece *last = g->n ? &g->pieces[g->n - 1] : NULL;

	g->wilds++;
	if (last && last->kind == kind) {
		last->n++;
		return;
	}
	if (kind == MANY) {
		if (g->head == UINT32_MAX)
			g->head = g->n;
		g->tail = g->n;
	}
	g->pieces[g->n++] = (struct piece){
		.n = 1, .kind = kind & 3, .wild = g->wilds & 0x3fffffff,
	};
}

static void
piece_byte(struct glob *g, const char *at)
{
	struct piece *last = g->n ? &g->pieces[g->n - 1] : NULL;

	if (!last || last->kind != LITERAL) {
		last = &g->pieces[g->n++];
		*last = (struct piece){ .s = at, .kind = LITERAL };
	}
	last->n++;
	if (last->n > g->literal.len)
		g->literal = (struct str){ last->s, last->n };
}

static int
kind_of(char c)
{
	return c == '*' ? MANY : c == '?' ? ONE : LITERAL;
}

/* pieces, and whether something is quoted */
static size_t
pieces_count(struct str pattern, bool *ret_quotes)
{
	size_t n = 0;
	int before = -1;

	*ret_quotes = false;
	for (size_t i = 0; i < pattern.len; i++) {
		int kind = kind_of(pattern.s[i]);

		n += kind != before;
		before = kind;
		if (pattern.s[i] == '\\' && i + 1 < pattern.len) {
			*ret_quotes = true;
			i++;
		}
	}
	return n;
}

struct glob *
glob_new(struct arena *a, struct str pattern, bool octets)
{
	bool quotes;
	size_t n = pieces_count(pattern, &quotes);
	struct glob *g = arena_alloc(a, sizeof *g + n * sizeof *g->pieces);
	char *to = quotes ? arena_alloc(a, pattern.len) : NULL;

	*g = (struct glob){ .literal = STR_EMPTY, .head = UINT32_MAX, .tail = UINT32_MAX, .octets = octets };
	for (size_t i = 0; i < pattern.len; i++) {
		const char *at = &pattern.s[i];
		int kind = kind_of(*at);

		if (kind != LITERAL) {
			piece_wild(g, (unsigned)kind);
			continue;
		}
		if (*at == '\\' && i + 1 < pattern.len)
			at = &pattern.s[++i];
		if (to) {               /* without what quotes */
			*to = *at;
			at = to++;
		}
		piece_byte(g, at);
	}
	if (g->head == UINT32_MAX)
		g->head = g->tail = g->n;
	return g;
}

struct str
glob_literal(const struct glob *g)
{
	return g->literal;
}

bool
glob_wild(const struct glob *g)
{
	return g->wilds > 0;
}

bool
glob_ones(const struct glob *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->pieces[i].kind == ONE)
			return true;
	return false;
}

static bool
is_tail(struct str v, size_t at)
{
	return ((unsigned char)v.s[at] & 0xc0) == 0x80;
}

/* does a character begin (or the value end) here? */
static bool
is_boundary(const struct match *m, size_t at)
{
	uint32_t code;
	size_t back;

	if (m->g->octets || at == m->v.len)
		return true;
	if (m->starts)
		return m->starts[at / 64] >> (at % 64) & 1;
	if (!is_tail(m->v, at))
		return true;
	for (back = 1; back <= 3 && back <= at; back++)
		if (!is_tail(m->v, at - back))
			return utf8_next(str_sub(m->v, at - back, m->v.len), &code) <= back;
	return true;
}

/* length of the character that begins here, or 0 */
static size_t
char_after(const struct match *m, size_t at)
{
	uint32_t code;
	size_t len;

	if (at == m->v.len)
		return 0;
	if (m->g->octets || (!m->starts && (unsigned char)m->v.s[at] < 0x80))
		return 1;
	if (!is_boundary(m, at))
		return 0;
	if (m->starts) {
		for (len = 1; !is_boundary(m, at + len);)
			len++;
		return len;
	}
	len = utf8_next(str_sub(m->v, at, m->v.len), &code);
	return len ? len : 1;
}

/* length of the character that ends here, or 0 */
static size_t
char_before(const struct match *m, size_t at)
{
	size_t len = 1;

	if (!at || !is_boundary(m, at))
		return 0;
	while (!is_boundary(m, at - len))
		len++;
	return len;
}

static void
capture(struct match *m, size_t wild, size_t from, size_t to)
{
	if (wild < m->n)
		m->ret[wild] = str_sub(m->v, from, to);
}

/* Matches pieces that are not MANY at *at, and not beyond `end`. */
static bool
match_here(struct match *m, const struct piece *p, const struct piece *last,
           size_t *at, size_t end)
{
	size_t pos = *at;

	for (; p < last; p++) {
		if (p->kind == LITERAL) {
			if (p->n > end - pos || memcmp(m->v.s + pos, p->s, p->n))
				return false;
			pos += p->n;
			m->cost += p->n + COST_LITERAL;
			continue;
		}
		for (size_t i = 0; i < p->n; i++) {
			size_t len = char_after(m, pos);

			m->cost += COST_ONE;
			if (!len || len > end - pos)
				return false;
			capture(m, p->wild + i, pos, pos + len);
			pos += len;
		}
	}
	*at = pos;
	return true;
}

/* Matches the last segment: where does it begin, if not before `low`? */
static bool
match_tail(struct match *m, size_t low, size_t *ret_start)
{
	const struct piece *first = m->g->pieces + m->g->tail + 1;
	size_t pos = m->v.len;

	for (const struct piece *p = m->g->pieces + m->g->n; p-- > first;) {
		if (p->kind == LITERAL) {
			if (p->n > pos - low || memcmp(m->v.s + pos - p->n, p->s, p->n))
				return false;
			pos -= p->n;
			m->cost += p->n + COST_LITERAL;
			continue;
		}
		for (size_t i = p->n; i-- > 0;) {
			size_t len = char_before(m, pos);

			m->cost += COST_ONE;
			if (!len || len > pos - low)
				return false;
			capture(m, p->wild + i, pos - len, pos);
			pos -= len;
		}
	}
	*ret_start = pos;
	return true;
}

/* Moves *at by n characters; returns how many are missing before `end`. */
static size_t
skip_chars(struct match *m, size_t *at, size_t n, size_t end)
{
	size_t len;

	m->cost += COST_ONE * (uint64_t)n;
	for (; n && (len = char_after(m, *at)) && len <= end - *at; n--)
		*at += len;
	return n;
}

/* Looks for a segment between `low` and `end`; `p` is its first literal, before
 * which there are `lead` characters. */
static bool
search_literal(struct match *m, const struct piece *p, const struct piece *last,
               size_t lead, size_t low, size_t end, size_t *ret_start, size_t *ret_end)
{
	while (low <= end && m->cost / COST_UNIT <= LIMIT_WORK) {
		ptrdiff_t hit = str_find(str_sub(m->v, low, end), (struct str){ p->s, p->n });
		size_t at = hit >= 0 ? low + (size_t)hit : end;
		size_t start = at, pos = at;

		m->cost += at - low + COST_LITERAL;
		if (hit < 0)
			return false;
		low = at + 1;
		if (lead && !is_boundary(m, at))
			continue;
		for (size_t i = 0; i < lead; i++)
			start -= char_before(m, start);
		m->cost += lead * COST_ONE;
		if (!match_here(m, p, last, &pos, end))
			continue;
		*ret_start = start;
		*ret_end = pos;
		return true;
	}
	return false;
}

static bool
search(struct match *m, const struct piece *p, const struct piece *last,
       size_t end, size_t *at, size_t *ret_start)
{
	size_t lead = 0, low = *at, pos;

	*ret_start = *at;
	if (p == last)
		return true;
	if (p->kind == ONE) {
		lead = p->n;
		while (!is_boundary(m, low))
			low++;
		if (low > end)
			return false;
		*ret_start = low;
		if (skip_chars(m, &low, lead, end))
			return false;
		p++;
	}
	if (p < last && !search_literal(m, p, last, lead, low, end, ret_start, &low))
		return false;
	*at = low;
	pos = *ret_start;
	return !lead || match_here(m, p - 1, p, &pos, end);
}

/* from the first "*" on */
static bool
match_rest(struct match *m, size_t pos)
{
	const struct piece *p = m->g->pieces + m->g->head;
	const struct piece *tail = m->g->pieces + m->g->tail;
	size_t end, start;

	if (!match_tail(m, pos, &end))
		return false;
	for (;;) {
		const struct piece *many = p++;
		size_t from = pos;

		m->cost += COST_LITERAL + many->n;
		if (many == tail) {
			start = end;
		} else {
			const struct piece *first = p;

			while (p->kind != MANY)
				p++;
			if (!search(m, first, p, end, &pos, &start))
				return false;
		}
		for (size_t i = 0; i + 1 < many->n && many->wild + i < m->n; i++)
			capture(m, many->wild + i, from, from);
		capture(m, many->wild + many->n - 1, from, start);
		if (many == tail)
			return true;
	}
}

bool
glob_match(const struct glob *g, struct str v, struct str *ret, size_t n,
           size_t *ret_n, uint64_t *work)
{
	return glob_match_starts(g, v, NULL, ret, n, ret_n, work);
}

bool
glob_match_starts(const struct glob *g, struct str v, const uint64_t *starts, struct str *ret,
                  size_t n, size_t *ret_n, uint64_t *work)
{
	struct match m = { .g = g, .v = v, .starts = starts, .ret = ret, .n = ret ? n : 0 };
	size_t pos = 0;
	bool yes = match_here(&m, g->pieces, g->pieces + g->head, &pos, v.len);

	if (yes)
		yes = g->head == g->n ? pos == v.len : match_rest(&m, pos);
	if (work)
		*work += m.cost / COST_UNIT + 1;
	if (!yes || !ret)
		return yes;
	capture(&m, 0, 0, v.len);
	if (ret_n)
		*ret_n = n < g->wilds + 1 ? n : g->wilds + 1;
	return true;
}
