/* pool.c - transactions that are over, with their memory, for messages to come
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pool.h"

#include <stdlib.h>

#include "milter/transaction.h"

/* more than that is given back */
enum { HEADER_KEPT = 64 * 1024, RCPTS_KEPT = 100, SPARES_KEPT = 4, DELIVERIES_KEPT = 16 };

static struct transaction *
transaction_new(void)
{
	struct transaction *t = mem_alloc(sizeof *t);

	*t = (struct transaction){ .message = tamis_message_new() };
	arena_init(&t->arena, 0);
	spool_init(&t->body);
	return t;
}

static void
rcpt_free(struct rcpt *take_r)
{
	struct rcpt *r = take_r;

	plan_done(&r->plan);
	tamis_outcome_free(r->outcome);
	tamis_outcome_free(r->spare.outcome);
	tamis_recipient_free(r->spare.recipient);
	free(r);
}

static struct transaction *
transaction_free(struct transaction *t)
{
	if (t) {
		while (t->spare.n)
			rcpt_free(t->spare.v[--t->spare.n]);
		vec_done(&t->spare);
		vec_done(&t->rcpt);
		tamis_message_free(t->message);
		spool_done(&t->body);
		buf_done(&t->header);
		arena_done(&t->arena);
		free(t);
	}
	return NULL;
}

struct rcpt *
pool_take_rcpt(struct transaction *t)
{
	struct rcpt *r;

	if (t->spare.n)
		return t->spare.v[--t->spare.n];
	r = mem_alloc(sizeof *r);
	*r = (struct rcpt){ 0 };
	return r;
}

void
pool_give_rcpt(struct transaction *t, struct rcpt *take_r)
{
	struct rcpt *r = take_r;

	ruleset_unref(r->rules);
	if (t->spare.n == SPARES_KEPT || r->plan.d.cap > DELIVERIES_KEPT) {
		rcpt_free(r);
		return;
	}
	if (r->outcome && !r->spare.outcome) {
		tamis_outcome_reset(r->outcome);
		r->spare.outcome = r->outcome;
	} else {
		tamis_outcome_free(r->outcome);
	}
	*r = (struct rcpt){ .spare = r->spare, .plan.d = { r->plan.d.v, 0, r->plan.d.cap } };
	vec_push(&t->spare, r);
}

/* All that is not memory to be used again is as in a new one. */
static void
transaction_reset(struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		pool_give_rcpt(t, t->rcpt.v[i]);
	t->rcpt.n = 0;
	if (t->rcpt.cap > RCPTS_KEPT)
		vec_done(&t->rcpt);
	tamis_message_reset(t->message);
	spool_reset(&t->body);
	buf_reset(&t->header);
	if (t->header.cap > HEADER_KEPT)
		buf_done(&t->header);
	arena_reset(&t->arena);
	setup_unref(t->setup);
	*t = (struct transaction){
		.arena = t->arena, .message = t->message, .header = t->header, .body = t->body,
		.rcpt = { t->rcpt.v, t->rcpt.n, t->rcpt.cap }, .spare = { t->spare.v, t->spare.n, t->spare.cap },
	};
}

void
pool_init(struct pool *p)
{
	p->n = 0;
	pthread_mutex_init(&p->lock, NULL);
}

void
pool_done(struct pool *p)
{
	while (p->n)
		transaction_free(p->spare[--p->n]);
	pthread_mutex_destroy(&p->lock);
}

struct transaction *
pool_take(struct pool *p)
{
	struct transaction *t = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->n)
		t = p->spare[--p->n];
	pthread_mutex_unlock(&p->lock);
	return t ? t : transaction_new();
}

void
pool_give(struct pool *p, struct transaction *take_t)
{
	bool kept;

	transaction_reset(take_t);
	pthread_mutex_lock(&p->lock);
	kept = p->n < POOL_SPARES;
	if (kept)
		p->spare[p->n++] = take_t;
	pthread_mutex_unlock(&p->lock);
	if (!kept)
		transaction_free(take_t);
}
