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
hold_clean(struct buf *b, struct str reason)
{
	struct str v = str_trim(reason);

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

static bool
hold_is_new(const struct transaction *t, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (t->rcpt.v[j]->held && str_eq(t->rcpt.v[j]->plan.quarantine, t->rcpt.v[i]->plan.quarantine))
			return false;
	return true;
}

/* All reasons that differ; how many there are. */
static unsigned
hold_reasons(const struct transaction *t, struct buf *b, struct str *ret_mark)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		if (!t->rcpt.v[i]->held || !hold_is_new(t, i))
			continue;
		n++;
		*ret_mark = t->rcpt.v[i]->plan.kept_mark;
		if (b->len && b->len < HOLD_REASON && t->rcpt.v[i]->plan.quarantine.len)
			buf_puts(b, "; ");
		hold_clean(b, t->rcpt.v[i]->plan.quarantine);
	}
	if (!b->len)
		buf_puts(b, "mail rules");      /* servers take no empty one */
	return n;
}

int
hold_message(struct transaction *t, const struct mta *mta)
{
	struct buf reason = { 0 };
	struct str mark;
	int rc = 0;

	if (hold_reasons(t, &reason, &mark) == 1)
		rc = fields_insert(mta, mark);
	daemon_point(t->daemon, POINT_HOLD);
	if (rc == 0)
		rc = mta->quarantine(mta->ctx, buf_str(&reason).s);
	buf_done(&reason);
	return rc;
}
