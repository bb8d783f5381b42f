/* arena.c - memory that is given back all at once
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

#if ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { GAP = 16 };              /* after each allocation, never readable */
#else
#define poison(p, n) ((void)0)
#define unpoison(p, n) ((void)0)
enum { GAP = 0 };
#endif

enum {
	CHUNK_FIRST = 1008,     /* with its head no more than what malloc has at hand without a lock */
	CHUNK_MOST = 1 << 20,   /* chunks double up to here */
	CHUNK_KEEP = 1 << 18,   /* a larger one is not kept over a reset */
};

struct arena_chunk {
	_Alignas(16) struct arena_chunk *next;
	size_t size;            /* of data */
	_Alignas(16) char data[];
};

struct arena_defer {
	struct arena_defer *next;
	void (*fn)(void *);
	void *p;
};

static void
no_memory(void)
{
	fputs("out of memory\n", stderr);
	abort();
}

void *
mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		no_memory();
	return p;
}

void *
mem_realloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		no_memory();
	return p;
}

char *
mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(mem_alloc(size), s, size);
}

void
arena_init(struct arena *a, size_t budget)
{
	*a = (struct arena){ .budget = budget };
}

static struct arena_chunk *
chunk_new(size_t size)
{
	struct arena_chunk *c;

	if (size > SIZE_MAX - sizeof *c)
		no_memory();
	c = mem_alloc(sizeof *c + size);
	c->size = size;
	poison(c->data, size);
	return c;
}

static void
chunk_free(struct arena_chunk *c)
{
	unpoison(c->data, c->size);
	free(c);
}

static void
chunk_open(struct arena *a, struct arena_chunk *c)
{
	c->next = a->chunk;
	a->chunk = c;
	a->next = c->data;
	a->end = c->data + c->size;
}

/* What is large gets a chunk to itself, behind the current one, so that the
 * rest of that stays in use. */
static void *
alloc_apart(struct arena *a, size_t size)
{
	struct arena_chunk *c = chunk_new(size);

	c->next = a->chunk->next;
	a->chunk->next = c;
	a->used += size;
	return c->data;
}

void *
arena_more_(struct arena *a, size_t size)
{
	size_t taken, chunk;
	char *p;

	if (!size)
		size = 1;
	if (size > SIZE_MAX / 2)
		no_memory();
	taken = (size + GAP + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (!a->chunk)
		chunk_open(a, chunk_new(CHUNK_FIRST));
	if (taken > (size_t)(a->end - a->next)) {
		chunk = a->chunk->size * 2;
		if (chunk > CHUNK_MOST)
			chunk = CHUNK_MOST;
		if (taken > chunk / 4) {
			p = alloc_apart(a, taken);
			unpoison(p, size);
			return p;
		}
		chunk_open(a, chunk_new(chunk));
	}
	p = a->next;
	a->next += taken;
	a->used += taken;
	unpoison(p, size);
	return p;
}

static void
run_deferred(struct arena *a)
{
	while (a->defer) {
		struct arena_defer *d = a->defer;

		a->defer = d->next;
		d->fn(d->p);
	}
}

/* The chunk to go on with.  Who needed several will need as much again: one of the size of all of them, so that what
 * is reset again and again allocates nothing in the end. */
static struct arena_chunk *
chunk_kept(const struct arena *a)
{
	struct arena_chunk *largest = NULL;
	size_t all = 0;

	for (struct arena_chunk *c = a->chunk; c; c = c->next) {
		if (c->size <= CHUNK_KEEP && (!largest || c->size > largest->size))
			largest = c;
		all += c->size;
	}
	return !largest || all == largest->size || all > CHUNK_KEEP ? largest : chunk_new(all);
}

/* frees all chunks but `keep` */
static void
chunks_free(struct arena *a, const struct arena_chunk *keep)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->chunk; c; c = next) {
		next = c->next;
		if (c != keep)
			chunk_free(c);
	}
	*a = (struct arena){ .budget = a->budget };
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk *keep;

	run_deferred(a);
	keep = chunk_kept(a);
	chunks_free(a, keep);
	if (!keep)
		return;
	poison(keep->data, keep->size);
	chunk_open(a, keep);
}

void
arena_done(struct arena *a)
{
	if (!a)
		return;
	run_deferred(a);
	chunks_free(a, NULL);
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		no_memory();
	return arena_alloc(a, bytes);
}

void
arena_on_reset(struct arena *a, void (*fn)(void *), void *p)
{
	struct arena_defer *d = arena_alloc(a, sizeof *d);

	*d = (struct arena_defer){ .next = a->defer, .fn = fn, .p = p };
	a->defer = d;
}

struct str
arena_str(struct arena *a, struct str v)
{
	char *s = arena_alloc(a, v.len + 1);

	memcpy(s, v.s, v.len);
	s[v.len] = '\0';
	return (struct str){ s, v.len };
}

struct str
arena_lower(struct arena *a, struct str v)
{
	char *s = arena_alloc(a, v.len + 1);

	str_lower_into(s, v);
	s[v.len] = '\0';
	return (struct str){ s, v.len };
}

struct str
arena_printf(struct arena *a, const char *format, ...)
{
	char small[256], *s;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (len < 0)            /* longer than INT_MAX */
		no_memory();
	if ((size_t)len < sizeof small)
		return arena_str(a, (struct str){ small, (size_t)len });
	s = arena_alloc(a, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(s, (size_t)len + 1, format, args);
	va_end(args);
	return (struct str){ s, (size_t)len };
}

struct str
arena_join(struct arena *a, const struct str *parts, size_t n)
{
	size_t len = 0;
	char *s, *to;

	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(len, parts[i].len, &len))
			no_memory();
	s = to = arena_alloc(a, len + 1);
	for (size_t i = 0; i < n; i++)
		to = mempcpy(to, parts[i].s, parts[i].len);
	*to = '\0';
	return (struct str){ s, len };
}

/* into out, unless it is NULL */
static size_t
words_of(struct str v, struct str *out)
{
	size_t n = 0;

	while (v.len) {
		const char *space = memchr(v.s, ' ', v.len);
		size_t word = space ? (size_t)(space - v.s) : v.len;

		if (word && out)
			out[n] = str_sub(v, 0, word);
		n += word > 0;
		v = str_sub(v, space ? word + 1 : word, v.len);
	}
	return n;
}

size_t
arena_words(struct arena *a, const struct str *v, size_t n, struct str **ret)
{
	size_t i, words = 0;

	for (i = 0; i < n; i++)
		words += words_of(v[i], NULL);
	*ret = arena_array(a, words, sizeof **ret);
	words = 0;
	for (i = 0; i < n; i++)
		words += words_of(v[i], *ret + words);
	return words;
}
