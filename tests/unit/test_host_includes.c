/* test_host_includes.c - what rules include is refused, removed, or out of reach
 * SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <sys/resource.h>

#include "host/rulebook.h"
#include "rulebook.h"

/* Equal scripts are one program.  That of somebody who has no such part is not that of one whose part does not count. */
START_TEST(test_refused_is_not_missing)
{
	static const char main[] = "require \"include\";\ninclude :optional \"part\";\nkeep;\n";
	struct rulebook *r = book("");

	put("rules/example.net/carol.sieve", main);
	ck_assert_uint_eq(effects(r, "carol@example.net"), KEEPS);
	put("rules/example.org/carol.sieve", main);
	put("rules/example.org/part.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	/* who comes last says what the script wants */
	put("rules/example.com/carol.sieve", main);
	ck_assert_uint_eq(effects(r, "carol@example.com"), KEEPS);
	ck_assert_uint_eq(reports, 0);
	chmod(at("rules/example.org/part.sieve"), 0664);
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	ck_assert_msg(strstr(said, "/example.org/part.sieve:0|may be written by its group"), "%s", said);
	ck_assert_uint_eq(effects(r, "carol@example.net"), KEEPS);
	rulebook_free(r);
}
END_TEST

/* Files grow no more than that; -1: they do. */
static void
limit_size(off_t n)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = n < 0 ? r.rlim_max : (rlim_t)n;
	setrlimit(RLIMIT_FSIZE, &r);
}

/* The last good version is that without the part that was removed, also after a restart. */
START_TEST(test_removed_from_good)
{
	struct rulebook *r = book("");
	struct ruleset *s;
	int rc;

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :optional \"part\";\nredirect \"a@example.net\";\n");
	put("rules/example.org/part.sieve", "discard;\n");
	/* whether a file keeps it, or memory does */
	signal(SIGXFSZ, SIG_IGN);
	limit_size(_i ? 0 : -1);
	rc = rulebook_find(r, false, STR("carol@example.org"), &s);
	limit_size(-1);
	ck_assert_int_eq(rc, 1);
	ruleset_unref(s);
	ck_assert_int_eq(slurp("rules/example.org/.11+carol.sieve+part.sieve.kept") != NULL, !_i);
	unlink(at("rules/example.org/part.sieve"));
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	replace("rules/example.org/carol.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	if (_i) {
		struct rulebook *next = book_after("", r);

		rulebook_free(r);
		r = next;
	} else {
		rulebook_free(r);
		r = book("");
	}
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	/* nor is it what comes instead, as long as that is wrong */
	put("rules/example.org/part.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	rulebook_free(r);
}
END_TEST

/* Nor what was never there before. */
START_TEST(test_new_in_good)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :optional \"part\";\nredirect \"a@example.net\";\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
	put("rules/example.org/part.sieve", WRONG);
	for (int restart = 0; restart < 2; restart++) {
		ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
		rulebook_free(r);
		r = book("");
	}
	rulebook_free(r);
}
END_TEST

/* Of two good versions the last is in force, though an older one is in a file that cannot be written any more. */
START_TEST(test_newer_in_memory)
{
	struct rulebook *r = book(""), *next;
	struct ruleset *s;
	int rc;

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	replace("rules/example.org/alice.sieve", "redirect \"a@example.net\";\n");
	signal(SIGXFSZ, SIG_IGN);
	limit_size(0);
	rc = rulebook_find(r, false, STR("alice@example.org"), &s);
	limit_size(-1);
	ck_assert_int_eq(rc, 1);
	ruleset_unref(s);
	replace("rules/example.org/alice.sieve", WRONG);
	next = book_after("", r);
	rulebook_free(r);
	ck_assert_str_eq(slurp("rules/example.org/.alice.sieve.good"), "discard;\n");
	ck_assert_uint_eq(effects(next, "alice@example.org"), REDIRECTS);
	rulebook_free(next);
}
END_TEST

/* What was away for a while and is there as it was is part of it again. */
START_TEST(test_back_in_good)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :optional \"part\";\nredirect \"a@example.net\";\n");
	for (int i = 0; i < 2; i++) {
		put("rules/example.org/part.sieve", "discard;\n");
		ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
		if (i == 0) {
			unlink(at("rules/example.org/part.sieve"));
			ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS);
		}
	}
	rulebook_free(r);
	replace("rules/example.org/carol.sieve", WRONG);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	rulebook_free(r);
}
END_TEST

/* A part that is good for one of those who include it, and makes another's rules, whose last good version it had, too large.
 * Of one with a long name and of one without. */
START_TEST(test_part_of_several)
{
	static const char conf[] = "limit_script_size = 1K\n";
	struct rulebook *r = book(conf);
	char part[250], path[300], rules[400], large[1000], leaf[60];
	struct buf all = { 0 };

	memset(part, 'p', sizeof(part));
	part[_i ? 240 : 1] = '\0';
	snprintf(path, sizeof(path), "rules/example.org/%s.sieve", part);
	snprintf(rules, sizeof(rules), "require \"include\";\ninclude \"%s\";\n", part);
	put("rules/example.org/dave.sieve", rules);
	buf_puts(&all, rules);
	snprintf(large, sizeof(large), "redirect \"a@example.net\";\n#%0900d\n", 0);
	for (int i = 0; i < 8; i++) {
		buf_printf(&all, "include \"x%d\";\n", i);
		snprintf(leaf, sizeof(leaf), "rules/example.org/x%d.sieve", i);
		put(leaf, large + strlen("redirect \"a@example.net\";\n"));
	}
	put("rules/example.org/carol.sieve", buf_str(&all).s);
	put(path, "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "dave@example.org"), DISCARDS);
	put(path, large);
	for (int restart = 0; restart < 2; restart++) {
		ck_assert_uint_eq(effects(r, "dave@example.org"), REDIRECTS);
		ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
		ck_assert_msg(strstr(said, "makes rules larger than"), "%s", said);
		rulebook_free(r);
		r = book(conf);
	}
	put(path, WRONG);
	ck_assert_uint_eq(effects(r, "dave@example.org"), REDIRECTS);
	rulebook_free(r);
	buf_done(&all);
}
END_TEST

/* It says nothing of what would be there. */
START_TEST(test_global_out_of_reach)
{
	struct rulebook *r = book("");
	struct ruleset *s;
	struct diag d;
	FILE *f = fopen("/dev/null", "w");

	put("rules/example.org/carol.sieve", _i ? "require \"include\";\ninclude :global :optional \"hello\";\ndiscard;\n" :
	    "require \"include\";\ninclude :global \"hello\";\ndiscard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	ck_assert_int_eq(rename(at("global"), at("away")), 0);
	for (int restart = 0; restart < 2; restart++) {
		ck_assert_int_eq(rulebook_find(r, false, STR("carol@example.org"), &s), -1);
		ck_assert_int_eq(errno, ENOENT);
		ck_assert_uint_eq(effects(r, "bob@example.org"), REDIRECTS);
		rulebook_free(r);
		r = book("");
	}
	diag_init(&d, f);
	ck_assert_int_eq(rulebook_check(r, &d), 0);
	ck_assert_uint_eq(d.warnings, 1);
	diag_done(&d);
	fclose(f);
	ck_assert_int_eq(rename(at("away"), at("global")), 0);
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	/* what is missing in a directory that is there was removed */
	unlink(at("global/hello.sieve"));
	ck_assert(effects(r, "carol@example.org") & DISCARDS);
	rulebook_free(r);
}
END_TEST

/* What somebody else's equal script includes, in parts of his, is not looked for: neither is it missed, nor is it too much. */
START_TEST(test_parts_of_others)
{
	static const char main[] = "require \"include\";\ninclude :optional \"a\";\ninclude \"part\";\nkeep;\n";
	struct rulebook *r = book("limit_script_size = 1000\n");
	char large[1001];
	struct ruleset *s;

	put("rules/example.org/carol.sieve", main);
	put("rules/example.net/carol.sieve", main);
	put("rules/example.net/part.sieve", "stop;\n");
	put("rules/example.net/a.sieve", _i ? "require \"include\"; include :optional \"0\"; include :optional \"1\"; include :optional \"2\";"
	    "include :optional \"3\"; include :optional \"4\"; include :optional \"5\"; include :optional \"6\";"
	    "include :optional \"7\"; include :optional \"8\";" : "require \"include\"; include :global \"hello\";");
	memset(large, '#', sizeof large);
	large[999] = '\n';
	large[1000] = '\0';
	memcpy(large, "discard;", 8);
	put("rules/example.org/part.sieve", large);
	for (int i = 0; i < 9; i++) {
		char name[64];

		snprintf(name, sizeof name, "rules/example.org/%d", i);
		put(name, large);
	}
	ck_assert(effects(r, "carol@example.net") & KEEPS);
	if (!_i)
		ck_assert_int_eq(rename(at("global"), at("away")), 0);
	ck_assert_int_eq(rulebook_find(r, false, STR("carol@example.org"), &s), 1);
	ck_assert_int_ge(s->of_user, 0);
	ck_assert_uint_eq(tamis_program_effects(s->program[s->of_user]), KEEPS | DISCARDS);
	ck_assert_uint_eq(reports, 0);
	ruleset_unref(s);
	rulebook_free(r);
}
END_TEST

/* A broken script of global_dir, whoever includes it: what was good is in force in a daemon that runs, by another
 * configuration, and in the next one. */
START_TEST(test_broken_global)
{
	struct rulebook *r = book(""), *next;

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :global \"hello\";\ninclude \"part\";\n");
	put("rules/example.org/part.sieve", "redirect \"a@example.net\";\n");
	put("global/hello.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	ck_assert_str_eq(slurp("global/.hello.sieve.good"), "discard;\n");
	replace("global/hello.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	ck_assert_uint_eq(reports, 2);          /* the mistake, and the include that leads to it */
	next = book_after("", r);
	rulebook_free(r);
	ck_assert_uint_eq(effects(next, "carol@example.org"), DISCARDS | REDIRECTS);
	ck_assert_uint_eq(reports, 2);
	rulebook_free(next);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	/* both may be broken */
	replace("rules/example.org/part.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | REDIRECTS);
	/* as it is now if that is right, though his own rules are not */
	replace("global/hello.sieve", "keep;\n");
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | REDIRECTS);
	rulebook_free(r);
}
END_TEST

/* What was missing when all was well is missing, though it came back broken. */
START_TEST(test_global_was_missing)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :global :optional \"hello\";\ndiscard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | KEEPS);
	unlink(at("global/hello.sieve"));
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	put("global/hello.sieve", WRONG);
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

/* A rulebook of a site that has no scripts for all. */
static struct rulebook *
book_without_global(struct rulebook *old)
{
	struct buf b = { 0 };
	struct rulebook *r;
	struct conf *c;
	struct diag d;

	buf_printf(&b, "rules_dir = %s/rules\n", dir);
	put("tamis.conf", buf_str(&b).s);
	diag_init(&d, stderr);
	c = conf_load(at("tamis.conf"), &d);
	ck_assert_ptr_nonnull(c);
	r = rulebook_new(c, old);
	rulebook_on_report(r, report, NULL);
	conf_unref(c);
	diag_done(&d);
	buf_done(&b);
	return r;
}

/* What is compiled already is compiled anew when there is a global_dir, and when there is none any more. */
START_TEST(test_global_comes_and_goes)
{
	struct rulebook *r = book_without_global(NULL), *next;

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :global :optional \"hello\";\ndiscard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	next = book_after("", r);
	rulebook_free(r);
	ck_assert_uint_eq(effects(next, "carol@example.org"), DISCARDS | KEEPS);
	r = book_without_global(next);
	rulebook_free(next);
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/includes");
	TCase *t = tcase_create("includes");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_refused_is_not_missing);
	tcase_add_loop_test(t, test_removed_from_good, 0, 2);
	tcase_add_loop_test(t, test_parts_of_others, 0, 2);
	tcase_add_test(t, test_new_in_good);
	tcase_add_test(t, test_newer_in_memory);
	tcase_add_test(t, test_back_in_good);
	tcase_add_loop_test(t, test_part_of_several, 0, 2);
	tcase_add_loop_test(t, test_global_out_of_reach, 0, 2);
	tcase_add_test(t, test_broken_global);
	tcase_add_test(t, test_global_was_missing);
	tcase_add_test(t, test_global_comes_and_goes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
