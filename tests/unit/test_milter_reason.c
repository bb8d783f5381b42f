/* test_milter_reason.c - what of a reason SMTP can carry, and how several are told at once
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "milter_fixture.h"
#include "milter/reason.h"
#include "milter/transaction.h"

static const struct {
	const char *reason, *enhanced, *lines;
} reasons[] = {
	{ "no", "5.7.1", "no\n" },
	{ "5.1.1 no", "5.1.1", "no\n" },
	{ "5.7.123 no", "5.7.123", "no\n" },
	{ "5.123.456 no", "5.123.456", "no\n" },
	{ "5.7.1234 no", "5.7.1", "5.7.1234 no\n" },
	{ "4.7.1 no", "5.7.1", "4.7.1 no\n" },
	{ "2.0.0 no", "5.7.1", "2.0.0 no\n" },
	{ "55.1.1 no", "5.7.1", "55.1.1 no\n" },
	{ "5.1 no", "5.7.1", "5.1 no\n" },
	{ "5..1 no", "5.7.1", "5..1 no\n" },
	{ "5.1.1no", "5.7.1", "5.1.1no\n" },
	{ "5.1.1", "5.1.1", "not here\n" },
	{ "5.1.1\r\nno\r\n", "5.1.1", "no\n" },
	{ "5.1.1\tno\nnot here", "5.1.1", "no\nnot here\n" },
	{ "5.1.1\x07no", "5.7.1", "5.1.1?no\n" },
	{ "", "5.7.1", "not here\n" },
	{ " \r\n ", "5.7.1", "not here\n" },
	{ "n\xc3\xb6", "5.7.1", "not here\n" },
	{ "5.1.1 n\xc3\xb6", "5.1.1", "not here\n" },
	{ "n\xff", "5.7.1", "not here\n" },
	{ "one\ntwo\r\nthree\r\n", "5.7.1", "one\ntwo\nthree\n" },
	{ "one\n\ntwo", "5.7.1", "one\n\ntwo\n" },
	{ "bell\x07 cr\rx del\x7f", "5.7.1", "bell? cr?x del?\n" },
	{ "100 %s %d", "5.7.1", "100 %s %d\n" },
};

static void
reason_of(const char *text, struct verdict *v)
{
	const struct conf conf = { .refusal_text = "not here" };
	struct plan p = { .refuses = true, .reason = str_from(text) };

	reason_verdict(&conf, &p, v);
}

START_TEST(reason)
{
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	reason_of(reasons[_i].reason, &v);
	ck_assert_str_eq(v.enhanced, reasons[_i].enhanced);
	ck_assert_str_eq(buf_str(&v.lines).s, reasons[_i].lines);
	buf_done(&v.lines);
}
END_TEST

START_TEST(too_much)
{
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };
	struct buf b = { 0 };
	size_t lines = 0, longest = 0, at = 0;

	for (int i = 0; i < 40; i++)
		buf_printf(&b, "%d%0*d\n", i, 490 + i, 0);
	reason_of(buf_str(&b).s, &v);
	for (size_t i = 0; i < v.lines.len; i++) {
		if (v.lines.s[i] != '\n')
			continue;
		longest = i - at > longest ? i - at : longest;
		at = i + 1;
		lines++;
	}
	ck_assert_uint_eq(lines, 32);
	ck_assert_uint_eq(longest, 500);
	buf_done(&b);
	buf_done(&v.lines);
}
END_TEST

#define NO(x) " if header \"subject\" \"hi\" { ereject \"" x "\"; }\n"

static const struct {
	const char *name, *rules, *to, *expect;
} several[] = {
	{ "equal", "a" NO("no") "b" NO("no") "c discard;", "a b c", "550 5.7.1 no" },
	{ "equal, with a code", "a" NO("5.1.1 no") "b" NO("5.1.1 no"), "a b", "550 5.1.1 no" },
	{ "different", "a" NO("no") "b" NO("5.1.1 never"), "a b", "550 5.7.1 <a@example.org>:/no/<b@example.org>:/never" },
	{ "three, of which two are equal", "a" NO("no") "b" NO("never") "c" NO("no"), "a b c",
	  "550 5.7.1 <a@example.org>:/no/<b@example.org>:/never/<c@example.org>:/no" },
	{ "one that is no ASCII", "a" NO("n\xc3\xb6"), "a", "550 5.7.1 the recipient's rules refuse this message" },
	{ "refused at RCPT TO and late", "a ereject \"early\";\nb" NO("late"), "a b", "a: 550 5.7.1 early | 550 5.7.1 late" },
	{ "at RCPT TO twice", "a ereject \"early\";", "a a", "a: 550 5.7.1 early | a: 550 5.7.1 early | header: accept" },
	{ "of several lines", "a" NO("one${hex:0a}two"), "a", "550 5.7.1 one/two" },
};

START_TEST(several_refuse)
{
	rules(several[_i].rules);
	begin("");
	expect(several[_i].name, play(&(struct mail){ .to = several[_i].to }), several[_i].expect);
	end();
}
END_TEST

START_TEST(many_refuse)
{
	struct buf text = { 0 }, to = { 0 };
	size_t lines = 1;

	for (char c = 'a'; c <= 'z'; c++) {
		buf_printf(&text, "%c if header \"subject\" \"hi\" { ereject \"no %c\"; }\n", c, c);
		buf_printf(&to, "%c ", c);
	}
	rules(buf_str(&text).s);
	begin("");
	play(&(struct mail){ .to = buf_str(&to).s });
	for (size_t i = 0; i < recorder.said.len; i++)
		lines += recorder.said.s[i] == '/';
	ck_assert_uint_eq(lines, 32);
	ck_assert(str_starts(buf_str(&recorder.said), STR("550 5.7.1 <a@example.org>:/no a/<b@example.org>:/no b/")));
	buf_done(&text);
	buf_done(&to);
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_loop_test(t, reason, 0, COUNT(reasons));
	tcase_add_test(t, too_much);
	tcase_add_loop_test(t, several_refuse, 0, COUNT(several));
	tcase_add_test(t, many_refuse);
}

int
main(void)
{
	return milter_suite("milter/reason", tests);
}
