/* test_milter_trouble.c - our own trouble delays mail for a while, and neither loses nor refuses it
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include <sys/resource.h>

#include "milter_fixture.h"

/* Costs so much work that the clock is looked at several times. */
#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8
#define BURN4(x) x x x x
#define BURN "set \"x\" \"" X64 "\"; set \"x\" \"" BURN4(BURN4("${x}")) "\"; set \"x\" \"" BURN4(BURN4("${x}")) "\"; " \
	BURN4(BURN4("if string :contains \"y${x}\" \"zx\" { stop; } "))

/* --- rules that cannot be read */

/* One recipient, whose rules cannot be read when he is named. */
static const char *
play_without_descriptors(const struct mail *m)
{
	struct rlimit limit, none;
	struct session *s = mail_session(m);
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } }, at_header = v;
	char *to[] = { (char *)"<a@example.org>", NULL };

	buf_reset(&recorder.said);
	session_mail(s, &mta, (char *[]){ (char *)"<s@example.net>", NULL });
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	session_rcpt(s, &mta, to, &v);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (v.kind != VERDICT_CONTINUE) {
		say_verdict("a: ", &v);
	} else {
		mail_header(s, m->header ? m->header : "From: s@example.net\nSubject: hi\n");
		session_header_end(s, &mta, &at_header);
		if (at_header.kind == VERDICT_CONTINUE)
			mail_end(s, m);
		else
			say_verdict("header: ", &at_header);
	}
	session_free(s);
	return buf_str(&recorder.said).s;
}

START_TEST(unreadable_rules)
{
	const struct mail m = { .to = "a" };

	rules("a discard;");
	begin("");
	expect("first", play_without_descriptors(&m), "a: 451 4.3.0 rules cannot be read now");
	expect("second", play_without_descriptors(&m), "a: 451 4.3.0 rules cannot be read now");
	expect("third", play_without_descriptors(&m), "top Tamis-Trouble: passed without rules (rules cannot be read) | accept");
	ck_assert_ptr_nonnull(strstr(logged(), "passed without rules"));
	ck_assert_ptr_nonnull(strstr(logged(), "rcpt=a@example.org rules=none verdict=passed note=\"rules cannot be read now: Too many"));
	expect("when it is over", play(&m), "-<a@example.org> | accept");
	/* of that nothing is left */
	expect("fourth", play_without_descriptors(&m), "a: 451 4.3.0 rules cannot be read now");
	expect("fifth", play_without_descriptors(&m), "a: 451 4.3.0 rules cannot be read now");
	end();
	begin("");
	expect("sixth", play_without_descriptors(&m), "top Tamis-Trouble: passed without rules (rules cannot be read) | accept");
	end();
}
END_TEST

/* Those of one recipient, as somebody's mail finds them: another's goes on to be counted. */
START_TEST(unreadable_for_one)
{
	const struct mail m = { .to = "a" }, other = { .to = "b" }, from_other = { .to = "a", .from = "t@example.net" };

	rules("a discard;\nb discard;");
	begin("");
	for (int n = 0; n < 2; n++) {
		expect("in trouble", play_without_descriptors(&m), "a: 451 4.3.0 rules cannot be read now");
		expect("another's are good", play(&other), "-<b@example.org> | accept");
		expect("they are, for another's mail", play(&from_other), "-<a@example.org> | accept");
	}
	expect("third", play_without_descriptors(&m), "top Tamis-Trouble: passed without rules (rules cannot be read) | accept");
	end();
}
END_TEST

/* Whether he to whom it is redirected has rules cannot be told: it does not go round them. */
START_TEST(unreadable_target)
{
	const struct mail m = { .to = "a" };
	struct session *s = mail_session(&m);
	struct rlimit limit, none;

	rules("a redirect \"b@example.org\";\nb discard;");
	begin("filtered");
	buf_reset(&recorder.said);
	ck_assert(mail_begin(s, &m));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	mail_end(s, &m);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect("now", buf_str(&recorder.said).s, "451 4.4.0 a copy of the message was not taken; the message later");
	session_free(s);
	expect("later", play(&m), "copy s@example.net>b@example.org [Tamis-Redirected: 1] | -<a@example.org> | accept");
	end();
}
END_TEST

/* --- rules that take too long */

START_TEST(slow_at_rcpt)
{
	const struct mail m = { .to = "a" };
	struct session *s;

	rules("a " BURN "ereject \"no\";");
	begin("rcpt_deadline = 1s\n");
	expect("in time", play(&m), "a: 550 5.7.1 no | header: accept");
	s = mail_session(&m);
	buf_reset(&recorder.said);
	clock_step = 20000;             /* over at the second look */
	ck_assert(mail_begin(s, &m));
	clock_step = 0;
	mail_end(s, &m);
	expect("decided at the end", buf_str(&recorder.said).s, "550 5.7.1 no");
	session_free(s);
	end();
}
END_TEST

START_TEST(slow_at_the_end)
{
	const struct mail m = { .to = "a b" };

	rules("a " BURN "discard;\nb if header \"subject\" \"hi\" { discard; }");
	begin("");
	clock_step = 150000;
	expect("first", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	expect("second", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	expect("of another message", play(&(struct mail){ .to = "a b", .header = "Subject: hi\nDate: now\n" }),
	       "451 4.3.0 mail rules are in trouble; the message later");
	/* it is a's trouble: what b wants is done */
	expect("third", play(&m), "top Tamis-Trouble: passed without rules (no time left for the rules) | "
	       "-<b@example.org> | accept");
	ck_assert_ptr_nonnull(strstr(logged(), "done=passed"));
	ck_assert_ptr_nonnull(strstr(logged(), "user=b@example.org"));
	ck_assert_ptr_nonnull(strstr(logged(), "effects=discard verdict=done"));
	ck_assert_ptr_nonnull(strstr(logged(), "verdict=passed note=\"no time left for the rules\""));
	end();
}
END_TEST

/* Rules of that name that never come to their end. */
static void
endless(struct buf *text, char name)
{
	buf_putc(text, name);
	for (int i = 0; i < 300; i++)
		buf_puts(text, " " BURN);
	buf_puts(text, "discard;\n");
}

/* Of rules that never come to their end the others' know nothing: there is time for theirs, though they have to look at the
 * clock as well, and for their copies. */
START_TEST(slow_beside_others)
{
	const struct mail m = { .to = "a b" };
	struct buf text = { 0 };

	endless(&text, 'a');
	buf_puts(&text, "b " BURN "addheader \"X-B\" \"1\";");
	rules(buf_str(&text).s);
	begin("");
	clock_step = 500;
	expect("first", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	/* the server knows that it is not forgotten */
	ck_assert_uint_gt(recorder.progress, 10);
	ck_assert_ptr_nonnull(strstr(logged(), "a.sieve verdict=again note=\"no time left for the rules\""));
	ck_assert_ptr_nonnull(strstr(logged(), "effects=\"addheader \\\"X-B\\\" \\\"1\\\", keep\" verdict=again"));
	expect("second", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	expect("third", play(&m), "copy s@example.net>b@example.org [X-B: 1] | "
	       "top Tamis-Trouble: passed without rules (no time left for the rules) | -<b@example.org> | accept");
	clock_step = 0;
	end();
	buf_done(&text);
}
END_TEST

/* However many such rules there are: those of the last one have time as well, and so has his copy. */
START_TEST(slow_before_another)
{
	const struct mail m = { .to = "c d e f g h i j k l m n b" };
	struct buf text = { 0 };

	for (char name = 'c'; name <= 'n'; name++)
		endless(&text, name);
	buf_puts(&text, "b " BURN BURN "addheader \"X-B\" \"1\";");
	rules(buf_str(&text).s);
	begin("trouble_times = 1\n");
	clock_step = 500;
	expect("at once", play(&m), "copy s@example.net>b@example.org [X-B: 1] | "
	       "top Tamis-Trouble: passed without rules (no time left for the rules) | -<b@example.org> | accept");
	clock_step = 0;
	end();
	buf_done(&text);
}
END_TEST

/* Rules that are only watched change nothing, and nobody waits for them. */
START_TEST(watched)
{
	const struct mail m = { .to = "a" };
	char body[8192], conf[300];
	struct mail large = m;

	memset(body, 'x', sizeof body - 1);
	body[sizeof body - 1] = '\0';
	large.body = body;
	rules("a " BURN "discard;\nb discard;");
	snprintf(conf, sizeof conf, "effect = observe\nmax_memory = 4K\nspill_dir = %s/none\n[user b@example.org]\neffect = full\n", dir);
	begin(conf);
	expect("they cannot be read", play_without_descriptors(&m), "header: accept");
	ck_assert_ptr_nonnull(strstr(logged(), "rcpt=a@example.org rules=none verdict=pass note=\"rules cannot be read now"));
	clock_step = 150000;
	expect("no time for them", play(&m), "accept");
	ck_assert_ptr_nonnull(strstr(logged(), "no time left for the rules"));
	expect("others' are in force", play(&(struct mail){ .to = "a b" }), "-<b@example.org> | accept");
	ck_assert_ptr_null(strstr(logged(), "a.sieve verdict=done"));
	clock_step = 0;
	rules("a if body :contains \"y\" { discard; }");
	expect("no room for the body", play(&large), "accept");
	ck_assert_ptr_nonnull(strstr(logged(), "a.sieve verdict=pass note=\"not decided\""));
	ck_assert_ptr_null(strstr(logged(), "verdict=again"));
	ck_assert_ptr_null(strstr(logged(), "verdict=passed"));
	end();
}
END_TEST

/* But he waits with those whose rules are in trouble, since it is one message. */
START_TEST(watched_beside_trouble)
{
	rules("a discard;\nb " BURN "discard;");
	begin("[user a@example.org]\neffect = observe\n");
	clock_step = 150000;
	expect("for both", play(&(struct mail){ .to = "a b" }), "451 4.3.0 mail rules are in trouble; the message later");
	ck_assert_ptr_nonnull(strstr(logged(), "would=discard verdict=again"));
	clock_step = 0;
	end();
}
END_TEST

START_TEST(slow_for_an_hour)
{
	const struct mail m = { .to = "a" };

	rules("a " BURN "discard;");
	begin("trouble_times = 1000\ntrouble_seconds = 1s\n");
	clock_step = 150000;
	expect("first", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	sleep(2);
	expect("later", play(&m), "top Tamis-Trouble: passed without rules (no time left for the rules) | accept");
	end();
}
END_TEST

/* --- no room for the body */

START_TEST(no_room)
{
	const struct mail m = { .to = "a b c", .body = "0123456789abcdef" };
	char body[8192], conf[300];
	struct mail large = m;

	memset(body, 'x', sizeof body - 1);
	body[sizeof body - 1] = '\0';
	large.body = body;
	rules("a if body :contains \"y\" { discard; }\nb addheader \"X-A\" \"1\";\nc discard;");
	snprintf(conf, sizeof conf, "max_memory = 4K\nmax_header = 4K\nspill_dir = %s/none\n", dir);
	begin(conf);
	expect("small", play(&m), "copy s@example.net>b@example.org [X-A: 1] | -<b@example.org> | -<c@example.org> | accept");
	expect("first", play(&large), "451 4.3.0 mail rules are in trouble; the message later");
	expect("second", play(&large), "451 4.3.0 mail rules are in trouble; the message later");
	expect("third", play(&large), "top Tamis-Trouble: passed without rules (no room for the body) | -<c@example.org> | accept");
	large.to = "b d";
	large.header = "Subject: copies alone\n";
	expect("for the copy", play(&large), "451 4.3.0 mail rules are in trouble; the message later");
	large.to = "c e";
	rules("e if size :over 9K { discard; }");
	expect("nobody needs it", play(&large), "-<c@example.org> | accept");
	large.to = "a e";
	large.header = "Subject: sizes\n";
	expect("first, with a size", play(&large), "451 4.3.0 mail rules are in trouble; the message later");
	expect("second, with a size", play(&large), "451 4.3.0 mail rules are in trouble; the message later");
	rules("e if size :over 1K { discard; }");
	expect("its size is known", play(&large), "top Tamis-Trouble: passed without rules (no room for the body) | -<e@example.org> | accept");
	end();
}
END_TEST

/* There is room for the first attempt, at which his copy leaves and another's does not, and then there is none. */
START_TEST(no_room_any_more)
{
	char body[8192], conf[300];
	const struct mail m = { .to = "a b c", .body = body };

	memset(body, 'x', sizeof body - 1);
	body[sizeof body - 1] = '\0';
	rules("a addheader \"X-A\" \"1\";\nb addheader \"X-B\" \"1\";");
	begin("max_memory = 4K\nmax_header = 4K\n");
	port.answers = "b@example.org=451";
	expect("one of two", play(&m), "copy s@example.net>a@example.org [X-A: 1] | 451 4.4.0 a copy of the message was not taken; the message later");
	end();
	snprintf(conf, sizeof conf, "max_memory = 4K\nmax_header = 4K\nspill_dir = %s/none\n", dir);
	begin(conf);
	expect("first", play(&m), "451 4.3.0 mail rules are in trouble; the message later");
	expect("who has his gets no other", play(&m), "top Tamis-Trouble: passed without rules (no room for the body) | -<a@example.org> | accept");
	end();
}
END_TEST

START_TEST(spilled)
{
	char body[8192];
	const struct mail m = { .to = "a b", .body = body };

	memset(body, 'x', sizeof body - 1);
	memcpy(body + sizeof body - 10, "needle", 6);
	body[sizeof body - 1] = '\0';
	rules("a if body :raw :contains \"needle\" { addheader \"X-A\" \"1\"; }");
	begin("max_memory = 4K\nmax_header = 4K\n");
	expect("all of it", play(&m), "copy s@example.net>a@example.org [X-A: 1] | -<a@example.org> | accept");
	ck_assert_ptr_nonnull(memmem(port.message.s, port.message.len, body, sizeof body - 1));
	end();
}
END_TEST

/* --- a header that is too large */

static const struct {
	const char *name, *conf, *rules, *to, *expect;
} large_header[] = {
	{ "his rules are not asked", "", "a if header \"subject\" \"hi\" { discard; }", "a", "header: accept" },
	{ "what the envelope decides is done", "", "a discard;", "a", "-<a@example.org> | accept" },
	{ "no copy is made of half a message", "", "a redirect \"x@example.net\";\nb keep;", "a b",
	  "+x@example.net | -<a@example.org> | accept" },
	{ "nor with a folder", "fileinto_by = header\n", "a fileinto \"X\";\nb keep;", "a b", "accept" },
	{ "nor for the filtered port", "filtered", "a redirect \"b@example.org\";\nb keep;", "a",
	  "+b@example.org | -<a@example.org> | accept" },
	{ "nor with another sender", "redirect_sender = user\n", "a redirect \"x@example.net\";\nb keep;", "a b",
	  "+x@example.net | -<a@example.org> | accept" },
	{ "a field above it does no harm", "fileinto_by = header\n", "a fileinto \"X\";", "a", "top Tamis-File: [] X | accept" },
};

START_TEST(header_over)
{
	struct buf header = { 0 };
	struct buf conf = { 0 };

	buf_puts(&header, "From: s@example.net\nSubject: hi\n");
	for (int i = 0; i < 100; i++)
		buf_printf(&header, "X-Long: %060d\n", i);
	buf_printf(&conf, "%smax_header = 4K\n", large_header[_i].conf);
	rules(large_header[_i].rules);
	begin(buf_str(&conf).s);
	expect(large_header[_i].name, play(&(struct mail){ .to = large_header[_i].to, .header = buf_str(&header).s }),
	       large_header[_i].expect);
	end();
	buf_done(&conf);
	buf_done(&header);
}
END_TEST

/* --- too many */

START_TEST(too_many_recipients)
{
	rules("a discard;\nb discard;");
	begin("max_recipients = 1\n");
	expect("two", play(&(struct mail){ .to = "a b" }),
	       "b: 451 4.5.3 too many recipients of one message; the others later | -<a@example.org> | accept");
	expect("the same twice", play(&(struct mail){ .to = "a a" }), "-<a@example.org> | accept");
	expect("then the next message", play(&(struct mail){ .to = "b" }), "-<b@example.org> | accept");
	end();
}
END_TEST

START_TEST(too_many_connections)
{
	rules("a discard;");
	begin("");
	expect("one too many", play(&(struct mail){ .to = "a", .crowded = true }), "a: 451 4.3.2 too many connections; later | header: accept");
	ck_assert_ptr_nonnull(strstr(logged(), "rcpt=a@example.org verdict=again why=\"there are more connections"));
	expect("but what is submitted here comes", play(&(struct mail){ .to = "a", .ip = "127.0.0.1", .crowded = true }),
	       "-<a@example.org> | -<a> | -<a%example.org> | -<example.org!a> | accept");
	end();
}
END_TEST

/* Where rules are only watched, nobody is told to come again, and nobody refused because others are not counted. */
START_TEST(too_many_watched)
{
	const struct mail one = { .from = "z@example.net", .to = "a" };

	rules("a discard;\nb discard;\nc discard;\nd reject \"no\";");
	begin("effect = observe\nmax_recipients = 1\nmax_messages = 1\n[user c@example.org]\neffect = full\n"
	      "[user d@example.org]\neffect = full\n");
	expect("recipients", play(&(struct mail){ .to = "a b" }), "header: accept");
	ck_assert_ptr_nonnull(strstr(logged(), "rcpt=b@example.org rules=none verdict=pass note=\"there are more recipients"));
	expect("but who is not watched only", play(&(struct mail){ .to = "a c" }),
	       "c: 451 4.5.3 too many recipients of one message; the others later | header: accept");
	expect("who refuses does so for himself", play(&(struct mail){ .to = "d b" }),
	       "copy s@example.net>d@example.org [Tamis-Refused: \"no\"] | -<d@example.org> | accept");
	expect("connections", play(&(struct mail){ .from = "z@example.net", .to = "a", .crowded = true }), "header: accept");
	rules("a if size :over 1K { discard; }\nc if size :over 1K { discard; }");
	ck_assert_int_eq(daemon_enter(&server, server.setup->conf, false), 1);
	expect("messages", play(&one), "accept");
	expect("of others", play(&(struct mail){ .from = "z@example.net", .to = "c" }), "451 4.3.2 too many messages at once; this one later");
	daemon_leave(&server);
	end();
}
END_TEST

START_TEST(too_many_hops)
{
	struct buf header = { 0 };
	const struct mail m = { .to = "a", .header = "Received-SPF: pass\nReceived: x\nReceived: x\nReceived: x\nReceived: x\nReceived: x\n" };
	struct mail more = m;

	rules("a redirect :copy \"x@example.net\"; redirect \"y@example.net\";");
	begin("max_hops = 5\n");
	expect("as many as may be", play(&m), "+x@example.net | +y@example.net | -<a@example.org> | accept");
	buf_printf(&header, "%sreceived: x\n", m.header);
	more.header = buf_str(&header).s;
	expect("one more", play(&more), "accept");
	ck_assert_ptr_nonnull(strstr(logged(), "passed too many servers"));
	expect("three times through our port", play(&(struct mail){ .to = "a",
	       .header = "Tamis-Redirected: 3\nTamis-Redirected: 2\nTamis-Redirected: 1\n" }),
	       "+x@example.net | +y@example.net | -<a@example.org> | accept");
	expect("four times", play(&(struct mail){ .to = "a",
	       .header = "Tamis-Redirected: 4\nTamis-Redirected: 3\nTamis-Redirected: 2\nTamis-Redirected: 1\n" }), "accept");
	/* whatever else becomes of it, but what he has filed himself */
	rules("a redirect \"x@example.net\"; fileinto \"X\";\nb redirect :copy \"x@example.net\"; discard;\n"
	      "c redirect \"x@example.net\"; keep;");
	end();
	begin("max_hops = 5\nfileinto_by = detail\n");
	more.to = "a b c";
	expect("filed, or kept", play(&more), "+a+X@example.org | -<a@example.org> | accept");
	rules("a redirect \"x@example.net\"; fileinto :copy \"X\";");
	expect("a copy filed, and kept", play(&more), "+a+X@example.org | accept");
	rules("a redirect \"x@example.net\"; fileinto \"X\";");
	end();
	begin("max_hops = 5\nfileinto_by = header\n");
	play(&more);
	ck_assert_ptr_nonnull(strstr(recorder.said.s, "copy s@example.net>a@example.org [Tamis-File]"));
	ck_assert_ptr_nonnull(strstr(recorder.said.s, "-<a@example.org>"));
	buf_done(&header);
	end();
}
END_TEST

START_TEST(overload)
{
	const struct mail refusable = { .to = "a" }, harmless = { .to = "b" }, both = { .to = "a b" }, aside = { .to = "c" };
	const char *later = "451 4.3.2 too many messages at once; this one later";

	rules("a if header \"subject\" \"hi\" { discard; }\nb if header \"subject\" \"hi\" { redirect \"x@example.net\"; }\n"
	      "c if header \"subject\" \"hi\" { quarantine; }");
	begin("max_messages = 1\noverload_after = 1h\n");
	ck_assert_int_eq(daemon_enter(&server, server.setup->conf, false), 1);
	expect("at first", play(&harmless), later);
	atomic_fetch_sub(&server.overloaded, 1800000);
	expect("still", play(&harmless), later);
	atomic_fetch_sub(&server.overloaded, 2000000);
	expect("for long", play(&harmless), "accept");
	expect("rules that discard never pass", play(&refusable), later);
	expect("nor with others", play(&both), later);
	expect("nor do those that set aside", play(&aside), later);
	daemon_leave(&server);
	expect("there is room", play(&refusable), "-<a@example.org> | accept");
	/* a new crowd is a new one */
	ck_assert_int_eq(daemon_enter(&server, server.setup->conf, false), 1);
	expect("again at first", play(&harmless), later);
	daemon_leave(&server);
	end();
}
END_TEST

/* --- rules that killed us */

START_TEST(set_aside)
{
	const uint8_t fingerprint[32] = { 1 };
	struct ruleset *r;

	rules("a discard;\nb discard;");
	begin("");
	expect("before", play(&(struct mail){ .to = "a" }), "-<a@example.org> | accept");
	r = find(server.setup->rules, "a@example.org");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ge(slots_begin(server.slots, r->user, r->content, fingerprint), 0);
		ck_assert_int_ge(slots_begin(server.slots, r->user, r->content, fingerprint), 0);
		end();
		begin("");
		expect("others", play(&(struct mail){ .to = "b" }), "-<b@example.org> | accept");
		if (i == 0)
			break;
	}
	expect("twice", play(&(struct mail){ .to = "a" }), "header: accept");
	ck_assert_ptr_nonnull(strstr(logged(), "set aside"));
	rules("a discard; # mended");
	expect("changed", play(&(struct mail){ .to = "a" }), "-<a@example.org> | accept");
	ruleset_unref(r);
	end();
}
END_TEST

/* A run leaves its slot. */
START_TEST(slot_is_left)
{
	rules("a discard;");
	begin("");
	for (int i = 0; i < 2; i++) {
		play(&(struct mail){ .to = "a" });
		end();
		begin("");
	}
	expect("not aside", play(&(struct mail){ .to = "a" }), "-<a@example.org> | accept");
	ck_assert_ptr_null(strstr(logged(), "died-in-rules"));
	end();
}
END_TEST

/* --- the server does not hear us any more */

static const struct {
	const char *rules, *fails, *expect;
} deaf[] = {
	{ "a redirect \"x@example.net\";", "+", "+x@example.net | 451 4.3.0 mail rules are in trouble; the message later" },
	{ "a addheader \"X-A\" \"1\";", "top", "top X-A: 1 | 451 4.3.0 mail rules are in trouble; the message later" },
	{ "a addheader :last \"X-A\" \"1\";", "end", "end X-A: 1 | 451 4.3.0 mail rules are in trouble; the message later" },
	{ "a deleteheader \"subject\";", "del", "del Subject 1 | 451 4.3.0 mail rules are in trouble; the message later" },
	{ "a quarantine \"x\";", "quarantine", "top Tamis-Quarantine: \"x\" | quarantine x | "
	  "451 4.3.0 mail rules are in trouble; the message later" },
	{ "a discard;", "-", "-<a@example.org> | 451 4.3.0 mail rules are in trouble; the message later" },
};

START_TEST(edits_fail)
{
	rules(deaf[_i].rules);
	recorder.fails = deaf[_i].fails;
	begin("");
	expect(deaf[_i].fails, play(&(struct mail){ .to = "a" }), deaf[_i].expect);
	ck_assert_ptr_nonnull(strstr(logged(), "verdict=again"));
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, unreadable_rules);
	tcase_add_test(t, unreadable_for_one);
	tcase_add_test(t, unreadable_target);
	tcase_add_test(t, slow_at_rcpt);
	tcase_add_test(t, slow_at_the_end);
	tcase_add_test(t, slow_beside_others);
	tcase_add_test(t, slow_before_another);
	tcase_add_test(t, watched);
	tcase_add_test(t, watched_beside_trouble);
	tcase_add_test(t, slow_for_an_hour);
	tcase_add_test(t, no_room);
	tcase_add_test(t, no_room_any_more);
	tcase_add_test(t, spilled);
	tcase_add_loop_test(t, header_over, 0, COUNT(large_header));
	tcase_add_test(t, too_many_recipients);
	tcase_add_test(t, too_many_connections);
	tcase_add_test(t, too_many_watched);
	tcase_add_test(t, too_many_hops);
	tcase_add_test(t, overload);
	tcase_add_test(t, set_aside);
	tcase_add_test(t, slot_is_left);
	tcase_add_loop_test(t, edits_fail, 0, COUNT(deaf));
}

int
main(void)
{
	return milter_suite("milter/trouble", tests);
}
