/* pool.h - transactions that are over, with their memory, for messages to come
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection that waits for its client holds none: so many idle connections cost little, and a busy one does not ask
 * malloc for each message. */
#ifndef MILTER_POOL_H
#define MILTER_POOL_H

#include <pthread.h>
#include <stddef.h>

enum { POOL_SPARES = 256 };

struct transaction;
struct rcpt;

struct pool {
	pthread_mutex_t lock;
	struct transaction *spare[POOL_SPARES];
	size_t n;                       /* under the lock, as they are */
};

void pool_init(struct pool *);
void pool_done(struct pool *);
/* An empty one, with a message. */
struct transaction *pool_take(struct pool *);
/* Forgets what is of the message. */
void pool_give(struct pool *, struct transaction *take_t);
/* An empty recipient of that message, who is none of its list yet. */
struct rcpt *pool_take_rcpt(struct transaction *);
void pool_give_rcpt(struct transaction *, struct rcpt *take_r);

#endif
