/* force.c - what of a plan is in force
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules of whoever is only watched change nothing, and some redirects must not go on. */
#include "milter/force.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "host/text.h"
#include "milter/copy.h"
#include "milter/fields.h"
#include "milter/queued.h"

enum {
	REDIRECTED_MAX = 4,             /* times that one message passes the filtered port */
	WOULD_MAX = 900                 /* bytes in the field that says what would be done */
};

/* What somebody's plan is when his rules are only watched. */
void
force_mode(struct transaction *t, struct rcpt *r)
{
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
	r->plan.d.v[0].mark = fields_ours(&t->arena, "Tamis-Would", utf8_cut(transaction_words(t, r), WOULD_MAX));
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

/* Who is a user of the machine itself to Sendmail may be so by its virtusertable, which takes details away. */
bool
force_files_at_home(const struct transaction *t, const struct rcpt *r)
{
	return t->sendmail && r->group.len && !r->srs.len && !memchr(r->group.s, '@', r->group.len);
}

/* Does the server deliver to that domain itself, or has it aliases in it, as far as we know? */
static bool
force_is_served(const struct transaction *t, const struct rcpt *r, struct str address)
{
	struct str local, domain;

	str_split_last(address, '@', &local, &domain);
	return conf_local_domain(t->conf, domain) || str_ieq(domain, t->hostname) || (r->parsed && str_ieq(domain, r->parts.domain));
}

/* Sendmail expands aliases as recipients are added: who is there already is not added, and when he is taken away, gets
 * nothing.  Where nobody has said which domains it serves, it may have an alias in any; but a copy in UTF-8 fewer ports take. */
bool
force_may_return(const struct transaction *t, const struct rcpt *r, const struct delivery *d)
{
	if (!t->sendmail || d->kind != DELIVERY_ADDRESS)
		return false;
	if (!d->redirect)
		return force_files_at_home(t, r);
	return (!t->conf->local_domains.n && !d->utf8) || force_is_served(t, r, d->canonical);
}

static bool
force_is_named(const struct transaction *t, struct str canonical)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		if (!t->rcpt.v[i]->refused && str_eq(t->rcpt.v[i]->canonical, canonical))
			return true;
	return false;
}

/* Can it leave by itself? */
static bool
force_can_leave(const struct transaction *t, const struct rcpt *r, const struct delivery *d, bool whole)
{
	if (d->filtered)
		return true;
	return whole && *t->conf->copy_to && !(conf_copies_to_store(t->conf) && (d->redirect || r->srs.len));
}

/* It may come to a recipient who is taken away with it, and neither stays nor can it leave by itself.  What goes to somebody
 * whom the client named is left to his own plan; and a redirect out of all domains that are known is followed, for most
 * lead to nobody here. */
static bool
force_loses(const struct transaction *t, const struct rcpt *r, const struct delivery *d, bool whole)
{
	const bool to_store = conf_copies_to_store(t->conf);

	if (!d->may_return || force_can_leave(t, r, d, whole) || (d->redirect && !force_is_served(t, r, d->canonical)))
		return false;
	for (size_t i = 0; i < r->plan.d.n; i++) {
		const struct delivery *k = &r->plan.d.v[i];

		if (k->kind == DELIVERY_SELF && !(to_store && (k->edits.len || k->mark.len)))
			return false;
	}
	return !force_is_named(t, d->canonical);
}

/* NULL, or why that redirect is not followed. */
static const char *
force_redirect(struct transaction *t, struct rcpt *r, struct delivery *d, bool whole)
{
	if (t->hops > t->conf->max_hops || t->redirected >= REDIRECTED_MAX || copy_came_back(t, r))
		return "a redirect was not followed: the message came back, or has passed too many servers";
	if (!queued_takes(t->sendmail, d->target))
		return "a redirect was not followed: the mail server takes no such address";
	d->filtered = *t->conf->filtered_to && whole && force_is_filtered(t, d->target);
	return force_loses(t, r, d, whole) ?
	       "a redirect was not followed: an alias may lead back, and there is no copy_to for it to leave by itself" : NULL;
}

/* NULL, or why that folder, or the address without the detail that the client named, is left to what he has in the
 * envelope. */
static const char *
force_filing(const struct transaction *t, const struct rcpt *r, struct delivery *d, bool whole)
{
	if (!force_loses(t, r, d, whole))
		return NULL;
	d->kind = DELIVERY_SELF;
	d->target = d->canonical = STR_EMPTY;
	return "kept: an alias may lead to the inbox, and there is no copy_to for it to leave by itself";
}

/* Redirects that have come round too often are not followed, nor are those that the server would lose. */
void
force_deliveries(struct transaction *t, struct rcpt *r, bool whole)
{
	bool dropped = false;

	for (size_t i = 0; i < r->plan.d.n; i++) {
		struct delivery *d = &r->plan.d.v[i];
		const char *note;

		d->may_return = force_may_return(t, r, d);
		note = d->redirect ? force_redirect(t, r, d, whole) : force_filing(t, r, d, whole);
		if (!note)
			continue;
		r->note = note;
		if (d->redirect) {
			r->plan.d.v[i--] = r->plan.d.v[--r->plan.d.n];
			dropped = true;
		}
	}
	if (dropped)
		plan_without_redirect(&r->plan);
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
