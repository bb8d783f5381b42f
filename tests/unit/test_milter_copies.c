/* test_milter_copies.c - what leaves by itself, once, whatever the port says and however often the client tries
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include <signal.h>
#include <sys/resource.h>

#include "milter_fixture.h"

#define ADD "addheader \"X-A\" \"1\"; "
#define AGAIN "451 4.4.0 a copy of the message was not taken; the message later"

/* --- the port does not take it */

static const struct {
	const char *name, *conf, *rules, *answers, *expect;
} refusals[] = {
	{ "never: he is kept as it came", "", "a " ADD "\nb keep;", "a@example.org=550", "accept" },
	{ "not now", "", "a " ADD "\nb keep;", "a@example.org=451", AGAIN },
	{ "never, after the data", "", "a " ADD "\nb keep;", "554", "accept" },
	{ "not now, after the data", "", "a " ADD "\nb keep;", "452", AGAIN },
	{ "never, of a redirect", "redirect_sender = user\n", "a redirect \"x@example.net\";\nb keep;", "x@example.net=550", "accept" },
	{ "never, of a redirect beside a keep", "redirect_sender = user\n", "a redirect :copy \"x@example.net\";\nb keep;",
	  "x@example.net=550", "accept" },
	{ "never, of one of two folders", "fileinto_by = header\n", "a fileinto \"X\"; fileinto \"Y\";\nb keep;", "a@example.org=550",
	  "accept" },
	{ "then nothing is edited in place", "", "a " ADD "\nb addheader \"X-A\" \"2\";\nc addheader \"X-A\" \"2\";", "a@example.org=550",
	  "copy s@example.net>b@example.org [X-A: 2] | copy s@example.net>c@example.org [X-A: 2] | "
	  "-<b@example.org> | -<c@example.org> | accept" },
	{ "of two, one is taken", "", "a " ADD "\nb " ADD "\nc keep;\nd keep;", "b@example.org=550",
	  "copy s@example.net>a@example.org [X-A: 1] | -<a@example.org> | accept" },
	{ "of his own, while another is in quarantine", "quarantine_to = q@example.org\n", "a quarantine \"x\"; " ADD " keep;\nb keep;",
	  "a@example.org=550", "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"x\"] | accept" },
	{ "of somebody else's, while his is in quarantine", "quarantine_to = q@example.org\nredirect_sender = user\n",
	  "a quarantine \"x\"; redirect :copy \"x@example.net\";\nb keep;", "x@example.net=550",
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"x\"] | -<a@example.org> | accept" },
};

START_TEST(port_refuses)
{
	rules(refusals[_i].rules);
	begin(refusals[_i].conf);
	port.answers = refusals[_i].answers;
	expect(refusals[_i].name, play(&(struct mail){ .to = strstr(refusals[_i].rules, "\nc") ? strstr(refusals[_i].rules, "\nd") ?
	       "a b c d" : "a b c" : "a b" }), refusals[_i].expect);
	ck_assert_uint_gt(recorder.progress, 0);
	end();
}
END_TEST

START_TEST(port_is_gone)
{
	char conf[200];

	snprintf(conf, sizeof conf, "copy_to = smtp:unix:%s/none\n", dir);
	rules("a " ADD "\nb keep;");
	begin(conf);
	for (int i = 0; i < 5; i++)
		expect("delayed", play(&(struct mail){ .to = "a b" }), AGAIN);
	end();
	sleep(2);
	strcat(conf, "trouble_seconds = 1s\n");
	begin(conf);
	expect("kept", play(&(struct mail){ .to = "a b" }), "accept");
	end();
}
END_TEST

/* The port has it, and answers when our time is over: it is waited for, since the next attempt would be a second one. */
static void
take_slowly(void *ctx, struct sink *s)
{
	sleep(5);
	recorder_copy(ctx, s);
}

START_TEST(port_is_slow)
{
	rules("a " ADD "\nb keep;");
	begin("message_deadline = 4s\n");
	port.take = take_slowly;
	expect("taken", play(&(struct mail){ .to = "a b" }), "copy s@example.net>a@example.org [X-A: 1] | -<a@example.org> | accept");
	end();
}
END_TEST

/* --- the client tries again */

#define COPY_A "copy s@example.net>a@example.org [X-A: 1] | "

START_TEST(retry)
{
	const struct mail m = { .to = "a b c" };

	rules("a " ADD "\nb addheader \"X-B\" \"1\";");
	begin("");
	port.answers = "b@example.org=451";
	expect("first", play(&m), COPY_A AGAIN);
	expect("second", play(&m), AGAIN);
	end();
	begin("");
	expect("after a restart", play(&m), AGAIN);
	port.answers = NULL;
	expect("at last", play(&m), "copy s@example.net>b@example.org [X-B: 1] | -<a@example.org> | -<b@example.org> | accept");
	expect("once more", play(&m), "-<a@example.org> | -<b@example.org> | accept");
	ck_assert_uint_eq(port.count, 2);
	end();
}
END_TEST

/* What is done besides refusals is another server's to do, but for what was done before that was so. */
START_TEST(retry_refuse)
{
	const struct mail m = { .to = "a b c" };
	static const char *const effects[] = { "observe", "refuse", "tag" };

	rules("a " ADD "\nb addheader \"X-B\" \"1\";");
	begin("");
	port.answers = "b@example.org=451";
	expect("first", play(&m), COPY_A AGAIN);
	end();
	for (size_t i = 0; i < COUNT(effects); i++) {
		char conf[40];

		snprintf(conf, sizeof conf, "effect = %s\n", effects[i]);
		begin(conf);
		port.answers = NULL;
		expect(effects[i], play(&m), i == 2 ? "copy s@example.net>b@example.org [Tamis-Would: addheader \"X-B\" \"1\", keep] | "
		       "-<a@example.org> | -<b@example.org> | accept" : "-<a@example.org> | accept");
		end();
	}
}
END_TEST

/* One that left for quarantine is none that the server holds as well, whoever is left by then. */
START_TEST(retry_quarantine)
{
	const struct mail all = { .to = "a b c" }, both = { .to = "a b" }, alone = { .to = "a" };

	rules("a quarantine \"x\";\nb " ADD "\nc keep;");
	begin("quarantine_to = q@example.org\n");
	port.answers = "b@example.org=451";
	expect("first", play(&all), "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"x\"] | " AGAIN);
	expect("second", play(&all), AGAIN);
	rules("a quarantine \"y\";\nb discard;");
	expect("the other discards now", play(&both), "-<a@example.org> | -<b@example.org> | accept");
	rules("a quarantine \"y\";\nb quarantine \"y\";");
	expect("the other's is held", play(&both), "top Tamis-Quarantine: \"y\" | quarantine y | -<a@example.org> | accept");
	end();
	begin("");
	expect("alone, after a restart, and without the setting", play(&alone), "-<a@example.org> | accept");
	ck_assert_uint_eq(port.count, 1);
	end();
}
END_TEST

static const struct {
	const char *name, *rules, *expect;
} changes[] = {
	{ "another content", "a addheader \"X-A\" \"2\";\nb keep;", "-<a@example.org> | accept" },
	{ "no content of his own", "a keep;\nb keep;", "-<a@example.org> | accept" },
	{ "no rules", "a\nb", "-<a@example.org> | accept" },
	{ "a discard", "a discard;\nb keep;", "-<a@example.org> | accept" },
	{ "elsewhere", "a redirect \"x@example.net\";\nb keep;", "+x@example.net | -<a@example.org> | accept" },
	{ "elsewhere as well", "a redirect :copy \"x@example.net\";\nb keep;", "+x@example.net | -<a@example.org> | accept" },
	{ "the other's content", "a addheader \"X-B\" \"1\";\nb addheader \"X-B\" \"1\";",
	  "copy s@example.net>b@example.org [X-B: 1] | -<a@example.org> | -<b@example.org> | accept" },
	{ "a refusal", "a if header \"subject\" \"hi\" { ereject \"no\"; }\nb keep;", "-<a@example.org> | accept" },
};

START_TEST(retry_changed)
{
	const struct mail m = { .to = "a b c" };

	rules("a " ADD "\nb addheader \"X-B\" \"1\";");
	begin("");
	port.answers = "b@example.org=451";
	expect("first", play(&m), COPY_A AGAIN);
	port.answers = NULL;
	rules(changes[_i].rules);
	expect(changes[_i].name, play(&m), changes[_i].expect);
	end();
}
END_TEST

/* Two redirect it to one and the same: one copy, which is known as that of both. */
static const struct {
	const char *name, *to, *rules, *expect;
} redirects[] = {
	{ "as before", "a b d k", "", AGAIN },
	{ "in another order", "b a d k", "", AGAIN },
	{ "the first of them keeps it now", "a b d k", "a keep;", AGAIN },
	{ "the other keeps it now", "a b d k", "b keep;", AGAIN },
	{ "the other alone", "b d k", "", AGAIN },
	{ "one more does so", "e a b d k", "e redirect \"c@example.net\";", AGAIN },
	{ "somewhere else", "a b d k", "a redirect \"x@example.net\";", "copy >x@example.net | " AGAIN },
};

START_TEST(retry_redirects)
{
	rules("a redirect \"c@example.net\";\nb redirect \"c@example.net\";\nd " ADD);
	begin("redirect_sender = null\n");
	port.answers = "d@example.org=451";
	expect("first", play(&(struct mail){ .to = "a b d k" }), "copy >c@example.net | " AGAIN);
	if (*redirects[_i].rules)
		rules(redirects[_i].rules);
	expect(redirects[_i].name, play(&(struct mail){ .to = redirects[_i].to }), redirects[_i].expect);
	end();
}
END_TEST

/* What is another message, or another recipient, gets its own. */
static const struct {
	const char *name;
	struct mail mail;
	bool same;
} others[] = {
	{ "the same", { .to = "a b" }, true },
	{ "recipients in another order", { .to = "b a" }, true },
	{ "one recipient more", { .to = "a b c" }, true },
	{ "fields that servers on the way add", { .to = "a b", .header = "Received: x\nX-Spam: no\nFrom: s@example.net\nSubject: hi\n" }, true },
	{ "one of them is called so", { .to = "a b", .header = "Received: x(tamis 1) (tamis, y)\nFrom: s@example.net\nSubject: hi\n" }, true },
	{ "a copy of ours that comes round", { .to = "a b", .header = "Received: x (y)\n\tby z (tamis 1) with ESMTP\nFrom: s@example.net\n"
	  "Subject: hi\n" }, false },
	{ "a second Subject", { .to = "a b", .header = "From: s@example.net\nSubject: hi\nSubject: ho\n" }, true },
	{ "another client", { .to = "a b", .ip = "192.0.2.2", .port = 5 }, true },
	{ "another sender", { .to = "a b", .from = "t@example.net" }, false },
	{ "another body", { .to = "a b", .body = "body.\r\n" }, false },
	{ "another subject", { .to = "a b", .header = "From: s@example.net\nSubject: ho\n" }, false },
	{ "a date", { .to = "a b", .header = "From: s@example.net\nDate: now\nSubject: hi\n" }, false },
	{ "the same text in another field", { .to = "a b", .header = "Sender: s@example.net\nSubject: hi\n" }, false },
	{ "another address of his", { .to = "a+x b" }, false },
};

START_TEST(same_again)
{
	rules("a " ADD "\nb keep;");
	begin("");
	expect("first", play(&(struct mail){ .to = "a b" }), COPY_A "-<a@example.org> | accept");
	play(&others[_i].mail);
	ck_assert_msg(port.count == (others[_i].same ? 1 : 2), "%s: %s", others[_i].name, recorder.said.s);
	ck_assert_ptr_nonnull(strstr(recorder.said.s, "-<a"));
	end();
}
END_TEST

/* Nothing leaves of which the journal would not know. */
START_TEST(journal_is_full)
{
	const struct mail m = { .to = "a b" };
	struct rlimit limit, none;

	rules("a " ADD "\nb keep;");
	begin("");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	play(&m);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect("no room", recorder.said.s, AGAIN);
	ck_assert_uint_eq(port.count, 0);
	expect("room", play(&m), COPY_A "-<a@example.org> | accept");
	end();
}
END_TEST

/* --- the bytes */

static const struct {
	const char *name, *conf, *macros, *helo, *host, *ip, *expect;
} received[] = {
	{ "all is known", "", "i=4Xq", "mail.example.net", "client.example.net", "192.0.2.1",
	  "Received: from mail.example.net (client.example.net [192.0.2.1])\r\n\tby mx.example.org (tamis VERSION) with ESMTP id 4Xq;\r\n\t" },
	{ "what the server calls itself", "hostname =\n", "i=4Xq j=our.example.org", "mail", "client", "192.0.2.1",
	  "Received: from mail (client [192.0.2.1])\r\n\tby our.example.org (tamis VERSION) with ESMTP id 4Xq;\r\n\t" },
	{ "a login", "", "i=4Xq {auth_authen}=alice", "mail", "client", "192.0.2.1",
	  "Received: from mail (client [192.0.2.1])\r\n\tby mx.example.org (tamis VERSION) with ESMTPA id 4Xq;\r\n\t" },
	{ "nothing is known", "hostname =\n", "", "", "", "",
	  "Received: from unknown (unknown)\r\n\tby localhost (tamis VERSION) with ESMTP id NOQUEUE;\r\n\t" },
	{ "IPv6", "", "i=4Xq", "mail", "client", "2001:db8::5",
	  "Received: from mail (client [IPv6:2001:db8::5])\r\n\tby mx.example.org (tamis VERSION) with ESMTP id 4Xq;\r\n\t" },
	{ "what would end the field", "", "i=a;b", "x\r\nX-Y: (z)", "c\\\"<>", "1)2",
	  "Received: from x??X-Y:??z? (c???? [1?2])\r\n\tby mx.example.org (tamis VERSION) with ESMTP id a?b;\r\n\t" },
	{ "bytes that are no ASCII", "", "i=4Xq", "m\xc3\xa4il", "client", "192.0.2.1",
	  "Received: from m??il (client [192.0.2.1])\r\n\tby mx.example.org (tamis VERSION) with ESMTP id 4Xq;\r\n\t" },
};

START_TEST(received_field)
{
	struct session *s;
	const struct mail m = { .to = "a b" };
	struct buf should = { 0 };
	const char *text = received[_i].expect, *mark = strstr(text, "VERSION"), *end_of;
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	rules("a " ADD "\nb keep;");
	recorder.macros = received[_i].macros;
	begin(received[_i].conf);
	s = session_new(&server, received[_i].host, received[_i].ip, 25, false);
	session_helo(s, received[_i].helo);
	session_mail(s, &mta, (char *[]){ (char *)"<s@example.net>", NULL });
	mail_rcpts(s, &m);
	mail_header(s, "Subject: hi\n");
	session_header_end(s, &mta, &v);
	mail_end(s, &m);
	session_free(s);
	buf_printf(&should, "%.*s%s%s", (int)(mark - text), text, tamis_version(), mark + 7);
	ck_assert_uint_gt(port.message.len, should.len);
	ck_assert_msg(!memcmp(port.message.s, should.s, should.len), "%s:\n%.*s", received[_i].name, (int)port.message.len,
	              port.message.s);
	buf_putc(&port.message, '\0');
	end_of = memmem(port.message.s, port.message.len, "+0000\r\n", 7);
	ck_assert_ptr_nonnull(end_of);
	expect(received[_i].name, end_of + 7, "X-A: 1\r\nSubject: hi\r\n\r\nbody\r\n");
	buf_done(&should);
	end();
}
END_TEST

START_TEST(parameters)
{
	const struct mail m = {
		.to = "a b", .from = "s\xc3\xbc@example.net", .args = { "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS" },
		.rcpt_args = { "NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;typed@example.org" },
	};

	rules("a " ADD "\nb keep;");
	begin("local_domains = example.org\n");
	play(&m);
	expect("envelope", buf_str(&port.envelope).s, "MAIL FROM:<s\xc3\xbc@example.net> BODY=8BITMIME SMTPUTF8 RET=HDRS\r\n"
	       "RCPT TO:<a@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;typed@example.org\r\n");
	ck_assert_ptr_nonnull(memmem(port.message.s, port.message.len, "with UTF8SMTP", 13));
	rules("a redirect \"x@example.net\";");
	expect("in the queue", play(&(struct mail){ .to = "a", .rcpt_args = { "notify=NEVER", "ORCPT=rfc822;t@example.org" } }),
	       "+x@example.net NOTIFY=NEVER ORCPT=rfc822;t@example.org | -<a@example.org> | accept");
	/* Sendmail would write them into its dialogue with the client */
	recorder.macros = "i=ID v=8.17.1";
	expect("Sendmail", play(&(struct mail){ .to = "a", .rcpt_args = { "notify=delay,failure", "ORCPT=rfc822;t@example.org" } }),
	       "+x@example.net | -<a@example.org> | accept");
	expect("Sendmail, which would do something else", play(&(struct mail){ .to = "a", .rcpt_args = { "notify=Never" } }),
	       "copy s@example.net>x@example.net | -<a@example.org> | accept");
	expect("envelope", buf_str(&port.envelope).s, "MAIL FROM:<s@example.net>\r\nRCPT TO:<x@example.net> NOTIFY=Never\r\n");
	end();
}
END_TEST

/* A header and a body as odd as they come leave as they came. */
START_TEST(bytes)
{
	static const char body[] = ".\r\n..x\r\nlone\rcr\r\nfrom\r\nno end";
	const struct mail m = {
		.to = "a b", .body = body,
		.header = "From:s@example.net\nX-Folded: one\n\ttwo\n  three\nX-Empty:\nX-Blank: \nX-Cr: a\rb\nSubject:  two blanks\n",
	};
	static const char should[] = "X-A: 1\r\nFrom:s@example.net\r\nX-Folded: one\r\n\ttwo\r\n  three\r\nX-Empty:\r\nX-Blank: \r\n"
		"X-Cr: a\rb\r\nSubject:  two blanks\r\n\r\n.\r\n..x\r\nlone\rcr\r\nfrom\r\nno end\r\n";

	rules("a " ADD "\nb keep;");
	begin("");
	play(&m);
	ck_assert_uint_gt(port.message.len, sizeof should - 1);
	ck_assert_msg(!memcmp(port.message.s + port.message.len - (sizeof should - 1), should, sizeof should - 1), "%.*s",
	              (int)port.message.len, port.message.s);
	end();
}
END_TEST

/* A value with line ends that begin no continuation ends no header. */
START_TEST(line_ends)
{
	struct session *s;
	const struct mail m = { .to = "a b" };
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	rules("a " ADD "\nb keep;");
	begin("");
	s = mail_session(&m);
	session_mail(s, &mta, (char *[]){ (char *)"<s@example.net>", NULL });
	mail_rcpts(s, &m);
	session_field(s, "X-Y", " one\n\nX-Z: two\r\n");
	session_field(s, "Subject", " hi\n");
	session_header_end(s, &mta, &v);
	mail_end(s, &m);
	session_free(s);
	ck_assert_msg(memmem(port.message.s, port.message.len, "X-Y: one\r\n X-Z: two\r\nSubject: hi\r\n\r\nbody\r\n", 42), "%.*s",
	              (int)port.message.len, port.message.s);
	end();
}
END_TEST

/* --- late refusals */

#define REPORTS "authserv_id = mx.example.org\nrefuse_late = bounce\n"
#define SPF "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=s@example.net\nSubject: hi\n"
#define REFUSES "a if header \"subject\" \"hi\" { ereject \"5.1.1 no\"; }"
#define REWRITTEN "SRS0=aaaaaa=aa=example.com=them@srs.example.org"
#define MARKED "copy s@example.net>a@example.org [Tamis-Refused: \"5.1.1 no\"] | -<a@example.org> | accept"
#define REPORTED "copy >s@example.net [report] | -<a@example.org> | accept"

static const struct {
	const char *name, *conf, *rules, *macros;
	struct mail mail;
	const char *expect;
} late[] = {
	{ "nobody says who the sender is", REPORTS, REFUSES, NULL, { .to = "a b" }, MARKED },
	{ "he is who he says", REPORTS, REFUSES, NULL, { .to = "a b", .header = SPF }, REPORTED },
	{ "it is kept here", "authserv_id = mx.example.org\n", REFUSES, NULL, { .to = "a b", .header = SPF }, MARKED },
	{ "the null sender", REPORTS, REFUSES, NULL, { .to = "a b", .from = "", .header = SPF },
	  "copy >a@example.org [Tamis-Refused: \"5.1.1 no\"] | -<a@example.org> | accept" },
	{ "a sender that a redirect rewrote", REPORTS "srs_domain = srs.example.org\n", REFUSES, NULL,
	  { .to = "a b", .from = REWRITTEN, .header = "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=srs.example.org\nSubject: hi\n" },
	  "copy " REWRITTEN ">a@example.org [Tamis-Refused: \"5.1.1 no\"] | -<a@example.org> | accept" },
	{ "he is logged in", REPORTS, REFUSES, "i=ID {auth_authen}=s@example.org", { .to = "a b", .from = "s@example.org" },
	  "copy >s@example.org [report] | -<a@example.org> | accept" },
	{ "another is logged in", REPORTS, REFUSES, "i=ID {auth_authen}=t@example.org", { .to = "a b", .from = "s@example.org" },
	  "copy s@example.org>a@example.org [Tamis-Refused: \"5.1.1 no\"] | -<a@example.org> | accept" },
	{ "a client of ours is told nothing", REPORTS "own_clients = 192.0.2.0/24\n", REFUSES, NULL, { .to = "a", .header = SPF }, REPORTED },
	{ "nor at RCPT TO", REPORTS "own_clients = 192.0.2.0/24\n", "a ereject \"no\";", NULL, { .to = "a", .header = SPF }, REPORTED },
	{ "nor behind the queue", REPORTS "mode = final\n", "a ereject \"no\";", NULL, { .to = "a", .header = SPF }, REPORTED },
	{ "nor when it was not received by SMTP", REPORTS, "a ereject \"no\";", NULL, { .to = "a", .header = SPF, .ip = "127.0.0.1" },
	  "copy >s@example.net [report] | -<a@example.org> | -<a> | -<a%example.org> | -<example.org!a> | accept" },
	{ "words that SMTP cannot carry", REPORTS, "a reject \"n\xc3\xb6\";", NULL, { .to = "a", .header = SPF }, REPORTED },
	{ "and are kept", "", "a reject \"n\xc3\xb6\";", NULL, { .to = "a" }, "top Tamis-Refused: =?utf-8?B?Im7DtiI=?= | accept" },
	{ "words of several lines in one field", "", "a reject \"n\xc3\xb6${hex:0d 0a}X-Evil: y\";", NULL, { .to = "a" },
	  "top Tamis-Refused: =?utf-8?B?Im7DtlxuWC1FdmlsOiB5Ig==?= | accept" },
};

START_TEST(late_refusals)
{
	rules(late[_i].rules);
	if (late[_i].macros)
		recorder.macros = late[_i].macros;
	begin(late[_i].conf);
	expect(late[_i].name, play(&late[_i].mail), late[_i].expect);
	/* whoever was told is not told again */
	if (strstr(late[_i].expect, "report"))
		expect("again", play(&late[_i].mail), strchr(late[_i].expect, '|') + 2);
	end();
}
END_TEST

/* One person, written in two ways, is one report: also when the client names them in another order the next time. */
START_TEST(reported_once)
{
	rules(REFUSES "\nc addheader \"X-C\" \"1\";");
	begin(REPORTS);
	port.answers = "c@example.org=451";
	expect("first", play(&(struct mail){ .to = "a A b c", .header = SPF }), "copy >s@example.net [report] | " AGAIN);
	port.answers = NULL;
	expect("again", play(&(struct mail){ .to = "A b c a", .header = SPF }),
	       "copy s@example.net>c@example.org [X-C: 1] | -<A@example.org> | -<c@example.org> | -<a@example.org> | accept");
	end();
}
END_TEST

/* As many fields as the server is to search for an edit; and as long an address as it is told. */
START_TEST(at_the_limit)
{
	struct buf header = { 0 }, text = { 0 };
	struct mail m = { .to = "a" };

	rules("a " ADD);
	begin("");
	for (int i = 0; i < 1000; i++)
		buf_puts(&header, "Subject: hi\n");
	m.header = buf_str(&header).s;
	expect("fields that are edited", play(&m), "top X-A: 1 | accept");
	buf_puts(&header, "Subject: hi\n");
	m.header = buf_str(&header).s;
	expect("one more", play(&m), COPY_A "-<a@example.org> | accept");
	end();
	for (size_t len = 2000; len <= 2001; len++) {
		buf_reset(&text);
		buf_printf(&text, "a redirect \"%0*d@example.net\";", (int)(len - strlen("@example.net")), 0);
		rules(buf_str(&text).s);
		begin("");
		ck_assert_msg((strstr(play(&(struct mail){ .to = "a" }), "-<a@example.org> | accept") != NULL) == (len == 2000),
		              "an address of %zu bytes", len);
		end();
	}
	buf_done(&header);
	buf_done(&text);
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_loop_test(t, port_refuses, 0, COUNT(refusals));
	tcase_add_test(t, port_is_gone);
	tcase_add_test(t, port_is_slow);
	tcase_add_test(t, retry);
	tcase_add_test(t, retry_quarantine);
	tcase_add_loop_test(t, retry_changed, 0, COUNT(changes));
	tcase_add_loop_test(t, retry_redirects, 0, COUNT(redirects));
	tcase_add_test(t, retry_refuse);
	tcase_add_loop_test(t, same_again, 0, COUNT(others));
	tcase_add_test(t, journal_is_full);
	tcase_add_loop_test(t, received_field, 0, COUNT(received));
	tcase_add_test(t, parameters);
	tcase_add_test(t, bytes);
	tcase_add_test(t, line_ends);
	tcase_add_loop_test(t, late_refusals, 0, COUNT(late));
	tcase_add_test(t, reported_once);
	tcase_add_test(t, at_the_limit);
}

int
main(void)
{
	return milter_suite("milter/copies", tests);
}
