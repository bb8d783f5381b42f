/* test_lang_source.c - where in a script something stands
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "lang/source.h"

enum { SIZE = 30000, STEP = 80 };

/* what texts are made of: short lines, long ones, characters of each length, bytes that are none */
static const struct {
	const char *word[6];
	unsigned newline;               /* one word in that many ends a line; 0: none */
} kinds[] = {
	{ { "keep;", "a", "stop; ", "x", " ", "\"b\"" }, 5 },
	{ { "keep;", "a", "stop; ", "x", " ", "\"b\"" }, 0 },
	{ { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a", "bc", "\xc3\xbc" }, 0 },
	{ { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a", "bc", "\xc3\xbc" }, 900 },
	{ { "\x80", "\xe2\x82", "\xf0\x9f\x98", "\xff", "a", "\xbf\xbf\xbf\xbf\xbf" }, 2000 },
	{ { "\x80", "\x80\x80", "\x81", "\x82", "\xbf", "\x9f" }, 0 },
};

static void
fill(struct source *s, char *text, int kind, unsigned seed)
{
	size_t n = 0;

	srand(seed);
	while (n < SIZE) {
		const char *word = kinds[kind].word[rand() % 6];

		n = (size_t)(stpcpy(text + n, word) - text);
		if (kinds[kind].newline && !(rand() % (int)kinds[kind].newline))
			text[n++] = '\n';
	}
	*s = (struct source){ .name = STR("x"), .text = { text, n } };
}

/* the marks change nothing but the time it takes */
START_TEST(marks)
{
	static char text[SIZE + 64];
	struct arena arena = { 0 };
	struct source plain, marked;

	for (unsigned seed = 0; seed < 3; seed++) {
		fill(&plain, text, _i, seed);
		marked = plain;
		source_marks(&marked, &arena);
		ck_assert_uint_gt(marked.nmarks, 0);
		for (uint32_t at = 0; at < plain.text.len; at += 1 + (uint32_t)rand() % STEP) {
			struct tamis_place one = source_place(&plain, SPAN(at, at + 3)), other = source_place(&marked, SPAN(at, at + 3));

			/* what begins in the middle of a character is no place */
			if (((unsigned char)text[at] & 0xc0) == 0x80 && _i < 4)
				continue;
			ck_assert_uint_eq(one.line, other.line);
			ck_assert_uint_eq(one.column, other.column);
			ck_assert_uint_eq(one.length, other.length);
		}
	}
	arena_done(&arena);
}
END_TEST

START_TEST(empty)
{
	struct arena arena = { 0 };
	struct source s = { .name = STR("x"), .text = STR_EMPTY };
	struct tamis_place p;

	source_marks(&s, &arena);
	p = source_place(&s, SPAN(0, 0));
	ck_assert_uint_eq(p.line, 1);
	ck_assert_uint_eq(p.column, 1);
	ck_assert_uint_eq(p.length, 1);
	arena_done(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lang/source");
	TCase *t = tcase_create("source");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, marks, 0, (int)(sizeof kinds / sizeof *kinds));
	tcase_add_test(t, empty);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
