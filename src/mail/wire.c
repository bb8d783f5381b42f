/* wire.c - text with the line ends that it had on the wire
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files have LF where the mail had CRLF, and rules are written for CRLF
 * (RFC 5173 4); tests must not depend on where a message comes from. */
#include "mail/wire.h"

enum { FOLD_AT_ONCE = 16 * 1024 };      /* bytes, while they are in the nearest cache */

/* a text and its cell; a part has a few */
struct wire {
	struct str of;
	bool folded;
	struct cell cell;
	struct wire *next;
};

static void
put_lines(char *to, struct str v, bool folded)
{
	const char *p = v.s, *end = v.s + v.len;
	char *done = to;

	for (const char *nl; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		size_t n = (size_t)(nl - p);

		memcpy(to, p, n);
		to += n;
		if (!n || nl[-1] != '\r')
			*to++ = '\r';
		*to++ = '\n';
		if (folded && to - done >= FOLD_AT_ONCE) {
			str_lower_into(done, (struct str){ done, (size_t)(to - done) });
			done = to;
		}
	}
	memcpy(to, p, (size_t)(end - p));
	to += end - p;
	if (folded)
		str_lower_into(done, (struct str){ done, (size_t)(to - done) });
}

static struct str
wire_text(struct message *m, struct str v, bool folded)
{
	size_t size = (size_t)message_wire_size(v);
	char *to;

	m->work += v.len / 64;
	if (size == v.len)
		return folded ? arena_lower(&m->arena, v) : v;
	to = arena_alloc(&m->arena, size);
	put_lines(to, v, folded);
	return (struct str){ to, size };
}

struct cell *
wire_cell(struct message *m, struct wire **list, struct str v, bool folded)
{
	struct wire *w;

	for (w = *list; w; w = w->next)
		if (w->of.s == v.s && w->of.len == v.len && w->folded == folded)
			return &w->cell;
	w = ARENA_NEW(&m->arena, struct wire);
	w->of = v;
	w->folded = folded;
	w->cell = cell_of(folded ? v : wire_text(m, v, false));
	if (folded)
		w->cell.form[CELL_ASCII] = wire_text(m, v, true);
	w->next = *list;
	*list = w;
	return &w->cell;
}
