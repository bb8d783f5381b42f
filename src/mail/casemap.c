/* casemap.c - the canonical form of i;unicode-casemap (RFC 5051)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/casemap.h"

#include <glib.h>

#include "base/buf.h"
#include "base/utf8.h"

static bool
is_ascii(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] >= 0x80)
			return false;
	return true;
}

/* the title case of an ASCII letter is its upper case */
static struct str
casemap_ascii(struct arena *arena, struct str v)
{
	char *out = arena_alloc(arena, v.len + 1);

	for (size_t i = 0; i < v.len; i++)
		out[i] = (char)(v.s[i] - ((unsigned)((unsigned char)v.s[i] - 'a') < 26u ? 0x20 : 0));
	out[v.len] = '\0';
	return (struct str){ out, v.len };
}

static void
casemap_char(struct buf *out, uint32_t code)
{
	gunichar part[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	gsize n = g_unichar_fully_decompose(g_unichar_totitle(code), TRUE, part, G_N_ELEMENTS(part));

	for (gsize i = 0; i < n && i < G_N_ELEMENTS(part); i++) {
		char utf8[4];

		buf_add(out, (struct str){ utf8, utf8_put(utf8, part[i]) });
	}
}

struct str
casemap_unicode(struct arena *arena, struct str v)
{
	struct buf out = { 0 };
	struct str copy;

	if (is_ascii(v))
		return casemap_ascii(arena, v);
	for (size_t at = 0; at < v.len;) {
		uint32_t code = 0;
		size_t n = utf8_next(str_sub(v, at, v.len), &code);

		if (n)
			casemap_char(&out, code);
		else
			buf_putc(&out, v.s[at]);
		at += n ? n : 1;
	}
	copy = buf_copy(&out, arena);
	buf_done(&out);
	return copy;
}
