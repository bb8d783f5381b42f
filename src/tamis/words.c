/* words.c - rules and values in one line, shortened
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "host/diag.h"
#include "host/print.h"
#include "tamis/words.h"

static bool
words_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
words_is_letter(char c)
{
	return char_is_digit(c) || c == '_' || c == ':' || (unsigned char)(char_lower(c) - 'a') < 26;
}

/* A multi-line string: from "text:" to the line with one dot (RFC 5228 2.4.2). */
static size_t
words_text(struct str v)
{
	ptrdiff_t end = str_find(v, STR("\n"));
	size_t from;

	while (end >= 0) {
		from = (size_t)end + 1;
		if (str_starts(str_sub(v, from, v.len), STR(".\n")))
			return from + 1;
		if (str_starts(str_sub(v, from, v.len), STR(".\r\n")) || str_is(str_sub(v, from, v.len), "."))
			return from + 1;
		end = str_find(str_sub(v, from, v.len), STR("\n"));
		if (end >= 0)
			end += (ptrdiff_t)from;
	}
	return v.len;
}

size_t
words_token(struct str v)
{
	ptrdiff_t end;
	size_t n = 1;

	if (!v.len)
		return 0;
	switch (v.s[0]) {
	case '"':
		while (n < v.len && v.s[n] != '"')
			n += v.s[n] == '\\' ? 2 : 1;
		return n < v.len ? n + 1 : v.len;
	case '#':
		end = str_find(v, STR("\n"));
		return end < 0 ? v.len : (size_t)end + 1;
	case '/':
		if (v.len < 2 || v.s[1] != '*')
			return 1;
		end = str_find(str_sub(v, 2, v.len), STR("*/"));
		return end < 0 ? v.len : (size_t)end + 4;
	default:
		break;
	}
	if (words_is_blank(v.s[0])) {
		while (n < v.len && words_is_blank(v.s[n]))
			n++;
	} else if (words_is_letter(v.s[0])) {
		while (n < v.len && words_is_letter(v.s[n]))
			n++;
		if (str_iis(str_sub(v, 0, n), "text:"))
			return words_text(v);
	}
	return n;
}

void
words_flat(struct buf *b, struct str v, size_t max)
{
	struct buf all = { 0 };
	bool blank = false;
	size_t n, fits = 0;

	for (; v.len && (!max || all.len <= max); v = str_sub(v, n, v.len)) {
		n = words_token(v);
		if (words_is_blank(*v.s) || *v.s == '#' || (*v.s == '/' && n > 1)) {
			blank = true;
			continue;
		}
		if (all.len <= max)
			fits = all.len;
		if (blank && all.len)
			buf_putc(&all, ' ');
		blank = false;
		if (n > 1 && str_istarts(v, STR("text:")))
			buf_puts(&all, "text: ...");
		else
			buf_add(&all, str_sub(v, 0, n));
	}
	if (max && all.len > max) {
		/* between two words, unless the first is too long by itself */
		diag_clean(b, fits ? str_sub(buf_str(&all), 0, fits) : utf8_cut(buf_str(&all), max));
		buf_puts(b, " ...");
	} else {
		diag_clean(b, buf_str(&all));
	}
	buf_done(&all);
}

void
words_quoted_start(struct buf *b, struct str v, size_t len, size_t max)
{
	if (max && len > max) {
		print_quoted(b, utf8_cut(v, max));
		buf_printf(b, "... (%zu bytes)", len);
	} else {
		print_quoted(b, v);
	}
}

void
words_quoted(struct buf *b, struct str v, size_t max)
{
	words_quoted_start(b, v, v.len, max);
}
