/* utf8.c - UTF-8 (RFC 3629)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

static bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The second byte alone decides over overlong forms, surrogates and what is
 * above U+10FFFF: RFC 3629 section 4. */
size_t
utf8_next(struct str v, uint32_t *ret_code)
{
	const unsigned char *p = (const unsigned char *)v.s;
	unsigned char low = 0x80, high = 0xbf;
	uint32_t code;
	size_t len;

	if (!v.len)
		return 0;
	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (v.len < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	code = (p[0] & (0x7fu >> len)) << 6 | (p[1] & 0x3f);
	for (size_t i = 2; i < len; i++) {
		if (!is_tail(p[i]))
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	*ret_code = code;
	return len;
}

/* from `i` on, how far it is all ASCII */
static size_t
ascii_run(struct str v, size_t i)
{
	const uint64_t high = 0x8080808080808080;
	uint64_t w[4];

	for (; v.len - i >= sizeof w; i += sizeof w) {
		memcpy(w, v.s + i, sizeof w);
		if ((w[0] | w[1] | w[2] | w[3]) & high)
			break;
	}
	for (; v.len - i >= sizeof *w; i += sizeof *w) {
		memcpy(w, v.s + i, sizeof *w);
		if (*w & high)
			break;
	}
	while (i < v.len && (unsigned char)v.s[i] < 0x80)
		i++;
	return i;
}

ptrdiff_t
utf8_check(struct str v)
{
	size_t i = 0, len;
	uint32_t code;

	while (i < v.len) {
		if ((unsigned char)v.s[i] < 0x80) {
			i = ascii_run(v, i);
			continue;
		}
		len = utf8_next(str_sub(v, i, v.len), &code);
		if (!len)
			return (ptrdiff_t)i;
		i += len;
	}
	return -1;
}

bool
utf8_is_ascii(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] >= 0x80)
			return false;
	return true;
}

size_t
utf8_count(struct str v)
{
	size_t n = 0, len;
	uint32_t code;

	for (size_t i = 0; i < v.len; i += len ? len : 1) {
		size_t ascii = ascii_run(v, i);

		n += ascii - i;
		i = ascii;
		if (i == v.len)
			break;
		len = utf8_next(str_sub(v, i, v.len), &code);
		n++;
	}
	return n;
}

size_t
utf8_put(char dst[4], uint32_t code)
{
	if (code < 0x80) {
		dst[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		dst[0] = (char)(0xc0 | code >> 6);
		dst[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (code < 0x10000) {
		dst[0] = (char)(0xe0 | code >> 12);
		dst[1] = (char)(0x80 | (code >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | code >> 18);
	dst[1] = (char)(0x80 | (code >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (code >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

struct str
utf8_cut(struct str v, size_t max)
{
	uint32_t code;

	if (v.len <= max)
		return v;
	/* a character that starts within the last three bytes may reach beyond */
	for (size_t back = 1; back <= 3 && back <= max; back++) {
		size_t at = max - back;

		if (is_tail((unsigned char)v.s[at]))
			continue;
		if (utf8_next(str_sub(v, at, v.len), &code) > back)
			max = at;
		break;
	}
	return str_sub(v, 0, max);
}

struct str
utf8_repair(struct arena *a, struct str v)
{
	ptrdiff_t bad = utf8_check(v);
	size_t count = 0;
	char *s, *to;

	if (bad < 0)
		return v;
	for (struct str rest = v; bad >= 0; bad = utf8_check(rest), count++)
		rest = str_sub(rest, (size_t)bad + 1, rest.len);
	s = to = arena_alloc(a, v.len + 2 * count + 1);
	while ((bad = utf8_check(v)) >= 0) {
		to = mempcpy(to, v.s, (size_t)bad);
		to = mempcpy(to, "\xef\xbf\xbd", 3);
		v = str_sub(v, (size_t)bad + 1, v.len);
	}
	to = mempcpy(to, v.s, v.len);
	*to = '\0';
	return (struct str){ s, (size_t)(to - s) };
}
