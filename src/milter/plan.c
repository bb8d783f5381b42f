/* plan.c - what a recipient's rules decided, as deliveries
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/plan.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "host/canonical.h"
#include "host/filing.h"
#include "host/print.h"
#include "host/srs.h"
#include "host/text.h"
#include "milter/fields.h"
#include "milter/mta.h"
#include "milter/queued.h"

/* Bytes in a field of ours: of an address behind, of reasons before what is done about controls. */
enum { MARK_REFUSAL = 200, MARK_REASON = 160, MARK_ADDRESS = 300 };

struct making {
	const struct plan_maker *by;
	struct plan *plan;
	struct buf edits;
	bool resends;
};

static const struct delivery delivery_self = {
	.kind = DELIVERY_SELF, .target = { "", 0 }, .canonical = { "", 0 }, .folder = { "", 0 },
	.edits = { "", 0 }, .mark = { "", 0 }, .sender = { "", 0 },
};

/* Does a script of the site say so, whoever else does?  The keep that is left when the last one has ended nobody has said. */
static bool
plan_is_sites(const struct making *k, const struct tamis_effect *e)
{
	if (e->implicit)
		return false;
	return !ruleset_is_users(k->by->rules, e->run) || (e->again && !ruleset_is_users(k->by->rules, e->again));
}

static struct delivery *
plan_add(struct making *k, const struct tamis_effect *e)
{
	struct delivery d = delivery_self;

	d.version = e->version;
	d.site = plan_is_sites(k, e);
	d.edits = buf_copy(&k->edits, k->by->arena);
	d.resends = k->resends;
	vec_push(&k->plan->d, d);
	return &k->plan->d.v[k->plan->d.n - 1];
}

struct str
plan_canonical(struct arena *arena, const struct conf *conf, bool sendmail, struct str address)
{
	struct canonical c;

	/* what is no address of ours to split is compared as it is written */
	if (canonical_address(conf, sendmail, arena, address, &c) < 0)
		return arena_lower(arena, address);
	return canonical_mailbox(arena, &c);
}

static void
plan_to_address(struct making *k, struct delivery *d, struct str address)
{
	d->kind = DELIVERY_ADDRESS;
	d->target = arena_str(k->by->arena, address);
	d->canonical = plan_canonical(k->by->arena, k->by->conf, k->by->sendmail, d->target);
}

/* --- filing */

static bool
plan_has_option(const struct tamis_effect *e, const char *name)
{
	for (size_t i = 0; i < e->noptions; i++)
		if (str_is(text_str(e->options[i].name), name))
			return true;
	return false;
}

/* The canonical user's own address with a detail, or without. */
static struct str
plan_user(struct making *k, struct str folder)
{
	struct str user = k->by->rules->user, name, domain, address;
	struct buf b = { 0 };

	if (!str_split_last(user, '@', &name, &domain))
		return user;
	buf_add(&b, name);
	if (folder.len) {
		/* Sendmail knows no other */
		buf_putc(&b, k->by->sendmail ? '+' : k->by->conf->recipient_delimiter[0]);
		buf_add(&b, folder);
	}
	address = canonical_written(k->by->arena, buf_str(&b), domain);
	buf_done(&b);
	return address;
}

static void
plan_by_detail(struct making *k, struct delivery *d, struct str folder)
{
	plan_to_address(k, d, plan_user(k, folder));
}

/* Does the server find the user in that address?  With "-" for a delimiter "anna-request" is the address of a list. */
static bool
plan_is_detail(struct making *k, struct str folder)
{
	struct str address = plan_user(k, folder);
	struct canonical c;

	return filing_is_detail(folder) && queued_takes(k->by->sendmail, address) &&
	       canonical_address(k->by->conf, k->by->sendmail, k->by->arena, address, &c) == 0 &&
	       str_ieq(c.detail, folder) && str_eq(canonical_user(k->by->arena, &c), k->by->rules->user);
}

static void
plan_by_header(struct making *k, struct delivery *d, struct str folder, struct str flags)
{
	d->mark = filing_field(k->by->arena, k->by->secret, k->by->rules->user, folder, flags);
	if (d->mark.len)
		d->folder = arena_str(k->by->arena, folder);
}

static bool
plan_is_inbox(const struct delivery *d)
{
	return !d->folder.len || str_iis(d->folder, "INBOX");
}

/* What comes to one place twice, because the folders cannot be told apart there, or are the INBOX, comes once: with the
 * later edits, and flags. */
static void
plan_once(struct plan *p)
{
	struct delivery *last = &p->d.v[p->d.n - 1];

	for (size_t i = 0; i + 1 < p->d.n; i++) {
		if (p->d.v[i].kind != last->kind || p->d.v[i].redirect || !str_eq(p->d.v[i].canonical, last->canonical) ||
		    (!str_eq(p->d.v[i].mark, last->mark) && !(plan_is_inbox(&p->d.v[i]) && plan_is_inbox(last))))
			continue;
		last->copies &= p->d.v[i].copies;
		p->d.v[i] = *last;
		p->d.n--;
		return;
	}
}

/* The detail of the incoming address never chooses a folder: a keep goes to the user's plain address. */
static void
plan_file_by_detail(struct making *k, struct delivery *d, struct str folder, bool inbox)
{
	if (!inbox && plan_is_detail(k, folder)) {
		plan_by_detail(k, d, folder);
		return;
	}
	if (!inbox)
		k->plan->note = "the name of the folder cannot be the detail of his address: kept";
	if (k->plan->home.len)
		plan_by_detail(k, d, STR_EMPTY);
}

static void
plan_file(struct making *k, const struct tamis_effect *e)
{
	struct delivery *d = plan_add(k, e);
	struct str folder = print_option(e, "mailbox"), flags = print_option(e, "flags");
	bool inbox = e->kind == TAMIS_KEEP || str_iis(folder, "INBOX");

	d->copies = plan_has_option(e, "copy");
	if (k->by->conf->fileinto_by == CONF_FILEINTO_DETAIL)
		plan_file_by_detail(k, d, folder, inbox);
	if (k->by->conf->fileinto_by == CONF_FILEINTO_HEADER && (!inbox || flags.len)) {
		plan_by_header(k, d, inbox ? STR("INBOX") : folder, flags);
		if (!d->mark.len)
			k->plan->note = "the name of the folder cannot be said in a field: kept";
	}
	plan_once(k->plan);
}

/* --- redirects */

static void
plan_redirect_sender(struct making *k, struct delivery *d)
{
	const struct conf *conf = k->by->conf;
	struct buf srs = { 0 };

	if (!k->by->sender.len)
		return;                 /* a null sender stays null, whatever the setting */
	switch (conf->redirect_sender) {
	case CONF_SENDER_USER:
		d->sender = plan_user(k, STR_EMPTY);
		d->own_sender = queued_takes(k->by->sendmail, d->sender);
		if (!d->own_sender)
			k->plan->note = "the sender of a redirect stays that of the message: Sendmail takes no such address as the user's";
		break;
	case CONF_SENDER_NULL:
		d->own_sender = true;
		break;
	case CONF_SENDER_SRS:
		d->own_sender = srs_forward(k->by->secret, k->by->sender, conf->srs_domain, k->by->now, &srs) == 0;
		if (d->own_sender)
			d->sender = buf_copy(&srs, k->by->arena);
		else
			k->plan->note = "a redirect leaves with the sender of the message: it cannot be rewritten for srs_domain";
		buf_done(&srs);
		break;
	default:
		break;
	}
}

/* An international domain as all servers take it; one of ours as it is written, since the server may have it so. */
static struct str
plan_sayable(struct making *k, struct str address)
{
	struct str local, written, domain;

	if (!str_split_last(address, '@', &local, &written) || !utf8_is_ascii(local) || utf8_is_ascii(written) ||
	    canonical_domain(k->by->arena, written, &domain) < 0 || conf_local_domain(k->by->conf, domain))
		return address;
	return arena_printf(k->by->arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

/* Does it leave for a server that has to be asked for SMTPUTF8?  What stays here the server delivers, whatever the client
 * asked for, to a store that may never have heard of it. */
static bool
plan_leaves_in_utf8(const struct making *k, struct str address)
{
	struct str local, written, domain, own;

	if (!str_split_last(address, '@', &local, &written) || utf8_is_ascii(address) ||
	    canonical_domain(k->by->arena, written, &domain) < 0)
		return false;
	return !conf_local_domain(k->by->conf, domain) &&
	       !(str_split_last(k->by->rules->user, '@', &local, &own) && str_eq(domain, own));
}

static void
plan_redirect(struct making *k, const struct tamis_effect *e)
{
	struct delivery *d = plan_add(k, e);

	plan_to_address(k, d, plan_sayable(k, print_option(e, "address")));
	d->redirect = true;
	d->utf8 = plan_leaves_in_utf8(k, d->target);
	plan_redirect_sender(k, d);
}

/* --- the whole */

static void
plan_edit(struct making *k, const struct tamis_effect *e)
{
	k->resends |= e->kind == TAMIS_HEADER_ADD && fields_is_resent(print_option(e, "field"));
	buf_printf(&k->edits, "%d", (int)e->kind);
	for (size_t i = 0; i < e->noptions; i++) {
		buf_printf(&k->edits, " %zu %zu:", e->options[i].name.len, e->options[i].value.len);
		buf_add(&k->edits, text_str(e->options[i].name));
		buf_add(&k->edits, text_str(e->options[i].value));
	}
}

static void
plan_refuse(struct making *k, const struct tamis_effect *e)
{
	struct buf mark = { 0 };

	k->plan->refuses = true;
	k->plan->exact = !e->early;
	k->plan->reason = print_option(e, "reason");
	print_quoted(&mark, utf8_cut(k->plan->reason, MARK_REFUSAL));
	k->plan->late_mark = fields_ours(k->by->arena, "Tamis-Refused", buf_str(&mark));
	buf_done(&mark);
}

/* The field that says why; who: "<alice@example.org> ", or nothing where others may see it. */
static struct str
plan_quarantine_mark(struct making *k, struct str who)
{
	struct buf mark = { 0 };
	struct str ret;

	buf_add(&mark, who);
	print_quoted(&mark, utf8_cut(k->plan->quarantine, MARK_REASON));
	ret = fields_ours(k->by->arena, "Tamis-Quarantine", buf_str(&mark));
	buf_done(&mark);
	return ret;
}

/* The message as it came. */
static void
plan_quarantine(struct making *k, const struct tamis_effect *e)
{
	struct delivery d = delivery_self;
	struct buf who = { 0 };

	buf_putc(&who, '<');
	diag_clean(&who, k->by->address);
	who.len = utf8_cut(buf_str(&who), MARK_ADDRESS).len;
	buf_puts(&who, "> ");
	k->plan->quarantine = print_option(e, "reason");
	k->plan->kept_mark = plan_quarantine_mark(k, STR_EMPTY);
	d.kind = DELIVERY_QUARANTINE;
	d.site = plan_is_sites(k, e);
	d.target = str_from(k->by->conf->quarantine_to);
	d.mark = plan_quarantine_mark(k, buf_str(&who));
	vec_push(&k->plan->d, d);
	buf_done(&who);
}

static void
plan_effect(struct making *k, const struct tamis_effect *e)
{
	switch (e->kind) {
	case TAMIS_KEEP:
	case TAMIS_FILE:
		plan_file(k, e);
		break;
	case TAMIS_REDIRECT:
		plan_redirect(k, e);
		break;
	case TAMIS_REJECT:
		plan_refuse(k, e);
		break;
	case TAMIS_QUARANTINE:
		plan_quarantine(k, e);
		break;
	case TAMIS_HEADER_ADD:
	case TAMIS_HEADER_DELETE:
		plan_edit(k, e);
		break;
	default:
		break;
	}
	if (e->kind == TAMIS_REJECT || e->kind == TAMIS_DISCARD || e->kind == TAMIS_QUARANTINE)
		k->plan->closes = ruleset_is_users(k->by->rules, e->again ? e->again : e->run);
}

/* Without anything yet, but for room: most plans have one delivery. */
static void
plan_begin(struct plan *p)
{
	*p = (struct plan){ .reason = STR_EMPTY, .quarantine = STR_EMPTY, .late_mark = STR_EMPTY, .kept_mark = STR_EMPTY,
		.instead = STR_EMPTY, .home = STR_EMPTY, .home_canonical = STR_EMPTY, .d = { p->d.v, 0, p->d.cap } };
	vec_reserve(&p->d, 1);
}

void
plan_keep(struct plan *p)
{
	plan_begin(p);
	p->unfiltered = true;
	vec_push(&p->d, delivery_self);
}

bool
plan_is_keep(const struct plan *p, const struct delivery *d)
{
	if (d->folder.len && !str_iis(d->folder, "INBOX"))
		return false;
	return d->kind == DELIVERY_SELF ||
	       (d->kind == DELIVERY_ADDRESS && !d->redirect && p->home.len && str_eq(d->canonical, p->home_canonical));
}

bool
plan_has_keep(const struct plan *p)
{
	for (size_t i = 0; i < p->d.n; i++)
		if (plan_is_keep(p, &p->d.v[i]))
			return true;
	return false;
}

bool
plan_keeps(const struct plan *p)
{
	for (size_t i = 0; i < p->d.n; i++)
		if (p->d.v[i].kind == DELIVERY_QUARANTINE)
			return true;
	return plan_has_keep(p);
}

struct delivery
plan_new_keep(const struct plan *p, struct str mark)
{
	struct delivery d = delivery_self;

	if (p->home.len) {
		d.kind = DELIVERY_ADDRESS;
		d.target = p->home;
		d.canonical = p->home_canonical;
	}
	d.mark = mark;
	return d;
}

void
plan_add_keep(struct plan *p, struct str mark)
{
	vec_push(&p->d, plan_new_keep(p, mark));
}

/* What he has filed himself he has, and has it in place of the keep. */
static bool
plan_files(const struct plan *p)
{
	for (size_t i = 0; i < p->d.n; i++) {
		const struct delivery *d = &p->d.v[i];

		if (!d->redirect && !d->copies && !d->site && (d->kind == DELIVERY_SELF || d->kind == DELIVERY_ADDRESS))
			return true;
	}
	return false;
}

/* As if it had not been written (RFC 5228 4.2).  But for a refusal, what does not leave the message to him cancels no keep
 * then: neither a discard nor another redirect, which stood beside one that was to be followed. */
void
plan_without_redirect(struct plan *p)
{
	if (!plan_keeps(p) && !plan_files(p) && !p->refuses)
		plan_add_keep(p, STR_EMPTY);
}

/* Who must be reachable is: a user's own rules do not close postmaster and abuse.  What the site's do with a copy stands
 * beside that, and opens nothing. */
static bool
plan_protected(const struct making *k)
{
	for (size_t i = 0; i < k->plan->d.n; i++)
		if (!k->plan->d.v[i].site && k->plan->d.v[i].kind != DELIVERY_QUARANTINE)
			return false;
	return k->by->rules->protected_ && k->plan->closes;
}

static void
plan_protect(struct plan *p)
{
	p->refuses = false;
	for (size_t i = 0; i < p->d.n; i++)
		if (!p->d.v[i].site)
			p->d.v[i--] = p->d.v[--p->d.n];
	if (!p->d.n)
		plan_keep(p);
	else if (!plan_has_keep(p))
		plan_add_keep(p, STR_EMPTY);
}

/* What else his rules do with it may lead nowhere: only what comes to himself stands beside quarantine.  Is the plan
 * another now? */
static bool
plan_protect_beside(struct plan *p)
{
	size_t n = p->d.n;

	for (size_t i = 0; i < n; i++)
		if (!p->d.v[i].redirect && !p->d.v[i].site && p->d.v[i].kind != DELIVERY_QUARANTINE)
			return false;
	for (size_t i = 0; i < p->d.n; i++)
		if (p->d.v[i].kind == DELIVERY_QUARANTINE && !p->d.v[i].site)
			p->d.v[i--] = p->d.v[--p->d.n];
	if (p->d.n == n)
		return false;
	if (!plan_has_keep(p))
		plan_add_keep(p, STR_EMPTY);
	return true;
}

/* Of what his rules and the site's say: is it done? */
static bool
plan_stands(const struct making *k, const struct tamis_effect *e, bool closed)
{
	if (k->plan->unfiltered || e->kind == TAMIS_DISCARD || print_is_silent(e))
		return false;
	if (e->kind == TAMIS_REJECT)
		return k->plan->refuses;
	return plan_is_sites(k, e) || (!closed && e->kind != TAMIS_QUARANTINE);
}

static void
plan_instead(struct making *k, const struct tamis_outcome *outcome, bool closed)
{
	const struct tamis_effect *e = NULL;
	struct buf b = { 0 };
	bool kept = false;

	while ((e = tamis_outcome_next(outcome, e))) {
		if (!plan_stands(k, e, closed))
			continue;
		buf_puts(&b, b.len ? ", " : "");
		print_effect(&b, e);
		kept |= e->kind == TAMIS_KEEP;
	}
	if (!kept)
		buf_puts(&b, b.len ? ", keep" : "keep");
	k->plan->instead = buf_copy(&b, k->by->arena);
	buf_done(&b);
}

void
plan_make(const struct plan_maker *by, const struct tamis_outcome *outcome, struct plan *p)
{
	struct making k = { .by = by, .plan = p };
	const struct tamis_effect *e = NULL;
	bool closed;

	plan_begin(p);
	if (by->conf->fileinto_by == CONF_FILEINTO_DETAIL && by->has_detail && queued_takes(by->sendmail, plan_user(&k, STR_EMPTY))) {
		p->home = plan_user(&k, STR_EMPTY);
		p->home_canonical = plan_canonical(by->arena, by->conf, by->sendmail, p->home);
	}
	while ((e = tamis_outcome_next(outcome, e)))
		plan_effect(&k, e);
	closed = plan_protected(&k);
	if (closed)
		plan_protect(p);
	if (closed || (by->rules->protected_ && plan_protect_beside(p)))
		plan_instead(&k, outcome, closed);
	buf_done(&k.edits);
}

void
plan_move(const struct conf *conf, bool sendmail, struct arena *arena, struct str address, struct plan *p)
{
	struct str canonical;

	if (!address.len)
		return;
	canonical = plan_canonical(arena, conf, sendmail, address);
	for (size_t i = 0; i < p->d.n; i++) {
		struct delivery *d = &p->d.v[i];

		if (d->kind != DELIVERY_SELF)
			continue;
		d->kind = DELIVERY_ADDRESS;
		d->target = address;
		d->canonical = canonical;
	}
	if (!p->home.len) {
		p->home = address;
		p->home_canonical = canonical;
	}
}

void
plan_done(struct plan *p)
{
	vec_done(&p->d);
}

struct str
plan_words(struct arena *arena, const struct tamis_outcome *outcome, enum tamis_status status)
{
	char room[512];
	struct buf b = BUF_ON(room);
	struct str v;

	print_plan_line(&b, outcome, status);
	v = buf_copy(&b, arena);
	buf_done(&b);
	return v;
}

bool
plan_speakable(const struct plan *p)
{
	return !p->exact || utf8_is_ascii(p->reason);
}
