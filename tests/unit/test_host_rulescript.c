/* test_host_rulescript.c - rules are followed as they change; the last good version
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <time.h>

#include "host/lru.h"
#include "host/rulebook.h"
#include "rulebook.h"

/* --- changes */

START_TEST(test_changes)
{
	struct rulebook *r = book("");
	struct ruleset *before, *after;
	int i;

	before = find(r, "alice@example.org");
	/* a byte for a byte, at once: neither size nor time tell */
	for (i = 0; i < 50; i++) {
		put("rules/example.org/alice.sieve", i % 2 ? "discard; \n" : "keep;    \n");
		ck_assert_uint_eq(effects(r, "alice@example.org"), i % 2 ? DISCARDS : KEEPS);
	}
	replace("rules/example.org/alice.sieve", "redirect \"x@example.net\";\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), REDIRECTS);
	after = find(r, "alice@example.org");
	ck_assert(memcmp(before->content, after->content, 32) != 0);
	ck_assert_ptr_ne(before->program[0], after->program[0]);
	ruleset_unref(before);
	/* touched is not changed */
	replace("rules/example.org/alice.sieve", "redirect \"x@example.net\";\n");
	before = find(r, "alice@example.org");
	ck_assert_int_eq(memcmp(before->content, after->content, 32), 0);
	ck_assert_ptr_eq(before->program[0], after->program[0]);
	ruleset_unref(after);
	ruleset_unref(before);
	unlink(at("rules/example.org/alice.sieve"));
	ck_assert_ptr_null(find(r, "alice@example.org"));
	put("rules/example.org/carol.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 0);
	rulebook_free(r);
}
END_TEST

/* What was in force is not kept when it is not any more. */
START_TEST(test_many_changes)
{
	struct rulebook *r = book("");
	size_t size = 0;

	for (int i = 0; i < 50; i++) {
		char text[64];

		snprintf(text, sizeof text, "require \"include\"; include \"x\"; # %d\n", i);
		replace("rules/example.org/x", i % 2 ? "discard;\n" : "keep;\n");
		replace("rules/example.org/alice.sieve", text);
		ck_assert_uint_eq(effects(r, "alice@example.org"), i % 2 ? DISCARDS : KEEPS);
		if (i == 10)
			size = rulebook_size(r);
		if (i % 3 == 0) {
			unlink(at("rules/example.org/alice.sieve"));
			ck_assert_ptr_null(find(r, "alice@example.org"));
		}
	}
	ck_assert_uint_eq(rulebook_size(r), size);
	rulebook_free(r);
}
END_TEST

/* One script has its limit; so has all of them together. */
START_TEST(test_too_much)
{
	struct rulebook *r = book("limit_script_size = 1000\n");
	char text[1001], name[64];
	struct buf main = { 0 };

	buf_puts(&main, "require \"include\";\n");
	for (int i = 0; i < 9; i++) {
		snprintf(text, sizeof text, "#%0950d\ndiscard;\n", i);
		snprintf(name, sizeof name, "rules/example.org/part%d", i);
		put(name, text);
		buf_printf(&main, "include \"part%d\";\n", i);
		if (i == 7)
			put("rules/example.org/alice.sieve", buf_str(&main).s);
	}
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	put("rules/example.org/bob.sieve", buf_str(&main).s);
	ck_assert_ptr_null(find(r, "bob@example.org"));
	ck_assert_uint_gt(reports, 0);
	/* it is as if it were broken: what was good before is in force */
	buf_puts(&main, "redirect \"x@example.net\";\n");
	put("rules/example.org/alice.sieve", buf_str(&main).s);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	buf_done(&main);
	rulebook_free(r);
}
END_TEST

/* So it is with what others might have written. */
START_TEST(test_refused_include)
{
	struct rulebook *r = book("");

	put("rules/example.org/part", "discard;\n");
	put("rules/example.org/alice.sieve", "require \"include\"; include \"part\";\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	put("rules/example.org/part", "redirect \"x@example.net\";\n");
	chmod(at("rules/example.org/part"), 0664);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	chmod(at("rules/example.org/part"), 0644);
	ck_assert_uint_eq(effects(r, "alice@example.org"), REDIRECTS);
	rulebook_free(r);
}
END_TEST

static void *
itself(void *p)
{
	return p;
}

static void *
nothing(void *p)
{
	(void)p;
	return NULL;
}

static size_t
length(const void *p)
{
	return strlen(p);
}

/* Texts of good versions are kept up to a weight; the newest in any case. */
START_TEST(test_weight)
{
	static char text[] = "abcdefgh";
	struct lru *l = lru_new(10, itself, nothing);

	lru_weigh(l, 10, length);
	lru_put(l, STR("1"), text + 4);
	lru_put(l, STR("2"), text + 4);
	ck_assert_uint_eq(lru_count(l), 2);
	lru_put(l, STR("3"), text + 5);
	ck_assert_uint_eq(lru_count(l), 2);
	ck_assert_ptr_null(lru_find(l, STR("1")));
	lru_put(l, STR("2"), text);
	ck_assert_uint_eq(lru_count(l), 1);
	lru_drop(l, STR("2"));
	lru_drop(l, STR("3"));
	ck_assert_uint_eq(lru_count(l), 0);
	lru_put(l, STR("4"), text);
	lru_put(l, STR("5"), text + 7);
	ck_assert_uint_eq(lru_count(l), 2);
	lru_unref(l);
}
END_TEST

/* Times are noted when a page is first written to, not at each change of it: a file of a moment ago is read again. */
START_TEST(test_young_files)
{
	static const char one[] = "discard; \n", other[] = "keep;    \n";
	struct rulebook *r = book("");
	char *text;
	int fd, i;

	put("rules/example.org/alice.sieve", one);
	fd = open(at("rules/example.org/alice.sieve"), O_RDWR);
	text = mmap(NULL, sizeof(one), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(text, MAP_FAILED);
	for (i = 0; i < 10; i++) {
		memcpy(text, i % 2 ? one : other, sizeof(one) - 1);
		ck_assert_uint_eq(effects(r, "alice@example.org"), i % 2 ? DISCARDS : KEEPS);
	}
	munmap(text, sizeof(one));
	close(fd);
	rulebook_free(r);
}
END_TEST

START_TEST(test_old_files)
{
	struct rulebook *r = book("");

	age("rules/example.org/alice.sieve");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	put("rules/example.org/alice.sieve", "keep;    \n");
	age("rules/example.org/alice.sieve");
	ck_assert_uint_eq(effects(r, "alice@example.org"), KEEPS);
	rulebook_free(r);
}
END_TEST

/* A mistake in each line of a long script is not a line of the log each.  Errors come before warnings then. */
START_TEST(test_many_mistakes)
{
	struct rulebook *r = book("fileinto_by = detail\n");
	struct buf text = { 0 };

	buf_puts(&text, "require \"fileinto\";\n");
	for (int i = 0; i < 5; i++)
		buf_puts(&text, "if true { fileinto \"a.b\"; }\n");
	for (int i = 0; i < 5; i++)
		buf_puts(&text, "keep 5;\n");
	replace("rules/example.org/alice.sieve", buf_str(&text).s);
	effects(r, "alice@example.org");
	ck_assert_msg(reports == 10 && !strstr(said, " more"), "%u: %s", reports, said);
	buf_puts(&text, "keep 5;\n");
	replace("rules/example.org/alice.sieve", buf_str(&text).s);
	effects(r, "alice@example.org");
	ck_assert_msg(reports == 20 && strstr(said, "alice.sieve:12|") && strstr(said, "alice.sieve:0|2 more"), "%u: %s", reports, said);
	for (int i = 0; i < 30; i++)
		buf_puts(&text, "keep 5;\n");
	replace("rules/example.org/alice.sieve", buf_str(&text).s);
	effects(r, "alice@example.org");
	ck_assert_msg(reports == 30 && strstr(said, "alice.sieve:0|32 more"), "%u: %s", reports, said);
	buf_done(&text);
	rulebook_free(r);
}
END_TEST

/* --- the last good version */

START_TEST(test_last_good)
{
	struct rulebook *r = book("");
	struct ruleset *s;
	int i;

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_str_eq(slurp("rules/example.org/.alice.sieve.good"), "discard;\n");
	for (i = 0; i < 3; i++) {
		replace("rules/example.org/alice.sieve", WRONG);
		ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
		ck_assert_uint_eq(effects(r, "bob@example.org"), REDIRECTS);
	}
	ck_assert_str_eq(slurp("rules/example.org/.alice.sieve.good"), "discard;\n");
	ck_assert_msg(reports == 1, "%s", said);
	ck_assert_msg(strstr(said, "alice@example.org|/tmp/") == said && strstr(said, "/rules/example.org/alice.sieve:1|'keep' has too many"),
	              "%s", said);
	s = find(r, "alice@example.org");
	ck_assert_str_eq(s->path.s, at("rules/example.org/.alice.sieve.good"));
	ruleset_unref(s);
	/* wrong in another way is another word */
	replace("rules/example.org/alice.sieve", "keep 6;\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 2);
	/* the same mistake of somebody else is his */
	replace("rules/example.org/bob.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "bob@example.org"), REDIRECTS);
	ck_assert_uint_eq(reports, 3);
	replace("rules/example.org/alice.sieve", "keep;\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), KEEPS);
	ck_assert_str_eq(slurp("rules/example.org/.alice.sieve.good"), "keep;\n");
	ck_assert_uint_eq(reports, 3);
	rulebook_free(r);
}
END_TEST

START_TEST(test_last_good_after_restart)
{
	struct rulebook *r = book(""), *next;

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	replace("rules/example.org/alice.sieve", WRONG);
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 1);
	/* a reload says nothing new */
	next = book_after("", r);
	rulebook_free(r);
	ck_assert_uint_eq(effects(next, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 1);
	/* a good copy that others may write does not count either */
	rulebook_free(next);
	chmod(at("rules/example.org/.alice.sieve.good"), 0666);
	r = book("");
	ck_assert_ptr_null(find(r, "alice@example.org"));
	rulebook_free(r);
	/* no rules are no rules, whatever was good once */
	chmod(at("rules/example.org/.alice.sieve.good"), 0600);
	unlink(at("rules/example.org/alice.sieve"));
	r = book("");
	ck_assert_ptr_null(find(r, "alice@example.org"));
	rulebook_free(r);
}
END_TEST

/* Removed is what was away for a minute from the first look that missed it: an editor that takes the old file away before
 * it writes the new one, or renames it, is faster. */
#define GOOD "rules/example.org/.alice.sieve.good"

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(at(path), &st), 0);
	return st.st_mode & 0777;
}

START_TEST(test_removed)
{
	struct rulebook *r = book("");

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	unlink(at("rules/example.org/alice.sieve"));
	ck_assert_ptr_null(find(r, "alice@example.org"));
	ck_assert_str_eq(slurp(GOOD), "discard;\n");
	age(GOOD);
	if (_i & 1) {
		/* a restart forgets nothing, nor does it bring back anything */
		rulebook_free(r);
		r = book("");
	}
	if (_i < 2) {
		/* written again long after */
		put("rules/example.org/alice.sieve", WRONG);
		ck_assert_ptr_null(find(r, "alice@example.org"));
		ck_assert_uint_eq(reports, 1);
	} else {
		ck_assert_ptr_null(find(r, "alice@example.org"));
	}
	ck_assert_ptr_null(slurp(GOOD));
	put("rules/example.org/alice.sieve", WRONG);
	ck_assert_ptr_null(find(r, "alice@example.org"));
	rulebook_free(r);
}
END_TEST

START_TEST(test_editor)
{
	struct rulebook *r = book("");

	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	unlink(at("rules/example.org/alice.sieve"));
	ck_assert_ptr_null(find(r, "alice@example.org"));
	if (_i & 1) {
		rulebook_free(r);
		r = book("");
	}
	/* what comes is wrong, or as it was */
	put("rules/example.org/alice.sieve", _i & 2 ? WRONG : "discard;\n");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(mode_of(GOOD), 0600);
	/* and is not forgotten later, for a moment's absence */
	rulebook_free(r);
	age(GOOD);
	put("rules/example.org/alice.sieve", WRONG);
	r = book("");
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

/* A link in the place of the good version leads to nobody else's file, whichever kind it is. */
START_TEST(test_removed_link)
{
	struct rulebook *r = book("");

	put("elsewhere", "discard;\n");
	ck_assert_int_eq(_i ? link(at("elsewhere"), at(GOOD)) : symlink(at("elsewhere"), at(GOOD)), 0);
	unlink(at("rules/example.org/alice.sieve"));
	ck_assert_ptr_null(find(r, "alice@example.org"));
	ck_assert_ptr_null(find(r, "alice@example.org"));
	ck_assert_uint_eq(mode_of("elsewhere"), 0644);
	ck_assert_str_eq(slurp("elsewhere"), "discard;\n");
	rulebook_free(r);
}
END_TEST

START_TEST(test_never_good)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", WRONG);
	ck_assert_ptr_null(find(r, "carol@example.org"));
	ck_assert_ptr_null(find(r, "carol@example.org"));
	ck_assert_uint_eq(reports, 1);
	ck_assert_ptr_null(slurp("rules/example.org/.carol.sieve.good"));
	rulebook_free(r);
}
END_TEST

/* A directory in the place of the good copy: it cannot be written.  Memory has it, and it is said once. */
START_TEST(test_good_not_kept)
{
	struct rulebook *r = book("");

	ck_assert_int_eq(mkdir(at("rules/example.org/.alice.sieve.good"), 0755), 0);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_msg(reports == 1 && strstr(said, "the last good version cannot be kept here"), "%s", said);
	replace("rules/example.org/alice.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	ck_assert_uint_eq(reports, 2);
	rulebook_free(r);
}
END_TEST

/* --- includes */

START_TEST(test_includes)
{
	struct rulebook *r = book("");
	struct ruleset *s, *other;

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :personal \"part\";\ninclude :global \"hello\";\n");
	put("rules/example.org/part.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS | KEEPS);
	ck_assert_uint_eq(reports, 0);
	/* each change is seen, in whatever file */
	age("rules/example.org/carol.sieve");
	replace("rules/example.org/part.sieve", "redirect \"a@example.net\";\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS | KEEPS);
	replace("global/hello.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS | DISCARDS);
	/* the same main script elsewhere has other parts */
	put("rules/example.net/carol.sieve", slurp("rules/example.org/carol.sieve"));
	put("rules/example.net/part.sieve", "keep;\n");
	ck_assert_uint_eq(effects(r, "carol@example.net"), KEEPS | DISCARDS);
	ck_assert_uint_eq(effects(r, "carol@example.org"), REDIRECTS | DISCARDS);
	put("rules/example.net/part.sieve", slurp("rules/example.org/part.sieve"));
	s = find(r, "carol@example.net");
	other = find(r, "carol@example.org");
	ck_assert_ptr_eq(s->program[0], other->program[0]);
	ruleset_unref(s);
	ruleset_unref(other);
	ck_assert_uint_eq(reports, 0);
	rulebook_free(r);
}
END_TEST

START_TEST(test_includes_appear)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude :optional \"part\";\nkeep;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS);
	age("rules/example.org/carol.sieve");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS);
	put("rules/example.org/part", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	put("rules/example.org/part.sieve", "redirect \"a@example.net\";\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | REDIRECTS);
	unlink(at("rules/example.org/part.sieve"));
	ck_assert_uint_eq(effects(r, "carol@example.org"), KEEPS | DISCARDS);
	rulebook_free(r);
}
END_TEST

START_TEST(test_broken_include)
{
	struct rulebook *r = book("");

	put("rules/example.org/carol.sieve", "require \"include\";\ninclude \"part\";\n");
	put("rules/example.org/part.sieve", "discard;\n");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	replace("rules/example.org/part.sieve", WRONG);
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	ck_assert_msg(strstr(said, "/rules/example.org/part.sieve:1|'keep' has too many"), "%s", said);
	ck_assert_uint_eq(reports, 2);          /* the mistake, and the include that leads to it */
	rulebook_free(r);
	r = book("");
	ck_assert_uint_eq(effects(r, "carol@example.org"), DISCARDS);
	rulebook_free(r);
}
END_TEST

static const char *const outside[] = {
	"include \"../../canary\";", "include :global \"../canary\";", "include \"/tmp/canary\";", "include \"link\";",
	"include :global \"link\";", "include \"open\";", "include \".alice.sieve.good\";", "include \"\";", "include \".\";", "include \"..\";",
	"include :global \"..\";", "include \"a/b\";",
};

START_TEST(test_includes_never_out)
{
	struct rulebook *r = book("");
	struct buf b = { 0 };

	put("canary.sieve", "discard;\n");
	put("rules/example.org/a/b.sieve", "discard;\n");
	put("rules/example.org/open.sieve", "discard;\n");
	chmod(at("rules/example.org/open.sieve"), 0666);
	ck_assert_int_eq(symlink(at("canary.sieve"), at("rules/example.org/link.sieve")), 0);
	ck_assert_int_eq(symlink(at("canary.sieve"), at("global/link.sieve")), 0);
	ck_assert_uint_eq(effects(r, "alice@example.org"), DISCARDS);
	buf_printf(&b, "require \"include\";\n%s\n", outside[_i]);
	put("rules/example.org/carol.sieve", buf_str(&b).s);
	ck_assert_msg(effects(r, "carol@example.org") == 0, "%s", outside[_i]);
	ck_assert_uint_ge(reports, 1);
	buf_done(&b);
	rulebook_free(r);
}
END_TEST

/* --- what rules may do here */

static const struct {
	const char *conf, *rules, *says;        /* says NULL: nothing */
	uint32_t effects;
} allowed[] = {
	{ "", "require \"fileinto\";\nfileinto \"a\";\n", ":2|'fileinto' is not carried out here: the message is kept|", 1u << TAMIS_FILE },
	{ "fileinto_by = detail\n", "require \"fileinto\";\nfileinto \"a\";\n", NULL, 1u << TAMIS_FILE },
	{ "fileinto_by = detail\n", "require \"fileinto\";\nfileinto \"a/b\";\n",
	  ":2|'fileinto' cannot file into this mailbox here, and keeps: with fileinto_by = detail its name has 1 to 32", 1u << TAMIS_FILE },
	{ "fileinto_by = detail\n", "require \"fileinto\";\nfileinto \"Inbox\";\n", NULL, 1u << TAMIS_FILE },
	{ "", "require \"vnd.tamis.quarantine\";\nquarantine;\n",
	  ":2|'quarantine' may keep the message here: quarantine_to of tamis.conf is not set", 1u << TAMIS_QUARANTINE },
	{ "copy_to = smtp:127.0.0.1:25\nquarantine_to = q@example.org\n", "require \"vnd.tamis.quarantine\";\nquarantine \"x\";\n",
	  NULL, 1u << TAMIS_QUARANTINE },
	{ "mode = final\n", "require \"vnd.tamis.quarantine\";\nquarantine;\n", NULL, 1u << TAMIS_QUARANTINE },
	{ "", "require \"vacation\";\n", ":1|extension \"vacation\" is not available here|answers are not sent", 0 },
	{ "", "require [\"date\", \"vacation-seconds\"];\n", "is not available here|answers are not sent", 0 },
	{ "deny_extensions = editheader\n", "require [\"editheader\"];\n", "|deny_extensions of tamis.conf has it|", 0 },
	{ "", "require [\"editheader\"];\naddheader \"X\" \"y\";\n", NULL, 1u << TAMIS_HEADER_ADD },
	{ "", "require \"vnd.dovecot.testsuite\";\n", "is not available here||", 0 },
};

START_TEST(test_allowed)
{
	struct rulebook *r = book(allowed[_i].conf);

	put("rules/example.org/carol.sieve", allowed[_i].rules);
	ck_assert_uint_eq(effects(r, "carol@example.org"), allowed[_i].effects);
	ck_assert_uint_eq(effects(r, "carol@example.org"), allowed[_i].effects);
	if (allowed[_i].says)
		ck_assert_msg(reports == 1 && strstr(said, allowed[_i].says), "%s", said);
	else
		ck_assert_msg(!reports, "%s", said);
	rulebook_free(r);
}
END_TEST

START_TEST(test_zone)
{
	struct rulebook *r = book("");
	struct tamis_text data = { "", 0 };
	int rc = rulebook_load(r, text_from("zone"), text_from("UTC"), &data);

	ck_assert(rc == 0 || (rc == 1 && !memcmp(data.s, "TZif", 4)));
	ck_assert_int_eq(rulebook_load(r, text_from("personal"), text_from("alice"), &data), 0);
	ck_assert_int_eq(rulebook_load(r, text_from("zone"), text_from("../../etc/passwd"), &data), 0);
	rulebook_free(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/rulescript");
	TCase *t = tcase_create("rulescript");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_changes);
	tcase_add_test(t, test_many_changes);
	tcase_add_test(t, test_too_much);
	tcase_add_test(t, test_weight);
	tcase_add_test(t, test_refused_include);
	tcase_add_test(t, test_young_files);
	tcase_add_test(t, test_old_files);
	tcase_add_test(t, test_many_mistakes);
	tcase_add_test(t, test_last_good);
	tcase_add_test(t, test_last_good_after_restart);
	tcase_add_loop_test(t, test_removed, 0, 4);
	tcase_add_loop_test(t, test_editor, 0, 4);
	tcase_add_loop_test(t, test_removed_link, 0, 2);
	tcase_add_test(t, test_never_good);
	tcase_add_test(t, test_good_not_kept);
	tcase_add_test(t, test_includes);
	tcase_add_test(t, test_includes_appear);
	tcase_add_test(t, test_broken_include);
	tcase_add_loop_test(t, test_includes_never_out, 0, COUNT(outside));
	tcase_add_loop_test(t, test_allowed, 0, COUNT(allowed));
	tcase_add_test(t, test_zone);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
