/* apply.c - what is done with a message in the end
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All rules have run and nothing has happened yet.  The order from here on:
 * what leaves by itself, each with the port's 250 and its line in the journal;
 * recipients that come, fields; recipients that go; the verdict.  Whatever
 * fails before the first recipient goes makes the client try again. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/log.h"
#include "host/moment.h"
#include "host/text.h"
#include "milter/copy.h"
#include "milter/fields.h"
#include "milter/force.h"
#include "milter/hold.h"
#include "milter/queued.h"
#include "milter/reason.h"
#include "milter/sender.h"
#include "milter/transaction.h"

struct apply {
	struct transaction *t;
	const struct mta *mta;
	struct merge merge;
	bool room;                      /* the body is all there */
	bool whole;                     /* header and body are all there: copies can be made */
	const char *passed;             /* NULL, or the trouble in spite of which the message goes on */
	bool gone;                      /* a recipient was taken away: no way back */
};

/* --- the merge */

static bool
apply_speakable(void *ctx, const struct plan *p)
{
	(void)ctx;
	return plan_speakable(p);
}

/* RFC 3461 4.1: of a failure nothing may be said unless that was asked for. */
static bool
apply_is_quiet(const struct rcpt *r)
{
	return r->notify.len && !strcasestr(r->notify.s, "FAILURE");
}

/* That is about delivery status: "reject" is a disposition. */
static bool
apply_may_report(const struct rcpt *r)
{
	return r->plan.exact || !apply_is_quiet(r);
}

/* Whom we add has no parameters in Sendmail's queue (see apply_add): its sender is told of failures and delays.  Did the
 * client want to know something else? */
static bool
apply_wishes(const struct transaction *t, const struct rcpt *r)
{
	return t->sendmail && r->notify.len &&
	       (apply_is_quiet(r) || !strcasestr(r->notify.s, "DELAY") || strcasestr(r->notify.s, "SUCCESS"));
}

static void
apply_merge(struct apply *a)
{
	struct transaction *t = a->t;
	struct merge *m = &a->merge;

	*m = (struct merge){
		.rcpt = ARENA_ARRAY(&t->arena, t->rcpt.n, struct merge_rcpt), .n = t->rcpt.n, .arena = &t->arena,
		.can_refuse = !t->ours, .can_copy = *t->conf->copy_to && a->whole, .speakable = apply_speakable,
	};
	m->to_store = conf_copies_to_store(t->conf);
	m->utf8 = !t->smtputf8 && t->want_body;
	m->has_body = t->want_body;
	m->many_fields = t->nfields > FIELDS_EDITED;
	m->one_mailbox = t->sendmail;
	m->drops_resent = t->sendmail && !fields_has_resent(buf_str(&t->header));
	m->own_hears = t->conf->redirect_sender == CONF_SENDER_USER;
	m->can_hold = a->mta->quarantine != NULL;
	m->can_set_aside = m->can_copy && *t->conf->quarantine_to;
	m->can_report = m->can_copy && t->conf->refuse_late == CONF_REFUSE_BOUNCE && sender_authentic(t);
	for (size_t i = 0; i < t->rcpt.n; i++) {
		struct rcpt *r = t->rcpt.v[i];

		m->rcpt[i] = (struct merge_rcpt){
			.canonical = r->canonical, .address = r->address, .group = r->group, .plan = &r->plan, .refused = r->refused,
			.silent = !apply_may_report(r), .quiet = apply_is_quiet(r), .wishes = apply_wishes(t, r) && t->want_body,
			.elsewhere = r->srs.len,
		};
	}
}

static bool
apply_decided(const struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		if (t->rcpt.v[i]->rules && !t->rcpt.v[i]->outcome && !t->rcpt.v[i]->trouble && !t->rcpt.v[i]->refused)
			return false;
	return true;
}

/* --- before the end */

/* Do the plans leave the message to all of its recipients as it came? */
bool
apply_nothing(struct transaction *t)
{
	if (!apply_decided(t))
		return false;
	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];
		const struct plan *p = &r->plan;

		if (r->srs.len || r->passed)
			return false;
		if (r->refused || !r->outcome || r->trouble || r->effect == CONF_OBSERVE)
			continue;
		if (r->effect == CONF_REFUSE && p->d.n)
			continue;
		if (r->effect != CONF_FULL || p->refuses || p->d.n != 1 || p->d.v[0].kind != DELIVERY_SELF || p->d.v[0].edits.len ||
		    p->d.v[0].mark.len)
			return false;
	}
	return true;
}

/* May a copy have to be made of it? */
bool
apply_needs_body(struct transaction *t)
{
	const uint32_t alters = 1u << TAMIS_HEADER_ADD | 1u << TAMIS_HEADER_DELETE | 1u << TAMIS_REDIRECT | 1u << TAMIS_REJECT |
	                        1u << TAMIS_QUARANTINE;
	/* the keep that nobody wrote may have flags */
	const bool any = t->conf->fileinto_by == CONF_FILEINTO_HEADER;

	if ((!*t->conf->copy_to && !*t->conf->filtered_to) || (apply_decided(t) && apply_nothing(t)))
		return false;
	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];
		const bool wishes = *t->conf->copy_to && apply_wishes(t, r);

		if (r->refused || !r->rules || r->trouble || r->effect == CONF_OBSERVE || r->effect == CONF_REFUSE)
			continue;
		if (r->effect == CONF_TAG || !r->outcome) {
			if (r->effect == CONF_TAG || any || wishes || r->rules->effects & alters)
				return true;
			if (r->rules->effects & 1u << TAMIS_FILE && *t->conf->copy_to && force_files_at_home(t, r))
				return true;
			continue;
		}
		if (r->plan.refuses && (t->ours || t->rcpt.n > 1 || r->plan.exact || r->plan.d.n))
			return true;
		for (size_t j = 0; j < r->plan.d.n; j++) {
			const struct delivery *d = &r->plan.d.v[j];

			if (d->edits.len || d->mark.len || d->own_sender || (d->redirect && *t->conf->filtered_to) ||
			    (d->utf8 && !t->smtputf8 && *t->conf->copy_to) ||
			    (*t->conf->copy_to && force_may_return(t, r, d)) ||
			    (wishes && (d->kind == DELIVERY_ADDRESS || r->srs.len)))
				return true;
		}
	}
	return false;
}

/* --- trouble */

static void
apply_say(struct verdict *v, enum verdict_kind kind, const char *enhanced, const char *text)
{
	v->kind = kind;
	buf_reset(&v->lines);
	snprintf(v->enhanced, sizeof v->enhanced, "%s", enhanced);
	buf_puts(&v->lines, text);
	buf_putc(&v->lines, '\n');
}

/* Our own trouble delays the message; when it has done so for long enough the message passes without rules.
 * times: how often that may be; UINT_MAX: only time counts. */
static bool
apply_passes(struct transaction *t, const char *why, unsigned times)
{
	copy_identify(t);
	if (journal_trouble(t->daemon->journal, t->fingerprint, times, (unsigned)t->conf->trouble_seconds)) {
		log_line(LOG_ERR, t->id.s, "sender=%s error=%s done=%s", t->sender.s, why, "passed");
		return true;
	}
	log_line(LOG_WARNING, t->id.s, "sender=%s error=%s done=%s", t->sender.s, why, "again");
	return false;
}

/* Everybody can tell which messages passed. */
static int
apply_mark(struct apply *a)
{
	struct arena *arena = &a->t->arena;

	if (!a->passed)
		return 0;
	return fields_insert(a->mta, fields_ours(arena, "Tamis-Trouble", arena_printf(arena, "passed without rules (%s)", a->passed)));
}

/* Could his rules not run to their end, that are more than watched? */
static bool
apply_is_troubled(const struct rcpt *r, bool room)
{
	return r->rules && !r->outcome && !r->refused && r->effect != CONF_OBSERVE && (r->again || (!room && !r->trouble));
}

/* What befell the first of those; or what keeps copies from being made, and those that were from being known. */
static const char *
apply_troubled(const struct apply *a)
{
	struct transaction *t = a->t;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		if (apply_is_troubled(r, a->room))
			return r->trouble ? r->trouble : "no room for the body";
	}
	return !a->room && (apply_needs_body(t) || copy_known(t)) ? "no room for the body" : NULL;
}

/* They get it without.  Why, for the mark; NULL: there are none. */
static const char *
apply_pass(struct apply *a, const char *why)
{
	struct transaction *t = a->t;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		struct rcpt *r = t->rcpt.v[i];

		if (!why && r->passed)
			why = "rules cannot be read";
		r->passed |= apply_is_troubled(r, a->room);
	}
	return why;
}

/* --- what leaves by itself */

/* The port takes it never: he keeps the message, as it came (RFC 5228 2.10.6), though he may have filed it. */
static void
apply_stay(struct merge_rcpt *m, struct rcpt *r, struct delivery *d)
{
	/* what is in quarantine he has not got himself */
	const bool his = d->kind == DELIVERY_SELF || (d->kind == DELIVERY_ADDRESS && !d->redirect);

	*d = r->plan.d.v[--r->plan.d.n];
	if (his ? plan_has_keep(&r->plan) : plan_keeps(&r->plan))
		return;
	plan_add_keep(&r->plan, STR_EMPTY);
	m->stays = true;
}

/* 1: all are done; 0: some plan is another now; -1: again. */
static int
apply_copies(struct apply *a, const char **ret_why)
{
	struct transaction *t = a->t;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		struct rcpt *r = t->rcpt.v[i];

		for (size_t j = 0; !r->refused && j < r->plan.d.n; j++) {
			struct delivery *d = &r->plan.d.v[j];
			enum copy_result result;

			if (d->way != WAY_COPY)
				continue;
			a->mta->progress(a->mta->ctx);
			result = copy_send(t, r, d, ret_why);
			if (result == COPY_TAKEN)
				continue;
			if (result == COPY_UNSAYABLE && d->apart && a->merge.utf8) {
				a->merge.utf8 = false;  /* perhaps the next server takes the address as it is */
				return 0;
			}
			if (result == COPY_ELSEWHERE) {
				/* to keep it, however long there has been trouble, would double it */
				log_line(LOG_WARNING, t->id.s, "rcpt=%.*s verdict=again why=%s", STR_ARG(r->address), *ret_why);
				return -1;
			}
			if (result == COPY_AGAIN && !apply_passes(t, *ret_why, UINT_MAX))
				return -1;
			log_line(LOG_ERR, t->id.s, "rcpt=%.*s error=%s done=%s", STR_ARG(r->address), *ret_why, "kept");
			r->note = "a copy was not taken: kept";
			apply_stay(&a->merge.rcpt[i], r, d);
			return 0;
		}
	}
	return 1;
}

/* --- the server's own message */

struct header_end {
	struct buf b;
	bool over;
};

static int
collect_header(void *ctx, struct tamis_text v)
{
	struct header_end *h = ctx;
	const char *stop;

	buf_add(&h->b, text_str(v));
	stop = memmem(h->b.s, h->b.len, "\r\n\r\n", 4);
	if (str_istarts(buf_str(&h->b), STR("\r\n")))
		buf_reset(&h->b);       /* no field is left: what follows is the body */
	else if (stop)
		h->b.len = (size_t)(stop + 2 - h->b.s);
	h->over = stop || !h->b.len;
	return h->over ? -1 : 0;
}

static int
apply_content(struct apply *a)
{
	const struct delivery *d = a->merge.content;
	struct transaction *t = a->t;
	struct header_end h = { 0 };
	int rc = 0;

	if (!d)
		return 0;
	if (d->edits.len) {
		tamis_outcome_write(t->rcpt.v[a->merge.content_of]->outcome, d->version, collect_header, &h);
		rc = fields_change(a->mta, buf_str(&t->header), buf_str(&h.b));
		buf_done(&h.b);
	}
	if (rc == 0 && d->mark.len)
		rc = fields_insert(a->mta, d->mark);
	if (rc == 0 && d->own_sender) {
		struct str sender = arena_str(&t->arena, d->sender);

		rc = a->mta->change_sender(a->mta->ctx, sender.s);
	}
	return rc;
}

static int
apply_add(struct apply *a, const struct rcpt *r, const struct delivery *d)
{
	struct buf args = { 0 };
	struct str to = arena_str(&a->t->arena, d->target), notify = copy_notify(a->t, r, d);
	int rc;

	/* To Sendmail an address that its mailertable answers with an error, like an argument that it does not know, is a
	 * reason to write a line of its own into the dialogue with the client, if there are arguments */
	if (!a->t->sendmail) {
		if (notify.len)
			buf_printf(&args, "NOTIFY=%.*s ", STR_ARG(notify));
		if (r->orcpt.len && !queued_has(a->t, to))
			buf_printf(&args, "ORCPT=%.*s", STR_ARG(r->orcpt));
	}
	daemon_point(a->t->daemon, POINT_ADD_RCPT);
	rc = a->mta->add_rcpt(a->mta->ctx, to.s, buf_str(&args).s);
	buf_done(&args);
	return rc;
}

static int
apply_adds(struct apply *a)
{
	struct transaction *t = a->t;
	int rc = 0;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		for (size_t j = 0; rc == 0 && !r->refused && j < r->plan.d.n; j++)
			if (r->plan.d.v[j].way == WAY_QUEUE && r->plan.d.v[j].kind == DELIVERY_ADDRESS)
				rc = apply_add(a, r, &r->plan.d.v[j]);
	}
	return rc;
}

static int
apply_removals(struct apply *a)
{
	struct transaction *t = a->t;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->rcpt.n; i++) {
		if (t->rcpt.v[i]->refused || !a->merge.rcpt[i].removed)
			continue;
		daemon_point(t->daemon, POINT_DELETE_RCPT);
		rc = queued_remove(t, a->mta, &a->merge, i);
		a->gone = true;
	}
	return rc;
}

static int
apply_hold(struct apply *a)
{
	if (!a->merge.hold)
		return 0;
	hold_find(a->t);
	return hold_message(a->t, a->mta);
}

/* What he keeps was to be put in quarantine. */
static const char *
apply_unheld(const struct apply *a, const struct merge_rcpt *r)
{
	return *a->t->conf->quarantine_to ? "kept, not put in quarantine: no copy can be made of this message" :
	       !a->mta->quarantine ? "kept, not put in quarantine: the mail server holds no messages, and quarantine_to is not set" :
	       r->unheld == UNHELD_ELSEWHERE ?
	       "kept, not put in quarantine: released it would go to the rewritten sender, not to him, and quarantine_to is not set" :
	       "kept, not put in quarantine: others get the message too, and quarantine_to is not set";
}

/* Has the server's message to be somebody else's as well? */
static bool
apply_is_shared(const struct apply *a, const struct merge_rcpt *r)
{
	for (const struct merge_rcpt *other = a->merge.rcpt; other < a->merge.rcpt + a->merge.n; other++)
		for (size_t i = 0; other != r && !other->refused && i < other->plan->d.n; i++)
			if (other->plan->d.v[i].way == WAY_QUEUE || other->plan->d.v[i].way == WAY_COVERED)
				return true;
	return false;
}

static void
apply_note(const struct apply *a, const struct merge_rcpt *m, struct rcpt *r)
{
	static const char *const late[] = {
		[LATE_KEPT] = "refused too late: kept, marked", [LATE_TOLD] = "refused too late: the sender is told by a message",
	};

	if (m->ignored)
		r->note = "a redirect was ignored: it leads to nobody else";
	else if (m->plain)
		r->note = transaction_left_out(a->t, r, m->plain, apply_is_shared(a, m));
	if (m->unheld)
		r->note = apply_unheld(a, m);
	if (m->late && r->plan.refuses && !r->note)
		r->note = late[m->late];
}

/* Was anything, by this attempt or an earlier one? */
static bool
apply_is_done(const struct apply *a)
{
	bool done = a->passed || a->merge.content || a->merge.hold || a->gone;

	for (size_t i = 0; !done && i < a->merge.n; i++) {
		const struct merge_rcpt *r = &a->merge.rcpt[i];

		for (size_t j = 0; !r->refused && j < r->plan->d.n; j++) {
			const struct delivery *d = &r->plan->d.v[j];

			done |= d->way == WAY_COPY || d->way == WAY_DONE || (d->way == WAY_QUEUE && d->kind == DELIVERY_ADDRESS);
		}
	}
	return done;
}

static void
apply_edits(struct apply *a, struct verdict *ret)
{
	daemon_point(a->t->daemon, POINT_EDIT);
	if (apply_adds(a) < 0 || apply_content(a) < 0 || apply_mark(a) < 0 || apply_hold(a) < 0 || apply_removals(a) < 0) {
		/* the server does not hear us any more: what it was told so far it forgets with us */
		apply_say(ret, VERDICT_AGAIN, "4.3.0", "mail rules are in trouble; the message later");
		transaction_log(a->t, "again");
		return;
	}
	for (size_t i = 0; i < a->t->rcpt.n; i++)
		apply_note(a, &a->merge.rcpt[i], a->t->rcpt.v[i]);
	transaction_log(a->t, apply_is_done(a) ? "done" : "pass");
	ret->kind = VERDICT_ACCEPT;
}

/* --- the end */

/* There are too many at once: nobody waits for rules that are only watched, and when it has been so for long those whose
 * rules withhold nothing pass. */
static bool
apply_harmless(struct transaction *t, bool lasting)
{
	const uint32_t withhold = 1u << TAMIS_REJECT | 1u << TAMIS_DISCARD | 1u << TAMIS_QUARANTINE;

	if (copy_known(t))
		return false;           /* who had his copy already would get it once more */
	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		if (r->srs.len)
			return false;
		if (r->rules && !r->refused && r->effect != CONF_OBSERVE && (!lasting || r->rules->effects & withhold))
			return false;
	}
	return true;
}

/* All rules to their end.  NULL, or what befell those of somebody. */
static const char *
apply_rules(struct apply *a)
{
	struct transaction *t = a->t;
	struct str body = STR_EMPTY;

	a->room = !t->want_body || spool_text(&t->body, &body) == 0;
	a->whole = a->room && !t->header_over;
	if (!a->room)
		log_line(LOG_WARNING, t->id.s, "spill_dir=%s error=%s", t->conf->spill_dir, strerror(errno));
	tamis_message_body(t->message, text_of(body), t->header.len + t->size);
	for (size_t i = 0; i < t->rcpt.n; i++) {
		/* the size of what there was no room for is known all the same */
		if (a->room || (t->rcpt.v[i]->rules && !(t->rcpt.v[i]->rules->needs & TAMIS_NEEDS_BODY)))
			run_stage(t, t->rcpt.v[i], TAMIS_BODY, t->rcpt.n - i - 1);
		force_mode(t, t->rcpt.v[i]);
		plan_move(t->conf, t->sendmail, &t->arena, t->rcpt.v[i]->srs, &t->rcpt.v[i]->plan);
		force_deliveries(t, t->rcpt.v[i], a->whole);
	}
	return apply_troubled(a);
}

static void
apply_all(struct apply *a, struct verdict *ret)
{
	struct transaction *t = a->t;
	const char *why = apply_rules(a);
	int rc;

	daemon_point(t->daemon, POINT_PLANS);
	/* most messages: what is to be done is nothing, and nobody has his copy already */
	if (!why && apply_nothing(t) && !copy_known(t)) {
		transaction_log(t, "pass");
		ret->kind = VERDICT_ACCEPT;
		return;
	}
	copy_keys(t);
	if (why && !apply_passes(t, why, (unsigned)t->conf->trouble_times)) {
		transaction_log(t, "again");
		apply_say(ret, VERDICT_AGAIN, "4.3.0", "mail rules are in trouble; the message later");
		return;
	}
	a->passed = apply_pass(a, why);
	apply_merge(a);
	do {
		merge_plans(&a->merge);
		copy_keys(t);
		if (a->merge.refuse) {
			reason_refuse(t, ret);
			transaction_log(t, "refused");
			return;
		}
		force_only_refusals(t);
		merge_plans(&a->merge);
		for (; copy_unkeyed(t); merge_plans(&a->merge))
			copy_keys(t);   /* what has become a copy only now may have left by an earlier attempt */
		rc = apply_copies(a, &why);
	} while (rc == 0);
	if (rc < 0) {
		transaction_log(t, "again");
		apply_say(ret, VERDICT_AGAIN, "4.4.0", "a copy of the message was not taken; the message later");
		return;
	}
	apply_edits(a, ret);
}

void
apply_message(struct transaction *t, const struct mta *mta, struct verdict *ret)
{
	struct apply a = { .t = t, .mta = mta };
	int enter = daemon_enter(t->daemon, t->conf, t->redirected > 0);

	t->deadline = moment_clock() + (int64_t)t->conf->message_deadline * 1000;
	if (enter > 0 && atomic_load(&t->daemon->stopping)) {
		apply_say(ret, VERDICT_AGAIN, "4.3.2", "mail rules are being stopped; the message later");
		transaction_log(t, "again");
		daemon_leave(t->daemon);
		return;
	}
	if (enter <= 0) {
		if (apply_harmless(t, enter < 0)) {
			log_line(enter < 0 ? LOG_ERR : LOG_WARNING, t->id.s, "error=%s done=%s", "too many messages at once", "passed");
			transaction_log(t, "passed");
			ret->kind = VERDICT_ACCEPT;
			return;
		}
		log_line(LOG_WARNING, t->id.s, "error=%s done=%s", "too many messages at once", "again");
		apply_say(ret, VERDICT_AGAIN, "4.3.2", "too many messages at once; this one later");
		return;
	}
	apply_all(&a, ret);
	daemon_leave(t->daemon);
}
