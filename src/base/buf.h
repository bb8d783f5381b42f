/* buf.h - a growing string, and a growing array
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
	char *s;
	size_t len, cap;
	bool lent;                      /* s is an array of somebody else's */
};

/* A zeroed struct buf is a valid, empty one.  BUF_ON(array) asks malloc only for what does not fit into a char array,
 * which has to live as long. */
#define BUF_ON(array) { .s = (array), .cap = sizeof(array), .lent = true }
void buf_done(struct buf *);
void buf_reset(struct buf *);
void buf_add(struct buf *, struct str);
void buf_puts(struct buf *, const char *);
void buf_putc(struct buf *, char);
/* in decimal */
void buf_number(struct buf *, uint64_t);
void buf_printf(struct buf *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* room for n more bytes, and the NUL of buf_str(), at buf->s + buf->len */
char *buf_more_(struct buf *, size_t n);
static inline char *
buf_room(struct buf *b, size_t n)
{
	return n < b->cap - b->len ? b->s + b->len : buf_more_(b, n);
}
/* valid until the next change; NUL-terminated */
struct str buf_str(const struct buf *);
struct str buf_copy(const struct buf *, struct arena *);

/* VEC(type) { type *v; size_t n, cap; }: grows by doubling, malloc'ed */
#define VEC(type) struct { type *v; size_t n, cap; }
void vec_grow_(void *vec, size_t item);
void vec_reserve_(void *vec, size_t item, size_t n);
/* room for n more; what is not used costs addresses, no memory */
#define vec_reserve(vec, n) vec_reserve_((vec), sizeof *(vec)->v, (n))
#define vec_push(vec, ...) \
	(((vec)->n == (vec)->cap ? vec_grow_((vec), sizeof *(vec)->v) : (void)0), \
	 (vec)->v[(vec)->n++] = (__VA_ARGS__))
#define vec_done(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

#endif
