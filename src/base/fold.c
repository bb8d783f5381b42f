/* fold.c - header fields that we write: folded, encoded where they must be
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/fold.h"

#include "base/utf8.h"

enum {
	LINE = 78,                      /* columns, where a line can be folded (RFC 5322 2.1.1) */
	LINE_LONGEST = 998,             /* of any line */
	WORD_LINE = 76,                 /* of lines with encoded words (RFC 2047 2) */
	WORD_AROUND = 12,               /* "=?utf-8?B?" and "?=" */
	WORD_LEAST = 8,                 /* of base64: any character */
	BLANKS = WORD_LINE - WORD_AROUND - WORD_LEAST,  /* that are never cut */
};

void
fold_base64(struct buf *out, struct str v)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < v.len; i += 3) {
		size_t n = v.len - i;
		unsigned bits = (unsigned)(unsigned char)v.s[i] << 16;

		bits |= n > 1 ? (unsigned)(unsigned char)v.s[i + 1] << 8 : 0;
		bits |= n > 2 ? (unsigned char)v.s[i + 2] : 0;
		buf_putc(out, digit[bits >> 18]);
		buf_putc(out, digit[bits >> 12 & 63]);
		buf_putc(out, n > 1 ? digit[bits >> 6 & 63] : '=');
		buf_putc(out, n > 2 ? digit[bits & 63] : '=');
	}
}

/* A character is never cut (RFC 2047 5). */
size_t
fold_words(struct buf *out, struct str v, size_t column, const char *end)
{
	while (v.len) {
		size_t room = column + WORD_AROUND + WORD_LEAST > WORD_LINE ? 6 : (WORD_LINE - column - WORD_AROUND) / 4 * 3;
		struct str word = utf8_cut(v, room);

		buf_puts(out, "=?utf-8?B?");
		fold_base64(out, word);
		buf_puts(out, "?=");
		column += WORD_AROUND + (word.len + 2) / 3 * 4;
		v = str_sub(v, word.len, v.len);
		if (v.len) {
			buf_printf(out, "%s ", end);
			column = 1;
		}
	}
	return column;
}

/* --- words of text: what stands between blanks; of text that is to be
 * encoded, a quoted string is one, lest half of it be read as something else */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
blanks_at(struct str v)
{
	size_t n = 0;

	while (n < v.len && is_blank(v.s[n]))
		n++;
	return n;
}

static size_t
word_end(struct str v, size_t i, bool quotes)
{
	bool quoted = false;

	for (; i < v.len && (quoted || !is_blank(v.s[i])); i++)
		if (quotes && v.s[i] == '"')
			quoted = !quoted;
		else if (quoted && v.s[i] == '\\')
			i += i + 1 < v.len;
	return i;
}

static bool
quotes_closed(struct str v)
{
	bool closed = true;

	for (size_t i = 0; i < v.len; i++)
		if (v.s[i] == '"')
			closed = !closed;
		else if (!closed && v.s[i] == '\\')
			i += i + 1 < v.len;
	return closed;
}

/* Cannot stand there as it is.  encoding: some other word cannot either, so
 * nothing may look encoded that is not. */
static bool
word_odd(struct str word, bool encoding)
{
	return !utf8_is_ascii(word) || word.len >= LINE_LONGEST || (encoding && str_find(word, STR("=?")) >= 0);
}

static bool
some_word_odd(struct str v)
{
	for (size_t i = 0, to; i < v.len; i = to) {
		i += blanks_at(str_sub(v, i, v.len));
		to = word_end(v, i, false);
		if (word_odd(str_sub(v, i, to), false))
			return true;
	}
	return false;
}

/* The next stretch that is written in one way: a plain word, or words side by
 * side that are all encoded, since blanks between encoded words are not text. */
static size_t
stretch_end(struct str v, size_t from, bool encoding, bool quotes, bool *ret_encode)
{
	size_t to = word_end(v, from, quotes), next, next_end;

	*ret_encode = encoding && word_odd(str_sub(v, from, to), true);
	while (*ret_encode && to < v.len) {
		next = to + blanks_at(str_sub(v, to, v.len));
		next_end = word_end(v, next, quotes);
		if (next == v.len || !word_odd(str_sub(v, next, next_end), true))
			break;
		to = next_end;
	}
	return to;
}

static void
fold(struct buf *out, struct str name, struct str value, const char *end, bool encoding)
{
	bool quotes = encoding && quotes_closed(value), encode;
	size_t column = name.len + 1, to;

	buf_printf(out, "%.*s:", STR_ARG(name));
	for (size_t at = 0; at < value.len; at = to) {
		size_t blanks = at ? blanks_at(str_sub(value, at, value.len)) : 0, width;
		struct str before = at ? str_sub(value, at, at + blanks) : STR(" "), text;
		size_t most;            /* of them, before that word alone on its line */

		to = stretch_end(value, at + blanks, encoding, quotes, &encode);
		/* so many that they fill a line are as good as fewer */
		before.len = before.len < LINE ? before.len : LINE;
		text = str_sub(value, at + blanks, to);
		most = encode ? BLANKS : LINE_LONGEST - text.len;
		width = before.len + (encode ? WORD_AROUND + WORD_LEAST : text.len);
		/* behind the name only if nothing else helps: some readers look for the value there */
		if (text.len && column + width > (encode ? WORD_LINE : at ? LINE : LINE_LONGEST)) {
			buf_puts(out, end);
			column = 0;
			before.len = before.len < most ? before.len : most;
		}
		buf_add(out, before);
		column += before.len;
		if (encode) {
			column = fold_words(out, text, column, end);
		} else {
			buf_add(out, text);
			column += text.len;
		}
	}
	buf_puts(out, end);
}

void
fold_field(struct buf *out, struct str name, struct str value, const char *end)
{
	fold(out, name, value, end, some_word_odd(value));
}

/* More than fold() may leave side by side. */
static bool
many_blanks(struct str v)
{
	for (size_t i = 0, n = 0; i < v.len; i++) {
		n = is_blank(v.s[i]) ? n + 1 : 0;
		if (n > BLANKS)
			return true;
	}
	return false;
}

void
fold_literal(struct buf *out, struct str name, struct str value, const char *end)
{
	if (!many_blanks(value)) {
		fold(out, name, value, end, some_word_odd(value) || str_find(value, STR("=?")) >= 0);
		return;
	}
	buf_printf(out, "%.*s: ", STR_ARG(name));
	fold_words(out, value, name.len + 2, end);
	buf_puts(out, end);
}
