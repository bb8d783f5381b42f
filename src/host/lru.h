/* lru.h - a bounded store of counted things by their key; what was not used for longest goes first
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads may share one.  It holds a reference to each value; who finds one gets a reference of his own.  Keys
 * are copied; nobody can choose some that collide (str_hash). */
#ifndef HOST_LRU_H
#define HOST_LRU_H

#include "base/str.h"

struct lru;

/* ref returns what it is given; unref returns NULL. */
struct lru *lru_new(size_t max, void *(*ref)(void *), void *(*unref)(void *));
/* Together they may weigh no more than that. */
void lru_weigh(struct lru *, size_t most, size_t (*weight)(const void *));
struct lru *lru_ref(struct lru *);
struct lru *lru_unref(struct lru *);
/* A reference, or NULL. */
void *lru_find(struct lru *, struct str key);
/* In the place of what was there, if anything was: then false. */
bool lru_put(struct lru *, struct str key, void *take_value);
void lru_drop(struct lru *, struct str key);
size_t lru_count(struct lru *);

#endif
