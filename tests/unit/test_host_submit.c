/* test_host_submit.c - SMTP and LMTP with a server that plays a script
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#include "base/buf.h"
#include "host/connection.h"
#include "host/moment.h"
#include "host/submit.h"
#include "smtp_server.h"

/* --- messages */

static int
write_text(void *ctx, int (*put)(void *, struct str), void *put_ctx)
{
	const struct str *text = ctx;

	return put(put_ctx, *text);
}

static int
write_bytes(void *ctx, int (*put)(void *, struct str), void *put_ctx)
{
	const struct str *text = ctx;

	for (size_t i = 0; i < text->len; i++)
		if (put(put_ctx, str_sub(*text, i, i + 1)) != 0)
			return -1;
	return 0;
}

static int
write_fails(void *ctx, int (*put)(void *, struct str), void *put_ctx)
{
	(void)ctx;
	put(put_ctx, STR("Subject: half\r\n\r\nof it\r\n"));
	return -1;
}

static int
write_much(void *ctx, int (*put)(void *, struct str), void *put_ctx)
{
	(void)ctx;
	for (int i = 0; i < 20000; i++)
		if (put(put_ctx, STR("a line of many that are all the same\n")) != 0)
			return -1;
	return 0;
}

static struct str short_message = { "Subject: hi\n\nhello\n", 19 };

static struct submission
submission_of(struct submit_rcpt *rcpt, size_t n)
{
	static const struct str to[] = { { "alice@example.org", 17 }, { "bob@example.org", 15 }, { "carol@example.org", 17 } };

	for (size_t i = 0; i < n; i++)
		rcpt[i] = (struct submit_rcpt){ .address = to[i], .notify = STR_EMPTY, .orcpt = STR_EMPTY };
	return (struct submission){ .from = STR("sender@example.net"), .ret = STR_EMPTY, .envid = STR_EMPTY, .rcpt = rcpt, .n = n,
		.write = write_text, .ctx = &short_message };
}

/* --- each step, and what may come of it */

#define HELLO "S 220 hi\nC EHLO mx.example.org\nS 250-hi\nS 250-PIPELINING\nS 250 8BITMIME\n"
#define LHELLO "S 220 hi\nC LHLO mx.example.org\nS 250 hi\n"
#define MAIL HELLO "C MAIL FROM:<sender@example.net>\n"
#define RCPT MAIL "S 250 ok\nC RCPT TO:<alice@example.org>\n"
#define DATA RCPT "S 250 ok\nC DATA\n"
#define SENT DATA "S 354 go\nD\n"
#define LRCPT LHELLO "C MAIL FROM:<sender@example.net>\nS 250 ok\n" \
	"C RCPT TO:<alice@example.org>\nS 250 ok\nC RCPT TO:<bob@example.org>\n"
#define LSENT LRCPT "S 250 ok\nC DATA\nS 354 go\nD\n"

static const struct {
	const char *protocol;
	size_t n;
	const char *script;
	enum submit_result result;
	const char *reply;              /* how it begins */
	int code[2];
	const char *leave;              /* what the client says last */
} steps[] = {
	{ "smtp", 1, SENT "S 250 2.0.0 queued as 4Xy", SUBMIT_TAKEN, "250 2.0.0 queued as 4Xy", { 250 }, "QUIT\r\n" },
	/* greeting */
	{ "smtp", 1, "S 220-hi\nS 220 there\nC EHLO mx.example.org\nS 250 hi\nC MAIL FROM:<sender@example.net>\nS 451 no",
	  SUBMIT_AGAIN, "451 no", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 421 busy", SUBMIT_AGAIN, "421 busy", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 554 go away", SUBMIT_AGAIN, "554 go away", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "X", SUBMIT_AGAIN, "the server closed the connection", { 0 }, "" },
	{ "smtp", 1, "S SSH-2.0-server", SUBMIT_AGAIN, "the server said something that is no SMTP reply", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 220hi", SUBMIT_AGAIN, "the server said something that is no SMTP reply", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 920 hi", SUBMIT_AGAIN, "the server said something that is no SMTP reply", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S ", SUBMIT_AGAIN, "the server said something that is no SMTP reply", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "L\nW", SUBMIT_AGAIN, "the server's line is too long", { 0 }, "" },
	{ "smtp", 1, "F", SUBMIT_AGAIN, "the server's reply has no end", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 220-hi\nS 250 hi", SUBMIT_AGAIN, "the server's reply has no end, or more than one code", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "W", SUBMIT_AGAIN, "no answer in time", { 0 }, "" },
	{ "smtp", 1, "R 220 hi\nW", SUBMIT_AGAIN, "no answer in time", { 0 }, "" },
	/* EHLO */
	{ "smtp", 1, "S 220 hi\nC EHLO mx.example.org\nS 502 what\nC HELO mx.example.org\nS 250 hi\n"
	  "C MAIL FROM:<sender@example.net>\nS 550 no", SUBMIT_REFUSED, "550 no", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 220 hi\nC EHLO mx.example.org\nS 502 what\nC HELO mx.example.org\nS 504 hi",
	  SUBMIT_AGAIN, "504 hi", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 220 hi\nC EHLO mx.example.org\nS 421 busy", SUBMIT_AGAIN, "421 busy", { 0 }, "QUIT\r\n" },
	{ "lmtp", 1, "S 220 hi\nC LHLO mx.example.org\nS 500 what", SUBMIT_AGAIN, "500 what", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, "S 220 hi\nS 220 hi again\nW", SUBMIT_AGAIN, "", { 0 }, "" },
	/* MAIL */
	{ "smtp", 1, MAIL "S 550-5.7.1 not\nS 550 5.7.1 you", SUBMIT_REFUSED, "550-5.7.1 not 5.7.1 you", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, MAIL "S 452 full", SUBMIT_AGAIN, "452 full", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, MAIL "S 354 go", SUBMIT_AGAIN, "354 go", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, MAIL "X", SUBMIT_AGAIN, "the server closed the connection", { 0 }, "" },
	/* RCPT */
	{ "smtp", 1, RCPT "S 550 5.1.1 unknown", SUBMIT_REFUSED, "550 5.1.1 unknown", { 550 }, "QUIT\r\n" },
	{ "smtp", 1, RCPT "S 450 later", SUBMIT_AGAIN, "450 later", { 450 }, "QUIT\r\n" },
	{ "smtp", 1, RCPT "X", SUBMIT_AGAIN, "the server closed the connection", { 0 }, "" },
	{ "lmtp", 2, LRCPT "S 550 5.1.1 unknown", SUBMIT_REFUSED, "550 5.1.1 unknown", { 0, 550 }, "QUIT\r\n" },
	{ "lmtp", 2, LHELLO "C MAIL FROM:<sender@example.net>\nS 250 ok\nC RCPT TO:<alice@example.org>\nS 450 later\n"
	  "C RCPT TO:<bob@example.org>\nS 550 no", SUBMIT_REFUSED, "550 no", { 450, 550 }, "QUIT\r\n" },
	{ "lmtp", 2, LHELLO "C MAIL FROM:<sender@example.net>\nS 250 ok\nC RCPT TO:<alice@example.org>\nS 450 later\n"
	  "C RCPT TO:<bob@example.org>\nS 250 ok", SUBMIT_AGAIN, "450 later", { 450, 0 }, "QUIT\r\n" },
	{ "smtp", 2, MAIL "S 250 ok\nC RCPT TO:<alice@example.org>\nS 421 bye", SUBMIT_AGAIN, "421 bye", { 421, 0 }, "QUIT\r\n" },
	/* DATA */
	{ "smtp", 1, DATA "S 554 no", SUBMIT_REFUSED, "554 no", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, DATA "S 451 no", SUBMIT_AGAIN, "451 no", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, DATA "S 250 go", SUBMIT_AGAIN, "250 go", { 0 }, "QUIT\r\n" },
	{ "smtp", 1, DATA "X", SUBMIT_AGAIN, "the server closed the connection", { 0 }, "" },
	/* the message */
	{ "smtp", 1, SENT "S 550 spam", SUBMIT_REFUSED, "550 spam", { 550 }, "QUIT\r\n" },
	{ "smtp", 1, SENT "S 451 disk", SUBMIT_AGAIN, "451 disk", { 451 }, "QUIT\r\n" },
	{ "smtp", 1, SENT "X", SUBMIT_AGAIN, "the server closed the connection", { 0 }, "" },
	{ "smtp", 1, SENT "W", SUBMIT_AGAIN, "no answer in time", { 0 }, "" },
	{ "smtp", 1, SENT "S 2", SUBMIT_AGAIN, "the server said something", { 0 }, "QUIT\r\n" },
	{ "smtp", 2, MAIL "S 250 ok\nC RCPT TO:<alice@example.org>\nS 250 ok\nC RCPT TO:<bob@example.org>\nS 250 ok\nC DATA\n"
	  "S 354 go\nD\nS 250 ok", SUBMIT_TAKEN, "250 ok", { 250, 250 }, "QUIT\r\n" },
	{ "lmtp", 2, LSENT "S 250 ok\nS 250 ok too", SUBMIT_TAKEN, "250 ok too", { 250, 250 }, "QUIT\r\n" },
	{ "lmtp", 2, LSENT "S 250 ok\nS 552 full", SUBMIT_REFUSED, "552 full", { 250, 552 }, "QUIT\r\n" },
	{ "lmtp", 2, LSENT "S 452 full\nS 250 ok", SUBMIT_AGAIN, "452 full", { 452, 250 }, "QUIT\r\n" },
	{ "lmtp", 2, LSENT "S 552 full\nS 452 full", SUBMIT_AGAIN, "452 full", { 552, 452 }, "QUIT\r\n" },
	{ "lmtp", 2, LSENT "S 250 ok\nX", SUBMIT_AGAIN, "the server closed the connection", { 250, 0 }, "" },
};

static unsigned waited;

static void
count_waits(void *ctx)
{
	(void)ctx;
	waited++;
}

START_TEST(test_step)
{
	struct submit_rcpt rcpt[2];
	struct submission s = submission_of(rcpt, steps[_i].n);
	enum submit_result result;
	struct server server;
	int64_t start = moment_clock();
	const bool late = !*steps[_i].reply || !strcmp(steps[_i].reply, "no answer in time");

	waited = 0;
	s.waits = count_waits;
	server_start(&server, steps[_i].script, steps[_i].protocol, false);
	result = submit(server.where, "mx.example.org", &s, start + (late ? 1500 : 60000));
	server_stop(&server);
	ck_assert_msg(result == steps[_i].result, "%d: %s", result, s.reply);
	ck_assert_msg(!strncmp(s.reply, steps[_i].reply, strlen(steps[_i].reply)), "reply: %s", s.reply);
	for (size_t i = 0; i < s.n; i++)
		ck_assert_int_eq(rcpt[i].code, steps[_i].code[i]);
	ck_assert_str_eq(server.heard.len ? buf_str(&server.heard).s : "", steps[_i].leave);
	ck_assert_int_lt(moment_clock() - start, 30000);
	ck_assert_uint_ge(waited, !strcmp(steps[_i].reply, "no answer in time"));
	server_done(&server);
}
END_TEST

/* --- the bytes of the message */

static const struct {
	struct str sent, arrived;
} contents[] = {
#define BYTES(a, b) { { a, sizeof(a) - 1 }, { b, sizeof(b) - 1 } }
	BYTES("a\nb\n", "a\r\nb\r\n.\r\n"),
	BYTES("a\r\nb\r\n", "a\r\nb\r\n.\r\n"),
	BYTES("a\r\nb\nc", "a\r\nb\r\nc\r\n.\r\n"),
	BYTES("", ".\r\n"),
	BYTES("\n", "\r\n.\r\n"),
	BYTES(".\n..\n.a\na.\n", "..\r\n...\r\n..a\r\na.\r\n.\r\n"),
	BYTES(".", "..\r\n.\r\n"),
	BYTES("a\n.\r\nRCPT TO:<x>\r\n", "a\r\n..\r\nRCPT TO:<x>\r\n.\r\n"),
	BYTES("a\rb\r\r\nc\r", "a\rb\r\r\nc\r\r\n.\r\n"),
	BYTES("a\r.\r\n", "a\r.\r\n.\r\n"),
	BYTES("nul\0\xff\x80\n", "nul\0\xff\x80\r\n.\r\n"),
};

START_TEST(test_content)
{
	struct str text = contents[_i / 2].sent;
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.ctx = &text;
	s.write = _i % 2 ? write_bytes : write_text;
	server_start(&server, SENT "S 250 ok", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_TAKEN);
	server_stop(&server);
	ck_assert_uint_eq(server.message.len, contents[_i / 2].arrived.len);
	ck_assert_mem_eq(server.message.s, contents[_i / 2].arrived.s, server.message.len);
	server_done(&server);
}
END_TEST

START_TEST(test_much)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.write = write_much;
	server_start(&server, SENT "S 250 ok", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_TAKEN);
	server_stop(&server);
	ck_assert_uint_eq(server.message.len, 20000 * 38 + 3);
	server_done(&server);
}
END_TEST

/* What could not be read is not sent, not even its beginning as if it were all. */
START_TEST(test_half)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.write = write_fails;
	server_start(&server, DATA "S 354 go\nD", "smtp", false);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	ck_assert_str_eq(s.reply, "the message could not be read");
	ck_assert_int_eq(rcpt[0].code, 0);
	ck_assert_uint_eq(server.message.len, 0);
	server_done(&server);
}
END_TEST

/* Who has the message as a whole is waited for, longer than for all before it. */
START_TEST(test_answer)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	int64_t deadline = moment_clock() + 2000;
	struct server server;

	s.answer_least = 60000;
	server_start(&server, SENT "H\nS 250 taken", "smtp", false);
	server.hold_until = deadline + 200;
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, deadline), SUBMIT_TAKEN);
	server_stop(&server);
	server_done(&server);
	server_start(&server, DATA "H\nS 354 go\nD\nS 250 taken", "smtp", false);
	deadline = moment_clock() + 2000;
	server.hold_until = deadline + 200;
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, deadline), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
}
END_TEST

static const struct {
	const char *script;
	enum submit_result result;
	const char *reply;
} interrupted[] = {
	{ DATA "S 354 go\nd 1000\nX", SUBMIT_AGAIN, "the server closed the connection" },
	{ DATA "S 354 go\nd 1000\nS 552 too big\nX", SUBMIT_REFUSED, "552 too big" },
	{ DATA "S 354 go\nd 1000\nS 451 no room\nX", SUBMIT_AGAIN, "the server said something before it was asked" },
	/* a "250" that comes too early is not for the message */
	{ DATA "S 354 go\nS 250 ok\nd 760000\nW", SUBMIT_AGAIN, "the server said something before it was asked" },
};

START_TEST(test_interrupted)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.write = write_much;
	server_start(&server, interrupted[_i].script, "smtp", false);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), interrupted[_i].result);
	server_stop(&server);
	ck_assert_str_eq(s.reply, interrupted[_i].reply);
	ck_assert_int_eq(rcpt[0].code, 0);
	server_done(&server);
}
END_TEST

/* One that takes no bytes ends the same way as one that says nothing. */
START_TEST(test_not_reading)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	int64_t start = moment_clock();
	struct server server;

	s.write = write_much;
	server_start(&server, DATA "S 354 go\nH", "smtp", false);
	server.hold_until = INT64_MAX;
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, start + 500), SUBMIT_AGAIN);
	ck_assert_str_eq(s.reply, "no answer in time");
	ck_assert_int_lt(moment_clock() - start, 5000);
	server.hold_until = 0;
	server_stop(&server);
	server_done(&server);
}
END_TEST

/* --- parameters */

#define ALL "S 220 hi\nC EHLO mx.example.org\nS 250-hi\nS 250-dsn\nS 250-SMTPUTF8\nS 250-SIZE 1000\nS 250 8BITMIME\n"
#define NONE "S 220 hi\nC EHLO mx.example.org\nS 250-8BITMIME\nS 250-XDSN\nS 250 SIZE 1000\n"

START_TEST(test_parameters)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.from = STR_EMPTY;
	s.eightbit = true;
	s.ret = STR("HDRS");
	s.envid = STR("id+2B1");
	rcpt[0].notify = STR("FAILURE,DELAY");
	rcpt[0].orcpt = STR("rfc822;al@example.org");
	server_start(&server, ALL "C MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=id+2B1\nS 250 ok\n"
		"C RCPT TO:<alice@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;al@example.org\nS 450 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
	server_start(&server, NONE "C MAIL FROM:<>\nS 250 ok\nC RCPT TO:<alice@example.org>\nS 450 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
}
END_TEST

/* Of what no client may write nothing is said, and the message goes on; NOTIFY is: who wants no reports gets none. */
START_TEST(test_parameters_wrong)
{
	char longest[2 * SUBMIT_DSN_MAX];
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	memset(longest, 'x', sizeof longest);
	s.from = STR_EMPTY;
	s.ret = s.envid = rcpt[0].orcpt = _i ? STR("rfc822;\xc3\xbc") : (struct str){ longest, SUBMIT_DSN_MAX + 1 };
	rcpt[0].notify = STR("NEVER");
	server_start(&server, ALL "C MAIL FROM:<>\nS 250 ok\nC RCPT TO:<alice@example.org> NOTIFY=NEVER\nS 450 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
}
END_TEST

/* A message that could do without: asked of who offers it. */
START_TEST(test_utf8_asked)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.smtputf8_asked = true;
	server_start(&server, _i ? NONE "C MAIL FROM:<sender@example.net>\nS 450 no" :
		ALL "C MAIL FROM:<sender@example.net> SMTPUTF8\nS 450 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
}
END_TEST

START_TEST(test_utf8)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	s.smtputf8 = _i == 0;
	if (_i)
		rcpt[0].address = STR("j\xc3\xbcrgen@example.org");
	server_start(&server, ALL "C MAIL FROM:<sender@example.net> SMTPUTF8\nS 450 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
	server_start(&server, NONE, "smtp", true);
	ck_assert_int_eq(submit(server.where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_REFUSED);
	ck_assert_str_eq(s.reply, "the server does not offer SMTPUTF8, which the message needs");
	server_stop(&server);
	ck_assert_str_eq(buf_str(&server.heard).s, "QUIT\r\n");
	server_done(&server);
}
END_TEST

START_TEST(test_helo)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;

	server_start(&server, "S 220 hi\nC EHLO localhost\nS 421 no", "smtp", true);
	ck_assert_int_eq(submit(server.where, _i ? "" : "mx\r\nMAIL FROM:<>", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	server_stop(&server);
	server_done(&server);
}
END_TEST

static const struct str injections[] = {
	{ "a@b>\r\nRCPT TO:<x@y", 20 }, { "a@b\r\nDATA", 9 }, { "a@b\nDATA", 8 }, { "a\0b@c", 5 }, { "a@b> NOTIFY=NEVER", 17 },
	{ "<a@b>", 5 }, { "\"a\rb\"@c", 7 }, { "a\\", 2 }, { "\"a@b", 4 }, { "\"a\\\"@b", 6 }, { "\"a\"<@b", 6 }, { "\"a\\\n\"@b", 7 },
};

/* Odd, and no danger. */
static const struct str harmless[] = {
	{ "\"a<b>\"@c", 8 }, { "\"a\tb\"@c", 7 }, { "a\x7f@b", 4 }, { "\"\\\"<\"@b", 7 }, { "a\\>b@c", 6 },
};

/* Nobody listens there: whoever says "refused" has not asked. */
START_TEST(test_injection)
{
	static const char nobody[] = "smtp:unix:/nonexistent/socket";
	struct submit_rcpt rcpt[2];
	struct submission s = submission_of(rcpt, 2);

	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	ck_assert_str_eq(s.reply, "no such socket");
	s.from = injections[_i];
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_REFUSED);
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		s.from = harmless[i];
		ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	}
	s.from = STR("\"a b\\\"\"@c");
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	rcpt[1].address = injections[_i];
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(s.reply, "recipient 2: the address "));
	rcpt[1].address = STR_EMPTY;
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_REFUSED);
	rcpt[1].address = STR("b@c");
	rcpt[1].orcpt = STR("rfc822;a b");
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_REFUSED);
	rcpt[1].orcpt = STR_EMPTY;
	s.envid = STR("a\r\nRSET");
	ck_assert_int_eq(submit(nobody, "mx", &s, moment_clock() + 60000), SUBMIT_REFUSED);
}
END_TEST

/* --- where */

static const struct {
	const char *where, *wrong;
} places[] = {
	{ "smtp:127.0.0.1:25", NULL }, { "lmtp:unix:/run/lmtp", NULL }, { "smtp:[::1]:10026", NULL }, { "lmtp:mail.example.org:24", NULL },
	{ "127.0.0.1:25", "does not begin with \"smtp:\" or \"lmtp:\"" },
	{ "smtp:127.0.0.1", "has no port: write HOST:PORT or unix:/path" },
	{ "smtp:::1:25", "is an IPv6 address without brackets: write [ADDRESS]:PORT" },
	{ "smtp:host:0", "has a port that is no number from 1 to 65535" },
	{ "smtp:host:65536", "has a port that is no number from 1 to 65535" },
	{ "smtp:host:smtp", "has a port that is no number from 1 to 65535" },
	{ "smtp::25", "has no host, or one that is too long" },
	{ "smtp:unix:run/x", "is no absolute path: write unix:/path" },
	{ "lmtp:unix:/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789",
	  "is too long for a socket's path" },
};

START_TEST(test_where)
{
	const char *wrong = submit_check(places[_i].where);
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);

	if (!places[_i].wrong) {
		ck_assert_ptr_null(wrong);
		return;
	}
	ck_assert_str_eq(wrong, places[_i].wrong);
	ck_assert_int_eq(submit(places[_i].where, "mx", &s, moment_clock() + 60000), SUBMIT_AGAIN);
	ck_assert_str_eq(s.reply, places[_i].wrong);
}
END_TEST

START_TEST(test_names)
{
	struct submit_rcpt rcpt[1];
	struct submission s = submission_of(rcpt, 1);
	struct server server;
	char where[40];

	server_start(&server, SENT "S 250 ok", "smtp", true);
	snprintf(where, sizeof where, "smtp:localhost:%s", strrchr(server.where, ':') + 1);
	ck_assert_int_eq(submit(where, "mx.example.org", &s, moment_clock() + 60000), SUBMIT_TAKEN);
	server_stop(&server);
	server_done(&server);
	ck_assert_int_eq(submit("smtp:nowhere.invalid:25", "mx", &s, moment_clock() + 500), SUBMIT_AGAIN);
	ck_assert_ptr_nonnull(strstr(s.reply, "host"));
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_submit");
	TCase *t = tcase_create("host_submit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_step, 0, COUNT(steps));
	tcase_add_loop_test(t, test_content, 0, 2 * COUNT(contents));
	tcase_add_test(t, test_much);
	tcase_add_test(t, test_half);
	tcase_add_test(t, test_answer);
	tcase_add_loop_test(t, test_interrupted, 0, COUNT(interrupted));
	tcase_add_test(t, test_not_reading);
	tcase_add_test(t, test_parameters);
	tcase_add_loop_test(t, test_parameters_wrong, 0, 2);
	tcase_add_loop_test(t, test_utf8, 0, 2);
	tcase_add_loop_test(t, test_utf8_asked, 0, 2);
	tcase_add_loop_test(t, test_helo, 0, 2);
	tcase_add_loop_test(t, test_injection, 0, COUNT(injections));
	tcase_add_loop_test(t, test_where, 0, COUNT(places));
	tcase_add_test(t, test_names);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
