/* test_reply.c - the bytes of answers
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tamis.h"

#define TEXT(literal) ((struct tamis_text){ (literal), sizeof(literal) - 1 })

enum { ROOM = 65536 };

static struct tamis_text
text(const char *s)
{
	return (struct tamis_text){ s, strlen(s) };
}

static int
append(void *ctx, struct tamis_text v)
{
	char *out = ctx;
	size_t used = strlen(out);

	ck_assert_uint_lt(used + v.len, ROOM);
	ck_assert_ptr_null(memchr(v.s, '\0', v.len));
	memcpy(out + used, v.s, v.len);
	out[used + v.len] = '\0';
	return 0;
}

/* What the rules answer to the message; empty: nothing. */
static char *
answer(const char *rules, const char *header)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("rules"), text(rules), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r;
	struct tamis_outcome *o;
	const struct tamis_effect *e = NULL;
	char *out = calloc(1, ROOM);
	struct tamis_host host = { 0 };

	ck_assert_ptr_nonnull(p);
	tamis_message_fact(m, TEXT("from"), TEXT("sender@example.com"));
	tamis_message_fact(m, TEXT("host"), TEXT("mx.example.org"));
	tamis_message_header(m, text(header));
	r = tamis_recipient_new(m, TEXT("recipient@example.org"), 1748865600000000, NULL);
	tamis_recipient_answer(r, TEXT("vacation"), TEXT("sender@example.com handle h"), TAMIS_NO, TEXT(""));
	o = tamis_outcome_new(r);
	ck_assert_int_eq(tamis_run(p, o, TAMIS_HEADER, &host), TAMIS_DECIDED);
	while ((e = tamis_outcome_next(o, e)))
		if (e->kind == TAMIS_SEND)
			ck_assert_int_eq(tamis_reply_write(o, e, append, out), 0);
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
	return out;
}

static int
refuse(void *ctx, struct tamis_text v)
{
	(void)ctx;
	ck_abort_msg("%.*s", (int)v.len, v.s);
}

/* What sends nothing has no message: -1, and nothing is written, rather than one from and to nobody. */
START_TEST(no_answer)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("rules"), TEXT("redirect \"a@example.org\"; keep;"), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("recipient@example.org"), 0, NULL);
	struct tamis_outcome *o = tamis_outcome_new(r);
	const struct tamis_effect *e = NULL;
	unsigned n = 0;

	ck_assert_int_eq(tamis_run(p, o, TAMIS_BODY, NULL), TAMIS_DECIDED);
	for (; (e = tamis_outcome_next(o, e)); n++)
		ck_assert_int_eq(tamis_reply_write(o, e, refuse, NULL), -1);
	ck_assert_uint_eq(n, 2);
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}
END_TEST

static const char plain[] =
	"From: sender@example.com\nTo: recipient@example.org\nSubject: hello\nMessage-ID: <1@example.com>\n\n";

/* The first line that begins so, with those that continue it. */
static const char *
field(const char *message, const char *name)
{
	static char out[ROOM];
	const char *from = strstr(message, name), *to;

	ck_assert_ptr_nonnull(from);
	ck_assert(from == message || from[-1] == '\n');
	for (to = from; *to && (to == from || to[-1] != '\n' || *to == ' ' || *to == '\t'); to++)
		;
	ck_assert_int_eq(to[-1], '\n');
	memcpy(out, from, (size_t)(to - from));
	out[to - from] = '\0';
	return out;
}

static void
expect_field(const char *rules, const char *header, const char *name, const char *expected)
{
	char *got = answer(rules, header);

	ck_assert_str_eq(field(got, name), expected);
	free(got);
}

START_TEST(whole)
{
	char *got = answer("require \"vacation\"; vacation :handle \"h\" \"I'm away.\nReally.\n\";",
	                   "From: \"The Sender\" <sender@example.com>\nTo: recipient@example.org\nSubject: hello\n"
	                   "Message-ID: <1@example.com>\nReferences: <0@example.com>\n\n");
	char *id = strstr(got, "Message-ID: <tamis.");
	char *end = id ? strstr(id, "@mx.example.org>\r\n") : NULL;

	ck_assert_ptr_nonnull(id);
	ck_assert_ptr_nonnull(end);
	memmove(id + strlen("Message-ID: <"), end, strlen(end) + 1);
	ck_assert_str_eq(got, "Date: Mon, 2 Jun 2025 12:00:00 +0000\r\n"
	                      "Message-ID: <@mx.example.org>\r\n"
	                      "From: recipient@example.org\r\n"
	                      "To: \"The Sender\" <sender@example.com>\r\n"
	                      "Subject: Auto: hello\r\n"
	                      "In-Reply-To: <1@example.com>\r\n"
	                      "References: <0@example.com> <1@example.com>\r\n"
	                      "Auto-Submitted: auto-replied\r\n"
	                      "Precedence: bulk\r\n"
	                      "X-Auto-Response-Suppress: All\r\n"
	                      "MIME-Version: 1.0\r\n"
	                      "Content-Type: text/plain; charset=utf-8\r\n"
	                      "Content-Transfer-Encoding: 7bit\r\n"
	                      "\r\n"
	                      "I'm away.\r\nReally.\r\n");
	free(got);
}
END_TEST

/* The same answer has the same id whenever it is made, another one another. */
START_TEST(message_ids)
{
	char *one = answer("require \"vacation\"; vacation :handle \"h\" \"One.\";", plain);
	char *same = answer("require \"vacation\"; vacation :handle \"h\" \"One.\";", plain);
	char *two = answer("require \"vacation\"; vacation :handle \"h\" \"Two.\";", plain);
	char id[200];

	snprintf(id, sizeof id, "%s", field(one, "Message-ID: "));
	ck_assert_str_eq(id, field(same, "Message-ID: "));
	ck_assert_str_ne(id, field(two, "Message-ID: "));
	free(one);
	free(same);
	free(two);
}
END_TEST

#define SUBJECT(text) "require \"vacation\"; vacation :handle \"h\" :subject \"" text "\" \"Away.\";"
#define TEN "0123456789"
#define UMLAUTS "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"

/* Encoded if and only if it is not ASCII (RFC 5230 4.3); no line longer than RFC 2047 2 allows, no character cut. */
START_TEST(subjects)
{
	expect_field(SUBJECT("=?utf-8?q?as_it_is?="), plain, "Subject: ", "Subject: =?utf-8?q?as_it_is?=\r\n");
	expect_field(SUBJECT("Gr\u00fc\u00dfe"), plain, "Subject: ", "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n");
	expect_field(SUBJECT(UMLAUTS UMLAUTS UMLAUTS UMLAUTS), plain, "Subject: ",
	             "Subject: =?utf-8?B?w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7w=?=\r\n"
	             " =?utf-8?B?w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8?=\r\n");
	expect_field(SUBJECT(TEN " " TEN TEN TEN "  " TEN TEN TEN " " TEN " " TEN), plain, "Subject: ",
	             "Subject: " TEN " " TEN TEN TEN "\r\n  " TEN TEN TEN " " TEN " " TEN "\r\n");
	expect_field(SUBJECT(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN), plain, "Subject: ",
	             "Subject: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\n");
}
END_TEST

#define FROM(text) "require \"vacation\"; vacation :handle \"h\" :from \"" text "\" \"Away.\";"

START_TEST(senders)
{
	char *got;

	expect_field(FROM("Me <me@example.net>"), plain, "From: ", "From: Me <me@example.net>\r\n");
	expect_field(FROM("J\u00fcrgen \\\"M\u00fc, ller\\\" <me@example.net>"), plain, "From: ",
	             "From: =?utf-8?B?SsO8cmdlbiBNw7wsIGxsZXI=?=\r\n <me@example.net>\r\n");
	expect_field(FROM("\\\"Me, Myself\\\" <me@example.net>,I <i@example.net>"), plain, "From: ",
	             "From: \"Me, Myself\" <me@example.net>,\r\n I <i@example.net>\r\n");
	expect_field(FROM("me@example.net, i@example.net"), plain, "Sender: ", "Sender: recipient@example.org\r\n");
	got = answer(FROM("Me <me@example.net>"), plain);
	ck_assert_ptr_null(strstr(got, "\nSender: "));
	free(got);
}
END_TEST

/* A new line in what came with the message begins no field. */
START_TEST(injection)
{
	static const char header[] =
		"From: =?utf-8?q?a=0D=0ABcc:_victim@example.com?= <sender@example.com>\nTo: recipient@example.org\n"
		"Subject: =?utf-8?q?a=0D=0ABcc:_victim@example.com=0D=0A=0D=0Abody?=\n"
		"Message-ID: <1\r@x>\nReferences: <a@x>\r\n\tBcc:victim@example.com <b@x>\n\n";
	static const char *const rules[] = {
		"require \"vacation\"; vacation :handle \"h\" \"Away.\";",
		"require [\"vacation\", \"variables\"]; if header :matches \"subject\" \"*\" {\n"
		"  vacation :handle \"h\" :subject \"${1}\" :mime \"Content-Type: text/plain; x=${1}\r\n\r\nAway.\"; }",
		"require [\"vacation\", \"variables\"]; if header :matches \"subject\" \"*\" { set \"v\" \"${1}\"; }\n"
		"vacation :handle \"h\" :subject \"${v}\" \"Away.\";",
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		char *got = answer(rules[i], header), *body = strstr(got, "\r\n\r\n");

		ck_assert_ptr_nonnull(body);
		*body = '\0';
		ck_assert_ptr_null(strstr(got, "\nBcc"));
		ck_assert_ptr_null(strstr(got, "\rBcc"));
		free(got);
	}
}
END_TEST

static void
expect_body(const char *rules, const char *expected)
{
	char *got = answer(rules, plain), *from = strstr(got, "MIME-Version: 1.0\r\n");

	ck_assert_ptr_nonnull(from);
	ck_assert_str_eq(strchr(from, '\n') + 1, expected);
	free(got);
}

START_TEST(texts)
{
	static const char rules[] = "require \"vacation\"; vacation :handle \"h\" \"%s\";";
	static char line[2000], out[4000];
	char *got;

	expect_body("require \"vacation\"; vacation :handle \"h\" \"Gr\u00fc\u00dfe\r\n.\nx\";",
	            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u00fc\u00dfe\r\n.\r\nx\r\n");
	expect_body("require \"vacation\"; vacation :handle \"h\" \"\";",
	            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
	/* a line that no server has to take (RFC 5321 4.5.3.1.6) */
	memset(line, 'x', 999);
	snprintf(out, sizeof out, rules, line);
	got = answer(out, plain);
	ck_assert_ptr_nonnull(strstr(got, "Content-Transfer-Encoding: base64\r\n\r\neHh4eHh4"));
	for (const char *p = got, *end; (end = strstr(p, "\r\n")); p = end + 2)
		ck_assert_int_le(end - p, 78);
	free(got);
	line[998] = '\0';
	snprintf(out, sizeof out, rules, line);
	got = answer(out, plain);
	ck_assert_ptr_nonnull(strstr(got, "Content-Transfer-Encoding: 7bit\r\n\r\nxxxxxx"));
	free(got);
}
END_TEST

START_TEST(entities)
{
	expect_body("require \"vacation\"; vacation :handle \"h\" :mime \"Content-Type: text/html\nSubject: x\n"
	            "MIME-Version: 1.0\nContent-Disposition: inline;\n x=y\n\n<p>Away.\";",
	            "Content-Type: text/html\r\nContent-Disposition: inline;\r\n x=y\r\n\r\n<p>Away.\r\n");
	expect_body("require \"vacation\"; vacation :handle \"h\" :mime \"Content-Type: text/plain;\n \n\t\n x=y\n\nAway.\";",
	            "Content-Type: text/plain;\r\n x=y\r\n\r\nAway.\r\n");
	expect_body("require \"vacation\"; vacation :handle \"h\" :mime \"Content-Type: text/plain; charset=utf-8\n\n\u00fc\n\";",
	            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u00fc\r\n");
	expect_body("require \"vacation\"; vacation :handle \"h\" :mime \"content-transfer-encoding: quoted-printable\n\n=C3=BC\";",
	            "content-transfer-encoding: quoted-printable\r\n\r\n=C3=BC\r\n");
}
END_TEST

START_TEST(long_threads)
{
	char header[16384] = "From: sender@example.com\nTo: recipient@example.org\nMessage-ID: <last@example.com>\nReferences:";
	char *got;

	for (int i = 0; i < 200; i++)
		snprintf(header + strlen(header), sizeof header - strlen(header), " <%03d-of-a-thread@example.com>\n", i);
	strcat(header, "\n");
	got = answer("require \"vacation\"; vacation :handle \"h\" \"Away.\";", header);
	ck_assert_ptr_nonnull(strstr(got, "References: <000-of-a-thread@example.com>"));
	ck_assert_ptr_nonnull(strstr(got, "<199-of-a-thread@example.com> <last@example.com>\r\n"));
	ck_assert_ptr_null(strstr(got, "<100-of-a-thread@example.com>"));
	for (const char *p = got, *end; (end = strstr(p, "\r\n")); p = end + 2)
		ck_assert_int_le(end - p, 78);
	free(got);
}
END_TEST

static void
want(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key)
{
	char *out = ctx;

	(void)r;
	snprintf(out + strlen(out), ROOM - strlen(out), "%.*s|%.*s\n", (int)what.len, what.s, (int)key.len, key.s);
}

/* What a host asks its store ahead is what the rules ask. */
START_TEST(questions)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("rules"),
	        TEXT("require \"vacation-seconds\"; if true { vacation :handle \"h\" \"a\"; } else { vacation \"b\"; vacation :seconds 0 \"c\"; }"), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("recipient@example.org"), 0, NULL);
	static char out[ROOM];

	ck_assert_ptr_nonnull(p);
	tamis_questions(p, r, TAMIS_HEADER, want, out);
	ck_assert_str_eq(out, "");
	tamis_message_fact(m, TEXT("from"), TEXT("<>"));
	tamis_questions(p, r, TAMIS_HEADER, want, out);
	ck_assert_str_eq(out, "");
	tamis_message_fact(m, TEXT("from"), TEXT("<Sender@Example.com>"));
	tamis_questions(p, r, TAMIS_ENVELOPE, want, out);
	ck_assert_str_eq(out, "");
	tamis_questions(p, r, TAMIS_HEADER, want, out);
	ck_assert_str_eq(out, "vacation|sender@example.com handle h\nvacation|sender@example.com hash d2352ca4bd2f6fad\n");
	/* the recipient's own sender comes before the message's, here as in a run */
	tamis_recipient_fact(r, TEXT("FROM"), TEXT("<>"));
	*out = '\0';
	tamis_questions(p, r, TAMIS_HEADER, want, out);
	ck_assert_str_eq(out, "");
	tamis_recipient_fact(r, TEXT("From"), TEXT("sender@example.com"));
	tamis_recipient_answer(r, TEXT("vacation"), TEXT("sender@example.com handle h"), TAMIS_YES, TEXT(""));
	tamis_questions(p, r, TAMIS_HEADER, want, out);
	ck_assert_str_eq(out, "vacation|sender@example.com hash d2352ca4bd2f6fad\n");
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reply");
	TCase *c = tcase_create("reply");
	SRunner *r;
	int failed;

	tcase_add_test(c, whole);
	tcase_add_test(c, no_answer);
	tcase_add_test(c, message_ids);
	tcase_add_test(c, subjects);
	tcase_add_test(c, senders);
	tcase_add_test(c, injection);
	tcase_add_test(c, texts);
	tcase_add_test(c, entities);
	tcase_add_test(c, long_threads);
	tcase_add_test(c, questions);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
