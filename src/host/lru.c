/* lru.c - a bounded store of counted things by their key
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "host/lru.h"

enum { SLOTS_MOST = 1 << 20 };

struct node {
	uint64_t hash;
	void *value;
	struct node *next;              /* of the same slot */
	struct node *newer, *older;
	size_t len;
	char key[];
};

struct lru {
	atomic_uint count;
	pthread_mutex_t lock;
	void *(*ref)(void *), *(*unref)(void *);
	struct node **slot;
	size_t mask, n, max, weight, heaviest;
	size_t (*weigh)(const void *);  /* NULL: only their number counts */
	uint64_t seed;
	struct node *newest, *oldest;
};

struct lru *
lru_new(size_t max, void *(*ref)(void *), void *(*unref)(void *))
{
	struct lru *l = mem_alloc(sizeof(*l));
	size_t slots = 64;

	while (slots < max && slots < SLOTS_MOST)
		slots *= 2;
	*l = (struct lru){ .ref = ref, .unref = unref, .mask = slots - 1, .max = max ? max : 1,
		.seed = str_seed() };
	atomic_init(&l->count, 1);
	pthread_mutex_init(&l->lock, NULL);
	l->slot = memset(mem_alloc(slots * sizeof(*l->slot)), 0, slots * sizeof(*l->slot));
	return l;
}

void
lru_weigh(struct lru *l, size_t most, size_t (*weight)(const void *))
{
	l->heaviest = most;
	l->weigh = weight;
}

static size_t
lru_weight(const struct lru *l, const void *value)
{
	return l->weigh ? l->weigh(value) : 0;
}

struct lru *
lru_ref(struct lru *l)
{
	atomic_fetch_add(&l->count, 1);
	return l;
}

struct lru *
lru_unref(struct lru *l)
{
	struct node *n, *next;

	if (!l || atomic_fetch_sub(&l->count, 1) > 1)
		return NULL;
	for (n = l->newest; n; n = next) {
		next = n->older;
		l->unref(n->value);
		free(n);
	}
	free(l->slot);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

/* Where the node with that key hangs, or would. */
static struct node **
lru_at(struct lru *l, uint64_t hash, struct str key)
{
	struct node **at = &l->slot[hash & l->mask];

	while (*at && ((*at)->hash != hash || !str_eq((struct str){ (*at)->key, (*at)->len }, key)))
		at = &(*at)->next;
	return at;
}

static struct node *
node_new(uint64_t hash, struct str key, void *take_value)
{
	struct node *n = mem_alloc(sizeof(*n) + key.len);

	*n = (struct node){ .hash = hash, .value = take_value, .len = key.len };
	memcpy(n->key, key.s, key.len);
	return n;
}

static void
lru_take_out(struct lru *l, struct node *n)
{
	*(n->newer ? &n->newer->older : &l->newest) = n->older;
	*(n->older ? &n->older->newer : &l->oldest) = n->newer;
}

static void
lru_put_first(struct lru *l, struct node *n)
{
	n->newer = NULL;
	n->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = n;
	l->newest = n;
}

void *
lru_find(struct lru *l, struct str key)
{
	uint64_t hash = str_hash(key, l->seed);
	struct node *n;
	void *ret = NULL;

	pthread_mutex_lock(&l->lock);
	n = *lru_at(l, hash, key);
	if (n) {
		lru_take_out(l, n);
		lru_put_first(l, n);
		ret = l->ref(n->value);
	}
	pthread_mutex_unlock(&l->lock);
	return ret;
}

static struct node *
lru_cut(struct lru *l, struct node **at)
{
	struct node *n = *at;

	*at = n->next;
	lru_take_out(l, n);
	l->weight -= lru_weight(l, n->value);
	l->n--;
	return n;
}

/* Those that are one too many, or too heavy, but for the newest: to be freed outside of the lock. */
static struct node *
lru_evict(struct lru *l)
{
	struct node *out = NULL, *n;

	while (l->n > l->max || (l->n > 1 && l->weight > l->heaviest)) {
		n = lru_cut(l, lru_at(l, l->oldest->hash, (struct str){ l->oldest->key, l->oldest->len }));
		n->next = out;
		out = n;
	}
	return out;
}

static void
lru_free(struct lru *l, struct node *out)
{
	struct node *next;

	for (; out; out = next) {
		next = out->next;
		l->unref(out->value);
		free(out);
	}
}

bool
lru_put(struct lru *l, struct str key, void *take_value)
{
	uint64_t hash = str_hash(key, l->seed);
	struct node **at, *n, *out;
	void *old = NULL;
	bool fresh;

	pthread_mutex_lock(&l->lock);
	at = lru_at(l, hash, key);
	n = *at;
	fresh = !n;
	if (n) {
		old = n->value;
		l->weight -= lru_weight(l, old);
		n->value = take_value;
		lru_take_out(l, n);
	} else {
		*at = n = node_new(hash, key, take_value);
		l->n++;
	}
	l->weight += lru_weight(l, take_value);
	lru_put_first(l, n);
	out = lru_evict(l);
	pthread_mutex_unlock(&l->lock);
	if (old)
		l->unref(old);
	lru_free(l, out);
	return fresh;
}

void
lru_drop(struct lru *l, struct str key)
{
	uint64_t hash = str_hash(key, l->seed);
	struct node **at, *out = NULL;

	pthread_mutex_lock(&l->lock);
	at = lru_at(l, hash, key);
	if (*at) {
		out = lru_cut(l, at);
		out->next = NULL;
	}
	pthread_mutex_unlock(&l->lock);
	lru_free(l, out);
}

size_t
lru_count(struct lru *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}
