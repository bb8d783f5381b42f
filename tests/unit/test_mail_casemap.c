/* test_mail_casemap.c - the canonical form of i;unicode-casemap
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/casemap.h"

static const struct {
	const char *a, *b;              /* equal under the comparator */
} equal[] = {
	{ "", "" },
	{ "Hello, World 123 [`{", "hELLO, wORLD 123 [`{" },
	{ "caf\xc3\xa9", "CAF\xc3\x89" },
	{ "caf\xc3\xa9", "Cafe\xcc\x81" },              /* composed and not */
	{ "\xc7\x84\xc7\x86", "\xc7\x85\xc7\x85" },     /* DZ with caron: capital, small, title */
	{ "\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\x9f\xd0\xa0\xd0\x98" },
	{ "\xef\xbc\xa1\xef\xbd\x82", "aB" },           /* full width */
	{ "\xe2\x84\xab", "\xc3\xa5" },                 /* angstrom sign */
	{ "\xe1\xba\x9b\xcc\xa3", "\xe1\xb9\xa0\xcc\xa3" },     /* long s with dot above */
	{ "\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" },     /* Hangul */
	{ "\xcf\x82", "\xce\xa3" },                     /* final sigma */
	{ "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },     /* Deseret */
	{ "x\xff\xc3Y", "X\xff\xc3y" },                 /* not UTF-8 */
	{ "\xe9\x80", "\xe9\x80" },
};

START_TEST(equals)
{
	struct arena a = { 0 };
	struct str x = casemap_unicode(&a, str_from(equal[_i].a)), y = casemap_unicode(&a, str_from(equal[_i].b));

	ck_assert_msg(str_eq(x, y), "%.*s is not %.*s", STR_ARG(x), STR_ARG(y));
	arena_done(&a);
}
END_TEST

static const struct {
	const char *a, *b;
} different[] = {
	{ "a", "b" },
	{ "e", "\xc3\xa9" },
	{ "ss", "\xc3\x9f" },                           /* title case of one character only */
	{ "i", "\xc4\xb1" "x" },
	{ "\xef\xac\x81n", "FIN" },                     /* the ligature fi: case comes before decomposition */
	{ "\xe9", "\xc9" },                             /* bytes have no case */
};

START_TEST(differs)
{
	struct arena a = { 0 };

	ck_assert(!str_eq(casemap_unicode(&a, str_from(different[_i].a)), casemap_unicode(&a, str_from(different[_i].b))));
	arena_done(&a);
}
END_TEST

/* What is part of a text is part of its form, wherever it stands. */
START_TEST(parts)
{
	struct arena a = { 0 };
	struct str hay = casemap_unicode(&a, STR("abc \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 in \xff z"));

	ck_assert_int_ge(str_find(hay, casemap_unicode(&a, STR("\xd1\x80\xd0\xb8\xd0\x92"))), 0);
	ck_assert_int_ge(str_find(hay, casemap_unicode(&a, STR("iN \xff Z"))), 0);
	ck_assert_int_lt(str_find(hay, casemap_unicode(&a, STR("\xd1\x80\xd0\x92"))), 0);
	arena_done(&a);
}
END_TEST

/* Every character, in one long text and by itself: what is kept of one must
 * not be taken for another. */
START_TEST(all_characters)
{
	struct arena a = { 0 };
	struct buf text = { 0 }, forms = { 0 };
	struct str all;

	for (uint32_t code = 1; code < 0x110000; code += code < 0x3000 ? 1 : 37) {
		char s[4];
		struct str one = { s, utf8_put(s, code) };

		if (!one.len)
			continue;
		buf_add(&text, one);
		buf_add(&forms, casemap_unicode(&a, one));
		ck_assert_int_lt(utf8_check(buf_str(&forms)), 0);
		arena_reset(&a);
		if (text.len > 4000) {
			all = casemap_unicode(&a, buf_str(&text));
			ck_assert(str_eq(all, buf_str(&forms)));
			buf_reset(&text);
			buf_reset(&forms);
		}
	}
	buf_done(&text);
	buf_done(&forms);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/casemap");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_loop_test(c, equals, 0, sizeof equal / sizeof *equal);
	tcase_add_loop_test(c, differs, 0, sizeof different / sizeof *different);
	tcase_add_test(c, parts);
	tcase_add_test(c, all_characters);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
