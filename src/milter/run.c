/* run.c - each recipient's rules, at each stage, until they are decided
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "host/digest.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/print.h"
#include "host/sequence.h"
#include "host/srs.h"
#include "host/text.h"
#include "milter/queued.h"
#include "milter/transaction.h"

struct run {
	struct transaction *t;
	struct rcpt *r;
	int64_t until;
	bool stopped;                   /* by us, not by what the rules did */
};

/* --- the host of a run */

static bool
run_stop(void *ctx)
{
	const int64_t now = moment_clock();
	struct run *run = ctx;

	run->stopped |= now > run->until;
	transaction_goes_on(run->t, now);
	return run->stopped;
}

static void
run_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct run *run = ctx;

	if (!run->r->error && d->severity == TAMIS_ERROR)
		run->r->error = arena_printf(&run->t->arena, "%.*s:%u: %s", STR_ARG(ruleset_file(run->r->rules, d->place.file)),
		                             d->place.line, d->text).s;
}

static int
run_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct run *run = ctx;

	return rulebook_load(run->t->setup->rules, kind, name, ret);
}

/* --- whose rules */

/* Trouble that is met before the body is known is counted for sender and recipient. */
static void
run_envelope(const struct transaction *t, const struct rcpt *r, uint8_t key[JOURNAL_KEY])
{
	struct digest d;

	digest_init(&d);
	digest_add_part(&d, STR("envelope"));
	digest_add_part(&d, t->sender);
	digest_add_part(&d, r->argument);
	digest_end(&d, key);
}

/* It is over. */
static void
run_calm(struct transaction *t, const struct rcpt *r)
{
	uint8_t key[JOURNAL_KEY];

	if (journal_is_calm(t->daemon->journal))
		return;
	run_envelope(t, r, key);
	journal_calm(t->daemon->journal, key);
}

/* True: it has lasted long enough. */
static bool
run_trouble(struct transaction *t, const struct rcpt *r)
{
	uint8_t key[JOURNAL_KEY];

	run_envelope(t, r, key);
	return journal_trouble(t->daemon->journal, key, (unsigned)t->conf->trouble_times, (unsigned)t->conf->trouble_seconds);
}

/* What Sendmail delivers to, if it has resolved an alias; of its own it has names without a domain, in lower case. */
static struct str
run_resolved(struct transaction *t, const struct rcpt *r)
{
	struct str local;

	if (!t->sendmail || memchr(r->group.s, '@', r->group.len))
		return t->sendmail ? r->group : STR_EMPTY;
	local = queued_unquoted(&t->arena, r->group);
	if (!r->parsed || !local.len || str_ieq(local, r->parts.whole))
		return STR_EMPTY;
	return canonical_written(&t->arena, local, r->parts.domain);
}

/* An alias that Sendmail has resolved already is looked up as what it became, and a sender that we rewrote as himself:
 * he may have rules here. */
static bool
run_whose(struct transaction *t, struct rcpt *r, struct canonical *ret)
{
	struct str resolved;

	if (r->srs.len)
		r->parsed = canonical_address(t->conf, t->sendmail, &t->arena, r->srs, &r->parts) == 0;
	*ret = r->parts;
	resolved = r->srs.len ? STR_EMPTY : run_resolved(t, r);
	if (!resolved.len)
		return r->parsed;
	return canonical_address(t->conf, true, &t->arena, resolved, ret) == 0 ||
	       canonical_address(t->conf, true, &t->arena, queued_plain(&t->arena, resolved), ret) == 0;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* "+2B", a byte (RFC 3461 4). */
static size_t
orcpt_byte(struct str v, struct buf *b)
{
	int high = v.s[0] == '+' && v.len > 2 ? hex_digit(v.s[1]) : -1;
	int low = high < 0 ? -1 : hex_digit(v.s[2]);

	buf_putc(b, low < 0 ? v.s[0] : (char)(high << 4 | low));
	return low < 0 ? 1 : 3;
}

/* "\x{FC}", a character (RFC 6533 3). */
static size_t
orcpt_character(struct str v, struct buf *b)
{
	uint32_t code = 0;
	size_t i = 3, n = 0;
	char text[4];

	if (str_starts(v, STR("\\x{"))) {
		for (; i < v.len && i < 9 && hex_digit(v.s[i]) >= 0; i++)
			code = code << 4 | (uint32_t)hex_digit(v.s[i]);
		n = i > 3 && i < v.len && v.s[i] == '}' ? utf8_put(text, code) : 0;
	}
	buf_add(b, n ? (struct str){ text, n } : str_sub(v, 0, 1));
	return n ? i + 1 : 1;
}

/* The address that the sender typed: "rfc822;" or "utf-8;" before it. */
static struct str
orcpt_address(struct arena *a, struct str v)
{
	const char *semicolon = memchr(v.s, ';', v.len);
	const size_t type = semicolon ? (size_t)(semicolon - v.s) : 0;
	size_t (*const next)(struct str, struct buf *) = str_iis(str_sub(v, 0, type), "utf-8") ? orcpt_character : orcpt_byte;
	struct buf b = { 0 };
	struct str ret;

	for (v = semicolon ? str_sub(v, type + 1, v.len) : v; v.len;)
		v = str_sub(v, next(v, &b), v.len);
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}

/* Fields that rules may not edit; none: no fact. */
static void
run_protects(struct rcpt *r, const char *fact, const struct conf_list *names)
{
	struct buf list = { 0 };

	if (!names->n)
		return;
	for (size_t i = 0; i < names->n; i++)
		buf_printf(&list, "%s ", names->v[i]);
	tamis_recipient_fact(r->recipient, text_from(fact), text_of(buf_str(&list)));
	buf_done(&list);
}

static void
run_recipient(struct transaction *t, struct rcpt *r)
{
	const struct tamis_text address = text_of(r->srs.len ? r->srs : r->address);
	uint8_t seed[32];

	digest_seed(seed);
	r->now = daemon_now();
	if (r->spare.recipient)
		tamis_recipient_reset(r->spare.recipient, address, r->now, seed);
	else
		r->spare.recipient = tamis_recipient_new(t->message, address, r->now, seed);
	r->recipient = r->spare.recipient;
	if (!t->sendmail && strcmp(t->conf->recipient_delimiter, "+") != 0)
		tamis_recipient_fact(r->recipient, text_from("vnd.tamis.recipient-delimiter"), text_from(t->conf->recipient_delimiter));
	if (strcmp(t->conf->time_zone, "UTC") != 0)
		tamis_recipient_fact(r->recipient, text_from("vnd.tamis.zone"), text_from(t->conf->time_zone));
	run_protects(r, "vnd.tamis.protect-add", &t->conf->protect_add);
	run_protects(r, "vnd.tamis.protect-delete", &t->conf->protect_delete);
	if (r->orcpt.len)
		tamis_recipient_fact(r->recipient, text_from("orig_to"), text_of(orcpt_address(&t->arena, r->orcpt)));
}

/* What comes back to a sender that a redirect of ours rewrote goes to that sender. */
static enum srs_result
run_srs(struct transaction *t, struct rcpt *r)
{
	struct buf b = { 0 };
	enum srs_result result = SRS_NONE;

	if (*t->conf->srs_domain)
		result = srs_reverse(t->daemon->secret, r->address, t->conf->srs_domain, daemon_now() / 1000000, &b);
	r->srs = result == SRS_OURS ? buf_copy(&b, &t->arena) : STR_EMPTY;
	buf_done(&b);
	return result;
}

/* An address of srs_domain that leads back to nobody, and that nobody else can have: where users live in that domain as
 * well, or another host has rewritten senders for it, it may be a good one. */
static void
run_no_bounce(struct transaction *t, struct rcpt *r, enum srs_result result)
{
	struct str domain = str_from(t->conf->srs_domain);

	if (conf_local_domain(t->conf, domain))
		return;
	r->no_bounce = result == SRS_EXPIRED ? "expired" : "forged";
	r->effect = conf_effect_for(t->conf, r->address, domain, STR_EMPTY);
	r->plan.reason = result == SRS_EXPIRED ?
	                 STR("5.1.1 this address of a rewritten sender has expired: bounces come back for 30 days") :
	                 STR("5.1.1 no such address of a rewritten sender: we did not make it");
}

/* Nobody waits for rules that are only watched. */
static int
run_unreadable(struct transaction *t, struct rcpt *r, const struct canonical *whose)
{
	const char *global = t->conf->global_dir;

	r->trouble = arena_printf(&t->arena, "rules cannot be read now: %s (rules_dir %s%s%s)", strerror(errno), t->conf->rules_dir,
	                          *global ? ", global_dir " : "", global).s;
	r->effect = rulebook_effect(t->setup->rules, &t->arena, whose);
	if (r->effect == CONF_OBSERVE)
		return 0;
	if (!run_trouble(t, r))
		return -1;
	log_line(LOG_ERR, t->id.s, "rcpt=%.*s error=%s done=%s", STR_ARG(r->address), r->trouble, "passed without rules");
	r->passed = true;
	return 0;
}

bool
run_is_watched(struct transaction *t, struct rcpt *r)
{
	struct canonical whose;

	if (run_srs(t, r) != SRS_NONE)
		return false;
	r->effect = run_whose(t, r, &whose) ? rulebook_effect(t->setup->rules, &t->arena, &whose) : CONF_OBSERVE;
	return r->effect == CONF_OBSERVE;
}

int
run_find(struct transaction *t, struct rcpt *r)
{
	enum srs_result srs = run_srs(t, r);
	struct canonical whose;
	int found = 0;

	if (run_whose(t, r, &whose)) {
		r->has_detail = whose.has_detail;
		found = rulebook_of(t->setup->rules, &t->arena, &whose, &r->rules, &r->broken);
	}
	if (found < 0)
		return run_unreadable(t, r, &whose);
	run_calm(t, r);
	if (!found) {
		if (srs == SRS_FORGED || srs == SRS_EXPIRED)
			run_no_bounce(t, r, srs);
		return 0;
	}
	if (slots_aside(t->daemon->slots, r->rules->user, r->rules->content)) {
		r->trouble = "set aside: the daemon died of these rules twice";
		return 0;
	}
	r->effect = r->rules->effect;
	run_recipient(t, r);
	return 0;
}

/* --- stages */

static void
run_plan(struct transaction *t, struct rcpt *r)
{
	struct plan_maker by = {
		.arena = &t->arena, .conf = t->conf, .rules = r->rules, .sendmail = t->sendmail,
		.address = r->srs.len ? r->srs : r->address,
		.has_detail = r->has_detail,
		.sender = t->sender, .secret = t->daemon->secret, .now = r->now / 1000000,
	};

	plan_make(&by, r->outcome, &r->plan);
	r->instead = r->plan.instead;
}

/* In a slot while it runs: should it kill the process, the next one knows what of. */
static enum tamis_status
run_sequence(struct run *run, struct tamis_outcome *outcome, enum tamis_stage stage)
{
	struct daemon *daemon = run->t->daemon;
	const struct ruleset *rules = run->r->rules;
	struct tamis_host host = {
		.ctx = run, .limits = &rules->limits, .load = run_load, .stop = run_stop, .report = run_report,
	};
	uint8_t which[32] = { 0 };
	enum tamis_status status;
	int slot;

	/* nobody but a reader of the file wants to know the message: the queue's name for it will do */
	memcpy(which, run->t->id.s, run->t->id.len < sizeof which ? run->t->id.len : sizeof which);
	slot = slots_begin(daemon->slots, rules->user, rules->content, which);
	daemon_point(daemon, POINT_RUN);
	status = sequence_run(rules->program, rules->n, outcome, stage, &host);
	slots_end(daemon->slots, slot);
	return status;
}

/* What needs neither is decided at the header. */
static bool
run_waits(struct transaction *t, const struct rcpt *r)
{
	return r->rules->needs & (TAMIS_NEEDS_BODY | TAMIS_NEEDS_SIZE) && forecast_late(&t->daemon->forecast, r->rules->content);
}

/* At RCPT TO he is alone.  Later slow rules leave time for those of others, and for copies: in the end these have a quarter,
 * each recipient has his share of another, and the first half of what nobody has. */
static int64_t
run_until(const struct transaction *t, enum tamis_stage stage, size_t later, int64_t now)
{
	const int64_t quarter = (int64_t)t->conf->message_deadline * 1000 / 4, left = t->deadline - now;
	int64_t share, spare;

	if (stage != TAMIS_BODY)
		return stage == TAMIS_ENVELOPE ? t->deadline : now + left / 2;
	share = quarter / (int64_t)t->rcpt.n;
	spare = left - quarter - share * (int64_t)(later + 1);
	return now + share + (spare > 0 ? spare / 2 : 0);
}

void
run_stage(struct transaction *t, struct rcpt *r, enum tamis_stage stage, size_t later)
{
	struct run run = { .t = t, .r = r };
	/* of a header of which we have only a part nothing is told to rules */
	const enum tamis_stage known = t->header_over ? TAMIS_ENVELOPE : stage;
	struct tamis_outcome *outcome;
	enum tamis_status status;
	int64_t begun;

	if (!r->rules || r->outcome || r->trouble || r->refused || (stage == TAMIS_HEADER && run_waits(t, r)))
		return;
	begun = moment_clock();
	transaction_goes_on(t, begun);
	run.until = run_until(t, stage, later, begun);
	outcome = r->spare.outcome ? r->spare.outcome : tamis_outcome_new(r->recipient);
	r->spare.outcome = NULL;
	status = run_sequence(&run, outcome, known);
	r->ms += (unsigned)(moment_clock() - begun);
	if (stage == TAMIS_HEADER)
		forecast_learn(&t->daemon->forecast, r->rules->content, print_final(status));
	if (run.stopped || !print_final(status)) {
		tamis_outcome_reset(outcome);
		r->spare.outcome = outcome;
		r->error = NULL;
		if (t->header_over && stage != TAMIS_ENVELOPE && !run.stopped) {
			r->trouble = "the header is over max_header";
			return;
		}
		r->again = stage == TAMIS_BODY;
		if (r->again)
			r->trouble = run.stopped ? "no time left for the rules" : "the rules were not decided";
		return;
	}
	r->outcome = outcome;
	r->status = status;
	r->stage = known;
	run_plan(t, r);
}

bool
run_refuses_early(const struct rcpt *r)
{
	return r->outcome && r->stage == TAMIS_ENVELOPE && r->status == TAMIS_DECIDED && r->plan.refuses &&
	       !r->plan.exact && !r->plan.d.n;
}
