/* test_host_rulefile.c - rules never come from out of rules_dir, nor from files that others can write
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sys/resource.h>

#include "host/rulebook.h"
#include "rulebook.h"

/* --- never out of rules_dir */

static const struct {
	const char *template, *rcpt;
} escapes[] = {
	{ "%d/%u.sieve", "../canary@example.org" }, { "%d/%u.sieve", "\"../canary\"@example.org" },
	{ "%d/%u.sieve", "..@example.org" }, { "%d/%u.sieve", "\"..\"@example.org" }, { "%d/%u.sieve", ".@example.org" },
	{ "%d/%u.sieve", "..\\/canary@example.org" }, { "%d/%u.sieve", "\"..\\/canary\"@example.org" },
	{ "%d/%u.sieve", "..%2fcanary@example.org" }, { "%d/%u.sieve", "/etc/passwd@example.org" },
	{ "%d/%u.sieve", "..\xc0\xaf" "canary@example.org" }, { "%d/%u.sieve", "..\xef\xbc\x8f" "canary@example.org" },
	{ "%d/%u.sieve", "..\xe2\x88\x95" "canary@example.org" }, { "%d/%u.sieve", "\xe2\x80\xa5/canary@example.org" },
	{ "%d/%u.sieve", "canary@.." }, { "%d/%u.sieve", "canary@." }, { "%d/%u.sieve", "canary@../.." },
	{ "%d/%u.sieve", "canary@\xef\xbc\x8e\xef\xbc\x8e" }, { "%d/%u.sieve", "canary@.\xe3\x80\x82" },
	{ "%d/%u.sieve", ".canary@example.org" }, { "%d/%u.sieve", "\".canary\"@example.org" },
	{ "%d/%u.sieve", ".alice.sieve.good@example.org" },
	{ "%d/%u.sieve", "%u@example.org" }, { "%d/%u.sieve", "%d@example.org" },
	{ "%d/%u", "..@example.org" }, { "%d/%u", ".@example.org" }, { "%u/x.sieve", "..@example.org" },
	{ "%u/canary.sieve", "..@example.org" }, { "%u/canary.sieve", "\".\"@example.org" }, { "%u/rules/canary.sieve", "..@example.org" },
	{ "u/%u/%d", "..@canary.sieve" },
};

START_TEST(test_never_out)
{
	struct buf b = { 0 };
	struct rulebook *r;
	struct ruleset *s;

	put("canary.sieve", "discard;\n");
	put("rules/canary.sieve", "discard;\n");
	put("rules/.canary.sieve", "discard;\n");
	put("rules/example.org/.canary.sieve", "discard;\n");
	put("rules/example.org/.alice.sieve.good.sieve", "discard;\n");
	put("rules/x.sieve", "discard;\n");
	put("rules/u/keep", "keep;\n");
	buf_printf(&b, "rules_file = %s\nlocal_domains = example.org canary.sieve\n", escapes[_i].template);
	r = book(buf_str(&b).s);
	s = NULL;
	ck_assert_int_eq(rulebook_find(r, false, str_from(escapes[_i].rcpt), &s), 0);
	ck_assert_int_eq(rulebook_find(r, true, str_from(escapes[_i].rcpt), &s), 0);
	ck_assert_ptr_null(s);
	rulebook_free(r);
	buf_done(&b);
}
END_TEST

START_TEST(test_nul)
{
	struct rulebook *r = book("");
	struct ruleset *s;

	ck_assert_int_eq(rulebook_find(r, false, STR("alice\0@example.org"), &s), 0);
	ck_assert_int_eq(rulebook_find(r, false, STR("\"alice\\\0\"@example.org"), &s), 0);
	ck_assert_int_eq(rulebook_find(r, false, STR("alice@example.org\0x"), &s), 0);
	rulebook_free(r);
}
END_TEST

START_TEST(test_long)
{
	struct rulebook *r = book("rules_file = %d/%u/%u%u%u%u/%u.sieve\n");
	struct buf b = { 0 };
	struct ruleset *s;
	int i;

	for (i = 0; i < 64; i++)
		buf_putc(&b, 'a');
	buf_puts(&b, "@example.org");
	/* four times 64 bytes are more than a name may have */
	ck_assert_int_eq(rulebook_find(r, false, buf_str(&b), &s), 0);
	buf_done(&b);
	rulebook_free(r);
}
END_TEST

START_TEST(test_case)
{
	struct rulebook *r = book("localpart_case = exact\n"), *folding = book("");

	put("rules/example.org/Carol.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "Carol@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "Carol@EXAMPLE.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "carol@example.org"), 0);
	ck_assert_uint_eq(effects(r, "CAROL@example.org"), 0);
	ck_assert_uint_eq(effects(folding, "Carol@example.org"), 0);
	ck_assert_uint_eq(effects(folding, "ALICE@example.org"), DISCARDS);
	rulebook_free(r);
	rulebook_free(folding);
}
END_TEST

START_TEST(test_utf8)
{
	struct rulebook *r = book("");

	put("rules/example.org/j\xc3\xb6rg.sieve", "discard;\n");
	put("rules/xn--bcher-kva.example/alice.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "J\xc3\xb6rg@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "jo\xcc\x88rg@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "alice@b\xc3\xbc" "cher.example"), DISCARDS);
	rulebook_free(r);
}
END_TEST

/* --- files that do not count */

static void
by_link(void)
{
	put("elsewhere.sieve", "discard;\n");
	ck_assert_int_eq(symlink(at("elsewhere.sieve"), at("rules/example.org/carol.sieve")), 0);
}

static void
by_link_inside(void)
{
	ck_assert_int_eq(symlink("alice.sieve", at("rules/example.org/carol.sieve")), 0);
}

static void
by_link_to_nothing(void)
{
	ck_assert_int_eq(symlink("nothing", at("rules/example.org/carol.sieve")), 0);
}

static void
by_link_of_directory(void)
{
	teardown();
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	put("other/carol.sieve", "discard;\n");
	put("rules/example.net/x.sieve", "keep;\n");
	ck_assert_int_eq(symlink("../other", at("rules/example.org")), 0);
}

static void
by_group(void)
{
	put("rules/example.org/carol.sieve", "discard;\n");
	chmod(at("rules/example.org/carol.sieve"), 0664);
}

static void
by_all(void)
{
	put("rules/example.org/carol.sieve", "discard;\n");
	chmod(at("rules/example.org/carol.sieve"), 0666);
}

static void
by_fifo(void)
{
	ck_assert_int_eq(mkfifo(at("rules/example.org/carol.sieve"), 0644), 0);
}

static void
by_directory(void)
{
	ck_assert_int_eq(mkdir(at("rules/example.org/carol.sieve"), 0755), 0);
}

static void
by_owner(void)
{
	put("rules/example.org/carol.sieve", "discard;\n");
	if (!geteuid())
		ck_assert_int_eq(chown(at("rules/example.org/carol.sieve"), 12345, 0), 0);
	else
		chmod(at("rules/example.org/carol.sieve"), 0664);
}

static const struct {
	void (*make)(void);
	const char *why, *why_not_root;
} refused[] = {
	{ by_link, "is a symbolic link", NULL },
	{ by_link_inside, "is a symbolic link", NULL },
	{ by_link_to_nothing, "is a symbolic link", NULL },
	{ by_link_of_directory, "is a symbolic link", NULL },
	{ by_group, "may be written by its group", NULL },
	{ by_all, "may be written by everybody", NULL },
	{ by_fifo, "is no file", NULL },
	{ by_directory, "is no file", NULL },
	{ by_owner, "belongs neither to root nor to us nor to the owner of its directory", "may be written by its group" },
};

START_TEST(test_refused)
{
	const char *why = refused[_i].why_not_root && geteuid() ? refused[_i].why_not_root : refused[_i].why;
	struct rulebook *r;
	int i;

	refused[_i].make();
	r = book("");
	for (i = 0; i < 3; i++)
		ck_assert_ptr_null(find(r, "carol@example.org"));
	ck_assert_msg(reports == 1, "%s", said);
	ck_assert_msg(strstr(said, why) && strstr(said, "/carol.sieve:0|") && !strncmp(said, "carol@example.org|", 18), "%s", said);
	/* a file in its place counts */
	if (refused[_i].make != by_link_of_directory) {
		rmdir(at("rules/example.org/carol.sieve"));
		replace("rules/example.org/carol.sieve", "discard;\n");
		ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
		ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
		ck_assert_uint_eq(reports, 1);
	}
	rulebook_free(r);
}
END_TEST

START_TEST(test_owner_of_directory)
{
	struct rulebook *r = book("rules_file = %d/%u/rules\n");

	put("rules/example.org/carol/rules", "discard;\n");
	if (!geteuid()) {
		ck_assert_int_eq(chown(at("rules/example.org/carol"), 12345, 0), 0);
		ck_assert_int_eq(chown(at("rules/example.org/carol/rules"), 12345, 0), 0);
	}
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 0);
	/* somebody else's file, by a hard link */
	if (!geteuid()) {
		put("rules/example.org/dave/rules", "keep;\n");
		ck_assert_int_eq(chown(at("rules/example.org/dave"), 12346, 0), 0);
		unlink(at("rules/example.org/dave/rules"));
		ck_assert_int_eq(link(at("rules/example.org/carol/rules"), at("rules/example.org/dave/rules")), 0);
		ck_assert_uint_eq(effects(r, "dave@example.org"), 0);
		ck_assert_uint_eq(reports, 1);
	}
	rulebook_free(r);
}
END_TEST

/* What cannot be told now is not "no rules". */
static const char *const troubled[] = { "", "local_domains = example.org\n" };

START_TEST(test_trouble)
{
	struct rulebook *r = book(troubled[_i]);
	struct rlimit limit, none = { 0, 0 };
	struct ruleset *s;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(rulebook_find(r, false, STR("alice@example.org"), &s), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(rulebook_find(r, false, STR("nobody@example.org"), &s), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(rulebook_find(r, false, STR("alice@example.org"), &s), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 0);
	rulebook_free(r);
}
END_TEST

START_TEST(test_size)
{
	struct rulebook *r = book("limit_script_size = 1000\n");
	struct buf b = { 0 };

	buf_puts(&b, "discard;\n");
	while (b.len < 1000)
		buf_putc(&b, '\n');
	put("rules/example.org/carol.sieve", buf_str(&b).s);
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	buf_putc(&b, '\n');
	put("rules/example.org/dave.sieve", buf_str(&b).s);
	ck_assert_uint_eq(effects(r, "dave@example.org"), 0);
	ck_assert_uint_eq(reports, 1);
	buf_done(&b);
	rulebook_free(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/rulefile");
	TCase *t = tcase_create("rulefile");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_never_out, 0, COUNT(escapes));
	tcase_add_test(t, test_nul);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_case);
	tcase_add_test(t, test_utf8);
	tcase_add_loop_test(t, test_refused, 0, COUNT(refused));
	tcase_add_test(t, test_owner_of_directory);
	tcase_add_loop_test(t, test_trouble, 0, COUNT(troubled));
	tcase_add_test(t, test_size);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
