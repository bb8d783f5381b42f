/* arena.h - memory that is given back all at once
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Out of memory aborts the process.  Beyond the byte budget allocation goes
 * on, but arena_over() becomes true, and the owner ends its work at the next
 * convenient place.  Sanitizer builds poison what is not allocated. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifndef ARENA_POISONS
#define ARENA_POISONS 0
#endif

struct arena_chunk;
struct arena_defer;

struct arena {
	char *next, *end;               /* the free part of the current chunk */
	struct arena_chunk *chunk;
	struct arena_defer *defer;
	size_t used, budget;            /* bytes; budget 0: none */
	size_t held;                    /* bytes that what was deferred will free, as far as somebody counts them */
};

/* A zeroed struct arena is a valid, empty one. */
void arena_init(struct arena *, size_t budget);
/* Runs what was deferred, newest first; keeps one chunk for the next use. */
void arena_reset(struct arena *);
void arena_done(struct arena *);

#define ARENA_ALIGN ((size_t)16)
/* takes a new chunk, and does the poisoning */
void *arena_more_(struct arena *, size_t size);

/* Aligned for any type; not zeroed.  size 0 gives a valid pointer. */
static inline void *
arena_alloc(struct arena *a, size_t size)
{
#if !ARENA_POISONS
	/* what is left of a chunk is a multiple of ARENA_ALIGN; size 0 wraps */
	if (size - 1 < (size_t)(a->end - a->next)) {
		char *p = a->next;
		size_t taken = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);

		a->next += taken;
		a->used += taken;
		return p;
	}
#endif
	return arena_more_(a, size);
}

void *arena_zalloc(struct arena *, size_t size);
/* aborts if count * size overflows */
void *arena_array(struct arena *, size_t count, size_t size);
/* fn(p) is called when the arena is reset or done */
void arena_on_reset(struct arena *, void (*fn)(void *), void *p);
static inline bool
arena_over(const struct arena *a)
{
	return a->budget && a->used > a->budget;
}

/* Copies are followed by a NUL that is not counted. */
struct str arena_str(struct arena *, struct str);
struct str arena_lower(struct arena *, struct str);
struct str arena_printf(struct arena *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct str arena_join(struct arena *, const struct str *, size_t n);
/* The words between spaces of n strings: how many */
size_t arena_words(struct arena *, const struct str *, size_t n, struct str **ret);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/* malloc family that aborts */
void *mem_alloc(size_t);
void *mem_realloc(void *, size_t);
char *mem_strdup(const char *);

#endif
