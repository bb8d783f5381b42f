/* casemap.c - the canonical form of i;unicode-casemap (RFC 5051)
 * SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>

#include "base/utf8.h"
#include "mail/casemap.h"

/* A text uses few letters: what was last made of each is kept during a call. */
enum { KEPT = 128, KEPT_BYTES = 11 };

struct kept {
	uint32_t code[KEPT];            /* 0: empty */
	struct {
		unsigned char len;
		char s[KEPT_BYTES];
	} form[KEPT];
};

/* UTF-8 of the form of one character; dst has room for all of it */
static size_t
fold_char(char *dst, uint32_t code)
{
	gunichar part[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	gsize i, n = g_unichar_fully_decompose(g_unichar_totitle(code), TRUE, part, G_N_ELEMENTS(part));
	size_t len = 0;

	if (n > G_N_ELEMENTS(part))
		n = G_N_ELEMENTS(part);
	for (i = 0; i < n; i++)
		len += utf8_put(dst + len, part[i]);
	return len;
}

static void
add_char(struct buf *out, struct kept *kept, uint32_t code)
{
	unsigned slot = code % KEPT;
	char *to;
	size_t len;

	if (kept->code[slot] == code) {
		buf_add(out, (struct str){ kept->form[slot].s, kept->form[slot].len });
		return;
	}
	to = buf_room(out, 4 * G_UNICHAR_MAX_DECOMPOSITION_LENGTH);
	len = fold_char(to, code);
	out->len += len;
	if (len <= KEPT_BYTES) {
		kept->code[slot] = code;
		kept->form[slot].len = (unsigned char)len;
		memcpy(kept->form[slot].s, to, len);
	}
}

static size_t
ascii_length(struct str v)
{
	size_t i = 0;
	uint64_t w;

	for (; v.len - i >= sizeof w; i += sizeof w) {
		memcpy(&w, v.s + i, sizeof w);
		if (w & 0x8080808080808080)
			break;
	}
	while (i < v.len && !(v.s[i] & 0x80))
		i++;
	return i;
}

/* the title case of an ASCII letter is its upper case */
static void
upper_into(char *dst, struct str src)
{
	size_t i;

	for (i = 0; i < src.len; i++)
		dst[i] = (char)(src.s[i] ^ (((unsigned char)(src.s[i] - 'a') < 26) << 5));
}

static struct str
fold_mixed(struct arena *a, struct str v)
{
	struct buf out = { 0 };
	struct kept kept;
	struct str ret;

	memset(kept.code, 0, sizeof kept.code);
	while (v.len) {
		size_t n = ascii_length(v);
		uint32_t code = 0;

		upper_into(buf_room(&out, n), str_sub(v, 0, n));
		out.len += n;
		v = str_sub(v, n, v.len);
		if (!v.len)
			break;
		n = utf8_next(v, &code);
		if (n)
			add_char(&out, &kept, code);
		else
			buf_putc(&out, v.s[0]);
		v = str_sub(v, n ? n : 1, v.len);
	}
	ret = buf_copy(&out, a);
	buf_done(&out);
	return ret;
}

struct str
casemap_unicode(struct arena *a, struct str v)
{
	char *upper;

	if (ascii_length(v) < v.len)
		return fold_mixed(a, v);
	upper = arena_alloc(a, v.len);
	upper_into(upper, v);
	return (struct str){ upper, v.len };
}
