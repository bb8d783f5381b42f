/* force.c - what of a plan is in force
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules of whoever is only watched change nothing, and some redirects must not go on. */
#include "milter/force.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "host/text.h"
#include "milter/copy.h"

enum { REDIRECTED_MAX = 4 };            /* times that one message passes the filtered port */

/* What somebody's plan is when his rules are only watched. */
void
force_mode(struct transaction *t, struct rcpt *r)
{
	struct buf b = { 0 };

	if (!r->outcome || r->trouble || r->effect == CONF_OBSERVE) {
		plan_keep(&r->plan);
		return;
	}
	/* what neither refuses nor discards stands in a refusal's way, and is else somebody else's to do */
	if (r->effect == CONF_FULL || (r->effect == CONF_REFUSE && !r->plan.d.n))
		return;
	plan_keep(&r->plan);
	if (r->effect == CONF_REFUSE)
		return;
	r->plan.unfiltered = false;
	buf_puts(&b, "Tamis-Would: ");
	buf_add(&b, utf8_cut(plan_words(&t->arena, r->outcome, r->status), 900));
	buf_putc(&b, '\n');
	r->plan.d.v[0].mark = buf_copy(&b, &t->arena);
	buf_done(&b);
}

/* To people with rules here redirects take the filtered port, and so does what may be to one: where that cannot be told now,
 * that port's own daemon has the sender wait.  Behind the queue all of them do: no alias is expanded there any more. */
static bool
force_is_filtered(struct transaction *t, struct str target)
{
	struct ruleset *rules = NULL;
	int found = t->conf->mode == CONF_FINAL ? 1 : rulebook_find(t->setup->rules, t->sendmail, target, &rules);

	ruleset_unref(rules);
	return found != 0;
}

/* Redirects that have come round too often are not followed. */
void
force_redirects(struct transaction *t, struct rcpt *r, bool whole)
{
	const bool filters = *t->conf->filtered_to && whole;
	bool looped = t->hops > t->conf->max_hops || t->redirected >= REDIRECTED_MAX || copy_came_back(t, r), any = false;

	for (size_t i = 0; i < r->plan.d.n; i++) {
		struct delivery *d = &r->plan.d.v[i];

		if (!d->redirect)
			continue;
		if (looped) {
			r->plan.d.v[i--] = r->plan.d.v[--r->plan.d.n];
			any = true;
		} else {
			d->filtered = filters && force_is_filtered(t, d->target);
		}
	}
	if (!any)
		return;
	r->note = "a redirect was not followed: the message came back, or has passed too many servers";
	/* as if it had not been written; nothing but a refusal cancels the keep then (RFC 5228 4.2) */
	if (!plan_keeps(&r->plan) && !r->plan.refuses)
		plan_add_keep(&r->plan, STR_EMPTY);
}

/* The message is not refused: for those whose rules may do nothing else it goes on as it came, unless they have it by an
 * earlier attempt, when they might do more. */
void
force_only_refusals(struct transaction *t)
{
	bool any = false;

	for (size_t i = 0; i < t->rcpt.n; i++)
		if (t->rcpt.v[i]->effect == CONF_REFUSE && t->rcpt.v[i]->outcome && !t->rcpt.v[i]->refused) {
			plan_keep(&t->rcpt.v[i]->plan);
			plan_move(t->conf, t->sendmail, &t->arena, t->rcpt.v[i]->srs, &t->rcpt.v[i]->plan);
			any = true;
		}
	if (any)
		copy_keys(t);
}
