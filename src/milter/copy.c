/* copy.c - what leaves by itself
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A copy is sent before the message is answered for: should we die in
 * between, the client tries again, and the journal says what left already.
 * Between the final dot and the line in the journal lies the one place at
 * which mail may be doubled: the port's 250 is lost, or we die. */
#include "milter/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"
#include "host/digest.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/report.h"
#include "host/submit.h"
#include "host/text.h"
#include "milter/fields.h"

enum {
	BY_SIZE = 10,                   /* bytes of the word that stands for who redirected a message */
	ANSWER_LEAST = 60000            /* milliseconds */
};

/* --- the same message again (dialect 0.6) */

/* Fields that no server on the way changes: those that tell most messages apart, for each message; the others when that
 * is known.  Somebody who sends what he has seen of a message must not have it taken for that with another address for
 * answers, or in another encoding. */
static const char *const first_names[] = {
	"From", "Sender", "Date", "Message-ID", "Subject", "To", "Cc", "Content-Type", NULL,
};
static const char *const other_names[] = {
	"Reply-To", "In-Reply-To", "References", "MIME-Version", "Content-Transfer-Encoding", "Content-Disposition", "Resent-From",
	"Resent-Date", "Resent-Message-ID", "List-Id", "List-Post", "List-Unsubscribe", NULL,
};

/* Postfix gives a message that has no Message-ID one with its own name for this attempt in it, <20261128120000.8A75A46152@host>
 * or <4XyzAb12CdzQ@host>; at the next it is another. */
static bool
copy_is_of_attempt(struct transaction *t, const char *name, struct str value)
{
	ptrdiff_t at;

	if (!t->id_known || !strcasestr(name, "Message-ID"))
		return false;
	at = str_find(value, arena_printf(&t->arena, "%.*s@", STR_ARG(t->id)));
	return at > 0 && strchr("<.", value.s[at - 1]);
}

static void
copy_fields_digest(struct transaction *t, const char *const *names, struct digest *d)
{
	struct str v;

	for (; *names; names++) {
		if (!fields_first(buf_str(&t->header), *names, &v) || copy_is_of_attempt(t, *names, v))
			v = STR_EMPTY;
		digest_add_part(d, v);
	}
}

static void
copy_header_digest(struct transaction *t, struct digest *d)
{
	digest_init(d);
	digest_add_part(d, t->sender);
	copy_fields_digest(t, first_names, d);
}

static const uint8_t *
copy_header_key(struct transaction *t)
{
	struct digest d;

	if (!t->header_keyed) {
		copy_header_digest(t, &d);
		digest_end(&d, t->header_key);
		t->header_keyed = true;
	}
	return t->header_key;
}

static void
copy_body_digest(struct transaction *t, uint8_t ret[DIGEST_SIZE])
{
	struct digest d = t->body_digest;
	struct str body;

	if (!t->hashing)
		digest_init(&d);
	if (!t->hashing && spool_text(&t->body, &body) == 0)
		digest_add(&d, body);
	digest_end(&d, ret);
}

void
copy_identify(struct transaction *t)
{
	uint8_t body[DIGEST_SIZE];
	struct digest d;

	if (t->fingerprinted)
		return;
	copy_body_digest(t, body);
	copy_header_digest(t, &d);
	copy_fields_digest(t, other_names, &d);
	digest_add_part(&d, digest_str(body));
	digest_end(&d, t->fingerprint);
	t->fingerprinted = true;
}

bool
copy_known(struct transaction *t)
{
	return !journal_is_empty(t->daemon->journal) && journal_has(t->daemon->journal, copy_header_key(t));
}

/* Before the first copy: a later attempt then collects the body, whatever the rules are by then.  The line is longer than
 * that of the copy itself: while the disk has no room for it no copy leaves. */
static int
copy_announce(struct transaction *t, struct str address)
{
	return journal_add(t->daemon->journal, copy_header_key(t), arena_printf(&t->arena, "message %.*s", STR_ARG(address)));
}

static void
copy_key(const struct rcpt *r, struct delivery *d)
{
	struct digest all;
	/* what he redirects to himself, and what he files there, may differ */
	char kind = d->redirect ? 'r' : (char)('0' + (int)d->kind);

	digest_init(&all);
	digest_add_part(&all, (struct str){ (const char *)r->fingerprint, sizeof r->fingerprint });
	digest_add_part(&all, (struct str){ &kind, 1 });
	digest_add_part(&all, d->canonical);
	/* the inbox with flags is no other place than without */
	digest_add_part(&all, str_iis(d->folder, "INBOX") ? STR_EMPTY : d->folder);
	digest_end(&all, d->key);
	d->keyed = true;
}

bool
copy_unkeyed(const struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		for (size_t j = 0; !t->rcpt.v[i]->refused && j < t->rcpt.v[i]->plan.d.n; j++)
			if (t->rcpt.v[i]->plan.d.v[j].way == WAY_COPY && !t->rcpt.v[i]->plan.d.v[j].keyed)
				return true;
	return false;
}

/* Most messages have no copies: then there is nothing to compute.  A copy that was made was announced before. */
static bool
copy_has_any(struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		for (size_t j = 0; j < t->rcpt.v[i]->plan.d.n; j++)
			if (t->rcpt.v[i]->plan.d.v[j].way == WAY_COPY)
				return true;
	return copy_known(t);
}

void
copy_keys(struct transaction *t)
{
	/* the fields that count redirects may have been taken away, as from what comes from outside; Received never is */
	const unsigned round = t->redirected > t->copies ? t->redirected : t->copies;
	struct digest all;

	if (!copy_has_any(t))
		return;
	copy_identify(t);
	for (size_t i = 0; i < t->rcpt.n; i++) {
		struct rcpt *r = t->rcpt.v[i];

		digest_init(&all);
		digest_add_part(&all, (struct str){ (const char *)t->fingerprint, sizeof t->fingerprint });
		digest_add_part(&all, r->argument);
		/* when it comes round by a redirect it is another message: the copy that is on its way waits for this one */
		digest_add_part(&all, (struct str){ (const char *)&round, sizeof round });
		digest_end(&all, r->fingerprint);
		for (size_t j = 0; j < r->plan.d.n; j++) {
			copy_key(r, &r->plan.d.v[j]);
			r->plan.d.v[j].done |= journal_has(t->daemon->journal, r->plan.d.v[j].key);
		}
	}
}

/* --- the bytes */

struct copy {
	struct transaction *t;
	struct rcpt *r;
	struct delivery *d;
	struct buf top;                 /* fields of ours, or all of a report */
	int (*put)(void *ctx, struct str);
	void *put_ctx;
};

static void
copy_date(struct buf *b)
{
	char text[64];
	time_t now = (time_t)(daemon_now() / 1000000);
	struct tm tm;

	/* the C locale's names are those of RFC 5322; the daemon never leaves it */
	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_puts(b, text);
}

/* Without what could end a field, or a comment in it. */
static void
copy_word(struct buf *b, struct str v)
{
	for (size_t i = 0; i < v.len && i < 255; i++) {
		unsigned char c = (unsigned char)v.s[i];

		buf_putc(b, c <= 0x20 || c >= 0x7f || strchr("()<>;\\\"", c) ? '?' : (char)c);
	}
}

static void
copy_received(struct copy *c)
{
	struct transaction *t = c->t;
	struct buf *b = &c->top;

	buf_puts(b, "Received: from ");
	copy_word(b, t->helo.len ? t->helo : STR("unknown"));
	buf_puts(b, " (");
	copy_word(b, t->client_host.len ? t->client_host : STR("unknown"));
	if (t->client_ip.len) {
		/* RFC 5321 4.1.3 */
		buf_puts(b, memchr(t->client_ip.s, ':', t->client_ip.len) ? " [IPv6:" : " [");
		copy_word(b, t->client_ip);
		buf_putc(b, ']');
	}
	buf_puts(b, ")\r\n\tby ");
	copy_word(b, t->hostname);
	buf_printf(b, " (tamis %s) with %s%s", tamis_version(), t->smtputf8 ? "UTF8SMTP" : "ESMTP", t->login.len ? "A" : "");
	buf_puts(b, " id ");
	copy_word(b, t->id);
	buf_puts(b, ";\r\n\t");
	copy_date(b);
	buf_puts(b, "\r\n");
}

static int
copy_put(void *ctx, struct tamis_text v)
{
	struct copy *c = ctx;

	return c->put(c->put_ctx, text_str(v));
}

static int
copy_write(void *ctx, int (*put)(void *ctx, struct str), void *put_ctx)
{
	struct copy *c = ctx;
	int rc = put(put_ctx, buf_str(&c->top));

	c->put = put;
	c->put_ctx = put_ctx;
	if (rc == 0 && c->d->kind != DELIVERY_REPORT)
		rc = tamis_outcome_write(c->r->outcome, c->d->version, copy_put, c);
	return rc;
}

static void
copy_waits(void *ctx)
{
	const struct copy *c = ctx;

	transaction_goes_on(c->t, moment_clock());
}

static void
copy_report(struct copy *c, struct submission *s)
{
	struct transaction *t = c->t;
	struct report report = {
		.hostname = t->hostname,
		.from = t->sender, .recipient = c->r->address, .orcpt = c->r->orcpt, .envid = t->envid,
		.message_id_seed = { (const char *)c->d->key, sizeof c->d->key }, .reason = c->r->plan.reason,
		.header = buf_str(&t->header), .now = daemon_now(), .disposition = c->r->plan.exact,
	};

	report_write(&report, &c->top);
	s->from = STR_EMPTY;
	s->rcpt[0] = (struct submit_rcpt){ .address = t->sender, .notify = STR("NEVER"), .orcpt = STR_EMPTY };
	s->eightbit = true;
	s->smtputf8_asked = false;
	s->smtputf8 = !utf8_is_ascii(t->sender) || !utf8_is_ascii(c->r->address);
	s->ret = s->envid = STR_EMPTY;
}

/* Who redirected it, in a word that only we can read. */
static void
copy_by(const struct transaction *t, const struct rcpt *r, char ret[DIGEST_BASE32])
{
	struct buf b = { 0 };
	uint8_t by[DIGEST_SIZE];

	buf_printf(&b, "redirected by %.*s", STR_ARG(r->rules->user));
	digest_hmac(t->daemon->secret, buf_str(&b), by);
	digest_base32(by, BY_SIZE, ret);
	buf_done(&b);
}

bool
copy_came_back(const struct transaction *t, const struct rcpt *r)
{
	struct str rest = buf_str(&t->header), name, value;
	char by[DIGEST_BASE32];

	if (!t->redirected || !r->rules)
		return false;
	copy_by(t, r, by);
	while (fields_next(&rest, &name, &value))
		if (str_iis(name, "Tamis-Redirected") && str_find(value, str_from(by)) >= 0)
			return true;
	return false;
}

static void
copy_redirected(struct copy *c)
{
	char by[DIGEST_BASE32];

	copy_by(c->t, c->r, by);
	buf_printf(&c->top, "Tamis-Redirected: %u %s\r\n", c->t->redirected + 1, by);
}

/* The sender is not told that a message came into quarantine, nor that it takes its time: only that it came nowhere.
 * What leaves with the user for its sender is his affair: of its failure he hears, whatever the client wants to know. */
struct str
copy_notify(const struct transaction *t, const struct rcpt *r, const struct delivery *d)
{
	if (d->own_sender && t->conf->redirect_sender == CONF_SENDER_USER)
		return STR_EMPTY;
	if (d->kind != DELIVERY_QUARANTINE || str_iis(r->notify, "NEVER"))
		return r->notify;
	return STR("FAILURE");
}

static void
copy_message(struct copy *c, struct submission *s)
{
	struct delivery *d = c->d;

	copy_received(c);
	if (d->filtered)
		copy_redirected(c);
	if (d->mark.len) {
		buf_add(&c->top, str_trim(d->mark));
		buf_puts(&c->top, "\r\n");
	}
	s->from = d->own_sender ? d->sender : c->t->sender;
	s->rcpt[0] = (struct submit_rcpt){
		.address = d->kind == DELIVERY_SELF ? c->r->address : d->target,
		.notify = copy_notify(c->t, c->r, d), .orcpt = c->r->orcpt,
	};
}

/* --- sending */

/* Who got his with this one is remembered as well: at the next attempt his rules may be others, and his plan no twin. */
static void
copy_note_twins(struct transaction *t, const struct delivery *d)
{
	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		for (size_t j = 0; !r->refused && j < r->plan.d.n; j++) {
			const struct delivery *other = &r->plan.d.v[j];

			if (other->way == WAY_COVERED && other->with == d && !journal_has(t->daemon->journal, other->key))
				journal_note(t->daemon->journal, other->key, STR("twin"));
		}
	}
}

/* The disk, most often. */
static const char *
copy_unwritten(struct transaction *t)
{
	return arena_printf(&t->arena, "the journal in %s cannot be written: %s", t->conf->state_dir, strerror(errno)).s;
}

static enum copy_result
copy_submit(struct transaction *t, struct rcpt *r, struct delivery *d, const char **ret_why)
{
	struct copy c = { .t = t, .r = r, .d = d };
	struct submit_rcpt to = { 0 };
	struct submission s = {
		.ret = t->ret, .envid = t->envid, .smtputf8_asked = t->smtputf8, .eightbit = t->eightbit,
		/* a word of the client's is no reason to make no copy: it may be of a message in ASCII */
		.smtputf8 = t->smtputf8 && !(utf8_is_ascii(t->sender) && utf8_is_ascii(buf_str(&t->header))),
		.rcpt = &to, .n = 1, .write = copy_write, .waits = copy_waits, .ctx = &c,
		/* whoever does not hear it doubles the copy */
		.answer_least = ANSWER_LEAST,
	};
	const char *port = d->filtered ? t->conf->filtered_to : t->conf->copy_to;
	struct str text;
	enum submit_result result;

	if (!t->want_body && d->kind != DELIVERY_REPORT) {
		*ret_why = "the body was not collected";        /* better the message as it came than half of it */
		return COPY_REFUSED;
	}
	if (d->kind == DELIVERY_REPORT)
		copy_report(&c, &s);
	else
		copy_message(&c, &s);
	daemon_point(t->daemon, POINT_COPY);
	if (copy_announce(t, to.address) < 0) {
		*ret_why = copy_unwritten(t);
		buf_done(&c.top);
		return COPY_AGAIN;
	}
	atomic_fetch_add(&t->daemon->redirecting, d->filtered);
	result = submit(port, t->hostname.s, &s, t->deadline);
	atomic_fetch_sub(&t->daemon->redirecting, d->filtered);
	buf_done(&c.top);
	daemon_point(t->daemon, POINT_COPY_TAKEN);
	if (result != SUBMIT_TAKEN) {
		*ret_why = arena_printf(&t->arena, "%s for <%.*s> by %s %s: %s", d->kind == DELIVERY_REPORT ? "report" : "copy",
		                        STR_ARG(to.address), d->filtered ? "filtered_to" : "copy_to", port, s.reply).s;
		return result != SUBMIT_REFUSED ? COPY_AGAIN : s.unsayable ? COPY_UNSAYABLE : COPY_REFUSED;
	}
	text = arena_printf(&t->arena, "%s %.*s", d->kind == DELIVERY_REPORT ? "report" : "copy", STR_ARG(to.address));
	/* to have the message sent again would not make the line better known, and would double the copy if we died */
	if (journal_note(t->daemon->journal, d->key, text) < 0)
		log_line(LOG_ERR, t->id.s, "rcpt=%.*s error=%s hint=%s", STR_ARG(r->address), copy_unwritten(t),
		         "a copy has left all the same: it is remembered until the daemon ends, and written when there is room");
	copy_note_twins(t, d);
	daemon_point(t->daemon, POINT_JOURNAL);
	return COPY_TAKEN;
}

enum copy_result
copy_send(struct transaction *t, struct rcpt *r, struct delivery *d, const char **ret_why)
{
	enum copy_result result = COPY_TAKEN;
	struct leaving leaving;

	if (!daemon_send(t->daemon, &leaving, d->key)) {
		*ret_why = "another session sends the same copy";
		return COPY_ELSEWHERE;
	}
	if (!journal_has(t->daemon->journal, d->key))
		result = copy_submit(t, r, d, ret_why);
	daemon_sent(t->daemon, &leaving);
	d->done = result == COPY_TAKEN;
	return result;
}
