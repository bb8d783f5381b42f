/* test_milter_srs.c - mail to senders that we rewrote goes to who they are, and to nobody else
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include "host/secret.h"
#include "host/srs.h"
#include "milter_fixture.h"

/* Costs so much work that the clock is looked at several times. */
#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8
#define BURN4(x) x x x x
#define BURN "set \"x\" \"" X64 "\"; set \"x\" \"" BURN4(BURN4("${x}")) "\"; set \"x\" \"" BURN4(BURN4("${x}")) "\"; " \
	BURN4(BURN4("if string :contains \"y${x}\" \"zx\" { stop; } "))

static struct str
srs_address_of(struct arena *a, struct str whose, int days_ago)
{
	struct buf b = { 0 };
	struct str v;

	ck_assert_int_eq(srs_forward(server.secret, whose, "srs.example.org",
	                             daemon_now() / 1000000 - (int64_t)days_ago * 86400, &b), 0);
	v = buf_copy(&b, a);
	buf_done(&b);
	return v;
}

static struct str
srs_address(struct arena *a)
{
	return srs_address_of(a, STR("them@example.com"), 0);
}

#define SRS "redirect_sender = srs\nsrs_domain = srs.example.org\n"

START_TEST(srs)
{
	struct arena a = { 0 };
	struct str rcpt, both, should;

	rules("a " BURN "discard;\nb redirect \"x@example.net\";");
	begin(SRS "max_messages = 1\n");
	rcpt = srs_address(&a);
	should = arena_printf(&a, "+them@example.com | -<%s> | accept", rcpt.s);
	expect("goes back", play(&(struct mail){ .to = rcpt.s, .from = "" }), should.s);
	/* not even when there is no time */
	ck_assert_int_eq(daemon_enter(&server, server.setup->conf, false), 1);
	expect("overload", play(&(struct mail){ .to = rcpt.s }), "451 4.3.2 too many messages at once; this one later");
	atomic_fetch_sub(&server.overloaded, 61000);
	expect("for long", play(&(struct mail){ .to = rcpt.s }), "451 4.3.2 too many messages at once; this one later");
	daemon_leave(&server);
	/* nor when another's rules are in trouble */
	both = arena_printf(&a, "a %s", rcpt.s);
	clock_step = 150000;
	for (int i = 0; i < 2; i++)
		expect("trouble", play(&(struct mail){ .to = both.s }), "451 4.3.0 mail rules are in trouble; the message later");
	should = arena_printf(&a, "+them@example.com | top Tamis-Trouble: passed without rules (no time left for the rules) | "
	                      "-<%s> | accept", rcpt.s);
	expect("passed", play(&(struct mail){ .to = both.s }), should.s);
	clock_step = 0;
	play(&(struct mail){ .to = "b" });
	ck_assert_msg(strstr(recorder.said.s, "+x@example.net | from <SRS0="), "%s", recorder.said.s);
	arena_done(&a);
	end();
}
END_TEST

/* One recipient too many of what is submitted here comes without rules, and goes back all the same. */
START_TEST(srs_of_too_many)
{
	struct arena a = { 0 };

	rules("b keep;");
	begin(SRS "max_recipients = 1\n");
	play(&(struct mail){ .to = arena_printf(&a, "b %s", srs_address(&a).s).s, .ip = "127.0.0.1" });
	ck_assert_msg(str_starts(buf_str(&recorder.said), STR("+them@example.com | -<SRS0=")), "%s", recorder.said.s);
	arena_done(&a);
	end();
}
END_TEST

/* What he files by a field is not what he keeps. */
START_TEST(srs_filed_and_put_away)
{
	struct arena a = { 0 };

	rules("them fileinto :copy \"X\"; quarantine \"odd\";\nb keep;");
	begin("redirect_sender = srs\nsrs_domain = srs.example.org\nfileinto_by = header\n");
	play(&(struct mail){ .to = arena_printf(&a, "%s b", srs_address_of(&a, STR("them@example.org"), 0).s).s });
	ck_assert_msg(strstr(recorder.said.s, "copy s@example.net>them@example.org [Tamis-File]"), "%s", recorder.said.s);
	ck_assert_msg(strstr(recorder.said.s, "copy s@example.net>them@example.org [Tamis-Quarantine: \"odd\"]"), "%s", recorder.said.s);
	arena_done(&a);
	end();
}
END_TEST

/* Why it is not held: because of the address, if there is nobody else. */
static const struct {
	const char *others, *note, *not;
} not_held[] = {
	{ "", "released it would go to the rewritten sender", "others get the message" },
	{ " b", "others get the message too", "released it would" },
};

START_TEST(srs_not_held)
{
	struct arena a = { 0 };

	rules("them quarantine \"odd\";\nb keep;");
	begin(SRS);
	play(&(struct mail){ .to = arena_printf(&a, "%s%s", srs_address_of(&a, STR("them@example.org"), 0).s, not_held[_i].others).s });
	ck_assert_msg(strstr(logged(), not_held[_i].note), "%s", logged());
	ck_assert_ptr_null(strstr(logged(), not_held[_i].not));
	arena_done(&a);
	end();
}
END_TEST

/* A redirect to who he is leads to nobody else. */
START_TEST(srs_to_himself)
{
	struct arena a = { 0 };
	struct str rcpt, should;

	rules("them addheader \"X-A\" \"1\"; redirect \"them@example.org\";");
	begin("redirect_sender = user\nsrs_domain = srs.example.org\n");
	rcpt = srs_address_of(&a, STR("them@example.org"), 0);
	should = arena_printf(&a, "+them@example.org | -<%s> | accept", rcpt.s);
	expect("kept as it came", play(&(struct mail){ .to = rcpt.s }), should.s);
	arena_done(&a);
	end();
}
END_TEST

#define FORGED "SRS0=aaaaaa=aa=example.com=them@srs.example.org"
#define OTHER "SRS1=aaaaaa=x.example==bbbb=cc=example.com=them@SRS.example.org"
#define NOT_MADE ": 550 5.1.1 no such address of a rewritten sender: we did not make it | "

/* ip: a client of ours by own_clients, or by port 0 */
static const struct {
	const char *name, *conf, *rules, *to, *ip, *expect, *log;
} no_bounces[] = {
	{ "nobody made it", "", "", FORGED, NULL, FORGED NOT_MADE "header: accept", "rules=none srs=forged verdict=refused" },
	{ "nor this", "", "", OTHER, NULL, OTHER NOT_MADE "header: accept", "srs=forged" },
	{ "nor this", "", "", "srs0=@srs.example.org", NULL, "srs0=@srs.example.org" NOT_MADE "header: accept", "srs=forged" },
	{ "others get the message", "", "", FORGED " a", NULL, FORGED NOT_MADE "header: accept", "rcpt=a@example.org rules=none verdict=pass" },
	{ "an edge that only refuses", "effect = refuse\n", "", FORGED, NULL, FORGED NOT_MADE "header: accept", "verdict=refused" },
	{ "named twice", "", "", FORGED " " FORGED, NULL, FORGED NOT_MADE FORGED NOT_MADE "header: accept", "verdict=refused" },
	{ "watched only", "effect = observe\n", "", FORGED, NULL, "header: accept", "srs=forged effect=observe would=refuse verdict=pass" },
	{ "watched for that domain", "[domain srs.example.org]\neffect = tag\n", "", FORGED, NULL, "header: accept", "effect=tag would=refuse" },
	{ "behind the queue", "mode = final\n", "", FORGED, NULL, "header: accept", "srs=forged verdict=pass note=\"left to the mail server" },
	{ "a client of ours", "own_clients = 192.0.2.0/24\n", "", FORGED, NULL, "header: accept", "srs=forged verdict=pass note=" },
	{ "on this machine", "", "", FORGED, "127.0.0.1", "header: accept", "srs=forged verdict=pass note=" },
	{ "users live there as well", "local_domains = example.org, srs.example.org\n", "", FORGED, NULL, "header: accept", "rules=none verdict=pass" },
	{ "it is somebody's", "", "srs", FORGED, NULL, "header: accept", "user=\"srs0" },
	{ "no such address at all", "", "", "them@srs.example.org", NULL, "header: accept", "rules=none verdict=pass" },
	{ "of another domain", "", "", "SRS0=aaaaaa=aa=example.com=them@example.org", NULL, "header: accept", "rules=none verdict=pass" },
};

START_TEST(no_bounce)
{
	struct buf conf = { 0 };
	/* what the test says of its effect comes first */
	const char *scope = strstr(no_bounces[_i].conf, "[domain"), *own = scope ? "" : no_bounces[_i].conf;

	buf_printf(&conf, "%s" SRS "%s", own, scope ? scope : "");
	if (*no_bounces[_i].rules)
		put("rules/srs.example.org/srs0=aaaaaa=aa=example.com=them.sieve", "keep;\n");
	begin(buf_str(&conf).s);
	expect(no_bounces[_i].name, play(&(struct mail){ .to = no_bounces[_i].to, .ip = no_bounces[_i].ip }), no_bounces[_i].expect);
	ck_assert_msg(strstr(logged(), no_bounces[_i].log), "%s", logged());
	buf_done(&conf);
	end();
}
END_TEST

/* Too old is told apart from never made. */
START_TEST(no_bounce_any_more)
{
	struct arena a = { 0 };
	struct str old, young, should;

	begin(SRS);
	young = srs_address_of(&a, STR("them@example.com"), SRS_DAYS);
	should = arena_printf(&a, "+them@example.com | -<%s> | accept", young.s);
	expect("in time", play(&(struct mail){ .to = young.s, .from = "" }), should.s);
	old = srs_address_of(&a, STR("them@example.com"), SRS_DAYS + 1);
	should = arena_printf(&a, "%s: 550 5.1.1 this address of a rewritten sender has expired: bounces come back for %d days | "
	                      "header: accept", old.s, SRS_DAYS);
	expect("too old", play(&(struct mail){ .to = old.s, .from = "" }), should.s);
	ck_assert_ptr_nonnull(strstr(logged(), "rules=none srs=expired verdict=refused"));
	arena_done(&a);
	end();
}
END_TEST

/* Without a secret_file nobody else knows the secret either. */
START_TEST(no_secret_file)
{
	const uint8_t known[SECRET_SIZE] = { 0 };
	struct buf made = { 0 }, should = { 0 };

	begin("secret_file =\nsrs_domain = srs.example.org\n");
	ck_assert_int_eq(srs_forward(known, STR("them@example.com"), "srs.example.org", daemon_now() / 1000000, &made), 0);
	buf_printf(&should, "%s" NOT_MADE "header: accept", buf_str(&made).s);
	expect("made by anybody", play(&(struct mail){ .to = buf_str(&made).s, .from = "" }), buf_str(&should).s);
	buf_done(&made);
	buf_done(&should);
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, srs);
	tcase_add_test(t, srs_of_too_many);
	tcase_add_test(t, srs_filed_and_put_away);
	tcase_add_loop_test(t, srs_not_held, 0, COUNT(not_held));
	tcase_add_test(t, srs_to_himself);
	tcase_add_loop_test(t, no_bounce, 0, COUNT(no_bounces));
	tcase_add_test(t, no_bounce_any_more);
	tcase_add_test(t, no_secret_file);
}

int
main(void)
{
	return milter_suite("milter/srs", tests);
}
