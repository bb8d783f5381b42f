/* pattern.c - what a regular expression says, as far as we must know it
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A reader of Perl's syntax that must agree with PCRE2 on one thing: which
 * bytes are syntax, and which are quoted, in a class, or in a comment. */
#include "base/limits.h"
#include "base/pattern.h"

struct scan {
	struct str p;
	size_t i;               /* the next byte */
	bool fold;
	unsigned depth;         /* open groups */
	/* does "x" (ignore blanks and comments) hold in this group? */
	bool extended[LIMIT_REGEX_NESTING + 1];

	/* the literals: the run being read, and those before */
	char *run;
	size_t run_len;
	struct str part[PATTERN_PARTS], longest;
	unsigned nparts;
	bool uncertain;         /* alternatives or options: no literal at all */

	size_t times;           /* all the counts of quantifiers, multiplied */
	bool crosses;           /* something may match CR or LF */
	size_t class_len;       /* of the longest class that is not just ASCII */

	const char *error;
	size_t error_at;
};

static bool
refuse(struct scan *s, size_t at, const char *error)
{
	s->error = error;
	s->error_at = at;
	return false;
}

static bool
at(const struct scan *s, size_t i, char c)
{
	return i < s->p.len && s->p.s[i] == c;
}

static bool
is_letter(char c)
{
	return (unsigned)(unsigned char)char_lower(c) - 'a' < 26u;
}

/* The place of the first c from `from` on, or the end. */
static size_t
find(const struct scan *s, size_t from, char c)
{
	const char *hit = memchr(s->p.s + from, c, s->p.len - from);

	return hit ? (size_t)(hit - s->p.s) : s->p.len;
}

/* --- the literals */

static void
run_end(struct scan *s)
{
	struct str run = { s->run, s->run_len };

	if (!run.len)
		return;
	if (run.len > s->longest.len)
		s->longest = run;
	if (run.len > 1 && s->nparts < PATTERN_PARTS)
		s->part[s->nparts++] = run;
	s->run += run.len;
	s->run_len = 0;
}

/* Takes back the last character: it need not be there. */
static void
run_drop(struct scan *s)
{
	while (s->run_len && ((unsigned char)s->run[s->run_len - 1] & 0xc0) == 0x80)
		s->run_len--;
	if (s->run_len)
		s->run_len--;
	run_end(s);
}

/* Adds the character at s->i, and moves on.  When case is ignored, U+017F
 * matches "s", U+212A "k", and others what is not ASCII: they end the run.
 * So does U+FFFD, which stands for any bad byte of a value. */
static void
run_char(struct scan *s)
{
	char c = s->p.s[s->i++];
	size_t len = 1;

	s->crosses |= c == '\n' || c == '\r';
	while (s->i < s->p.len && ((unsigned char)c & 0x80)
	       && ((unsigned char)s->p.s[s->i] & 0xc0) == 0x80) {
		s->i++;
		len++;
	}
	if (s->depth)
		return;
	if (s->fold)
		c = char_lower(c);
	if (s->fold && ((unsigned char)c >= 0x80 || c == 's' || c == 'k')) {
		run_end(s);
		return;
	}
	if (len == 3 && !memcmp(s->p.s + s->i - 3, "\xef\xbf\xbd", 3)) {
		run_end(s);
		return;
	}
	memcpy(s->run + s->run_len, s->p.s + s->i - len, len);
	if (len == 1)
		s->run[s->run_len] = c;
	s->run_len += len;
}

/* --- the syntax */

/* After "\Q": up to "\E" or the end.  In a class nothing is collected. */
static void
scan_quoted(struct scan *s, bool collect)
{
	while (s->i < s->p.len) {
		if (at(s, s->i, '\\') && at(s, s->i + 1, 'E')) {
			s->i += 2;
			return;
		}
		if (collect)
			run_char(s);
		else
			s->i++;
	}
}

/* What belongs to an escape beyond its letter: a number, "{...}", a name. */
static void
scan_escape_rest(struct scan *s, char letter)
{
	char open = s->i < s->p.len ? s->p.s[s->i] : '\0';
	char close = open == '{' ? '}' : open == '<' ? '>' : open == '\'' ? '\'' : '\0';

	if (strchr("gkX", letter) || char_is_digit(letter))
		s->times = SIZE_MAX;
	s->crosses |= !strchr("dwhVbBAZzKNgkEQat", letter);
	if (strchr("dDwWsShHvVRXbBAZzKN", letter) && (letter != 'N' || open != '{'))
		return;
	if (letter == 'c' || ((letter == 'p' || letter == 'P') && open != '{')) {
		s->i += s->i < s->p.len;
		return;
	}
	/* these brackets only after a few letters; else they are characters */
	if (close && strchr(open == '{' ? "xopPkgN" : "kg", letter)) {
		s->i = find(s, s->i + 1, close);
		s->i += s->i < s->p.len;
		return;
	}
	/* a number may follow: it is not literal text */
	while (s->i < s->p.len
	       && (is_letter(s->p.s[s->i]) || char_is_digit(s->p.s[s->i])
	           || (letter == 'g' && strchr("+-", s->p.s[s->i]) && s->p.s[s->i])))
		s->i++;
}

/* s->i is behind the "\" */
static bool
scan_escape(struct scan *s)
{
	size_t from = s->i - 1;
	char c;

	if (s->i == s->p.len)
		return true;
	c = s->p.s[s->i];
	if (!is_letter(c) && !char_is_digit(c)) {
		run_char(s);
		return true;
	}
	s->i++;
	if (c == 'Q') {
		scan_quoted(s, true);
		return true;
	}
	if (c == 'E')
		return true;
	if (c == 'C')
		return refuse(s, from, "'\\C' is not supported");
	if (c == 'G')
		return refuse(s, from, "'\\G' is not supported");
	if (c == 'g' && (at(s, s->i, '<') || at(s, s->i, '\'')))
		return refuse(s, from, "recursion is not supported");
	run_end(s);
	scan_escape_rest(s, c);
	return true;
}

/* "[:name:]" and its relatives, inside a class: where it ends, or 0.  These
 * are PCRE2's rules, for names that it does not know as well. */
static size_t
posix_class(const struct scan *s, size_t i)
{
	char mark = i + 1 < s->p.len ? s->p.s[i + 1] : '\0';

	if (mark != ':' && mark != '.' && mark != '=')
		return 0;
	for (i += 2; i + 1 < s->p.len; i++) {
		char c = s->p.s[i], next = s->p.s[i + 1];

		if (c == '\\' && (next == ']' || next == '\\'))
			i++;
		else if (c == ']' || (c == '[' && next == mark))
			return 0;
		else if (c == mark && next == ']')
			return i + 2;
	}
	return 0;
}

/* In a class, s->i is behind a backslash: is it something that the class takes
 * for a member? */
static bool
class_escape(struct scan *s)
{
	char c = s->i < s->p.len ? s->p.s[s->i++] : '\0';
	size_t from = s->i;

	s->crosses |= (is_letter(c) && !strchr("dwhVEQ", c)) || char_is_digit(c)
	              || (unsigned char)c < ' ';
	if (c == 'E')
		return false;
	if (c == 'Q') {
		s->crosses = true;
		scan_quoted(s, false);
		return !str_is(str_sub(s->p, from, s->i), "\\E");
	}
	if (c == 'c')
		s->i += s->i < s->p.len;
	return true;
}

/* s->i is behind the "[" */
static void
scan_class(struct scan *s)
{
	bool first = true, negated = false, wide = false;
	size_t end, from = s->i;

	run_end(s);
	while (s->i < s->p.len) {
		char c = s->p.s[s->i++];

		if (first && !negated && c == '^') {
			negated = s->crosses = true;
			continue;
		}
		if (c == ']' && !first)
			break;
		wide |= (unsigned char)c >= 0x80 || c == '\\';
		if (c == '\\') {
			first &= !class_escape(s);
			continue;
		}
		first = false;
		/* a range may begin with it */
		s->crosses |= (unsigned char)c < ' ';
		if (c == '[' && (end = posix_class(s, s->i - 1))) {
			/* "alpha", "upper" and others, but not "space", "cntrl", "^alpha" */
			s->crosses |= !strchr("audlpxwbg", s->p.s[s->i + 1]);
			s->i = end;
		}
	}
	if (wide && s->i - from > s->class_len)
		s->class_len = s->i - from;
}

static bool
group_open(struct scan *s, size_t from, bool extended)
{
	if (s->depth == LIMIT_REGEX_NESTING)
		return refuse(s, from, "too many groups in groups");
	run_end(s);
	s->extended[++s->depth] = extended;
	return true;
}

/* "(?" and option letters; s->i is at the first */
static bool
scan_options(struct scan *s, size_t from)
{
	bool on = true, extended = s->extended[s->depth];

	s->uncertain = true;
	for (; s->i < s->p.len; s->i++) {
		char c = s->p.s[s->i];

		if (c == '-')
			on = false;
		else if (c == '^')
			extended = false;
		else if (c == 'x' && on && at(s, s->i + 1, 'x'))
			return refuse(s, from, "option 'xx' is not supported");
		else if (c == 'x')
			extended = on;
		else if (!is_letter(c))
			break;
		s->crosses |= c == 's';
	}
	if (at(s, s->i, ':')) {
		s->i++;
		return group_open(s, from, extended);
	}
	/* anything else but ")" is an error that PCRE2 will find */
	s->i += at(s, s->i, ')');
	s->extended[s->depth] = extended;
	return true;
}

/* s->i is behind "(?(" of a conditional group */
static bool
scan_condition(struct scan *s, size_t from)
{
	if (!group_open(s, from, s->extended[s->depth]))
		return false;
	if (at(s, s->i, '?') || at(s, s->i, '*')) {
		s->i--;                 /* an assertion: a group by itself */
		return true;
	}
	s->i = find(s, s->i, ')');
	s->i += s->i < s->p.len;
	return true;
}

/* s->i is behind "(?" */
static bool
scan_special(struct scan *s, size_t from)
{
	char c = s->i < s->p.len ? s->p.s[s->i] : '\0';
	char next = s->i + 1 < s->p.len ? s->p.s[s->i + 1] : '\0';

	if (c == '#') {
		/* what follows a comment may still be a quantifier of what is before it */
		s->i = find(s, s->i, ')');
		s->i += s->i < s->p.len;
		return true;
	}
	if (c == 'C')
		return refuse(s, from, "callouts are not supported");
	if (c == 'R' || c == '&' || c == '+' || char_is_digit(c)
	    || (c == '-' && char_is_digit(next)) || (c == 'P' && next == '>'))
		return refuse(s, from, "recursion is not supported");
	if (c == '(') {
		s->i++;
		return scan_condition(s, from);
	}
	if (c == 'P' && next == '=')
		s->times = SIZE_MAX;
	if (c == 'P' || c == '<' || c == '\'' || c == ':' || c == '|' || c == '>'
	    || c == '=' || c == '!' || c == '*') {
		s->i++;
		/* "(?<!", "(?<=", "(?P<": one more that must not be read as literal */
		if (s->i < s->p.len && (c == 'P' || c == '<'))
			s->i++;
		return group_open(s, from, s->extended[s->depth]);
	}
	return scan_options(s, from);
}

/* s->i is behind "(" */
static bool
scan_group(struct scan *s)
{
	size_t from = s->i - 1;

	if (at(s, s->i, '*'))
		return refuse(s, from, "'(*' is not supported");
	if (at(s, s->i, '?')) {
		s->i++;
		return scan_special(s, from);
	}
	return group_open(s, from, s->extended[s->depth]);
}

static void
times(struct scan *s, size_t n)
{
	if (__builtin_mul_overflow(s->times, n ? n : 1, &s->times))
		s->times = SIZE_MAX;
}

/* s->i is behind "{": a quantifier, or a character like others */
static void
scan_brace(struct scan *s)
{
	size_t i = s->i, n = 0;
	bool open = false;

	if (!s->depth)
		run_drop(s);
	for (; i < s->p.len; i++) {
		char c = s->p.s[i];

		if (c == ',')
			n = 0;
		else if (char_is_digit(c) && n < LIMIT_PATTERN)
			n = n * 10 + (size_t)(c - '0');
		else if (c != ' ')
			break;
		open = c == ',' || (open && c == ' ');
	}
	if (!at(s, i, '}'))
		return;
	s->i = i + 1;
	times(s, open ? SIZE_MAX : n);
}

static bool
scan_item(struct scan *s)
{
	char c = s->p.s[s->i];

	if (s->extended[s->depth] && c == '#') {
		while (s->i < s->p.len && s->p.s[s->i] != '\n' && s->p.s[s->i] != '\r')
			s->i++;
		return true;
	}
	if (!memchr("\\[(){*?+|.^$", c, 12)) {
		run_char(s);
		return true;
	}
	s->i++;
	switch (c) {
	case '\\':
		return scan_escape(s);
	case '[':
		scan_class(s);
		break;
	case '(':
		return scan_group(s);
	case ')':
		run_end(s);
		s->depth -= s->depth > 0;
		break;
	case '{':
		scan_brace(s);
		break;
	case '*':
		s->times = SIZE_MAX;
		/* fall through */
	case '?':
		if (!s->depth)
			run_drop(s);
		break;
	case '+':
		s->times = SIZE_MAX;
		run_end(s);
		break;
	case '|':
		s->uncertain |= !s->depth;
		break;
	default:
		run_end(s);
	}
	return true;
}

bool
pattern_scan(struct arena *a, struct str text, bool fold, struct pattern *ret,
             struct str *ret_error, size_t *ret_offset)
{
	struct scan s = { .p = text, .fold = fold, .times = 1, .longest = STR_EMPTY };
	bool ok = true;

	s.run = arena_alloc(a, text.len + 1);
	while (ok && s.i < text.len)
		ok = scan_item(&s);
	if (!ok) {
		*ret_error = str_from(s.error);
		*ret_offset = s.error_at;
		return false;
	}
	run_end(&s);
	/* no item of the text is shorter than what it matches once: four bytes
	 * for ".", as for any character */
	times(&s, 4 * text.len);
	*ret = (struct pattern){
		.nparts = s.uncertain ? 0 : s.nparts,
		.literal = s.uncertain ? STR_EMPTY : s.longest,
		.reach = s.times,
		.one_line = !s.crosses,
		.weight = 1 + (unsigned)(s.class_len / 32),
	};
	memcpy(ret->part, s.part, sizeof ret->part);
	return true;
}
