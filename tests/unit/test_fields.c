/* test_fields.c - how one header becomes another
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A server is played that numbers its fields as Postfix does (what was
 * deleted does not count) or as one that does not forget them: both must come
 * to the header that was wanted. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "milter/fields.h"

enum { FIELDS = 64 };

struct server {
	char *field[FIELDS];
	bool gone[FIELDS];
	size_t n;
	bool counts_gone;
	unsigned edits;
};

static void
server_put(struct server *s, size_t at, const char *name, const char *value)
{
	struct buf b = { 0 };

	ck_assert_uint_lt(s->n, FIELDS);
	memmove(&s->field[at + 1], &s->field[at], (s->n - at) * sizeof *s->field);
	memmove(&s->gone[at + 1], &s->gone[at], (s->n - at) * sizeof *s->gone);
	buf_printf(&b, "%s:%s", name, value);
	s->field[at] = b.s;
	s->gone[at] = false;
	s->n++;
	s->edits++;
}

static int
server_insert(void *ctx, const char *name, const char *value)
{
	server_put(ctx, 0, name, value);
	return 0;
}

static int
server_append(void *ctx, const char *name, const char *value)
{
	struct server *s = ctx;

	server_put(s, s->n, name, value);
	return 0;
}

static int
server_delete(void *ctx, const char *name, int index)
{
	struct server *s = ctx;

	s->edits++;
	for (size_t i = 0; i < s->n; i++) {
		struct str at = str_from(s->field[i]);

		at.len = (size_t)(strchr(at.s, ':') - at.s);
		if (str_iis(at, name) && (s->counts_gone || !s->gone[i]) && --index == 0) {
			ck_assert(!s->gone[i]);
			s->gone[i] = true;
			return 0;
		}
	}
	ck_abort_msg("%s: there are not so many", name);
	return -1;
}

static void
server_tell(const struct server *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		for (const char *p = s->field[i]; !s->gone[i] && *p; p++) {
			if (*p == '\n')
				buf_putc(b, '\r');
			buf_putc(b, *p);
		}
		if (!s->gone[i])
			buf_puts(b, "\r\n");
		free(s->field[i]);
	}
}

static const struct {
	const char *before, *after;
	unsigned edits;
} headers[] = {
	{ "A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n", 0 },
	{ "A: 1\r\nB: 2\r\n", "X: 0\r\nA: 1\r\nB: 2\r\n", 1 },
	{ "A: 1\r\nB: 2\r\n", "Y: 1\r\nX: 0\r\nA: 1\r\nB: 2\r\nZ: 9\r\nW: 8\r\n", 4 },
	{ "A: 1\r\nA: 2\r\nA: 3\r\n", "A: 2\r\n", 2 },
	{ "A: 1\r\na: 2\r\nB: x\r\nA: 3\r\n", "B: x\r\nA: 3\r\n", 2 },
	{ "A: 1\r\nA: 2\r\n", "A: 2\r\nA: 1\r\n", 2 },
	{ "A: 1\r\nA: 1\r\nA: 1\r\n", "A: 1\r\n", 2 },
	{ "A: folded\r\n\tvalue\r\nB: 2\r\n", "B: 2\r\n", 1 },
	{ "B: 2\r\n", "A: folded\r\n\tvalue\r\nB: 2\r\n", 1 },
	{ "A: 1\r\nB: 2\r\n", "", 2 },
	{ "", "A: 1\r\n", 1 },
	{ "A:no blank\r\nB:odd\r\n", "A:no blank\r\nX: 1\r\n", 2 },
};

START_TEST(fields_become)
{
	struct server s = { .counts_gone = _i & 1 };
	const struct mta mta = {
		.ctx = &s, .insert_field = server_insert, .append_field = server_append, .delete_field = server_delete,
	};
	struct str rest = str_from(headers[_i / 2].before), name, value;
	struct buf b = { 0 };

	while (rest.len) {
		struct str field = rest;

		ck_assert(fields_next(&rest, &name, &value));
		field.len -= rest.len;
		buf_reset(&b);
		for (size_t i = 0; i < field.len; i++)
			if (field.s[i] != '\r' && i + 1 < field.len)
				buf_putc(&b, field.s[i]);
		buf_str(&b);
		*strchr(b.s, ':') = '\0';
		server_put(&s, s.n, b.s, b.s + strlen(b.s) + 1);
	}
	s.edits = 0;
	ck_assert_int_eq(fields_change(&mta, str_from(headers[_i / 2].before), str_from(headers[_i / 2].after)), 0);
	buf_reset(&b);
	server_tell(&s, &b);
	ck_assert_str_eq(buf_str(&b).s, headers[_i / 2].after);
	ck_assert_uint_eq(s.edits, headers[_i / 2].edits);
	buf_done(&b);
}
END_TEST

START_TEST(fields_named)
{
	struct str header = str_from("Received: x\r\nSubject: one\r\n two \r\nsubject: other\r\n\r\n"), value = STR_EMPTY;

	ck_assert(fields_first(header, "subject", &value));
	ck_assert(str_is(value, "one\r\n two"));
	ck_assert(!fields_first(header, "sub", &value));
	ck_assert(!fields_first(STR_EMPTY, "subject", &value));
}
END_TEST

/* A sender may write very many fields; rules that delete some of them take no minute. */
static int
count_delete(void *ctx, const char *name, int index)
{
	unsigned *n = ctx;

	(void)name;
	ck_assert_int_eq(index, (int)(20000 - *n));
	++*n;
	return 0;
}

START_TEST(very_many)
{
	struct buf before = { 0 }, after = { 0 };
	unsigned deleted = 0;
	const struct mta mta = { .ctx = &deleted, .delete_field = count_delete };

	for (int i = 0; i < 20000; i += 2) {
		buf_printf(&before, "X:%d\r\nx :%d\r\nY:%d\r\nY:%d\r\n", i, i + 1, i, i + 1);
		buf_printf(&after, "Y:%d\r\nY:%d\r\n", i, i + 1);
	}
	ck_assert_int_eq(fields_change(&mta, buf_str(&before), buf_str(&after)), 0);
	ck_assert_uint_eq(deleted, 20000);
	buf_done(&before);
	buf_done(&after);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fields");
	TCase *t = tcase_create("fields");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, fields_become, 0, 2 * (int)(sizeof(headers) / sizeof(*headers)));
	tcase_add_test(t, fields_named);
	tcase_add_test(t, very_many);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
