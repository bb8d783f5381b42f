/* encoded-character.c - "${hex:...}" and "${unicode:...}" in strings (RFC 5228 2.4.2.4)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/command.h"

enum { CODE_MOST = 0x10ffff };

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int
hex_digit(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One number and the blanks around it at the start of v, where digits are at
 * most `most`: the length of both, or 0.  A number too large for Unicode is
 * any number too large. */
static size_t
number_next(struct str v, size_t most, uint32_t *ret)
{
	size_t i = 0, from;
	uint32_t n = 0;

	while (i < v.len && is_blank(v.s[i]))
		i++;
	for (from = i; i < v.len && hex_digit(v.s[i]) >= 0; i++)
		if (n <= CODE_MOST)
			n = n * 16 + (uint32_t)hex_digit(v.s[i]);
	if (i == from || i - from > most)
		return 0;
	while (i < v.len && is_blank(v.s[i]))
		i++;
	*ret = n;
	return i;
}

static bool
add_octet(struct buf *out, uint32_t n)
{
	buf_putc(out, (char)n);
	return true;
}

static bool
add_character(struct buf *out, uint32_t n)
{
	char utf8[4];
	size_t len = utf8_put(utf8, n);

	buf_add(out, (struct str){ utf8, len });
	return len > 0;
}

static const struct {
	struct str open;
	size_t digits;                  /* of one number, at most */
	bool (*add)(struct buf *, uint32_t);
} sequences[] = {
	{ { "${hex:", 6 }, 2, add_octet },
	{ { "${unicode:", 10 }, SIZE_MAX, add_character },
};

/* A sequence at the start of v: its length, and what it stands for; 0: none.  *bad: a number in it is no Unicode
 * character. */
static size_t
sequence(struct str v, struct buf *out, bool *bad)
{
	for (size_t k = 0; k < COUNT(sequences); k++) {
		size_t i = sequences[k].open.len, n;
		bool wrong = false;
		uint32_t code = 0;

		if (!str_istarts(v, sequences[k].open))
			continue;
		buf_reset(out);
		/* behind a number stands a blank or the end: all of "400" is one number */
		while ((n = number_next(str_sub(v, i, v.len), sequences[k].digits, &code))) {
			wrong |= !sequences[k].add(out, code);
			i += n;
		}
		if (i == sequences[k].open.len || i == v.len || v.s[i] != '}')
			return 0;
		*bad |= wrong;
		return i + 1;
	}
	return 0;
}

static const char *
encoded_rewrite(struct arena *arena, struct str v, struct str *ret)
{
	struct buf out = { 0 }, decoded = { 0 };
	size_t done = 0, n;
	bool bad = false;

	for (ptrdiff_t hit; (hit = str_find(str_sub(v, done, v.len), STR("${"))) >= 0; done += n) {
		buf_add(&out, str_sub(v, done, done + (size_t)hit));
		done += (size_t)hit;
		n = sequence(str_sub(v, done, v.len), &decoded, &bad);
		buf_add(&out, n ? buf_str(&decoded) : STR("${"));
		n = n ? n : 2;
	}
	if (done) {
		buf_add(&out, str_sub(v, done, v.len));
		*ret = buf_copy(&out, arena);
	}
	buf_done(&decoded);
	buf_done(&out);
	return bad ? "\"${unicode:...}\" names a number that is no Unicode character (0 to D7FF, E000 to 10FFFF)" : NULL;
}

const struct extension ext_encoded_character = {
	.name = "encoded-character", .document = "RFC 5228 2.4.2.4",
	.summary = "octets and Unicode characters written as numbers in strings", .rewrite = encoded_rewrite,
};
