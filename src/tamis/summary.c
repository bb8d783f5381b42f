/* summary.c - how often each of some texts came
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tamis/summary.h"

enum {
	ROWS_FIRST = 64,                /* a power of two */
	SUMMARY_MAX = 10000             /* different texts; memory stays flat over any mailbox */
};

void
summary_done(struct summary *s)
{
	free(s->row);
	arena_done(&s->arena);
	*s = (struct summary){ 0 };
}

static struct summary_row *
summary_find(struct summary_row *row, size_t cap, struct str v, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (row[i].count && !(row[i].hash == hash && str_eq(row[i].text, v)))
		i = (i + 1) & (cap - 1);
	return &row[i];
}

static void
summary_grow(struct summary *s)
{
	size_t cap = s->cap ? s->cap * 2 : ROWS_FIRST, i;
	struct summary_row *row = calloc(cap, sizeof(*row));

	if (!row)
		abort();
	for (i = 0; i < s->cap; i++)
		if (s->row[i].count)
			*summary_find(row, cap, s->row[i].text, s->row[i].hash) = s->row[i];
	free(s->row);
	s->row = row;
	s->cap = cap;
}

void
summary_add(struct summary *s, struct str v)
{
	uint64_t hash = str_hash(v, 0);
	struct summary_row *r;

	s->all++;
	if (s->n * 2 >= s->cap)
		summary_grow(s);
	r = summary_find(s->row, s->cap, v, hash);
	if (!r->count) {
		if (s->n >= SUMMARY_MAX) {
			s->other++;
			return;
		}
		s->n++;
		*r = (struct summary_row){ .text = arena_str(&s->arena, v), .hash = hash };
	}
	r->count++;
}

static int
summary_order(const void *a, const void *b)
{
	const struct summary_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return str_cmp(x->text, y->text);
}

/* The rows in order; the caller frees. */
static struct summary_row *
summary_sorted(const struct summary *s)
{
	struct summary_row *row = mem_alloc((s->n + 1) * sizeof(*row));
	size_t i, n = 0;

	for (i = 0; i < s->cap; i++)
		if (s->row[i].count)
			row[n++] = s->row[i];
	if (n)
		qsort(row, n, sizeof(*row), summary_order);
	return row;
}

const char *
summary_number(char to[32], size_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%zu", n), i, j = 0;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			to[j++] = ',';
		to[j++] = digits[i];
	}
	to[j] = '\0';
	return to;
}

static void
summary_line(const struct summary *s, size_t count, struct str text)
{
	char number[32];

	printf("%10s  %5.1f %%  %.*s\n", summary_number(number, count),
	       s->all ? 100.0 * (double)count / (double)s->all : 0.0, STR_ARG(text));
}

void
summary_print(const struct summary *s, const char *what)
{
	struct summary_row *row = summary_sorted(s);
	char number[32];
	size_t i;

	for (i = 0; i < s->n; i++)
		summary_line(s, row[i].count, row[i].text);
	if (s->other)
		summary_line(s, s->other, STR("(others)"));
	printf("%10s           %s\n", summary_number(number, s->all), what);
	free(row);
}

json_t *
summary_json(const struct summary *s, const char *key)
{
	struct summary_row *row = summary_sorted(s);
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < s->n; i++) {
		o = json_object();
		json_put(o, "count", json_integer((json_int_t)row[i].count));
		json_put(o, key, json_text(row[i].text));
		json_array_append_new(list, o);
	}
	free(row);
	return list;
}
