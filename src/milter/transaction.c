/* transaction.c - what the log says of a message: a line for each recipient
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/transaction.h"

#include "host/log.h"
#include "host/text.h"

static const char *const stages[] = { [TAMIS_ENVELOPE] = "envelope", [TAMIS_HEADER] = "header", [TAMIS_BODY] = "body" };
static const char *const effects[] = {
	[CONF_OBSERVE] = "observe", [CONF_TAG] = "tag", [CONF_REFUSE] = "refuse", [CONF_FULL] = "full",
};

enum { TELL_EVERY = 2000 };     /* milliseconds; Sendmail waits 10 s for each word if nobody sets R: */

void
transaction_goes_on(struct transaction *t, int64_t now)
{
	if (!t->ending || (t->told && now - t->told < TELL_EVERY))
		return;
	if (t->told)
		t->ending->progress(t->ending->ctx);
	t->told = now;
}

#define LOG_NOBODY "rcpt=%.*s rules=none verdict=%s"

/* How much an effect has to say about where the message goes: an edit says nothing, a copy little, and what delivers makes
 * a discard beside it void. */
static int
log_weight(const struct tamis_effect *e)
{
	static const int weight[] = {
		[TAMIS_REJECT] = 4, [TAMIS_KEEP] = 3, [TAMIS_FILE] = 3, [TAMIS_REDIRECT] = 3, [TAMIS_QUARANTINE] = 3,
		[TAMIS_DISCARD] = 2,
	};
	int n = e->kind < sizeof(weight) / sizeof(*weight) ? weight[e->kind] : 0;

	for (size_t i = 0; i < e->noptions; i++)
		if (str_is(text_str(e->options[i].name), "copy"))
			n = 1;
	return e->implicit ? -1 : n;
}

/* The file and line of the command that decided, or the file whose end was reached. */
static struct str
log_rules(struct transaction *t, const struct rcpt *r)
{
	const struct tamis_effect *e = NULL, *best = NULL;
	char room[256];
	struct buf b = BUF_ON(room);
	struct str place;

	while ((e = tamis_outcome_next(r->outcome, e)))
		if (!best || log_weight(e) > log_weight(best))
			best = e;
	if (!best || best->implicit)
		return r->rules->path;
	buf_add(&b, ruleset_file(r->rules, best->place.file));
	buf_putc(&b, ':');
	buf_number(&b, best->place.line);
	place = buf_copy(&b, &t->arena);
	buf_done(&b);
	return place;
}

const char *
transaction_left_out(struct transaction *t, const struct rcpt *r, const struct delivery *d, bool shared)
{
	const char *what = "the mark that says what would be done was left out";

	if (d->edits.len)
		what = "an edit was left out";
	else if (d->own_sender)
		what = "it leaves with the sender of the message";
	else if (d->folder.len)
		what = "the field with folder and flags was left out";
	else if (r->plan.refuses)
		what = "it is refused too late, and the mark that says so was left out";
	return arena_printf(&t->arena, "%s: %s, and %s", what,
	                    d->edits.len && t->nfields > FIELDS_EDITED ? "the header has too many fields for edits in place" :
	                    shared ? "others get the message too" : "it goes elsewhere too, and not like this",
	                    *t->conf->copy_to ? "no copy of it can be made" : "copy_to is not set").s;
}

/* Of srs_domain, and not one of ours: what becomes of it. */
static void
log_no_bounce(const struct transaction *t, const struct rcpt *r, const char *verdict)
{
	if (t->ours)
		log_line(LOG_INFO, t->id.s, "rcpt=%.*s rules=none srs=%s verdict=%s note=%s", STR_ARG(r->address), r->no_bounce,
		         verdict, "left to the mail server: a refusal would be a bounce of ours");
	else if (r->effect < CONF_REFUSE)
		log_line(LOG_INFO, t->id.s, "rcpt=%.*s rules=none srs=%s effect=%s would=%s verdict=%s", STR_ARG(r->address),
		         r->no_bounce, effects[r->effect], "refuse", verdict);
	else
		log_line(LOG_INFO, t->id.s, "rcpt=%.*s rules=none srs=%s verdict=%s", STR_ARG(r->address), r->no_bounce, verdict);
}

struct str
transaction_words(struct transaction *t, const struct rcpt *r)
{
	return r->instead.len ? r->instead : plan_words(&t->arena, r->outcome, r->status);
}

/* An error of his rules, what of his plan could not be done, or what of it may not. */
static const char *
log_note(struct transaction *t, const struct rcpt *r, const char *none)
{
	if (r->error)
		return arena_printf(&t->arena, "error: %s", r->error).s;
	if (r->note || r->plan.note)
		return r->note ? r->note : r->plan.note;
	if (!r->instead.len)
		return none;
	return arena_printf(&t->arena, "his rules do not close postmaster and abuse; they say: %.*s",
	                    STR_ARG(plan_words(&t->arena, r->outcome, r->status))).s;
}

/* The line that nearly every message has. */
static void
log_decided(struct transaction *t, const struct rcpt *r, const char *verdict, bool would, struct str note)
{
	char room[24];
	struct buf ms = BUF_ON(room);

	buf_number(&ms, r->ms);
	const struct log_value line[] = {
		{ "rcpt", r->address }, { "user", r->rules->user }, { "rules", log_rules(t, r) },
		{ "stage", str_from(stages[r->stage]) }, { "effect", str_from(effects[r->effect]) },
		{ would ? "would" : "effects", transaction_words(t, r) },
		{ "verdict", str_from(verdict) }, { "ms", buf_str(&ms) }, { "note", note },
	};

	log_values(LOG_INFO, t->id.s, line, sizeof(line) / sizeof(*line) - !note.len);
}

void
transaction_log_rcpt(struct transaction *t, const struct rcpt *r, const char *verdict)
{
	const char *id = t->id.s;
	const char *rest = "";
	bool would = r->effect == CONF_OBSERVE || (r->effect == CONF_REFUSE && (!strcmp(verdict, "done") || !strcmp(verdict, "pass")));

	if (r->no_bounce) {
		log_no_bounce(t, r, verdict);
		return;
	}
	if (!r->rules && r->trouble)
		rest = r->trouble;
	else if (r->broken.len)
		rest = arena_printf(&t->arena, "his rules are broken and not used: %.*s", STR_ARG(r->broken)).s;
	if (!r->rules) {
		log_line(LOG_INFO, id, *rest ? LOG_NOBODY " note=%s" : LOG_NOBODY, STR_ARG(r->address), verdict, rest);
		return;
	}
	if (!r->outcome) {
		log_line(LOG_WARNING, id, "rcpt=%.*s user=%.*s rules=%.*s verdict=%s note=%s", STR_ARG(r->address),
		         STR_ARG(r->rules->user), STR_ARG(r->rules->path), r->effect == CONF_OBSERVE && !strcmp(verdict, "done") ? "pass" : verdict,
		         r->trouble ? r->trouble : "not decided");
		return;
	}
	/* who has the message as it came waits for it with the others all the same */
	log_decided(t, r, would && strcmp(verdict, "again") != 0 ? "pass" : verdict, would, str_from(log_note(t, r, rest)));
}

void
transaction_log(struct transaction *t, const char *verdict)
{
	const bool taken = strcmp(verdict, "again") != 0;

	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		if (!r->refused)
			transaction_log_rcpt(t, r, taken && r->held ? "held" : taken && r->passed ? "passed" : verdict);
	}
}
