/* regex.c - :regex compares with regular expressions (draft-murchison-sieve-regex-07)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/regex.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "vm/match.h"

/* --- "[.x.]" and "[=x=]" inside brackets, which PCRE2 does not know */

/* POSIX names of characters that are no letters; of several characters there are none here */
static const struct {
	const char *name;
	char c;
} collating[] = {
	{ "NUL", '\0' }, { "alert", '\a' }, { "backspace", '\b' }, { "tab", '\t' }, { "newline", '\n' },
	{ "vertical-tab", '\v' }, { "form-feed", '\f' }, { "carriage-return", '\r' }, { "space", ' ' },
	{ "exclamation-mark", '!' }, { "quotation-mark", '"' }, { "number-sign", '#' }, { "dollar-sign", '$' },
	{ "percent-sign", '%' }, { "ampersand", '&' }, { "apostrophe", '\'' }, { "left-parenthesis", '(' },
	{ "right-parenthesis", ')' }, { "asterisk", '*' }, { "plus-sign", '+' }, { "comma", ',' }, { "hyphen", '-' },
	{ "hyphen-minus", '-' }, { "period", '.' }, { "full-stop", '.' }, { "slash", '/' }, { "solidus", '/' },
	{ "zero", '0' }, { "one", '1' }, { "two", '2' }, { "three", '3' }, { "four", '4' }, { "five", '5' }, { "six", '6' },
	{ "seven", '7' }, { "eight", '8' }, { "nine", '9' }, { "colon", ':' }, { "semicolon", ';' },
	{ "less-than-sign", '<' }, { "equals-sign", '=' }, { "greater-than-sign", '>' }, { "question-mark", '?' },
	{ "commercial-at", '@' }, { "left-square-bracket", '[' }, { "backslash", '\\' }, { "reverse-solidus", '\\' },
	{ "right-square-bracket", ']' }, { "circumflex", '^' }, { "circumflex-accent", '^' }, { "underscore", '_' },
	{ "low-line", '_' }, { "grave-accent", '`' }, { "left-brace", '{' }, { "left-curly-bracket", '{' },
	{ "vertical-line", '|' }, { "right-brace", '}' }, { "right-curly-bracket", '}' }, { "tilde", '~' },
};

/* The character that stands between "[." and ".]"; empty if it is none that we know. */
static struct str
collating_find(struct str name)
{
	uint32_t code;

	if (name.len && utf8_next(name, &code) == name.len)
		return name;
	for (size_t i = 0; i < COUNT(collating); i++)
		if (str_is(name, collating[i].name))
			return (struct str){ &collating[i].c, 1 };
	return STR_EMPTY;
}

/* v begins with "[." or "[=" inside brackets: its length if it is one character, which is added to out, else 0 */
static size_t
collating_read(struct str v, struct buf *out)
{
	const char end[2] = { v.s[1], ']' };
	ptrdiff_t n = str_find(str_sub(v, 3, v.len), (struct str){ end, 2 });
	struct str c = n < 0 ? STR_EMPTY : collating_find(str_sub(v, 2, (size_t)n + 3));

	if (!c.len)
		return 0;
	if (c.len > 1)
		buf_add(out, c);
	else
		buf_printf(out, "\\x{%x}", (unsigned)(unsigned char)*c.s);
	return (size_t)n + 5;
}

/* The length of what stands at the start of v and is one item, in brackets or not; its translation, if it has one,
 * is added to out. */
static size_t
item_read(struct str v, bool bracket, struct buf *out)
{
	size_t n;

	if (*v.s == '\\' && v.len > 1)
		return 2;
	if (!bracket || *v.s != '[' || v.len < 5 || !memchr(".=:", v.s[1], 3))
		return 1;
	if (v.s[1] != ':')
		return (n = collating_read(v, out)) ? n : 2;
	n = 2;
	while (n + 1 < v.len && v.s[n] != ':' && v.s[n] != ']')
		n++;
	return n + 1 < v.len && v.s[n] == ':' ? n + 2 : 1;
}

/* The pattern as PCRE2 reads it. */
static struct str
pattern_translate(struct arena *arena, struct str v)
{
	struct buf out = { 0 };
	size_t i = 0, open = 0;         /* open: where the first item inside the brackets stands; 0: outside */
	struct str copy;

	if (str_find(v, STR("[.")) < 0 && str_find(v, STR("[=")) < 0)
		return v;
	while (i < v.len) {
		size_t before = out.len, n = item_read(str_sub(v, i, v.len), open, &out);

		if (out.len == before)
			buf_add(&out, str_sub(v, i, i + n));
		if (!open && v.s[i] == '[')
			open = i + 1 + (i + 1 < v.len && v.s[i + 1] == '^');
		else if (open && n == 1 && v.s[i] == ']' && i > open)
			open = 0;
		i += n;
	}
	copy = buf_copy(&out, arena);
	buf_done(&out);
	return copy;
}

/* --- :regex */

static const char *
pattern_error(struct arena *arena, struct str pattern, struct str error, size_t at)
{
	struct str rest = utf8_cut(str_sub(pattern, at, pattern.len), 20);

	if (!rest.len)
		return error.s;
	return arena_printf(arena, "%.*s, before \"%.*s\"%s", STR_ARG(error), STR_ARG(rest),
	                    at + rest.len < pattern.len ? "..." : "").s;
}

static const char *
regex_prepare(struct matcher *m, struct arena *arena, unsigned flags, size_t *ret_key)
{
	struct regex **regex = arena_array(arena, m->nkeys, sizeof *regex);
	unsigned how = (flags & PREPARE_RESIDENT ? REGEX_JIT : 0) | (m->comparator->canonical ? REGEX_FOLD : 0);

	for (uint32_t i = 0; i < m->nkeys; i++) {
		struct str pattern = pattern_translate(arena, m->written[i]), error = STR_EMPTY;
		size_t at = 0;

		regex[i] = regex_new(arena, pattern, how, &error, &at);
		if (!regex[i]) {
			*ret_key = i;
			return pattern_error(arena, pattern, error, at);
		}
	}
	m->prepared = regex;
	return NULL;
}

/* Literals are octets, or ASCII without case: is that the comparator's form? */
static bool
literals_fit(const struct comparator *k)
{
	return k->octets;
}

static struct str
regex_type_literal(const struct matcher *m, size_t key)
{
	struct regex *const *regex = m->prepared;

	return literals_fit(m->comparator) ? regex_literal(regex[key]) : STR_EMPTY;
}

static int
regex_trouble(struct run *r, int rc, struct str pattern)
{
	int n = pattern.len > 80 ? 80 : (int)pattern.len;

	if (rc == REGEX_LIMIT)
		return run_error(r, r->matching->call, "regular expression \"%.*s\" takes too long (limit 'regex-match')", n,
		                 pattern.s);
	return run_error(r, r->matching->call, "regular expression \"%.*s\" fails on this value", n, pattern.s);
}

static int
regex_type_match(struct run *r, const struct matcher *m, struct str v, size_t *ret_key)
{
	struct regex *const *regex = m->prepared;
	struct str cap[MATCH_SLOTS], folded = r->matching->canonical;
	bool fit = literals_fit(m->comparator);
	size_t n = 0;

	if (!r->regex)
		r->regex = regex_scratch_new(&r->arena);
	for (uint32_t i = 0; i < m->nkeys; i++) {
		int rc;

		if (!run_goes_on(r))
			return ERROR;
		r->work += folded.len / 64;
		if (fit && regex_excludes(regex[i], folded))
			continue;
		rc = regex_match(regex[i], r->regex, &r->arena, v, m->captures ? cap : NULL, COUNT(cap), &n, LIMIT_REGEX_MATCH,
		                 &r->work);
		if (rc < 0)
			return regex_trouble(r, rc, m->written[i]);
		if (rc == REGEX_NO)
			continue;
		if (m->captures)
			run_captures(r, cap, n);
		*ret_key = i;
		return YES;
	}
	return NO;
}

static const struct match_type match_types[] = {
	{ .name = ":regex", .summary = "a regular expression matches in the value", .substring = true, .captures = true,
	  .raw = true, .prepare = regex_prepare, .match = regex_type_match, .literal = regex_type_literal },
};

/* --- set :quoteregex */

static struct str
quoteregex_modify(struct arena *arena, struct str v)
{
	char *out = arena_alloc(arena, 2 * v.len), *to = out;

	for (size_t i = 0; i < v.len; i++) {
		if (memchr("\\^$.[]|()*+?{}", v.s[i], 14))
			*to++ = '\\';
		*to++ = v.s[i];
	}
	return (struct str){ out, (size_t)(to - out) };
}

static const struct graft modifiers[] = {
	{ .name = ":quoteregex", .type = FLAG, .on = (const char *const[]){ "set", "extracttext", NULL },
	  .summary = "text that \":regex\" finds only itself", .order = 20, .modify = quoteregex_modify },
};

const struct extension ext_regex = {
	.name = "regex", .document = "draft-murchison-sieve-regex-07", .summary = "regular expressions",
	.match_types = match_types, .nmatch_types = COUNT(match_types), GRAFTS(modifiers),
};
