/* ask.c - what a run asks: facts that are known, questions and data of the host
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/trace.h"

struct fact *
run_fact_of(struct run *r, struct str name)
{
	return recipient_known(r->recipient, name);
}

struct cell *
run_fact(struct run *r, struct str name)
{
	struct fact *f = run_fact_of(r, name);

	return f ? &f->value : NULL;
}

int64_t
run_now(const struct run *r)
{
	return r->recipient->now;
}

static int
ask_host(struct run *r, struct str what, struct str key, struct tamis_text *value)
{
	if (!r->host || !r->host->ask)
		return TAMIS_UNAVAILABLE;
	return r->host->ask(r->host->ctx, (struct tamis_recipient *)r->recipient, text_of(what), text_of(key), value);
}

static int
ask_result(struct run *r, enum tamis_answer answer)
{
	if (answer == TAMIS_LATER)
		r->waiting = true;
	return answer == TAMIS_YES ? YES : answer == TAMIS_NO ? NO : UNKNOWN;
}

int
run_ask(struct run *r, struct str what, struct str key, struct str *ret)
{
	const struct answer *known = recipient_find(r->recipient, what, key);
	struct tamis_text value = { "", 0 };
	enum tamis_answer answer;

	if (!known) {
		answer = (enum tamis_answer)ask_host(r, what, key, &value);
		if (answer >= TAMIS_NO) {
			recipient_answer(r->recipient, what, key, answer, str_of(value));
			known = r->recipient->answer;
		}
	} else {
		answer = known->answer;
	}
	if (ret)
		*ret = known ? known->value : STR_EMPTY;
	TRACE(r, asked, what, key, known ? known->value : STR_EMPTY, answer == TAMIS_YES ? YES : answer == TAMIS_NO ? NO : UNKNOWN);
	return ask_result(r, answer);
}

/* What the host did may have been to hand the outcome another message, or to
 * run other rules that edited this one. */
static void
run_look_again(struct run *r)
{
	r->work += r->message->work - r->message_work;
	r->recipient = r->outcome->recipient;
	r->message = r->recipient->message;
	r->message_work = r->message->work;
	if (r->cleared != r->outcome->cleared)
		r->flags = NULL;
	r->cleared = r->outcome->cleared;
	fields_forget(r);
}

int
run_tell(struct run *r, struct str what, struct str key, struct str *ret)
{
	struct tamis_text value = { "", 0 };
	enum tamis_answer answer = (enum tamis_answer)ask_host(r, what, key, &value);

	if (ret)
		*ret = arena_str(&r->arena, str_of(value));
	run_look_again(r);
	return ask_result(r, answer);
}

int
run_load(struct run *r, struct str kind, struct str name, struct str *ret)
{
	struct tamis_text text = { "", 0 };
	int rc = r->host && r->host->load ? r->host->load(r->host->ctx, text_of(kind), text_of(name), &text) : -1;

	*ret = str_of(text);
	return rc > 0 ? YES : rc == 0 ? NO : UNKNOWN;
}
