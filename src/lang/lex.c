/* lex.c - bytes of a script to tokens (RFC 5228 8.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/lex.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { SPACE = 1, ALPHA = 2, DIGIT = 4, QUOTED_STOP = 8, PUNCTUATION = 16 };

#define A ALPHA
#define D DIGIT
#define P PUNCTUATION
/* The NUL behind the source is of no class that goes on. */
static const uint8_t class_of[256] = {
	['\0'] = QUOTED_STOP, ['\t'] = SPACE, ['\n'] = SPACE | QUOTED_STOP, ['\r'] = QUOTED_STOP, [' '] = SPACE,
	['"'] = QUOTED_STOP, ['\\'] = QUOTED_STOP,
	[';'] = P, [','] = P, ['['] = P, [']'] = P, ['('] = P, [')'] = P, ['{'] = P, ['}'] = P,
	['0'] = D, ['1'] = D, ['2'] = D, ['3'] = D, ['4'] = D, ['5'] = D, ['6'] = D, ['7'] = D, ['8'] = D, ['9'] = D,
	['A'] = A, ['B'] = A, ['C'] = A, ['D'] = A, ['E'] = A, ['F'] = A, ['G'] = A, ['H'] = A, ['I'] = A, ['J'] = A,
	['K'] = A, ['L'] = A, ['M'] = A, ['N'] = A, ['O'] = A, ['P'] = A, ['Q'] = A, ['R'] = A, ['S'] = A, ['T'] = A,
	['U'] = A, ['V'] = A, ['W'] = A, ['X'] = A, ['Y'] = A, ['Z'] = A, ['_'] = A,
	['a'] = A, ['b'] = A, ['c'] = A, ['d'] = A, ['e'] = A, ['f'] = A, ['g'] = A, ['h'] = A, ['i'] = A, ['j'] = A,
	['k'] = A, ['l'] = A, ['m'] = A, ['n'] = A, ['o'] = A, ['p'] = A, ['q'] = A, ['r'] = A, ['s'] = A, ['t'] = A,
	['u'] = A, ['v'] = A, ['w'] = A, ['x'] = A, ['y'] = A, ['z'] = A,
};
#undef A
#undef D
#undef P

static uint8_t
class(char c)
{
	return class_of[(unsigned char)c];
}

static struct span
lex_span(const struct lex *l, const char *from, const char *to)
{
	return SPAN((uint32_t)(from - l->start), (uint32_t)(to - l->start));
}

void
lex_init(struct lex *l, struct source *source, struct diag *diag, struct arena *arena)
{
	ptrdiff_t bad = utf8_check(source->text);

	*l = (struct lex){ .source = source, .diag = diag, .arena = arena, .start = source->text.s, .p = source->text.s,
	                   .end = source->text.s + source->text.len };
	/* strings may hold any octets (RFC 5228 2.4.2), elsewhere they are no part of any token */
	if (bad >= 0)
		diag_warning(diag, source, SPAN((uint32_t)bad, (uint32_t)bad + 1), "save the file as UTF-8 (RFC 5228 2.1)",
		             "byte 0x%02x is not valid UTF-8", (unsigned char)l->start[bad]);
	if (source->text.len >= 3 && !memcmp(l->p, "\xef\xbb\xbf", 3))
		l->p += 3;
}

/* Comments and strings have neither NUL nor a CR that no LF follows.  False: it was said where the first stands. */
static bool
lex_octets(struct lex *l, const char *p, const char *end, const char *what)
{
	const char *nul = memchr(p, '\0', (size_t)(end - p)), *cr = memchr(p, '\r', (size_t)(end - p));

	while (cr && cr[1] == '\n')
		cr = memchr(cr + 1, '\r', (size_t)(end - cr - 1));
	if (!nul && !cr)
		return true;
	p = !nul || (cr && cr < nul) ? cr : nul;
	diag_error(l->diag, l->source, lex_span(l, p, p + 1), "RFC 5228 8.1 does not allow it", "%s in a %s",
	           *p ? "CR without LF" : "NUL", what);
	return false;
}

/* behind the comment, or NULL when it never ends */
static const char *
lex_comment(const struct lex *l, const char *p)
{
	const char *close;

	if (*p == '#') {
		const char *eol = memchr(p, '\n', (size_t)(l->end - p));

		return eol ? eol + 1 : l->end;
	}
	for (p += 2; (close = memchr(p, '*', (size_t)(l->end - p))); p = close + 1)
		if (close + 1 < l->end && close[1] == '/')
			return close + 2;
	return NULL;
}

/* False after an error has been reported. */
static bool
lex_blanks(struct lex *l)
{
	const char *p = l->p;

	for (;;) {
		while (p < l->end && class(*p) & SPACE)
			p++;
		if (p < l->end && *p == '\r') {
			if (p + 1 == l->end || p[1] != '\n')
				diag_error(l->diag, l->source, lex_span(l, p, p + 1), "line ends are CRLF or LF", "CR without LF");
			p++;
			continue;
		}
		if (p < l->end && (*p == '#' || (*p == '/' && p + 1 < l->end && p[1] == '*'))) {
			const char *behind = lex_comment(l, p);

			if (!behind) {
				diag_error(l->diag, l->source, lex_span(l, p, p + 2), "end it with '*/'",
				           "comment is never closed");
				l->p = l->end;
				return false;
			}
			lex_octets(l, p, behind, "comment");
			p = behind;
			continue;
		}
		l->p = p;
		return true;
	}
}

static enum lex_token
lex_number(struct lex *l)
{
	const char *from = l->p, *p = from;
	uint64_t n = 0;
	bool over = false;
	unsigned shift = 0;

	for (; p < l->end && class(*p) & DIGIT; p++)
		over |= __builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n);
	if (p < l->end) {
		char unit = char_lower(*p);

		shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
		p += shift != 0;
	}
	over |= shift && n >> (64 - shift);
	l->p = p;
	l->at = lex_span(l, from, p);
	if (p < l->end && class(*p) & ALPHA) {
		while (l->p < l->end && class(*l->p) & (ALPHA | DIGIT))
			l->p++;
		l->at.to = (uint32_t)(l->p - l->start);
		diag_error(l->diag, l->source, l->at, "a number is digits with at most one of K, M, G behind them",
		           "'%.*s' is not a number", (int)(l->at.to - l->at.from), from);
		return LEX_ERROR;
	}
	if (over) {
		diag_error(l->diag, l->source, l->at, NULL, "number is larger than 18446744073709551615");
		return LEX_ERROR;
	}
	l->number = n << shift;
	return LEX_NUMBER;
}

static enum lex_token
lex_string_bad(struct lex *l, const char *at, const char *what, const char *hint)
{
	diag_error(l->diag, l->source, lex_span(l, at, at + 1), hint, "%s", what);
	return LEX_ERROR;
}

/* A string whose value is not just a range of the source: escapes, or line
 * ends that must become CRLF (RFC 5228 2.4.2: strings hold CRLF). */
static enum lex_token
lex_quoted_slow(struct lex *l, const char *p)
{
	const char *open = l->p;
	struct buf out = { 0 };
	enum lex_token token = LEX_STRING;

	buf_add(&out, (struct str){ open + 1, (size_t)(p - open - 1) });
	for (;;) {
		const char *from = p;

		while (p < l->end && !(class(*p) & QUOTED_STOP))
			p++;
		buf_add(&out, (struct str){ from, (size_t)(p - from) });
		if (p == l->end) {
			token = lex_string_bad(l, open, "string is never closed", "end it with '\"'");
			break;
		}
		if (*p == '"') {
			p++;
			break;
		}
		if (*p == '\\' && p + 1 < l->end && p[1] != '\n' && p[1] != '\r' && p[1] != '\0') {
			buf_putc(&out, p[1]);
			p += 2;
		} else if (*p == '\n' || (*p == '\r' && p + 1 < l->end && p[1] == '\n')) {
			buf_puts(&out, "\r\n");
			p += *p == '\r' ? 2 : 1;
		} else if (*p == '\\') {
			p++;
		} else {
			token = lex_string_bad(l, p, *p ? "CR without LF in a string" : "NUL in a string",
			                       "RFC 5228 8.1 does not allow it");
			p++;
		}
	}
	l->p = p;
	l->at = lex_span(l, open, p);
	l->text = buf_copy(&out, l->arena);
	buf_done(&out);
	return token;
}

/* Is one of these eight bytes a quote, a backslash or a control character? */
static bool
stops(const char *p)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t word, quote, backslash;

	memcpy(&word, p, sizeof word);
	quote = word ^ ones * '"';
	backslash = word ^ ones * '\\';
	return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * ' ') & ~word)) & high;
}

/* up to the quote, or to what needs a closer look; the source ends with a NUL, which does */
static inline const char *
lex_plain(const struct lex *l, const char *p)
{
	while (l->end - p >= 8 && !stops(p))
		p += 8;
	while (!(class(*p) & QUOTED_STOP))
		p++;
	return p;
}

static enum lex_token
lex_quoted(struct lex *l)
{
	const char *p = lex_plain(l, l->p + 1);

	if (*p != '"')
		return lex_quoted_slow(l, p);
	l->text = (struct str){ l->p + 1, (size_t)(p - l->p - 1) };
	l->at = lex_span(l, l->p, p + 1);
	l->p = p + 1;
	return LEX_STRING;
}

/* p stands behind "text:".  NULL when this is no multi-line string. */
static const char *
lex_multiline_start(struct lex *l, const char *p)
{
	while (p < l->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < l->end && *p == '#') {
		const char *behind = lex_comment(l, p);

		lex_octets(l, p, behind, "comment");
		return behind;
	}
	if (p + 1 < l->end && *p == '\r' && p[1] == '\n')
		return p + 2;
	return p < l->end && *p == '\n' ? p + 1 : NULL;
}

static enum lex_token
lex_multiline(struct lex *l, const char *p)
{
	const char *open = l->p;
	struct buf out = { 0 };
	enum lex_token token = LEX_STRING;

	for (;;) {
		const char *eol = memchr(p, '\n', (size_t)(l->end - p)), *stop = eol ? eol : l->end;
		struct str line = { p, (size_t)(stop - p) };

		if (line.len && line.s[line.len - 1] == '\r')
			line.len--;
		if (line.len == 1 && *line.s == '.') {
			p = eol ? eol + 1 : l->end;
			break;
		}
		if (!eol) {
			diag_error(l->diag, l->source, lex_span(l, open, open + 5), "end it with a line that is just '.'",
			           "multi-line string is never closed");
			token = LEX_ERROR;
			p = l->end;
			break;
		}
		if (!lex_octets(l, line.s, line.s + line.len, "string"))
			token = LEX_ERROR;
		if (str_starts(line, STR("..")))
			line = str_sub(line, 1, line.len);
		buf_add(&out, line);
		buf_puts(&out, "\r\n");
		p = eol + 1;
	}
	l->p = p;
	/* the range is the opening line, which is what a caret can show */
	l->at = lex_span(l, open, open + 5);
	l->text = buf_copy(&out, l->arena);
	buf_done(&out);
	return token;
}

static const char *
lex_letters(const char *p)
{
	while (class(*p) & (ALPHA | DIGIT))
		p++;
	return p;
}

static enum lex_token
lex_tag(struct lex *l)
{
	const char *from = l->p + 1, *p = lex_letters(from);

	l->text = (struct str){ from, (size_t)(p - from) };
	l->at = lex_span(l, l->p, p);
	l->p = p;
	return LEX_TAG;
}

static void
lex_nesting_error(struct lex *l, const char *what)
{
	if (!l->too_deep)
		diag_error(l->diag, l->source, l->at, NULL, "%s are nested too deeply (limit is %d)", what, LIMIT_NESTING);
	l->too_deep = true;
}

static enum lex_token
lex_word(struct lex *l)
{
	const char *from = l->p, *p = lex_letters(from);

	l->text = (struct str){ from, (size_t)(p - from) };
	if (*p == ':' && str_iis(l->text, "text")) {
		const char *body = lex_multiline_start(l, p + 1);

		if (body)
			return lex_multiline(l, body);
	}
	l->at = lex_span(l, from, p);
	l->p = p;
	if (++l->chain <= LIMIT_NESTING)
		return LEX_IDENTIFIER;
	lex_nesting_error(l, "tests");
	return LEX_END;
}

/* The parser's stack is bounded because nesting is: refuse before it grows. */
static enum lex_token
lex_punctuation(struct lex *l)
{
	char c = *l->p;

	l->at = lex_span(l, l->p, l->p + 1);
	l->p++;
	l->punctuation = c;
	l->chain = 0;
	switch (c) {
	case '{':
		if (++l->blocks > LIMIT_NESTING)
			lex_nesting_error(l, "blocks");
		l->parens = 0;
		break;
	case '}':
		l->blocks -= l->blocks > 0;
		l->parens = 0;
		break;
	case ';':
		l->parens = 0;
		break;
	case '(':
		if (++l->parens > LIMIT_NESTING)
			lex_nesting_error(l, "tests");
		break;
	case ')':
		l->parens -= l->parens > 0;
		break;
	default:
		break;
	}
	return l->too_deep ? LEX_END : LEX_PUNCTUATION;
}

static enum lex_token
lex_unexpected(struct lex *l)
{
	char c = *l->p;

	l->at = lex_span(l, l->p, l->p + 1);
	if ((unsigned char)c >= 0x80)
		while (l->p < l->end && (unsigned char)*l->p >= 0x80)
			l->p++;
	else
		l->p++;
	l->at.to = (uint32_t)(l->p - l->start);
	if ((unsigned char)c < 0x20 || c == 0x7f)
		diag_error(l->diag, l->source, l->at, NULL, "control character 0x%02x outside a string", c);
	else
		diag_error(l->diag, l->source, l->at,
		           c == '\'' ? "strings are quoted with '\"'" : c == ':' ? "a tag is ':' and a word, without a blank" : NULL,
		           "unexpected character '%.*s'", (int)(l->at.to - l->at.from), l->start + l->at.from);
	return LEX_ERROR;
}

static enum lex_token
lex_end(struct lex *l)
{
	l->at = lex_span(l, l->end, l->end);
	return LEX_END;
}

/* The token that begins at l->p; blanks and comments in front of it are the caller's. */
static inline enum lex_token
lex_token(struct lex *l, bool *ret_other)
{
	char first = *l->p;
	uint8_t c = class(first);

	if (c & PUNCTUATION)
		return lex_punctuation(l);
	if (c & ALPHA)
		return lex_word(l);
	if (first == '"')
		return lex_quoted(l);
	if (first == ':' && class(l->p[1]) & ALPHA)
		return lex_tag(l);
	*ret_other = true;
	return LEX_ERROR;
}

/* what is not met often: comments, CR LF, numbers, the end, mistakes */
static enum lex_token
lex_other(struct lex *l)
{
	enum lex_token token;
	bool other = false;

	if (!lex_blanks(l) || l->p == l->end)
		return lex_end(l);
	token = lex_token(l, &other);
	if (!other)
		return token;
	return class(*l->p) & DIGIT ? lex_number(l) : lex_unexpected(l);
}

enum lex_token
lex_next(struct lex *l)
{
	enum lex_token token;
	bool other = false;

	if (l->too_deep)
		return lex_end(l);
	while (class(*l->p) & SPACE)
		l->p++;
	token = lex_token(l, &other);
	return other ? lex_other(l) : token;
}

static const char *
skip_blanks(const char *p)
{
	while (class(*p) & SPACE || (*p == '\r' && p[1] == '\n'))
		p++;
	return p;
}

char
lex_item(struct lex *l)
{
	const char *open = skip_blanks(l->p), *p;

	if (*open != '"')
		return 0;
	p = lex_plain(l, open + 1);
	if (*p != '"')
		return 0;
	l->text = (struct str){ open + 1, (size_t)(p - open - 1) };
	l->at = lex_span(l, open, p + 1);
	p = skip_blanks(p + 1);
	if (*p != ',' && *p != ']')
		return 0;
	l->p = p + 1;
	return *p;
}
