/* test_mail_message.c - splitting, indexing, unfolding, encoded words
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "mail/header.h"

#define ck_str(value, literal) \
	do { \
		struct str v_ = (value); \
		ck_assert_msg(str_is(v_, literal), "\"%.*s\" is not \"%s\"", STR_ARG(v_), literal); \
	} while (0)

static struct field *
find(struct message *m, const char *name)
{
	return message_field(m, str_from(name), str_hash_seeded(str_from(name)));
}

/* --- splitting */

static const struct {
	const char *raw, *header, *body;
} splits[] = {
	{ "", "", "" },
	{ "\n", "\n", "" },
	{ "\r\nx", "\r\n", "x" },
	{ "A: b", "A: b", "" },
	{ "A: b\n", "A: b\n", "" },
	{ "A: b\n\nbody", "A: b\n\n", "body" },
	{ "A: b\r\n\r\nbody\r\n", "A: b\r\n\r\n", "body\r\n" },
	{ "A: b\r\nC: d\n\r\nbody", "A: b\r\nC: d\n\r\n", "body" },
	{ "A: b\n c\n\td\n\nbody", "A: b\n c\n\td\n\n", "body" },
	{ "A: b\n \n\nbody", "A: b\n \n\n", "body" },
	{ "A: b\nno field here\nC: d\n\nx", "A: b\n", "no field here\nC: d\n\nx" },
	{ "just text\nmore", "", "just text\nmore" },
	{ " A: b\n\nx", "", " A: b\n\nx" },
	{ ": b\n\nx", "", ": b\n\nx" },
	{ "A :b\n\nx", "A :b\n\n", "x" },
	{ "A\t :b\n\nx", "A\t :b\n\n", "x" },
	{ "A b: c\n\nx", "", "A b: c\n\nx" },
	{ "From joe Mon Jan  1 00:00:00 2024\nA: b\n\nx", "A: b\n\n", "x" },
	{ "From : joe\n\nx", "From : joe\n\n", "x" },
	{ "From joe", "", "" },
	{ "A: b\rC: d\n\nx", "A: b\rC: d\n\n", "x" },
	{ "A: b\n\rx\n", "A: b\n", "\rx\n" },
	{ "\xc3\x9c: b\n\nx", "\xc3\x9c: b\n\n", "x" },
};

START_TEST(split)
{
	struct str header, body;

	message_split(str_from(splits[_i].raw), &header, &body);
	ck_str(header, splits[_i].header);
	ck_str(body, splits[_i].body);
}
END_TEST

START_TEST(wire_size)
{
	ck_assert_uint_eq(message_wire_size(STR("")), 0);
	ck_assert_uint_eq(message_wire_size(STR("\n")), 2);
	ck_assert_uint_eq(message_wire_size(STR("a\nb\r\nc\r\r\n\n")), 12);
	ck_assert_uint_eq(message_wire_size(STR("a\rb")), 3);
}
END_TEST

/* --- index */

START_TEST(same_names_top_to_bottom)
{
	struct message m;
	struct field *f;

	message_init(&m);
	message_set_header(&m, STR("Received: 1\nSubject: s\nRECEIVED: 2\nreceived : 3\n\n"));
	f = find(&m, "received");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->nsame, 3);
	ck_str(field_value(&m, f)->v, "1");
	ck_assert_uint_eq(f->position, 0);
	f = f->same;
	ck_str(field_value(&m, f)->v, "2");
	ck_str(f->name, "received");
	ck_str(f->whole, "RECEIVED: 2\n");
	ck_str(f->raw, " 2\n");
	f = f->same;
	ck_str(field_value(&m, f)->v, "3");
	ck_assert_uint_eq(f->position, 3);
	ck_assert_ptr_null(f->same);
	ck_assert_ptr_null(find(&m, "received "));
	ck_assert_ptr_null(find(&m, ""));
	ck_assert_uint_eq(m.nfields, 4);
	message_done(&m);
}
END_TEST

/* A later header replaces the first; nothing of the old index is found. */
START_TEST(header_replaced)
{
	struct message m;

	message_init(&m);
	ck_assert_ptr_null(find(&m, "a"));
	message_set_header(&m, STR("A: 1\n"));
	ck_assert_ptr_nonnull(find(&m, "a"));
	message_set_header(&m, STR("B: 1\n"));
	ck_assert_ptr_null(find(&m, "a"));
	ck_assert_ptr_nonnull(find(&m, "b"));
	message_reset(&m);
	ck_assert_ptr_null(find(&m, "b"));
	message_done(&m);
}
END_TEST

START_TEST(nul_is_kept)
{
	static const char raw[] = "A: x\0y\n\nb\0c";
	struct message m;
	struct str header, body;

	message_split((struct str){ raw, sizeof raw - 1 }, &header, &body);
	message_init(&m);
	message_set_header(&m, header);
	ck_assert(str_eq(field_value(&m, find(&m, "a"))->v, (struct str){ "x\0y", 3 }));
	ck_assert(str_eq(body, (struct str){ "b\0c", 3 }));
	message_done(&m);
}
END_TEST

START_TEST(facts)
{
	struct message m;
	struct cell *one;

	message_init(&m);
	ck_assert_ptr_null(message_fact(&m, STR("helo")));
	message_set_fact(&m, STR("helo"), STR("a.example"));
	message_set_fact(&m, STR("auth"), STR(""));
	one = message_fact(&m, STR("helo"));
	ck_str(one->v, "a.example");
	one->form[CELL_ASCII] = STR("folded");
	message_set_fact(&m, STR("helo"), STR("b.example"));
	ck_assert_ptr_eq(message_fact(&m, STR("helo")), one);
	ck_str(one->v, "b.example");
	ck_assert_ptr_null(one->form[CELL_ASCII].s);
	ck_str(message_fact(&m, STR("auth"))->v, "");
	message_done(&m);
}
END_TEST

/* More than LIMIT_FIELDS fields, all of one name and each of its own: the time
 * must not grow with the square. */
START_TEST(field_limit)
{
	enum { N = LIMIT_FIELDS + 10 };
	struct buf b = { 0 };
	struct message m;
	unsigned i;

	for (i = 0; i < N; i++) {
		if (_i)
			buf_printf(&b, "x-%u: %u\n", i, i);
		else
			buf_printf(&b, "x: %u\n", i);
	}
	message_init(&m);
	message_set_header(&m, buf_str(&b));
	if (_i) {
		ck_str(field_value(&m, find(&m, "x-99999"))->v, "99999");
		ck_assert_ptr_null(find(&m, "x-100000"));
	} else {
		ck_assert_uint_eq(find(&m, "x")->nsame, LIMIT_FIELDS);
		ck_str(field_value(&m, find(&m, "x"))->v, "0");
	}
	ck_assert_uint_eq(m.nfields, LIMIT_FIELDS);
	ck_assert_uint_ge(m.work, b.len / 64);
	message_done(&m);
	buf_done(&b);
}
END_TEST

/* --- values */

static const struct {
	const char *raw, *plain;
} folds[] = {
	{ "A:\n", "" },
	{ "A: \t \r\n", "" },
	{ "A: one \r\n", "one" },
	{ "A: one\n two\n", "one two" },
	{ "A: one\r\n\ttwo\r\n  three\r\n", "one\ttwo  three" },
	{ "A:\r\n one\r\n", "one" },
	{ "A: one\r\n \r\n two\r\n", "one  two" },
	{ "A: one\rtwo\r\n", "one\rtwo" },
	{ "A: a:b\n", "a:b" },
};

START_TEST(unfolding)
{
	struct message m;
	struct field *f;

	message_init(&m);
	message_set_header(&m, str_from(folds[_i].raw));
	f = find(&m, "a");
	ck_str(field_plain(&m, f)->v, folds[_i].plain);
	ck_str(field_value(&m, f)->v, folds[_i].plain);
	ck_assert_ptr_eq(field_value(&m, f), f->value);
	message_done(&m);
}
END_TEST

START_TEST(one_line_is_not_copied)
{
	static const char raw[] = "Subject: hello\n";
	struct message m;

	message_init(&m);
	message_set_header(&m, str_from(raw));
	ck_assert_ptr_eq(field_value(&m, find(&m, "subject"))->v.s, raw + 9);
	message_done(&m);
}
END_TEST

START_TEST(added_field)
{
	struct message m;
	struct field *f;

	message_init(&m);
	f = field_new(&m.arena, STR("X-New"), STR(" =?utf-8?q?a?= "));
	ck_str(f->name, "x-new");
	ck_str(field_value(&m, f)->v, "=?utf-8?q?a?=");
	ck_assert_int_eq(field_addresses(&m, f), 1);
	message_done(&m);
}
END_TEST

START_TEST(names)
{
	ck_assert(header_name_ok(STR("X-Spam_Flag!")));
	ck_assert(!header_name_ok(STR("")));
	ck_assert(!header_name_ok(STR("a b")));
	ck_assert(!header_name_ok(STR("a:")));
	ck_assert(!header_name_ok(STR("a\n")));
	ck_assert(!header_name_ok(STR("\x7f")));
	ck_assert(!header_name_ok(STR("\xc3\x9c")));
	ck_assert(!header_name_ok((struct str){ "a\0b", 3 }));
}
END_TEST

/* --- encoded words */

static const struct {
	const char *raw, *decoded;
} words[] = {
	{ "plain", "plain" },
	{ "=?", "=?" },
	{ "a =? b", "a =? b" },
	{ "=?utf-8?Q?caf=C3=A9?=", "caf\xc3\xa9" },
	{ "=?UTF-8?q?a_b=20c?=", "a b c" },
	{ "=?utf-8?B?Y2Fmw6k=?=", "caf\xc3\xa9" },
	{ "=?utf-8?B?Y2Fmw6k?=", "caf\xc3\xa9" },
	{ "=?us-ascii?Q?x?= y =?us-ascii?Q?z?=", "x y z" },
	{ "a =?utf-8?q?b?= c", "a b c" },
	/* between words the blanks go, other text stays (RFC 2047 6.2) */
	{ "=?utf-8?q?a?= =?utf-8?q?b?=", "ab" },
	{ "=?utf-8?q?a?=\t \t=?iso-8859-1?q?=E9?=", "a\xc3\xa9" },
	{ "=?utf-8?q?a?=  b  =?utf-8?q?c?=", "a  b  c" },
	{ "=?utf-8?q?a_?= =?utf-8?q?_b?=", "a  b" },
	{ "(=?utf-8?q?a?=)", "(a)" },
	{ "x=?utf-8?q?a?=y", "xay" },
	/* a character split over two words */
	{ "=?utf-8?B?w4M=?= =?utf-8?B?w6nD?= =?UTF-8?B?qQ==?=", "\xc3\x83\xc3\xa9\xc3\xa9" },
	{ "=?utf-8?Q?=C3?= =?utf-8?B?qQ==?=", "\xc3\xa9" },
	{ "=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88" },
	{ "=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
	{ "=?gb2312?B?xOO6ww==?=", "\xe4\xbd\xa0\xe5\xa5\xbd" },
	{ "=?windows-1252?Q?=93x=94?=", "\xe2\x80\x9cx\xe2\x80\x9d" },
	{ "=?iso-8859-1?Q?=80?=", "\xe2\x82\xac" },
	{ "=?iso-8859-2?Q?=B1?=", "\xc4\x85" },
	{ "=?big5?B?p0Gmbg==?=", "\xe4\xbd\xa0\xe5\xa5\xbd" },
	{ "=?euc-kr?B?vsiz5w==?=", "\xec\x95\x88\xeb\x85\x95" },
	{ "=?shift_jis?B?g2WDWINn?=", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88" },
	{ "=?utf-16be?B?ACE=?=", "!" },
	/* language (RFC 2231 5) */
	{ "=?us-ascii*en?Q?hi?=", "hi" },
	{ "=?utf-8?q?" "?=", "" },
	{ "=?utf-8?q?a b?=", "a b" },
	{ "=?utf-8?q?what?_now?=", "what? now" },
	/* what cannot be decoded stays as it is */
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "=?utf-8?q?a", "=?utf-8?q?a" },
	{ "=??q?a?=", "=??q?a?=" },
	{ "=?no-such-charset?q?a?=", "=?no-such-charset?q?a?=" },
	{ "=?utf-8//TRANSLIT?q?a?=", "=?utf-8//TRANSLIT?q?a?=" },
	{ "=?utf-8?q?=FF?=", "=?utf-8?q?=FF?=" },
	{ "=?utf-8?B?!!!!?=", "=?utf-8?B?!!!!?=" },
	{ "=?utf-8?q?=zz?=", "=?utf-8?q?=zz?=" },
	{ "=?utf-8?q?a=?= =?utf-8?q?b?=", "=?utf-8?q?a=?= b" },
	{ "=?utf-8?q?=FF?= =?utf-8?q?ok?=", "=?utf-8?q?=FF?= ok" },
	{ "=?utf-8?q?ok?= =?utf-8?q?=FF?= =?utf-8?q?ok?=", "ok =?utf-8?q?=FF?= ok" },
	{ "=?x-none?q?a?= =?utf-8?q?b?=", "=?x-none?q?a?= b" },
	{ "=?utf-8?q?a?= =?x-none?q?b?=", "a =?x-none?q?b?=" },
	{ "=?utf-8?q?a?= =?utf-8?q?b", "a =?utf-8?q?b" },
	/* raw 8-bit stays, valid or not */
	{ "caf\xe9 =?utf-8?q?=C3=A9?=", "caf\xe9 \xc3\xa9" },
	{ "=?=?utf-8?q?a?=", "=?a" },
};

START_TEST(encoded_words)
{
	struct arena a = { 0 };

	ck_str(header_decode(&a, str_from(words[_i].raw)), words[_i].decoded);
	arena_done(&a);
}
END_TEST

/* Starts of words without an end, words without a use: linear in both cases */
START_TEST(hostile_words)
{
	static const char *const unit[] = { "=?a?q?x ", "=?a?q?x?= ", "=?", "=?utf-8?q?=FF?= " };
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct str v;

	while (b.len < 1000000)
		buf_puts(&b, unit[_i]);
	v = str_trim(buf_str(&b));
	ck_assert(str_eq(header_decode(&a, v), v));
	buf_done(&b);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/message");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 20);
	tcase_add_loop_test(c, split, 0, sizeof splits / sizeof *splits);
	tcase_add_test(c, wire_size);
	tcase_add_test(c, same_names_top_to_bottom);
	tcase_add_test(c, header_replaced);
	tcase_add_test(c, nul_is_kept);
	tcase_add_test(c, facts);
	tcase_add_loop_test(c, field_limit, 0, 2);
	tcase_add_loop_test(c, unfolding, 0, sizeof folds / sizeof *folds);
	tcase_add_test(c, one_line_is_not_copied);
	tcase_add_test(c, added_field);
	tcase_add_test(c, names);
	tcase_add_loop_test(c, encoded_words, 0, sizeof words / sizeof *words);
	tcase_add_loop_test(c, hostile_words, 0, 4);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
