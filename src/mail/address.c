/* address.c - lists of addresses, single addresses, SMTP paths
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Display names are skipped, never decoded: no test asks for them.  What is
 * not a plain mailbox list is handed, piece by piece, to GMime. */
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/gmime.h"
#include "mail/message.h"

#define DOMAIN_MAX      255     /* octets (RFC 5321 4.5.3.1.2) */
#define LABEL_MAX       63      /* octets (RFC 1035 2.3.4) */

enum { ATOM = 1, BLANK = 2, STOP = 4 };

/* ATOM: RFC 5322 3.2.3, and 8-bit (RFC 6532).  STOP: ends the name before an
 * address, or quotes a part of it; everything else is let through there. */
static const unsigned char class[256] = {
	['\t'] = BLANK, [' '] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
	['!'] = ATOM, ['#'] = ATOM, ['$'] = ATOM, ['%'] = ATOM, ['&'] = ATOM,
	['\''] = ATOM, ['*'] = ATOM, ['+'] = ATOM, ['-'] = ATOM, ['/'] = ATOM,
	['='] = ATOM, ['?'] = ATOM, ['^'] = ATOM, ['_'] = ATOM, ['`'] = ATOM,
	['{'] = ATOM, ['|'] = ATOM, ['}'] = ATOM, ['~'] = ATOM,
	['0' ... '9'] = ATOM, ['A' ... 'Z'] = ATOM, ['a' ... 'z'] = ATOM,
	[0x80 ... 0xff] = ATOM,
	['"'] = STOP, ['('] = STOP, ['\\'] = STOP, ['<'] = STOP, ['>'] = STOP,
	[','] = STOP, [';'] = STOP, [':'] = STOP,
};

struct parser {
	struct arena *arena;
	const char *end;
	bool strict;                    /* no dots at odd places */
	/* the closing ")", ">" or quote does not come any more: not looked for
	 * again, which keeps hostile input linear */
	bool no_comment, no_angle, no_quote;
	struct mail_address *v;
	size_t n, cap;
};

static inline bool
is(const char *p, const struct parser *ps, char c)
{
	return p < ps->end && *p == c;
}

/* p is at "("; comments nest.  NULL: it does not end. */
static const char *
skip_comment(struct parser *ps, const char *p)
{
	const char *q;
	size_t depth = 0;

	if (ps->no_comment)
		return NULL;
	for (q = p; q < ps->end; q++) {
		if (*q == '\\' && q + 1 < ps->end)
			q++;
		else if (*q == '(')
			depth++;
		else if (*q == ')' && --depth == 0)
			return q + 1;
	}
	ps->no_comment = true;
	return NULL;
}

/* Blanks, folds and comments; an open comment is left for others to judge. */
static const char *
skip_blanks(struct parser *ps, const char *p)
{
	const char *q;

	for (;;) {
		while (p < ps->end && class[(unsigned char)*p] == BLANK)
			p++;
		if (!is(p, ps, '(') || !(q = skip_comment(ps, p)))
			return p;
		p = q;
	}
}

/* p is at a quote; past the closing one, or NULL */
static const char *
skip_quoted(struct parser *ps, const char *p)
{
	if (ps->no_quote)
		return NULL;
	for (p++; p < ps->end; p++) {
		if (*p == '\\' && p + 1 < ps->end)
			p++;
		else if (*p == '"')
			return p + 1;
	}
	ps->no_quote = true;
	return NULL;
}

/* p is at "["; past the "]", or NULL (RFC 5322 3.4.1, without blanks) */
static const char *
skip_literal(const struct parser *ps, const char *p)
{
	for (p++; p < ps->end && (unsigned char)*p > ' ' && *p != '[' && *p != '\\'; p++)
		if (*p == ']')
			return p + 1;
	return NULL;
}

/* A quoted string without its quotes, backslashes and folds */
static struct str
unquote(struct arena *a, struct str quoted)
{
	char *start = arena_alloc(a, quoted.len), *d = start;
	const char *p = quoted.s + 1, *end = quoted.s + quoted.len - 1;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			*d++ = *++p;
		else if (*p != '\r' && *p != '\n')
			*d++ = *p;
	}
	return (struct str){ start, (size_t)(d - start) };
}

/* A run of atoms and dots.  Real local parts have dots at odd places
 * ("joe..@example.jp"); only strict readers mind. */
static const char *
read_atoms(const struct parser *ps, const char *p, bool odd_dots)
{
	bool any = false, odd = false, dot = true;

	for (; p < ps->end; p++) {
		if (*p == '.') {
			odd = odd || dot;
			dot = true;
		} else if (class[(unsigned char)*p] == ATOM) {
			any = true;
			dot = false;
		} else {
			break;
		}
	}
	return !any || ((odd || dot) && !odd_dots) ? NULL : p;
}

static const char *
read_atom(const struct parser *ps, const char *p)
{
	const char *start = p;

	while (p < ps->end && class[(unsigned char)*p] == ATOM)
		p++;
	return p == start ? NULL : p;
}

/* word *("." word), each an atom or a quoted string */
static const char *
read_words(struct parser *ps, const char *p, struct str *ret)
{
	enum { MOST = 16 };
	struct str word[MOST];
	size_t n = 0;

	for (;;) {
		const char *start = p;
		bool quoted = is(p, ps, '"');

		p = quoted ? skip_quoted(ps, p) : read_atom(ps, p);
		if (!p)
			return NULL;
		word[n] = (struct str){ start, (size_t)(p - start) };
		if (quoted)
			word[n] = unquote(ps->arena, word[n]);
		n++;
		if (!is(p, ps, '.'))
			break;
		if (ps->strict || n + 2 > MOST)
			return NULL;
		word[n++] = STR(".");
		p++;
	}
	*ret = n == 1 ? word[0] : arena_join(ps->arena, word, n);
	return p;
}

/* p is at '"': the string, if "@" or a dot follows, and so it is no name */
static bool
is_quoted_local(struct parser *ps, const char *p)
{
	const char *q = skip_quoted(ps, p);

	if (!q)
		return false;
	q = skip_blanks(ps, q);
	return is(q, ps, '@') || is(q, ps, '.');
}

static const char *
read_local(struct parser *ps, const char *p, struct str *ret)
{
	const char *q;

	if (is(p, ps, '"'))
		return is_quoted_local(ps, p) ? read_words(ps, p, ret) : NULL;
	q = read_atoms(ps, p, !ps->strict);
	if (q && is(q, ps, '"') && q[-1] == '.')
		return read_words(ps, p, ret);
	if (q)
		*ret = (struct str){ p, (size_t)(q - p) };
	return q;
}

static const char *
read_domain(struct parser *ps, const char *p, struct str *ret)
{
	const char *q;

	q = is(p, ps, '[') ? skip_literal(ps, p) : read_atoms(ps, p, false);
	if (q)
		*ret = (struct str){ p, (size_t)(q - p) };
	return q;
}

static void
set_address(struct arena *a, struct str local, struct str domain, struct mail_address *ret)
{
	struct str joined[3] = { local, STR("@"), domain };
	struct str all = { local.s, local.len + 1 + domain.len };

	/* side by side in the text: no copy */
	if (local.s + local.len + 1 != domain.s || local.s[local.len] != '@')
		all = arena_join(a, joined, 3);
	*ret = (struct mail_address){ cell_of(all), cell_of(local), cell_of(domain), true };
}

static const char *
read_spec(struct parser *ps, const char *p, struct mail_address *ret)
{
	struct str local, domain;

	p = read_local(ps, p, &local);
	if (!p)
		return NULL;
	p = skip_blanks(ps, p);
	if (!is(p, ps, '@'))
		return NULL;
	p = read_domain(ps, skip_blanks(ps, p + 1), &domain);
	if (p)
		set_address(ps->arena, local, domain, ret);
	return p;
}

static bool
at_delimiter(const struct parser *ps, const char *p)
{
	return p == ps->end || *p == ',' || *p == ';';
}

/* Past the encoded word at p, or NULL: its text may hold what it must not */
static const char *
skip_word(const struct parser *ps, const char *p)
{
	enum { LONGEST = 80 };
	size_t left = (size_t)(ps->end - p), i = 2;
	unsigned marks = 0;

	if (left < 8 || p[1] != '?')
		return NULL;
	for (; i < left && i < LONGEST && class[(unsigned char)p[i]] != BLANK; i++) {
		if (p[i] == '?' && ++marks == 3)
			return i + 1 < left && p[i + 1] == '=' ? p + i + 2 : NULL;
	}
	return NULL;
}

/* To what ends a display name: "<", ":" or something odd.  Anything that does
 * not look like an end is part of the name, as in "J. Doe [Sales]". */
static const char *
skip_name(struct parser *ps, const char *p)
{
	const char *q;

	while (p < ps->end) {
		if (*p == '"')
			q = skip_quoted(ps, p);
		else if (*p == '(')
			q = skip_comment(ps, p);
		else if (*p == '=' && (q = skip_word(ps, p)))
			;
		else
			q = class[(unsigned char)*p] == STOP ? NULL : p + 1;
		if (!q)
			break;
		p = q;
	}
	return p;
}

static const char *
read_angle(struct parser *ps, const char *p, struct mail_address *ret)
{
	p = read_spec(ps, skip_blanks(ps, p + 1), ret);
	if (!p)
		return NULL;
	p = skip_blanks(ps, p);
	return is(p, ps, '>') ? skip_blanks(ps, p + 1) : NULL;
}

/* --- lists */

static struct mail_address *
next_slot(struct parser *ps)
{
	enum { FIRST = 4 };

	if (ps->n == ps->cap) {
		size_t cap = ps->cap ? ps->cap * 2 : FIRST;
		struct mail_address *more = ARENA_ARRAY(ps->arena, cap, struct mail_address);

		if (ps->n)
			memcpy(more, ps->v, ps->n * sizeof *more);
		ps->v = more;
		ps->cap = cap;
	}
	return &ps->v[ps->n];
}

static const char *
skip_angle(struct parser *ps, const char *p)
{
	const char *q = ps->no_angle ? NULL : memchr(p, '>', (size_t)(ps->end - p));

	ps->no_angle = !q;
	return q ? q + 1 : NULL;
}

/* To the end of a piece that means nothing to us */
static const char *
skip_piece(struct parser *ps, const char *p)
{
	while (!at_delimiter(ps, p)) {
		const char *q = NULL;

		if (*p == '"')
			q = skip_quoted(ps, p);
		else if (*p == '(')
			q = skip_comment(ps, p);
		else if (*p == '<')
			q = skip_angle(ps, p);
		p = q ? q : p + 1;
	}
	return p;
}

/* What GMime finds in a piece; false: nothing that is an address */
static bool
add_odd(struct parser *ps, struct str piece)
{
	struct str *found;
	size_t i, n = gmime_addresses(ps->arena, piece, &found);
	bool any = false;

	for (i = 0; i < n && ps->n < LIMIT_ADDRESSES; i++) {
		struct parser one = { .arena = ps->arena, .end = found[i].s + found[i].len };

		if (read_spec(&one, found[i].s, next_slot(ps)) == one.end) {
			ps->n++;
			any = true;
		}
	}
	return any;
}

static const char *
read_odd(struct parser *ps, const char *p)
{
	const char *end = skip_piece(ps, p);
	struct str piece = str_trim((struct str){ p, (size_t)(end - p) });

	if (piece.len && !add_odd(ps, piece)) {
		*next_slot(ps) = (struct mail_address){
			cell_of(piece), cell_of(STR_EMPTY), cell_of(STR_EMPTY), false
		};
		ps->n++;
	}
	return end;
}

/* One mailbox, or the start of a group, which is skipped: its members are
 * read like others, and ";" separates as "," does (many write it so). */
static const char *
read_item(struct parser *ps, const char *p)
{
	const char *q = read_spec(ps, p, next_slot(ps));

	/* "a@b: c@d" is no group, whatever it is */
	if (q && (at_delimiter(ps, q = skip_blanks(ps, q)) || *q == ':')) {
		ps->n++;
		return q + is(q, ps, ':');
	}
	q = skip_name(ps, p);
	if (is(q, ps, ':') && q > p)
		return q + 1;
	if (is(q, ps, '<') && (q = read_angle(ps, q, next_slot(ps))) && at_delimiter(ps, q)) {
		ps->n++;
		return q;
	}
	return read_odd(ps, p);
}

int
address_parse(struct arena *a, struct str text, struct mail_address **ret)
{
	struct parser ps = { .arena = a, .end = text.s + text.len };
	const char *p = skip_blanks(&ps, text.s);

	while (p < ps.end && ps.n < LIMIT_ADDRESSES) {
		if (*p == ',' || *p == ';')
			p++;
		else
			p = read_item(&ps, p);
		p = skip_blanks(&ps, p);
	}
	*ret = ps.v;
	return (int)ps.n;
}

int
field_addresses(struct message *m, struct field *f)
{
	if (f->naddress < 0) {
		f->naddress = address_parse(&m->arena, f->raw, &f->address);
		m->work += 1 + f->raw.len / 64 + (uint64_t)f->naddress;
	}
	return f->naddress;
}

/* --- one address */

/* Labels of letters, digits, "-" and "_", none too long; or [...] */
static bool
domain_ok(struct str domain)
{
	size_t i, label = 0;

	if (domain.len > DOMAIN_MAX || !domain.len)
		return false;
	if (domain.s[0] == '[') {
		for (i = 1; i + 1 < domain.len; i++)
			if (domain.s[i] <= ' ' || domain.s[i] >= 0x7f || strchr("[]\\", domain.s[i]))
				return false;
		return domain.len > 2;
	}
	for (i = 0; i < domain.len; i++) {
		unsigned char c = (unsigned char)domain.s[i];

		if (c != '.' && c < 0x80 && c != '-' && c != '_'
		    && !char_is_digit((char)c) && (unsigned char)(char_lower((char)c) - 'a') >= 26)
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return true;
}

static bool
is_clean(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] < ' ' || v.s[i] == 0x7f)
			return false;
	return utf8_check(v) < 0;
}

/* RFC 5322 "phrase" with the dots that everybody writes */
static const char *
read_phrase(struct parser *ps, const char *p)
{
	const char *q;

	for (;;) {
		q = is(p, ps, '"') ? skip_quoted(ps, p) : read_atoms(ps, p, true);
		if (!q)
			return p;
		p = skip_blanks(ps, q);
	}
}

static int
finish(const struct parser *ps, const char *p, const struct mail_address *found,
       struct mail_address *ret)
{
	if (p != ps->end || !is_clean(found->all.v) || !domain_ok(found->domain.v))
		return 0;
	*ret = *found;
	return 1;
}

int
address_one(struct arena *a, struct str text, struct mail_address *ret)
{
	struct parser ps = { .arena = a, .end = text.s + text.len, .strict = true };
	const char *start = skip_blanks(&ps, text.s);
	struct mail_address found;
	const char *p = read_spec(&ps, start, &found);

	if (p && (p = skip_blanks(&ps, p)) == ps.end)
		return finish(&ps, p, &found, ret);
	p = read_phrase(&ps, start);
	if (!is(p, &ps, '<') || !(p = read_angle(&ps, p, &found)))
		return 0;
	return is_clean(text) ? finish(&ps, p, &found, ret) : 0;
}

/* Past "@a,@b:"; p if there is no route, NULL if it is broken */
static const char *
skip_route(struct parser *ps, const char *p)
{
	struct str domain;

	if (!is(p, ps, '@'))
		return p;
	while (is(p, ps, '@')) {
		p = read_domain(ps, p + 1, &domain);
		if (!p)
			return NULL;
		if (is(p, ps, ','))
			p++;
	}
	return is(p, ps, ':') ? p + 1 : NULL;
}

int
address_path(struct arena *a, struct str text, struct mail_address *ret)
{
	/* what a server has let through is not refused for its dots */
	struct parser ps = { .arena = a };
	struct mail_address found;
	const char *p;

	text = str_trim(text);
	if (text.len >= 2 && text.s[0] == '<' && text.s[text.len - 1] == '>')
		text = str_sub(text, 1, text.len - 1);
	if (!text.len || str_iis(text, "postmaster")) {
		*ret = (struct mail_address){
			cell_of(text), cell_of(text), cell_of(STR_EMPTY), true
		};
		return 1;
	}
	ps.end = text.s + text.len;
	p = skip_route(&ps, text.s);
	if (!p || !(p = read_spec(&ps, p, &found)))
		return 0;
	return finish(&ps, p, &found, ret);
}

struct str
address_spec(struct arena *a, const struct mail_address *address)
{
	struct str local = address->local.v;
	struct parser ps = { .end = local.s + local.len };
	char *start, *d;
	size_t i;

	if (!address->valid || read_atoms(&ps, local.s, false) == ps.end || !address->all.v.len
	    || !address->domain.v.len)
		return address->all.v;
	start = d = arena_alloc(a, 2 * local.len + 3 + address->domain.v.len);
	*d++ = '"';
	for (i = 0; i < local.len; i++) {
		if (local.s[i] == '"' || local.s[i] == '\\')
			*d++ = '\\';
		*d++ = local.s[i];
	}
	*d++ = '"';
	*d++ = '@';
	memcpy(d, address->domain.v.s, address->domain.v.len);
	d += address->domain.v.len;
	return (struct str){ start, (size_t)(d - start) };
}
