/* test_base_names.c - numbers for strings
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"

enum { MANY = 20000 };

START_TEST(empty)
{
	struct names t = { 0 };

	ck_assert_uint_eq(names_find(&t, STR("a")), NAMES_NONE);
	ck_assert_uint_eq(names_find(&t, STR_EMPTY), NAMES_NONE);
	names_done(&t);
}
END_TEST

START_TEST(numbered_as_they_come)
{
	struct names t = { 0 };

	ck_assert_uint_eq(names_add(&t, STR("b")), 0);
	ck_assert_uint_eq(names_add(&t, STR("a")), 1);
	ck_assert_uint_eq(names_add(&t, STR_EMPTY), 2);
	ck_assert_uint_eq(names_add(&t, STR("b")), 0);
	ck_assert_uint_eq(t.n, 3);
	ck_assert_uint_eq(names_find(&t, STR("a")), 1);
	ck_assert_uint_eq(names_find(&t, STR("A")), NAMES_NONE);
	ck_assert_uint_eq(names_find(&t, STR("ab")), NAMES_NONE);
	names_done(&t);
	ck_assert_uint_eq(names_find(&t, STR("a")), NAMES_NONE);
}
END_TEST

/* the table grows many times, and loses and renumbers nothing */
START_TEST(many)
{
	struct names t = { 0 };
	struct arena a = { 0 };
	char text[16];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "n%u", i);
		ck_assert_uint_eq(names_add(&t, arena_str(&a, str_from(text))), i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "n%u", i);
		ck_assert_uint_eq(names_find(&t, str_from(text)), i);
		ck_assert_uint_eq(names_add(&t, str_from(text)), i);
		snprintf(text, sizeof text, "m%u", i);
		ck_assert_uint_eq(names_find(&t, str_from(text)), NAMES_NONE);
	}
	ck_assert_uint_eq(t.n, MANY);
	names_done(&t);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base/names");
	TCase *names = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(names, empty);
	tcase_add_test(names, numbered_as_they_come);
	tcase_add_test(names, many);
	suite_add_tcase(suite, names);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
