/* pool.c - transactions that are over, with their memory, for messages to come
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pool.h"

#include <stdlib.h>

#include "milter/transaction.h"

enum { HEADER_KEPT = 64 * 1024, RCPTS_KEPT = 100 };     /* more than that is given back */

static struct transaction *
transaction_new(void)
{
	struct transaction *t = mem_alloc(sizeof *t);

	*t = (struct transaction){ .message = tamis_message_new() };
	arena_init(&t->arena, 0);
	spool_init(&t->body);
	return t;
}

static struct transaction *
transaction_free(struct transaction *t)
{
	if (t) {
		vec_done(&t->rcpt);
		tamis_message_free(t->message);
		spool_done(&t->body);
		buf_done(&t->header);
		arena_done(&t->arena);
		free(t);
	}
	return NULL;
}

void
pool_free_rcpt(struct rcpt *take_r)
{
	struct rcpt *r = take_r;

	plan_done(&r->plan);
	tamis_outcome_free(r->outcome);
	tamis_recipient_free(r->recipient);
	ruleset_unref(r->rules);
	free(r);
}

/* All that is not memory to be used again is as in a new one. */
static void
transaction_reset(struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		pool_free_rcpt(t->rcpt.v[i]);
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
		.rcpt = { t->rcpt.v, t->rcpt.n, t->rcpt.cap },
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
