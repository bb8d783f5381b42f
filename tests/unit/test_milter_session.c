/* test_milter_session.c - from the text of rules to what a mail server is told
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Recipients are a, b, ... at example.org, with or without rules.  What the
 * server hears is written down in its order: "+x" and "-x" (recipients), "top",
 * "end", "del" (fields), "from" (sender), "copy S>R" (by the port), the verdict. */
#include "milter/daemon.h"
#include "milter_fixture.h"

struct fate {
	const char *name, *conf, *rules, *to, *expect;
};

#define ADD "addheader \"X-A\" \"1\"; "
#define ADD2 "addheader \"X-A\" \"2\"; "
#define HEADER "if header \"subject\" \"hi\" "
#define AR "authserv_id = mx.example.org\nrefuse_late = bounce\n"

static const struct fate fates[] = {
	/* --- one recipient */
	{ "nobody has rules", "", "", "a", "header: accept" },
	{ "keep", "", "a keep;", "a", "header: accept" },
	{ "nothing", "", "a if false { discard; }", "a", "header: accept" },
	{ "refused by the envelope", "", "a ereject \"no\";", "a", "a: 550 5.7.1 no | header: accept" },
	{ "refused by the header", "", "a " HEADER "{ ereject \"no\"; }", "a", "550 5.7.1 no" },
	{ "refused by the body", "", "a if body :contains \"body\" { ereject \"5.1.1 no\"; }", "a", "550 5.1.1 no" },
	{ "word for word, and so at the end", "", "a reject \"no\";", "a", "550 5.7.1 no" },
	{ "discarded", "", "a discard;", "a", "-<a@example.org> | accept" },
	{ "redirected", "", "a redirect \"x@example.net\";", "a", "+x@example.net | -<a@example.org> | accept" },
	{ "redirected and kept", "", "a redirect :copy \"x@example.net\";", "a", "+x@example.net | accept" },
	{ "filed, and there is no way", "", "a fileinto \"X\";", "a", "header: accept" },
	{ "filed by detail", "fileinto_by = detail\n", "a fileinto \"X\";", "a",
	  "+a+X@example.org | -<a@example.org> | accept" },
	{ "filed by header", "fileinto_by = header\n", "a fileinto \"X\";", "a", "top Tamis-File: [] X | accept" },
	{ "an edit", "", "a " ADD, "a", "top X-A: 1 | accept" },
	{ "a deletion", "", "a deleteheader \"subject\";", "a", "del Subject 1 | accept" },
	{ "a run that fails keeps", "limit_work = 2000\n", "a if body :regex \"(b|o)+z\" { stop; } set \"x\" \"${x}${x}\"; discard;",
	  "a", "-<a@example.org> | accept" },
	/* --- the rows of the table */
	{ "nobody keeps, somebody refuses", "", "a " HEADER "{ ereject \"no\"; }\nb discard;", "a b", "550 5.7.1 no" },
	{ "all refuse alike", "", "a " HEADER "{ ereject \"no\"; }\nb " HEADER "{ ereject \"no\"; }", "a b", "550 5.7.1 no" },
	{ "all refuse, each his way", "", "a " HEADER "{ ereject \"no\"; }\nb " HEADER "{ ereject \"never\"; }", "a b",
	  "550 5.7.1 <a@example.org>:/no/<b@example.org>:/never" },
	{ "one refuses, another redirects", "", "a " HEADER "{ ereject \"no\"; }\nb redirect \"x@example.net\";", "a b",
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | +x@example.net | -<a@example.org> | -<b@example.org> | accept" },
	{ "one refuses, another keeps; not believed", AR, "a " HEADER "{ ereject \"no\"; }\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | -<a@example.org> | accept" },
	{ "one refuses, another has no rules", "", "a " HEADER "{ ereject \"no\"; }", "a b",
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | -<a@example.org> | accept" },
	{ "all discard", "", "a discard;\nb discard;", "a b", "-<a@example.org> | -<b@example.org> | accept" },
	{ "one discards", "", "a discard;\nb keep;", "a b", "-<a@example.org> | accept" },
	{ "equal edits are made in place", "", "a " ADD "\nb " ADD, "a b", "top X-A: 1 | accept" },
	{ "the smaller group gets copies", "", "a " ADD "\nb " ADD2 "\nc " ADD2, "a b c",
	  "copy s@example.net>a@example.org [X-A: 1] | top X-A: 2 | -<a@example.org> | accept" },
	{ "who has no rules is left alone", "", "a " ADD "\nb " ADD, "a b c",
	  "copy s@example.net>a@example.org [X-A: 1] | copy s@example.net>b@example.org [X-A: 1] | "
	  "-<a@example.org> | -<b@example.org> | accept" },
	{ "folders of two", "fileinto_by = header\n", "a fileinto \"X\";\nb fileinto \"Y\";", "a b",
	  "copy s@example.net>b@example.org [Tamis-File] | top Tamis-File: [] X | -<b@example.org> | accept" },
	{ "flags of an implicit keep", "fileinto_by = header\n", "a addflag \"\\\\Seen\";\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-File] | -<a@example.org> | accept" },
	{ "flags that the header decides", "fileinto_by = header\n", "a " HEADER "{ addflag \"\\\\Seen\"; }\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-File] | -<a@example.org> | accept" },
	{ "flags that the body decides", "fileinto_by = header\n",
	  "a if body :contains \"body\" { addflag \"\\\\Seen\"; }\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-File] | -<a@example.org> | accept" },
	{ "flags that the size decides", "fileinto_by = header\n",
	  "a if size :under 1K { addflag \"\\\\Seen\"; }\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-File] | -<a@example.org> | accept" },
	{ "an own sender", "redirect_sender = user\n", "a redirect \"x@example.net\";\nb keep;", "a b",
	  "copy a@example.org>x@example.net | -<a@example.org> | accept" },
	{ "an own sender, alone", "redirect_sender = null\n", "a redirect \"x@example.net\";", "a",
	  "+x@example.net | from <> | -<a@example.org> | accept" },
	{ "no port: edits are left out", "copy_to =\n", "a " ADD "\nb keep;", "a b", "accept" },
	{ "no port: equal edits are made", "copy_to =\n", "a " ADD "\nb " ADD, "a b", "top X-A: 1 | accept" },
	{ "an edit and a redirect before it", "", "a redirect :copy \"x@example.net\"; " ADD, "a",
	  "copy s@example.net>a@example.org [X-A: 1] | +x@example.net | -<a@example.org> | accept" },
	{ "a redirect to one with rules, by the filtered port", "filtered", "a redirect \"b@example.org\";\nb keep;", "a",
	  "copy s@example.net>b@example.org [Tamis-Redirected: 1] | -<a@example.org> | accept" },
	{ "the filtered port alone", "filteredcopy_to =\n", "a redirect \"b@example.org\";\nb keep;", "a",
	  "copy s@example.net>b@example.org [Tamis-Redirected: 1] | -<a@example.org> | accept" },
	{ "a redirect to one without rules takes no port", "filtered", "a redirect \"c@example.org\";\nb keep;", "a",
	  "+c@example.org | -<a@example.org> | accept" },
	/* --- recipients interfere */
	{ "a redirect to another recipient", "", "a redirect \"b@example.org\";\nb keep;", "a b", "-<a@example.org> | accept" },
	{ "written another way", "", "a redirect \"B@EXAMPLE.org\";\nb keep;", "a b", "-<a@example.org> | accept" },
	{ "a redirect to one who discards", "", "a redirect \"b@example.org\";\nb discard;", "a b",
	  "-<a@example.org> | -<b@example.org> | accept" },
	{ "a redirect to one who refuses", "", "a redirect \"b@example.org\";\nb " HEADER "{ ereject \"no\"; }", "a b",
	  "550 5.7.1 no" },
	{ "a redirect to one refused at RCPT TO", "", "a redirect \"b@example.org\";\nb ereject \"no\";", "a b",
	  "b: 550 5.7.1 no | accept" },
	{ "a redirect to oneself", "", "a redirect \"a@example.org\";", "a", "accept" },
	{ "in a circle", "", "a redirect \"b@example.org\";\nb redirect \"a@example.org\";", "a b", "accept" },
	{ "two redirect to one", "", "a redirect \"x@example.net\";\nb redirect \"x@example.net\";", "a b",
	  "+x@example.net | -<a@example.org> | -<b@example.org> | accept" },
	{ "the same argument twice", "", "a redirect \"x@example.net\";", "a a", "+x@example.net | -<a@example.org> | accept" },
	{ "two ways to write one", "", "a " ADD, "a A c",
	  "copy s@example.net>a@example.org [X-A: 1] | -<a@example.org> | -<A@example.org> | accept" },
	{ "a keep of a detail", "fileinto_by = detail\n", "a keep;", "a+x", "+a@example.org | -<a+x@example.org> | accept" },
	{ "a folder's address that the client named", "fileinto_by = detail\n", "a fileinto \"X\";", "a a+X",
	  "-<a@example.org> | accept" },
	{ "a folder that cannot be a detail", "fileinto_by = detail\n", "a fileinto \"X Y\";", "a", "header: accept" },
	{ "two folders and no way to tell", "", "a fileinto \"X\"; " ADD "fileinto \"Y\";", "a", "top X-A: 1 | accept" },
	/* --- of one user */
	{ "watched only", "effect = observe\n", "a discard;\nb ereject \"no\";", "a b", "header: accept" },
	{ "watched, beside one who is not", "[user a@example.org]\neffect = observe\n", "a discard;\nb " ADD, "a b",
	  "copy s@example.net>b@example.org [X-A: 1] | -<b@example.org> | accept" },
	{ "told by a field", "effect = tag\n", "a discard;", "a", "top Tamis-Would: discard | accept" },
	{ "told by a field, beside one who is not", "[user a@example.org]\neffect = tag\n", "a discard;\nb keep;", "a b",
	  "copy s@example.net>a@example.org [Tamis-Would: discard] | -<a@example.org> | accept" },
	{ "no rules are run at all", "mode = strip\n", "a ereject \"no\";\nb discard;", "a b", "header: accept" },
	{ "told of an early refusal", "effect = tag\n", "a ereject \"no\";", "a", "top Tamis-Would: ereject \"no\" | accept" },
};

START_TEST(fate)
{
	const struct fate *f = &fates[_i];

	rules(f->rules);
	begin(f->conf);
	expect(f->name, play(&(struct mail){ .to = f->to }), f->expect);
	end();
}
END_TEST

/* --- what is in force while it is loaded anew */

START_TEST(reload)
{
	const struct mail m = { .to = "a" };
	struct session *s;

	rules("a if body :contains \"body\" { discard; }");
	begin("");
	s = mail_session(&m);
	ck_assert(mail_begin(s, &m));
	conf_unref(configuration("effect = observe\n"));
	daemon_reload(&server);
	buf_reset(&recorder.said);
	mail_end(s, &m);
	expect("a message ends with what it began with", recorder.said.s, "-<a@example.org> | accept");
	session_free(s);
	expect("the next one is watched", play(&m), "accept");
	put("tamis.conf", "effect = nothing\n");
	daemon_reload(&server);
	expect("wrong ones are not in force", play(&m), "accept");
	ck_assert_ptr_nonnull(strstr(logged(), "the old configuration stays in force"));
	end();
}
END_TEST

enum { THREADS = 4, MESSAGES = 40 };
static atomic_uint running;

static void *
send_messages(void *ctx)
{
	const struct mail m = { .to = "a b" };

	(void)ctx;
	for (int i = 0; i < MESSAGES; i++) {
		struct session *s = mail_session(&m);

		ck_assert(mail_begin(s, &m));
		mail_end(s, &m);
		session_free(s);
	}
	running--;
	return NULL;
}

START_TEST(reload_under_load)
{
	pthread_t thread[THREADS];
	size_t discarded = 0;

	rules("a if body :contains \"body\" { discard; }\nb addheader \"X-B\" \"1\";");
	begin("");
	running = THREADS;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, send_messages, NULL), 0);
	for (int i = 0; running; i++) {
		replace("rules/example.org/b.sieve", i % 2 ? "keep;\n" : "require \"editheader\"; addheader \"X-B\" \"1\";\n");
		daemon_reload(&server);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (const char *p = buf_str(&recorder.said).s; (p = strstr(p, "-<a@example.org>")); p++)
		discarded++;
	ck_assert_uint_eq(discarded, THREADS * MESSAGES);
	ck_assert_ptr_null(strstr(recorder.said.s, "-<b"));
	ck_assert_ptr_null(strstr(recorder.said.s, "451"));
	end();
}
END_TEST

/* --- rules that wait for the size */

START_TEST(late)
{
	const struct mail mails[] = {
		{ .to = "a" }, { .to = "a", .header = "Subject: bad\n" }, { .to = "a", .body = "a body of more than twenty\r\n" },
	};

	rules("a if header \"subject\" \"bad\" { discard; stop; } if size :over 60 { discard; }");
	setenv("TAMIS_FAULT", "count", 1);
	begin("");
	for (int i = 0; i < 100; i++)
		expect("small", play(&mails[0]), "accept");
	/* 8 twice, 32 once, one twice, ... */
	ck_assert_uint_ge(server.fired[POINT_RUN], 100 + 8);
	ck_assert_uint_le(server.fired[POINT_RUN], 100 + 8 + 3);
	for (int i = 0; i < 100; i++) {
		expect("small", play(&mails[0]), "accept");
		expect("bad", play(&mails[1]), "-<a@example.org> | accept");
		expect("large", play(&mails[2]), "-<a@example.org> | accept");
	}
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, late);
	tcase_add_test(t, reload);
	tcase_add_test(t, reload_under_load);
	tcase_add_loop_test(t, fate, 0, COUNT(fates));
}

int
main(void)
{
	return milter_suite("milter/session", tests);
}
