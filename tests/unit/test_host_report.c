/* test_host_report.c - reports of refusals, read by a parser that is not ours
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include <gmime/gmime.h>

#include "host/report.h"

static const struct report plain = {
	.hostname = { "mx.example.org", 14 }, .from = { "sender@example.net", 18 }, .recipient = { "alice@example.org", 17 },
	.orcpt = { "", 0 }, .envid = { "", 0 }, .message_id_seed = { "seed", 4 }, .reason = { "No birdseed, please!", 20 },
	.header = { "From: s@example.net\r\nSubject: birdseed\r\nMessage-ID: <1@example.net>\r\n", 69 },
	.now = 1796000000000000,
};

#define BEGIN(from, kind, what) \
	"Date: Mon, 30 Nov 2026 00:53:20 +0000\r\n" \
	"Message-ID: <tamis.ID@mx.example.org>\r\n" \
	"From: " from "\r\n" \
	"To: <sender@example.net>\r\n" \
	"Subject: " kind ": your message was refused\r\n" \
	"In-Reply-To: <1@example.net>\r\n" \
	"References: <1@example.net>\r\n" \
	"Auto-Submitted: auto-replied\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/report; report-type=" what ";\r\n" \
	"\tboundary=\"=_BOUNDARY\"\r\n" \
	"\r\n" \
	"--=_BOUNDARY\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: 7bit\r\n" \
	"\r\n" \
	"Your message to <alice@example.org>\r\n" \
	"was refused by the recipient's mail filtering program.\r\n" \
	"The reason given is as follows:\r\n" \
	"\r\n" \
	"No birdseed, please!\r\n" \
	"\r\n" \
	"The header of your message is attached.\r\n" \
	"\r\n" \
	"--=_BOUNDARY\r\n" \
	"Content-Type: message/" what "\r\n" \
	"\r\n"
#define END \
	"\r\n" \
	"--=_BOUNDARY\r\n" \
	"Content-Type: text/rfc822-headers\r\n" \
	"Content-Transfer-Encoding: 7bit\r\n" \
	"\r\n" \
	"From: s@example.net\r\n" \
	"Subject: birdseed\r\n" \
	"Message-ID: <1@example.net>\r\n" \
	"\r\n" \
	"--=_BOUNDARY--\r\n"

static const char *const whole[] = {
	BEGIN("Mail Delivery System <postmaster@mx.example.org>", "Undelivered", "delivery-status")
	"Reporting-MTA: dns; mx.example.org\r\n"
	"\r\n"
	"Final-Recipient: rfc822; alice@example.org\r\n"
	"Action: failed\r\n"
	"Status: 5.7.1\r\n"
	"Diagnostic-Code: x-tamis; 5.7.1\r\n"
	" No birdseed, please!\r\n"
	END,
	BEGIN("<alice@example.org>", "Rejected", "disposition-notification")
	"Reporting-UA: mx.example.org; tamis\r\n"
	"Final-Recipient: rfc822; alice@example.org\r\n"
	"Original-Message-ID: <1@example.net>\r\n"
	"Disposition: automatic-action/MDN-sent-automatically; deleted\r\n"
	END,
};

/* Ids are what they are: the first is said to be ID, others BOUNDARY. */
static void
hide_ids(struct buf *b)
{
	struct buf out = { 0 };
	struct str v = buf_str(b);

	for (size_t i = 0; i < v.len; i++) {
		bool id = str_starts(str_sub(v, i, v.len), STR("tamis.")), boundary = str_starts(str_sub(v, i, v.len), STR("=_"));

		if ((id || boundary) && v.len - i > 30) {
			buf_puts(&out, id ? "tamis.ID" : "=_BOUNDARY");
			i += (id ? 6 : 2) + 26 - 1;
		} else {
			buf_putc(&out, v.s[i]);
		}
	}
	buf_done(b);
	*b = out;
}

START_TEST(test_whole)
{
	struct report r = plain;
	struct buf out = { 0 };

	r.disposition = _i;
	report_write(&r, &out);
	hide_ids(&out);
	ck_assert_str_eq(buf_str(&out).s, whole[_i]);
	buf_done(&out);
}
END_TEST

START_TEST(test_nobody)
{
	struct report r = plain;
	struct buf out = { 0 };

	r.from = STR_EMPTY;
	report_write(&r, &out);
	ck_assert_uint_eq(out.len, 0);
	buf_done(&out);
}
END_TEST

/* --- what a parser sees */

struct seen {
	GMimeMessage *message;
	GMimeMultipart *report;
	char *part[3];                  /* decoded */
};

static char *
content_of(GMimeObject *part)
{
	GMimeStream *to = g_mime_stream_mem_new();
	GMimeDataWrapper *content = GMIME_IS_MESSAGE_PART(part) ? NULL : g_mime_part_get_content(GMIME_PART(part));
	GByteArray *bytes;
	char *text;

	if (content)
		g_mime_data_wrapper_write_to_stream(content, to);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
	text = g_strndup(bytes->data ? (const char *)bytes->data : "", bytes->len);
	for (char *from = text, *p = text; (*p = *from); from++)
		p += *from != '\r';
	g_object_unref(to);
	return text;
}

static void
see(struct seen *s, const struct buf *b)
{
	static const char *const types[] = { "text/plain", NULL, "text/rfc822-headers" };
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(b->s, b->len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);

	s->message = g_mime_parser_construct_message(parser, NULL);
	ck_assert_ptr_nonnull(s->message);
	s->report = GMIME_MULTIPART(g_mime_message_get_mime_part(s->message));
	ck_assert_int_eq(g_mime_multipart_get_count(s->report), 3);
	for (int i = 0; i < 3; i++) {
		GMimeObject *part = g_mime_multipart_get_part(s->report, i);
		char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));

		if (types[i])
			ck_assert_str_eq(type, types[i]);
		g_free(type);
		s->part[i] = content_of(part);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

static void
seen_done(struct seen *s)
{
	for (int i = 0; i < 3; i++)
		g_free(s->part[i]);
	g_object_unref(s->message);
}

/* Lines that can be sent, a header of fields that are meant, once each. */
static void
check_form(const struct buf *b)
{
	static const char fields[] = " date message-id from to subject in-reply-to references auto-submitted mime-version content-type ";
	struct str v = buf_str(b);
	bool header = true;

	while (v.len) {
		const char *end = memchr(v.s, '\n', v.len);
		size_t n = end ? (size_t)(end - v.s) : v.len;
		struct str line = str_sub(v, 0, n ? n - 1 : 0);

		ck_assert(n && v.s[n - 1] == '\r');
		ck_assert_uint_le(line.len, 998);
		ck_assert(!memchr(line.s, '\r', line.len) && !memchr(line.s, '\0', line.len));
		if (!line.len)
			header = false;
		if (header && line.s[0] != '\t') {
			const char *colon = memchr(line.s, ':', line.len);
			char word[40];

			ck_assert_ptr_nonnull(colon);
			snprintf(word, sizeof word, " %.*s ", (int)(colon - line.s), line.s);
			for (char *c = word; *c; c++)
				*c = char_lower(*c);
			ck_assert_msg(strstr(fields, word) != NULL, "%s", word);
		} else {
			for (size_t i = 0; !header && i < line.len; i++)
				ck_assert((unsigned char)line.s[i] < 0x80);
		}
		v = str_sub(v, n + 1, v.len);
	}
}

static const char hostile[] = "x\r\nBcc: victim@example.org\r\n\r\n--=_\r\n\x1b[2J \xff\xfe\xe2\x80\xa8 \xc3\xbc\0y";
#define HOSTILE ((struct str){ hostile, sizeof hostile - 1 })

/* Whatever stands in any of the values, the report has three parts and no field that nobody meant. */
START_TEST(test_hostile)
{
	struct buf out = { 0 };
	struct report r = plain;
	struct seen seen;
	struct str *const value[] = { &r.hostname, &r.from, &r.recipient, &r.orcpt, &r.envid, &r.message_id_seed, &r.reason, &r.header };

	r.disposition = _i % 2;
	*value[_i / 2] = HOSTILE;
	if (value[_i / 2] == &r.orcpt)
		r.orcpt = STR("rfc822;a+0D+0ABcc:+20x@example.org\r\nAction: relayed");
	if (value[_i / 2] == &r.header)
		r.header = STR("Message-ID: <a\r\n Bcc: b>\r\nX: \xff\xc3\xbc\x1b\0 \r\n--=_\r\n\r\nbody");
	report_write(&r, &out);
	check_form(&out);
	see(&seen, &out);
	ck_assert_ptr_null(g_mime_object_get_header(GMIME_OBJECT(seen.message), "Bcc"));
	ck_assert_ptr_null(strstr(seen.part[1], "\nBcc:"));
	ck_assert_ptr_null(strstr(buf_str(&out).s, "\nAction: relayed"));
	seen_done(&seen);
	buf_done(&out);
}
END_TEST

static struct str
repeated(struct buf *b, const char *what, size_t bytes)
{
	while (b->len < bytes)
		buf_puts(b, what);
	return buf_str(b);
}

START_TEST(test_long)
{
	struct buf out = { 0 }, value = { 0 };
	struct report r = plain;
	struct str *const values[] = { &r.hostname, &r.from, &r.recipient, &r.orcpt, &r.envid, &r.message_id_seed, &r.reason, &r.header };
	struct seen seen;

	r.disposition = _i % 2;
	buf_puts(&value, values[_i / 2] == &r.orcpt ? "utf-8;" : "");
	*values[_i / 2] = repeated(&value, "\xc3\xbc", 200000);
	report_write(&r, &out);
	check_form(&out);
	see(&seen, &out);
	ck_assert_uint_lt(out.len, REPORT_HEADER_MAX * 4);
	seen_done(&seen);
	buf_done(&out);
	buf_done(&value);
}
END_TEST

static const struct {
	const char *reason, *told, *status, *diagnostic;
} reasons[] = {
	{ "5.2.2 Mailbox full", "5.2.2 Mailbox full\n", "5.2.2", "5.2.2\n Mailbox full\n" },
	{ "5.123.45", "5.123.45\n", "5.123.45", "5.123.45\n refused by the recipient's rules\n" },
	{ "4.2.2 Mailbox full", "4.2.2 Mailbox full\n", "5.7.1", "5.7.1\n 4.2.2 Mailbox full\n" },
	{ "5.2 no", "5.2 no\n", "5.7.1", "5.7.1\n 5.2 no\n" }, { "5..2 no", "5..2 no\n", "5.7.1", "5.7.1\n 5..2 no\n" },
	{ "5.2.2.2 no", "5.2.2.2 no\n", "5.7.1", "5.7.1\n 5.2.2.2 no\n" },
	{ "5.2222.2 no", "5.2222.2 no\n", "5.7.1", "5.7.1\n 5.2222.2 no\n" },
	{ "5.2.2x", "5.2.2x\n", "5.7.1", "5.7.1\n 5.2.2x\n" }, { "5.2. no", "5.2. no\n", "5.7.1", "5.7.1\n 5.2. no\n" },
	{ "", "\n", "5.7.1", "5.7.1\n refused by the recipient's rules\n" },
	{ "two\r\nlines\r\n", "two\nlines\n", "5.7.1", "5.7.1\n two lines\n" },
	{ "Kein V\xc3\xb6gelfutter = \t\n.\nFrom me\n", "Kein V\xc3\xb6gelfutter = \t\n.\nFrom me\n", "5.7.1",
	  "5.7.1\n refused by the recipient's rules\n" },
};

START_TEST(test_reason)
{
	struct buf out = { 0 }, expected = { 0 };
	struct report r = plain;
	struct seen seen;

	r.reason = str_from(reasons[_i].reason);
	report_write(&r, &out);
	check_form(&out);
	see(&seen, &out);
	buf_printf(&expected, "given is as follows:\n\n%s\nThe header of", reasons[_i].reason[0] ? reasons[_i].told : "");
	ck_assert_msg(strstr(seen.part[0], buf_str(&expected).s) != NULL, "%s", seen.part[0]);
	buf_reset(&expected);
	buf_printf(&expected, "\nStatus: %s\nDiagnostic-Code: x-tamis; %s", reasons[_i].status, reasons[_i].diagnostic);
	ck_assert_msg(strstr(seen.part[1], buf_str(&expected).s) != NULL, "%s", seen.part[1]);
	seen_done(&seen);
	buf_done(&out);
	buf_done(&expected);
}
END_TEST

START_TEST(test_envelope)
{
	struct report r = plain;
	struct buf out = { 0 };
	struct seen seen;

	r.orcpt = STR("rfc822;al+2Bx@example.org");
	r.envid = STR("QQ+2B1");
	r.recipient = STR("j\xc3\xbcrgen@example.org");
	report_write(&r, &out);
	see(&seen, &out);
	ck_assert_ptr_nonnull(strstr(seen.part[1], "\nOriginal-Envelope-Id: QQ+1\n\nOriginal-Recipient: rfc822; al+x@example.org\n"
		"Final-Recipient: utf-8; j\\x{FC}rgen@example.org\n"));
	ck_assert_ptr_nonnull(strstr(seen.part[0], "<j\xc3\xbcrgen@example.org>"));
	seen_done(&seen);
	buf_done(&out);
}
END_TEST

/* Equal seeds make equal reports, others other ids; no boundary is in what it bounds. */
START_TEST(test_ids)
{
	struct buf a = { 0 }, b = { 0 }, header = { 0 };
	const char *boundary;
	struct report r = plain;
	struct seen seen;

	report_write(&r, &a);
	report_write(&r, &b);
	ck_assert(str_eq(buf_str(&a), buf_str(&b)));
	boundary = strstr(a.s, "--=_");
	buf_printf(&header, "X: y\r\n%.30s\r\nContent-Type: text/html\r\n\r\nz\r\n", boundary);
	r.header = buf_str(&header);
	buf_reset(&b);
	report_write(&r, &b);
	see(&seen, &b);
	ck_assert_ptr_nonnull(strstr(seen.part[2], "X: y\n--=_"));
	seen_done(&seen);
	r = plain;
	r.message_id_seed = STR("seen");
	buf_reset(&b);
	report_write(&r, &b);
	ck_assert(!str_eq(buf_str(&a), buf_str(&b)));
	hide_ids(&a);
	hide_ids(&b);
	ck_assert(str_eq(buf_str(&a), buf_str(&b)));
	buf_done(&a);
	buf_done(&b);
	buf_done(&header);
}
END_TEST

static const struct {
	const char *header, *id;
} ids[] = {
	{ "Subject: x\nmessage-id:\n\t <a@b>\nX: <c@d>\n", "<a@b>" }, { "Message-ID: <a b@c>\n", NULL }, { "Message-ID: a@b\n", NULL },
	{ "Message-ID: <>\n", NULL }, { "X: y\n Message-ID: <a@b>\n", NULL }, { "", NULL }, { "Message-ID: <a@b", NULL },
	{ "Message-ID: <a@b> <c@d>", "<a@b>" }, { "Message-ID: <\xc3\xbc@b>\n", NULL },
};

START_TEST(test_message_id)
{
	struct report r = plain;
	struct buf out = { 0 };
	struct seen seen;

	r.header = str_from(ids[_i].header);
	r.disposition = true;
	report_write(&r, &out);
	see(&seen, &out);
	if (ids[_i].id) {
		const char *line = strstr(seen.part[1], "Original-Message-ID: ");

		ck_assert_ptr_nonnull(line);
		ck_assert_int_eq(strncmp(line + 21, ids[_i].id, strlen(ids[_i].id)), 0);
		ck_assert_int_eq(line[21 + strlen(ids[_i].id)], '\n');
	} else {
		ck_assert_ptr_null(strstr(seen.part[1], "Original-Message-ID"));
		ck_assert_ptr_null(strstr(buf_str(&out).s, "In-Reply-To"));
	}
	seen_done(&seen);
	buf_done(&out);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_report");
	TCase *t = tcase_create("host_report");
	SRunner *runner = srunner_create(suite);
	int failed;

	g_mime_init();
	tcase_add_loop_test(t, test_whole, 0, 2);
	tcase_add_test(t, test_nobody);
	tcase_add_loop_test(t, test_hostile, 0, 16);
	tcase_add_loop_test(t, test_long, 0, 16);
	tcase_add_loop_test(t, test_reason, 0, COUNT(reasons));
	tcase_add_test(t, test_envelope);
	tcase_add_test(t, test_ids);
	tcase_add_loop_test(t, test_message_id, 0, COUNT(ids));
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	g_mime_shutdown();
	return failed > 0;
}
