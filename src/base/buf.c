/* buf.c - a growing string, and a growing array
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

enum { BUF_FIRST = 64, VEC_FIRST = 8 };

void
buf_done(struct buf *b)
{
	if (!b)
		return;
	if (!b->lent)
		free(b->s);
	*b = (struct buf){ 0 };
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
}

char *
buf_more_(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : BUF_FIRST;

	if (__builtin_add_overflow(b->len, n, &need) || need >= SIZE_MAX / 2)
		abort();
	if (need >= b->cap) {
		while (cap <= need)
			cap *= 2;
		b->s = b->lent ? memcpy(mem_alloc(cap), b->s, b->len) : mem_realloc(b->s, cap);
		b->cap = cap;
		b->lent = false;
	}
	return b->s + b->len;
}

void
buf_add(struct buf *b, struct str v)
{
	if (!v.len)
		return;
	memcpy(buf_room(b, v.len), v.s, v.len);
	b->len += v.len;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, str_from(s));
}

void
buf_putc(struct buf *b, char c)
{
	if (b->len + 1 >= b->cap)
		buf_room(b, 1);
	b->s[b->len++] = c;
}

void
buf_number(struct buf *b, uint64_t v)
{
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, (struct str){ p, (size_t)(digits + sizeof digits - p) });
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	size_t room = 64;
	va_list args;

	for (;;) {
		char *to = buf_room(b, room);
		int len;

		va_start(args, format);
		len = vsnprintf(to, room + 1, format, args);
		va_end(args);
		if (len < 0)            /* longer than INT_MAX */
			abort();
		if ((size_t)len <= room) {
			b->len += (size_t)len;
			return;
		}
		room = (size_t)len;
	}
}

struct str
buf_str(const struct buf *b)
{
	if (!b->s)
		return STR_EMPTY;
	b->s[b->len] = '\0';
	return (struct str){ b->s, b->len };
}

struct str
buf_copy(const struct buf *b, struct arena *a)
{
	return arena_str(a, buf_str(b));
}

/* The vector's own type is not known here: it is copied in and out. */
static void
vec_resize(void *vec, size_t item, size_t cap)
{
	VEC(void) any;
	size_t bytes;

	memcpy(&any, vec, sizeof any);
	if (__builtin_mul_overflow(cap, item, &bytes))
		abort();
	any.v = mem_realloc(any.v, bytes);
	any.cap = cap;
	memcpy(vec, &any, sizeof any);
}

void
vec_grow_(void *vec, size_t item)
{
	VEC(void) any;

	memcpy(&any, vec, sizeof any);
	if (__builtin_mul_overflow(any.cap, (size_t)2, &any.cap))
		abort();
	vec_resize(vec, item, any.cap ? any.cap : VEC_FIRST);
}

void
vec_reserve_(void *vec, size_t item, size_t n)
{
	VEC(void) any;

	memcpy(&any, vec, sizeof any);
	if (any.cap - any.n < n)
		vec_resize(vec, item, any.n + n);
}
