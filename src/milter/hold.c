/* hold.c - a message that the server is to hold until somebody has looked at it
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The server holds a message for all of its recipients or for none, so this
 * is done only if it is everybody's plan (milter/merge.h).  The recipients
 * stay in the envelope: a message that is released goes to them.  What is
 * said of reasons reaches all of them then, so nobody is named. */
#include "milter/hold.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "milter/fields.h"

enum { HOLD_REASON = 200 };             /* bytes of all reasons together */

void
hold_find(struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++) {
		struct rcpt *r = t->rcpt.v[i];

		for (size_t j = 0; !r->refused && j < r->plan.d.n; j++)
			r->held |= r->plan.d.v[j].kind == DELIVERY_QUARANTINE && r->plan.d.v[j].way == WAY_QUEUE;
	}
}

/* As a line of ASCII: the servers keep it in their own files. */
static void
hold_clean(struct buf *b, struct str v)
{
	while (v.len && b->len < HOLD_REASON) {
		uint32_t code;
		size_t n = utf8_next(v, &code);
		char c = !n || code >= 0x7f ? '?' : code > ' ' ? (char)code : ' ';

		if (c != ' ' || !b->len || b->s[b->len - 1] != ' ')
			buf_putc(b, c);
		v = str_sub(v, n ? n : 1, v.len);
	}
	while (b->len && b->s[b->len - 1] == ' ')
		b->len--;
}

/* What was said before is not said again; of very many not all are. */
struct reasons {
	struct str v[HOLD_REASON / 2];
	size_t n;
};

static void
hold_tell(struct reasons *told, struct buf *b, struct str reason)
{
	reason = str_trim(reason);
	for (size_t i = 0; i < told->n; i++)
		if (str_eq(told->v[i], reason))
			return;
	if (b->len >= HOLD_REASON || told->n == sizeof(told->v) / sizeof(*told->v))
		return;
	told->v[told->n++] = reason;
	if (b->len && reason.len)
		buf_puts(b, "; ");
	hold_clean(b, reason);
}

/* All of them for the server.  The plan of somebody, if all have his reason; or NULL. */
static const struct plan *
hold_reasons(const struct transaction *t, struct buf *b)
{
	struct reasons told = { .n = 0 };
	const struct plan *first = NULL;
	bool differ = false;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct plan *p = &t->rcpt.v[i]->plan;

		if (!t->rcpt.v[i]->held)
			continue;
		first = first ? first : p;
		differ |= !str_eq(first->quarantine, p->quarantine);
		hold_tell(&told, b, p->quarantine);
	}
	if (!b->len)
		buf_puts(b, "mail rules");      /* servers take no empty one */
	return differ ? NULL : first;
}

int
hold_message(struct transaction *t, const struct mta *mta)
{
	struct buf reason = { 0 };
	const struct plan *one = hold_reasons(t, &reason);
	int rc = one ? fields_insert(mta, one->kept_mark) : 0;

	daemon_point(t->daemon, POINT_HOLD);
	if (rc == 0)
		rc = mta->quarantine(mta->ctx, buf_str(&reason).s);
	buf_done(&reason);
	return rc;
}
