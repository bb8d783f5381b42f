/* test_host_rulebook.c - whose rules, and the site's around them
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/rulebook.h"
#include "rulebook.h"

/* --- found */

START_TEST(test_found)
{
	struct rulebook *r = book("");
	struct ruleset *s = find(r, "<Alice+x@Example.ORG>"), *other;

	ck_assert_ptr_nonnull(s);
	ck_assert(str_is(s->user, "alice@example.org"));
	ck_assert_str_eq(s->path.s, at("rules/example.org/alice.sieve"));
	ck_assert_uint_eq(s->n, 1);
	ck_assert_int_eq(s->of_user, 0);
	ck_assert_uint_eq(s->effects, DISCARDS);
	ck_assert_uint_eq(s->needs, 0);
	ck_assert_int_eq(s->effect, CONF_OBSERVE);
	ck_assert(!s->protected_);
	ck_assert(str_eq(ruleset_file(s, text_from(".rules")), s->path));
	ck_assert(str_is(ruleset_file(s, text_from("x")), "x"));
	ck_assert_ptr_null(find(r, "carol@example.org"));
	ck_assert_ptr_null(find(r, "alice@example.net"));
	ck_assert_ptr_null(find(r, "nonsense"));
	ck_assert_ptr_null(find(r, "<>"));
	/* it outlives the book, and the file */
	other = ruleset_ref(s);
	ruleset_unref(s);
	r = rulebook_free(r);
	unlink(at("rules/example.org/alice.sieve"));
	ck_assert_uint_eq(tamis_program_effects(other->program[0]), DISCARDS);
	ruleset_unref(other);
	ck_assert_ptr_null(rulebook_free(NULL));
	ck_assert_uint_eq(reports, 0);
}
END_TEST

START_TEST(test_shared)
{
	struct rulebook *r = book(""), *next;
	struct ruleset *a, *b, *c;

	put("rules/example.org/bob.sieve", "discard;\n");
	a = find(r, "alice@example.org");
	b = find(r, "bob@example.org");
	ck_assert_ptr_eq(a->program[0], b->program[0]);
	ck_assert_int_eq(memcmp(a->content, b->content, 32), 0);
	ck_assert(!str_eq(a->path, b->path));
	/* a new configuration takes programs over, unless it means something else by them */
	next = book_after("effect = full\n", r);
	rulebook_free(r);
	c = find(next, "alice@example.org");
	ck_assert_ptr_eq(a->program[0], c->program[0]);
	ck_assert_int_eq(c->effect, CONF_FULL);
	ruleset_unref(c);
	r = book_after("limit_actions = 3\n", next);
	rulebook_free(next);
	c = find(r, "alice@example.org");
	ck_assert_ptr_ne(a->program[0], c->program[0]);
	ck_assert_uint_eq(c->limits.actions, 3);
	ck_assert(memcmp(a->content, c->content, 32) != 0);
	ruleset_unref(a);
	ruleset_unref(b);
	ruleset_unref(c);
	rulebook_free(r);
}
END_TEST

/* The same files, by a way on which there is a symbolic link now: what was good stays in force, and the log says so within a
 * second. */
START_TEST(test_directory_is_a_link)
{
	struct rulebook *r = book("");

	age("rules/example.org/alice.sieve");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	sleep(3);                       /* nothing is young any more */
	for (int i = 0; i < 2; i++)     /* the second one has looked at directories */
		ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 0);
	ck_assert_int_eq(rename(at("rules/example.org"), at("elsewhere")), 0);
	ck_assert_int_eq(symlink("../elsewhere", at("rules/example.org")), 0);
	sleep(1);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_msg(strstr(said, "/rules/example.org/alice.sieve:0|is a symbolic link"), "%s", said);
	/* and back */
	unlink(at("rules/example.org"));
	ck_assert_int_eq(rename(at("elsewhere"), at("rules/example.org")), 0);
	replace("rules/example.org/alice.sieve", "keep;\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), KEEPS);
	ck_assert_uint_eq(reports, 1);
	rulebook_free(r);
}
END_TEST

/* --- the site's scripts, and who gets what */

static const char site[] = "site_before = %s/site/before.sieve %s/site/more.sieve\nsite_after = %s/site/after.sieve\n"
                           "users = %s/users\n";

static char *
site_conf(const char *more)
{
	static char text[2000];
	size_t n = (size_t)snprintf(text, sizeof(text), site, dir, dir, dir, dir);

	snprintf(text + n, sizeof(text) - n, "%s", more);
	put("site/before.sieve", "require \"ereject\";\nif false { ereject \"x\"; }\n");
	put("site/more.sieve", "keep;\n");
	put("site/after.sieve", "redirect \"a@example.net\";\n");
	put("users", "team@example.org alice@example.org bob@example.org\nal@example.org alice@example.org\n"
	             "postmaster@example.org alice@example.org\n@example.net @example.org\n");
	return text;
}

START_TEST(test_site)
{
	struct rulebook *r = book(site_conf(""));
	struct ruleset *s = find(r, "al@example.net");

	ck_assert(str_is(s->user, "alice@example.org"));
	ck_assert_uint_eq(s->n, 4);
	ck_assert_int_eq(s->of_user, 2);
	ck_assert_uint_eq(tamis_program_effects(s->program[0]), 1u << TAMIS_REJECT);
	ck_assert_uint_eq(tamis_program_effects(s->program[1]), KEEPS);
	ck_assert_uint_eq(tamis_program_effects(s->program[2]), DISCARDS);
	ck_assert_uint_eq(tamis_program_effects(s->program[3]), REDIRECTS);
	ck_assert_uint_eq(s->effects, 1u << TAMIS_REJECT | KEEPS | DISCARDS | REDIRECTS);
	ck_assert(ruleset_is_users(s, 3));
	ck_assert(!ruleset_is_users(s, 2));
	ck_assert(!ruleset_is_users(s, 4));
	ruleset_unref(s);
	/* of several users: nobody's own */
	put("rules/example.org/team.sieve", "discard;\n");
	s = find(r, "team@example.org");
	ck_assert_uint_eq(s->n, 3);
	ck_assert_int_eq(s->of_user, -1);
	ck_assert(str_is(s->user, "team@example.org"));
	ck_assert(str_is(s->path, at("site/after.sieve")));
	ck_assert(!ruleset_is_users(s, 1));
	ruleset_unref(s);
	/* of nobody in a domain of ours */
	s = find(r, "carol@example.org");
	ck_assert_uint_eq(s->n, 3);
	ck_assert_int_eq(s->of_user, -1);
	ruleset_unref(s);
	ck_assert_ptr_null(find(r, "carol@example.edu"));
	rulebook_free(r);
}
END_TEST

START_TEST(test_local_domains)
{
	struct rulebook *r = book(site_conf("local_domains = example.com\n"));
	struct ruleset *s = find(r, "carol@example.com");

	ck_assert_uint_eq(s->n, 3);
	ruleset_unref(s);
	/* rules or not */
	ck_assert_ptr_null(find(r, "bob@example.edu"));
	put("rules/example.edu/bob.sieve", "discard;\n");
	ck_assert_ptr_null(find(r, "bob@example.edu"));
	/* the map's users are ours all the same */
	ck_assert_uint_eq(effects(r, "al@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

START_TEST(test_broken_site)
{
	struct rulebook *r;
	struct ruleset *s;
	struct diag d;
	char *conf = site_conf(""), *out;
	size_t size;

	put("site/more.sieve", WRONG);
	r = book(conf);
	s = find(r, "alice@example.org");
	ck_assert_uint_eq(s->n, 3);
	ck_assert_int_eq(s->of_user, 1);
	ruleset_unref(s);
	ck_assert_msg(reports == 1 && said[0] == '|' && strstr(said, "/site/more.sieve:1|"), "%s", said);
	chmod(at("site/before.sieve"), 0666);
	unlink(at("site/after.sieve"));
	diag_init(&d, open_memstream(&out, &size));
	ck_assert_int_eq(rulebook_check(r, &d), -1);
	fclose(d.out);
	ck_assert_uint_eq(d.errors, 3);
	ck_assert_msg(strstr(out, "before.sieve: error: may be written by everybody") && strstr(out, "keep 5;\n     ^") &&
	              strstr(out, "after.sieve: error: No such file"), "%s", out);
	free(out);
	diag_done(&d);
	put("site/more.sieve", "keep;\n");
	chmod(at("site/before.sieve"), 0644);
	put("site/after.sieve", "keep;\n");
	diag_init(&d, stderr);
	ck_assert_int_eq(rulebook_check(r, &d), 0);
	diag_done(&d);
	s = find(r, "alice@example.org");
	ck_assert_uint_eq(s->n, 4);
	ruleset_unref(s);
	rulebook_free(r);
}
END_TEST

START_TEST(test_protected)
{
	struct rulebook *r = book(site_conf(""));
	struct ruleset *s = find(r, "Postmaster@example.net");

	ck_assert(s->protected_ && s->of_user == 2);
	ruleset_unref(s);
	s = find(r, "abuse@example.org");
	ck_assert(s->protected_);
	ruleset_unref(s);
	s = find(r, "alice@example.org");
	ck_assert(!s->protected_);
	ruleset_unref(s);
	rulebook_free(r);
}
END_TEST

START_TEST(test_effect)
{
	struct rulebook *r = book("effect = tag\n[domain example.org]\neffect = full\n[rules example.org/bob.sieve]\neffect = observe\n");
	struct ruleset *s = find(r, "alice@example.org");

	put("rules/example.net/x.sieve", "keep;\n");
	ck_assert_int_eq(s->effect, CONF_FULL);
	ruleset_unref(s);
	s = find(r, "bob@example.org");
	ck_assert_int_eq(s->effect, CONF_OBSERVE);
	ruleset_unref(s);
	/* a broken file keeps its section */
	replace("rules/example.org/bob.sieve", WRONG);
	s = find(r, "bob@example.org");
	ck_assert_int_eq(s->effect, CONF_OBSERVE);
	ruleset_unref(s);
	s = find(r, "x@example.net");
	ck_assert_int_eq(s->effect, CONF_TAG);
	ruleset_unref(s);
	rulebook_free(r);
}
END_TEST

START_TEST(test_owns)
{
	struct rulebook *r = book(site_conf(""));

	ck_assert(rulebook_owns(r, STR("alice@example.org"), STR("<al@example.net>")));
	ck_assert(!rulebook_owns(r, STR("bob@example.org"), STR("al@example.net")));
	rulebook_free(r);
}
END_TEST

/* --- bounds */

START_TEST(test_bound)
{
	struct rulebook *r = book("max_programs = 10\n");
	char path[100], text[100];
	int i, round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < 100; i++) {
			snprintf(path, sizeof(path), "rules/example.org/u%d.sieve", i);
			snprintf(text, sizeof(text), "discard; # %d\n", i);
			if (!round)
				put(path, text);
			snprintf(path, sizeof(path), "u%d@example.org", i);
			ck_assert_uint_eq(effects(r, path), DISCARDS);
			ck_assert_uint_le(rulebook_size(r), 30);
		}
	/* nor do those who have none take room */
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "nobody%d@example.org", i);
		ck_assert_ptr_null(find(r, path));
	}
	replace("rules/example.org/u99.sieve", WRONG);
	rename(at("rules/example.org/.u99.sieve.good"), at("elsewhere"));
	ck_assert_uint_eq(effects(r, "u99@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

/* --- threads: some look up, one changes files, one breaks them */

enum { THREADS = 4, LOOKUPS = 400 };

struct work {
	struct rulebook *book;
	unsigned number, bad;
};

static void *
work(void *ctx)
{
	struct work *w = ctx;
	struct ruleset *s;
	unsigned i;

	for (i = 0; i < LOOKUPS; i++) {
		const char *rcpt = i % 3 ? "alice@example.org" : "bob@example.org";
		int rc = rulebook_find(w->book, i & 1, str_from(rcpt), &s);

		/* alice always has rules, bob always has the same */
		if (rc != 1 || s->of_user != 0 || (i % 3 == 0 && s->effects != REDIRECTS) ||
		    (i % 3 && s->effects != KEEPS && s->effects != DISCARDS))
			w->bad++;
		if (rc == 1)
			ruleset_unref(s);
	}
	return NULL;
}

START_TEST(test_threads)
{
	struct rulebook *r = book("max_programs = 2\n");
	struct work w[THREADS];
	pthread_t t[THREADS];
	unsigned i, bad = 0;

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "bob@example.org"), REDIRECTS);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct work){ r, i, 0 };
		ck_assert_int_eq(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (i = 0; i < 60; i++) {
		char text[100];

		snprintf(text, sizeof(text), "%s # %u\n", i % 3 == 0 ? "keep 5;" : i % 3 == 1 ? "keep;" : "discard;", i);
		replace("rules/example.org/alice.sieve", text);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		bad += w[i].bad;
	}
	ck_assert_uint_eq(bad, 0);
	rulebook_free(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/rulebook");
	TCase *t = tcase_create("rulebook");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_found);
	tcase_add_test(t, test_shared);
	tcase_add_test(t, test_directory_is_a_link);
	tcase_add_test(t, test_site);
	tcase_add_test(t, test_local_domains);
	tcase_add_test(t, test_broken_site);
	tcase_add_test(t, test_protected);
	tcase_add_test(t, test_effect);
	tcase_add_test(t, test_owns);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_threads);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
