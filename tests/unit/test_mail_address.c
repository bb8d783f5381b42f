/* test_mail_address.c - address lists, single addresses, SMTP paths
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "mail/message.h"

/* "local|domain" of each, "!raw" for what is no address, with a blank between */
static void
show(struct buf *b, const struct mail_address *v, int n)
{
	for (int i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ' ');
		if (v[i].valid)
			buf_printf(b, "%.*s|%.*s", STR_ARG(v[i].local.v), STR_ARG(v[i].domain.v));
		else
			buf_printf(b, "!%.*s", STR_ARG(v[i].all.v));
	}
}

static const struct {
	const char *text, *shown;
} lists[] = {
	{ "", "" },
	{ " \r\n ", "" },
	{ ",,; ,", "" },
	{ "joe@example.org", "joe|example.org" },
	{ " joe@example.org\r\n", "joe|example.org" },
	{ "<joe@example.org>", "joe|example.org" },
	{ "Joe <joe@example.org>", "joe|example.org" },
	{ "Joe<joe@example.org>", "joe|example.org" },
	{ "Joe Q. Public <joe@example.org>", "joe|example.org" },
	{ "\"Public, Joe\" <joe@example.org>", "joe|example.org" },
	{ "\"Joe \\\" < > Q\" <joe@example.org>", "joe|example.org" },
	{ "=?utf-8?Q?J=C3=B6?= <joe@example.org>", "joe|example.org" },
	{ "=?utf-8?Q?Public,_Joe?= <joe@example.org>", "joe|example.org" },
	{ "J\xc3\xb6 <joe@example.org>", "joe|example.org" },
	{ "J. Doe [Sales] <joe@example.org>", "joe|example.org" },
	{ "joe@example.org <jim@example.org>", "jim|example.org" },
	{ "joe@example.org (Joe (the one))", "joe|example.org" },
	{ "(a) joe (b) @ (c) example.org (d)", "joe|example.org" },
	{ "Joe (a, b) <joe@example.org> (c)", "joe|example.org" },
	{ "Joe\r\n <joe@example.org>,\r\n\tJim <jim@example.org>", "joe|example.org jim|example.org" },
	{ "a@b, c@d,e@f", "a|b c|d e|f" },
	{ "a@b; c@d", "a|b c|d" },
	{ "\"joe smith\"@example.org", "joe smith|example.org" },
	{ "\"joe\\\"s\"@example.org", "joe\"s|example.org" },
	{ "\"joe\"@example.org", "joe|example.org" },
	{ "\"\"@example.org", "|example.org" },
	{ "\"a@b\"@example.org", "a@b|example.org" },
	{ "\"a\".b@example.org", "a.b|example.org" },
	{ "a.\"b c\"@example.org", "a.b c|example.org" },
	{ "joe@[192.0.2.1]", "joe|[192.0.2.1]" },
	{ "joe@[IPv6:2001:db8::1]", "joe|[IPv6:2001:db8::1]" },
	{ "joe@[a\xc3\xa4]", "joe|[a\xc3\xa4]" },
	{ "joe+tag/x=y@example.org", "joe+tag/x=y|example.org" },
	{ "joe..x@example.jp", "joe..x|example.jp" },
	{ "joe.@example.jp", "joe.|example.jp" },
	{ "j\xc3\xb6@ex\xc3\xa4mple.org", "j\xc3\xb6|ex\xc3\xa4mple.org" },
	/* groups are flattened */
	{ "Friends: a@b, Joe <c@d>;", "a|b c|d" },
	{ "Friends: a@b;, c@d", "a|b c|d" },
	{ "Friends: a@b; Foes: c@d;", "a|b c|d" },
	{ "undisclosed-recipients:;", "" },
	{ "\"A, B\": a@b;", "a|b" },
	{ "Friends: a@b", "a|b" },
	/* obsolete routes and worse, by GMime */
	{ "<@relay.example,@two.example:joe@example.org>", "joe|example.org" },
	{ "joe @ example . org", "joe|example.org" },
	/* what is no address is there as a whole */
	{ "joe", "!joe" },
	{ "Joe Doe", "!Joe Doe" },
	{ "<>", "!<>" },
	{ "@example.org", "!@example.org" },
	{ "joe@", "!joe@" },
	{ "a@b, nobody here, c@d", "a|b !nobody here c|d" },
	{ ".@example.org", "!.@example.org" },
	{ "\"open <a@b>, c@d", "a|b c|d" },
	{ "Joe <", "!Joe <" },
};

START_TEST(list)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct mail_address *v;
	int n = address_parse(&a, str_from(lists[_i].text), &v);

	show(&b, v, n);
	buf_putc(&b, '\0');
	ck_assert_str_eq(buf_str(&b).s, lists[_i].shown);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

START_TEST(all_is_local_at_domain)
{
	static const char text[] = "\"joe smith\"@example.org, a@b";
	struct arena a = { 0 };
	struct mail_address *v;

	ck_assert_int_eq(address_parse(&a, str_from(text), &v), 2);
	ck_assert(str_is(v[0].all.v, "joe smith@example.org"));
	ck_assert(str_is(address_spec(&a, &v[0]), "\"joe smith\"@example.org"));
	/* nothing was copied here */
	ck_assert_ptr_eq(v[1].all.v.s, text + 25);
	ck_assert(str_is(address_spec(&a, &v[1]), "a@b"));
	arena_done(&a);
}
END_TEST

static const struct {
	const char *text;
	const char *all;                /* NULL: refused */
	const char *spec;               /* NULL: as all */
} singles[] = {
	{ "joe@example.org", "joe@example.org", NULL },
	{ " joe@example.org ", "joe@example.org", NULL },
	{ "Joe Q. Public <joe@example.org>", "joe@example.org", NULL },
	{ "\"Joe\" <joe@example.org>", "joe@example.org", NULL },
	{ "<joe@example.org>", "joe@example.org", NULL },
	{ "joe@example.org (Joe)", "joe@example.org", NULL },
	{ "\"joe smith\"@example.org", "joe smith@example.org", "\"joe smith\"@example.org" },
	{ "\"a\\\\b\"@example.org", "a\\b@example.org", "\"a\\\\b\"@example.org" },
	{ "joe@localhost", "joe@localhost", NULL },
	{ "joe@[192.0.2.1]", "joe@[192.0.2.1]", NULL },
	{ "j\xc3\xb6@\xc3\xa4.example", "j\xc3\xb6@\xc3\xa4.example", NULL },
	{ "", NULL, NULL },
	{ "joe", NULL, NULL },
	{ "<>", NULL, NULL },
	{ "@example.org", NULL, NULL },
	{ "joe@", NULL, NULL },
	{ "joe@@example.org", NULL, NULL },
	{ "joe@example.org, a@b", NULL, NULL },
	{ "G: joe@example.org;", NULL, NULL },
	{ "<@a:joe@example.org>", NULL, NULL },
	{ "joe@example.org x", NULL, NULL },
	{ "joe smith@example.org", NULL, NULL },
	{ "<joe@example.org", NULL, NULL },
	{ "joe@example.org>", NULL, NULL },
	{ "Joe <joe@example.org> x", NULL, NULL },
	{ "joe.@example.org", NULL, NULL },
	{ "j..d@example.org", NULL, NULL },
	{ "joe@example..org", NULL, NULL },
	{ "joe@example.org.", NULL, NULL },
	{ "joe@exa!mple.org", NULL, NULL },
	{ "joe@[]", NULL, NULL },
	{ "joe@[192.0.2.1", NULL, NULL },
	{ "j\xf6@example.org", NULL, NULL },
	{ "j\1@example.org", NULL, NULL },
	{ "\"j\1\"@example.org", NULL, NULL },
	{ "\"j\n\"@example.org\nx", NULL, NULL },
	{ "\"joe@example.org", NULL, NULL },
	{ "a@b.............", NULL, NULL },
	{ "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b",
	  "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", NULL },
	{ "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", NULL, NULL },
};

static void
check_one(struct arena *a, int found, const struct mail_address *v, const char *all, const char *spec)
{
	ck_assert_int_eq(found, all != NULL);
	if (!all)
		return;
	ck_assert(v->valid);
	ck_assert(str_is(v->all.v, all));
	ck_assert(str_is(address_spec(a, v), spec ? spec : all));
}

START_TEST(one)
{
	struct arena a = { 0 };
	struct mail_address v;
	int found = address_one(&a, str_from(singles[_i].text), &v);

	check_one(&a, found, &v, singles[_i].all, singles[_i].spec);
	arena_done(&a);
}
END_TEST

static const struct {
	const char *text;
	const char *all;                /* NULL: refused */
	const char *spec;               /* NULL: as all */
} paths[] = {
	{ "", "", NULL },
	{ "<>", "", NULL },
	{ " <> ", "", NULL },
	{ "<joe@example.org>", "joe@example.org", NULL },
	{ "joe@example.org", "joe@example.org", NULL },
	{ "postmaster", "postmaster", NULL },
	{ "<Postmaster>", "Postmaster", NULL },
	{ "<@a.example,@b.example:joe@example.org>", "joe@example.org", NULL },
	{ "<@a.example:joe@example.org>", "joe@example.org", NULL },
	{ "<joe..x@example.jp>", "joe..x@example.jp", "\"joe..x\"@example.jp" },
	{ "<j\xc3\xb6@example.org>", "j\xc3\xb6@example.org", NULL },
	{ "<srs0=abcd=ef=example.net=a-very-long-local-part-that-forwarders-make-of-others-ones@example.org>",
	  "srs0=abcd=ef=example.net=a-very-long-local-part-that-forwarders-make-of-others-ones@example.org", NULL },
	{ "joe", NULL, NULL },
	{ "<joe>", NULL, NULL },
	{ "<joe@example.org", NULL, NULL },
	{ "<joe@example.org> x", NULL, NULL },
	{ "<Joe <joe@example.org>>", NULL, NULL },
	{ "<@a.example joe@example.org>", NULL, NULL },
	{ "<@a.example>", NULL, NULL },
	{ "<joe smith@example.org>", NULL, NULL },
};

START_TEST(path)
{
	struct arena a = { 0 };
	struct mail_address v;
	int found = address_path(&a, str_from(paths[_i].text), &v);

	check_one(&a, found, &v, paths[_i].all, paths[_i].spec);
	arena_done(&a);
}
END_TEST

START_TEST(quoted_path)
{
	struct arena a = { 0 };
	struct mail_address v;

	ck_assert_int_eq(address_path(&a, STR("<\"joe smith\"@example.org>"), &v), 1);
	ck_assert(str_is(v.local.v, "joe smith"));
	ck_assert(str_is(v.domain.v, "example.org"));
	ck_assert_int_eq(address_path(&a, STR("<>"), &v), 1);
	ck_assert(v.valid && !v.local.v.len && !v.domain.v.len);
	arena_done(&a);
}
END_TEST

/* The time must stay linear whatever is left open. */
START_TEST(hostile_list)
{
	static const char *const unit[] = {
		"(", "((\\)", "<", "\"a\\\"", "a@[", "a@[,", "a:", ":", "<a,", "=?", "=?a?b?", "@", "\\", "a ", "a@b<",
		"\"\\\",", "(,", ". ",
	};
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct mail_address *v;

	while (b.len < 400000)
		buf_puts(&b, unit[_i]);
	ck_assert_int_ge(address_parse(&a, buf_str(&b), &v), 0);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

START_TEST(address_limit)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct mail_address *v;

	for (int i = 0; i < LIMIT_ADDRESSES + 5; i++)
		buf_puts(&b, "a@b,");
	ck_assert_int_eq(address_parse(&a, buf_str(&b), &v), LIMIT_ADDRESSES);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

/* Beyond LIMIT_ODD_ADDRESS no second opinion is asked for. */
START_TEST(odd_limit)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct mail_address *v;

	buf_puts(&b, "<@x:joe@example.org>");
	ck_assert_int_eq(address_parse(&a, buf_str(&b), &v), 1);
	ck_assert(v[0].valid);
	buf_reset(&b);
	while (b.len < LIMIT_ODD_ADDRESS)
		buf_puts(&b, "name ");
	buf_puts(&b, "<@x:joe@example.org>");
	ck_assert_int_eq(address_parse(&a, buf_str(&b), &v), 1);
	ck_assert(!v[0].valid);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/address");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 20);
	tcase_add_loop_test(c, list, 0, sizeof lists / sizeof *lists);
	tcase_add_test(c, all_is_local_at_domain);
	tcase_add_loop_test(c, one, 0, sizeof singles / sizeof *singles);
	tcase_add_loop_test(c, path, 0, sizeof paths / sizeof *paths);
	tcase_add_test(c, quoted_path);
	tcase_add_loop_test(c, hostile_list, 0, 18);
	tcase_add_test(c, address_limit);
	tcase_add_test(c, odd_limit);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
