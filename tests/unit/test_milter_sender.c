/* test_milter_sender.c - whose Authentication-Results are believed, and what they prove
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "milter/sender.h"

#define AR "Authentication-Results: mx.example.org"

static const struct {
	const char *sender, *header;
	bool proves;
} headers[] = {
	/* --- spf */
	{ "s@example.net", AR "; spf=pass smtp.mailfrom=s@example.net\r\n", true },
	{ "s@example.net", AR "; spf=pass smtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", AR "; SPF=PASS SMTP.MailFrom=Example.NET\r\n", true },
	{ "s@example.net", AR ";\r\n\tspf=pass\r\n\tsmtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", AR " 1; spf = pass smtp.mailfrom = example.net ;\r\n", true },
	{ "s@example.net", AR "; spf=fail smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR "; spf=passed smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR "; spf=pass smtp.helo=example.net\r\n", false },
	{ "s@example.net", AR "; spf=pass smtp.mailfrom=other.example\r\n", false },
	{ "s@example.net", AR "; spf=pass smtp.mailfrom=net\r\n", false },
	/* SPF is of one domain alone */
	{ "s@sub.example.net", AR "; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR "; dmarc=pass header.from=example.net\r\n", false },
	{ "s@example.net", AR "; auth=pass smtp.mailfrom=example.net\r\n", false },
	/* --- dkim */
	{ "s@example.net", AR "; dkim=pass header.d=example.net\r\n", true },
	{ "s@example.net", AR "; dkim=pass (1024-bit key) header.d=example.net header.i=@example.net header.s=x\r\n", true },
	{ "s@example.net", AR "; dkim=pass reason=\"good; signature\" header.d=example.net\r\n", true },
	{ "s@sub.example.net", AR "; dkim=pass header.d=example.net\r\n", true },
	{ "s@example.net", AR "; dkim=pass header.d=sub.example.net\r\n", false },
	{ "s@badexample.net", AR "; dkim=pass header.d=example.net\r\n", false },
	{ "s@example.net", AR "; dkim=pass header.d=net\r\n", false },
	{ "s@example.net", AR "; dkim=pass header.d=\"\"\r\n", false },
	{ "s@example.net", AR "; dkim=fail header.d=example.net\r\n", false },
	{ "s@example.net", AR "; dkim=pass header.from=example.net\r\n", false },
	{ "s@example.net", AR "; spf=pass header.d=example.net\r\n", false },
	/* --- several */
	{ "s@example.net", AR "; dkim=fail header.d=example.net; spf=pass smtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", AR "; dkim=fail header.d=example.net; spf=none; dkim=pass header.d=example.net\r\n", true },
	{ "s@example.net", AR "; none\r\n", false },
	{ "s@example.net", AR "\r\n", false },
	{ "s@example.net", AR ";\r\n", false },
	{ "s@example.net", AR "; spf=none\r\nSubject: x\r\n" AR "; spf=pass smtp.mailfrom=example.net\r\n", true },
	/* --- whose */
	{ "s@example.net", "authentication-results: MX.Example.ORG; spf=pass smtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", "Authentication-Results:\tmx.example.org (b); spf=pass smtp.mailfrom=example.net\r\n", true },
	/* no filter writes that, and a server's checks of the header let it through */
	{ "s@example.net", "Authentication-Results: \"mx.example.org\"; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: (a (nested \\) one)) mx.example.org (b); spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: other.example; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: mx.example.org.evil.example; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: mx.example.orgx; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: x; y mx.example.org; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results: (mx.example.org; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "X-Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Subject: x\r\n " AR "; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "Authentication-Results:; spf=pass smtp.mailfrom=example.net\r\n", false },
	/* --- versions: only the one that we know */
	{ "s@example.net", AR " 2; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR " 11; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR " 1 1; spf=pass smtp.mailfrom=example.net\r\n", false },
	/* --- what a sender could put into a result is not a result */
	{ "s@example.net", AR "; spf=fail (spf=pass smtp.mailfrom=example.net) smtp.mailfrom=x.example\r\n", false },
	{ "s@example.net", AR "; spf=pass (a (b) c) smtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", AR "; spf=pass (a \\) b) smtp.mailfrom=example.net\r\n", true },
	{ "s@example.net", AR "; spf=fail (; spf=pass smtp.mailfrom=example.net;) smtp.mailfrom=x.example\r\n", false },
	{ "s@example.net", AR "; spf=fail smtp.mailfrom=\"; spf=pass smtp.mailfrom=example.net\"@x.example\r\n", false },
	{ "s@example.net", AR "; spf=fail reason=\"\\\"; spf=pass smtp.mailfrom=example.net\"\r\n", false },
	{ "s@example.net", AR "; spf=fail reason=\"; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", AR "; spf=pass smtp.mailfrom\r\n", false },
	{ "s@example.net", AR "; spf=pass smtp.mailfrom=\r\n", false },
	{ "s@example.net", AR "; spf smtp.mailfrom=example.net\r\n", false },
	/* --- senders */
	{ "", AR "; spf=pass smtp.mailfrom=\"\"\r\n", false },
	{ "", AR "; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s", AR "; dkim=pass header.d=example.net\r\n", false },
	{ "x@example.net@example.com", AR "; spf=pass smtp.mailfrom=example.com\r\n", true },
	{ "x@example.net@example.com", AR "; spf=pass smtp.mailfrom=example.net\r\n", false },
	{ "s@example.net", "", false },
};

static bool
authentic(const char *sender, const char *header, const char *id)
{
	struct conf conf = { .authserv_id = id, .srs_domain = "" };
	struct transaction t = { .conf = &conf, .sender = str_from(sender), .login = STR_EMPTY };
	bool proves;

	buf_puts(&t.header, header);
	buf_puts(&t.header, "\r\n");
	proves = sender_authentic(&t);
	buf_done(&t.header);
	return proves;
}

START_TEST(header_proves)
{
	ck_assert_msg(authentic(headers[_i].sender, headers[_i].header, "mx.example.org") == headers[_i].proves, "%s\n%s",
	              headers[_i].sender, headers[_i].header);
	/* who believes nobody believes nothing */
	ck_assert(!authentic(headers[_i].sender, headers[_i].header, ""));
	ck_assert(!authentic(headers[_i].sender, headers[_i].header, "mx.example.com"));
}
END_TEST

/* Which fields are removed: everything that could be taken for one of ours. */
START_TEST(is_result)
{
	const struct str id = STR("mx.example.org");

	ck_assert(sender_is_result(STR("mx.example.org; spf=pass"), id));
	ck_assert(sender_is_result(STR("(c) MX.EXAMPLE.ORG 7 nonsense"), id));
	ck_assert(sender_is_result(STR("\"mx.example.org\";"), id));
	ck_assert(!sender_is_result(STR("mx.example.org.uk; spf=pass"), id));
	ck_assert(!sender_is_result(STR(""), id));
	ck_assert(!sender_is_result(STR("; x"), STR_EMPTY));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("milter/sender");
	TCase *t = tcase_create("sender");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, header_proves, 0, (int)(sizeof headers / sizeof *headers));
	tcase_add_test(t, is_result);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
