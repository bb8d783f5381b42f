/* test_host_log.c - lines of the log: one for each event, whatever is in the values
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/log.h"

/* Standard error goes to a file from here to capture_end(). */
static int kept = -1, taken = -1;

static void
capture(void)
{
	char name[] = "/tmp/test_host_log.XXXXXX";

	kept = dup(2);
	taken = mkstemp(name);
	ck_assert_int_ge(taken, 0);
	unlink(name);
	dup2(taken, 2);
	log_open(true, "mail", "test");
}

/* What was written since, without "test[PID]: " at each line. */
static const char *
capture_end(struct buf *out)
{
	char prefix[32];
	struct buf all = { 0 };
	struct str rest;
	ssize_t n;

	log_close();
	dup2(kept, 2);
	close(kept);
	lseek(taken, 0, SEEK_SET);
	while ((n = read(taken, buf_room(&all, 65536), 65536)) > 0)
		all.len += (size_t)n;
	close(taken);
	snprintf(prefix, sizeof prefix, "test[%ld]: ", (long)getpid());
	buf_reset(out);
	for (rest = buf_str(&all); rest.len; ) {
		const char *end = memchr(rest.s, '\n', rest.len);

		ck_assert_ptr_nonnull(end);
		ck_assert(str_starts(rest, str_from(prefix)));
		buf_add(out, str_sub(rest, strlen(prefix), (size_t)(end + 1 - rest.s)));
		rest = str_sub(rest, (size_t)(end + 1 - rest.s), rest.len);
	}
	buf_done(&all);
	return buf_str(out).s;
}

static const struct {
	struct str value;
	const char *shown;
} values[] = {
	{ { "alice@example.org", 17 }, "alice@example.org" },
	{ { "", 0 }, "\"\"" },
	{ { "a b", 3 }, "\"a b\"" },
	{ { "x verdict=keep", 14 }, "\"x verdict=keep\"" },
	{ { "x=y", 3 }, "\"x=y\"" },
	{ { "a\nQ: rcpt=b", 11 }, "\"a\\x0AQ: rcpt=b\"" },
	{ { "a\r\tb\x7f", 5 }, "\"a\\x0D\\x09b\\x7F\"" },
	{ { "a\0b", 3 }, "\"a\\x00b\"" },
	{ { "\"\\", 2 }, "\"\\\"\\\\\"" },
	{ { "J\xc3\xbcrgen", 7 }, "J\xc3\xbcrgen" },
	{ { "\xff\xc3", 2 }, "\"\\xFF\\xC3\"" },
	{ { "\xc2\x9b" "31m", 5 }, "\"\\xC2\\x9B31m\"" },                /* a terminal's CSI */
	{ { "a\xe2\x80\xa8" "b", 5 }, "\"a\\xE2\\x80\\xA8b\"" },         /* line separator */
};

START_TEST(test_value)
{
	struct buf out = { 0 };
	char expected[100];

	capture();
	log_line(LOG_INFO, "4XyzAb", "rcpt=%.*s ms=%d", STR_ARG(values[_i].value), 3);
	snprintf(expected, sizeof expected, "4XyzAb: rcpt=%s ms=3\n", values[_i].shown);
	ck_assert_str_eq(capture_end(&out), expected);
	buf_done(&out);
}
END_TEST

START_TEST(test_formats)
{
	const char *volatile nothing = NULL;
	struct buf out = { 0 };

	capture();
	log_line(LOG_INFO, NULL, "a=%d b=%u c=%lld d=%llu e=%zu f=%ld g=%lx h=%jd 100%%", -1, 4294967295u, -9000000000LL,
	         18446744073709551615ULL, (size_t)7, -8L, 255UL, (intmax_t)-9);
	log_line(LOG_NOTICE, "Q", "error=\"%s: %s\" file=%s", "a \"b\"", "c\n", "d e");
	log_line(LOG_ERR, "Q\n", "x=%s", nothing);
	ck_assert_str_eq(capture_end(&out),
		"a=-1 b=4294967295 c=-9000000000 d=18446744073709551615 e=7 f=-8 g=ff h=-9 100%\n"
		"Q: level=notice error=\"a \\\"b\\\": c\\x0A\" file=\"d e\"\n"
		"Q\\x0A: level=error x=\"\"\n");
	buf_done(&out);
}
END_TEST

START_TEST(test_long)
{
	struct buf v = { 0 }, out = { 0 }, expected = { 0 };
	const char *line;

	while (v.len <= 2 * LOG_VALUE_MAX)
		buf_putc(&v, 'x');
	buf_printf(&expected, "Q: v=\"%.*s...\"\n", LOG_VALUE_MAX, buf_str(&v).s);
	capture();
	log_line(LOG_INFO, "Q", "v=%s", buf_str(&v).s);
	ck_assert_str_eq(capture_end(&out), buf_str(&expected).s);
	for (size_t i = 0; i < v.len; i++)
		v.s[i] = '\n';          /* four bytes each when escaped */
	capture();
	log_line(LOG_INFO, "Q", "a=%s b=%s c=%s d=%s", v.s, v.s, v.s, v.s);
	line = capture_end(&out);
	ck_assert_uint_gt(strlen(line), LOG_LINE_MAX - 20);
	ck_assert_uint_le(strlen(line), LOG_LINE_MAX);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	buf_done(&v);
	buf_done(&out);
	buf_done(&expected);
}
END_TEST

START_TEST(test_repeats)
{
	struct buf out = { 0 };

	capture();
	for (int i = 0; i < 5; i++) {
		log_line(LOG_WARNING, NULL, "error=%s", "store locked");
		log_line(LOG_INFO, "Q", "verdict=%s", "keep");
	}
	log_line(LOG_WARNING, "Q", "error=%s", "store locked");         /* another message's */
	log_line(LOG_ERR, "Q", "error=%s", "store locked");
	log_line(LOG_ERR, "Q", "error=%s", "store locked");
	ck_assert_str_eq(capture_end(&out),
		"level=warning error=\"store locked\"\n"
		"Q: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\n"
		"level=warning event=repeated times=4 error=\"store locked\"\n"
		"Q: level=warning error=\"store locked\"\n"
		"Q: level=error error=\"store locked\"\n"
		"Q: level=error event=repeated times=1 error=\"store locked\"\n");
	buf_done(&out);
}
END_TEST

enum { THREADS = 8, LINES = 500 };

static void *
writer(void *ctx)
{
	const char *id = ctx;

	for (int i = 0; i < LINES; i++)
		log_line(i % 2 ? LOG_INFO : LOG_WARNING, id, "n=%d text=%s", i, "some words that make it longer");
	return NULL;
}

START_TEST(test_threads)
{
	static char ids[THREADS][2];
	pthread_t thread[THREADS];
	struct buf out = { 0 };
	struct str rest;
	int lines = 0;

	capture();
	for (int i = 0; i < THREADS; i++) {
		ids[i][0] = (char)('A' + i);
		ck_assert_int_eq(pthread_create(&thread[i], NULL, writer, ids[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	capture_end(&out);
	for (rest = buf_str(&out); rest.len; lines++) {
		const char *end = memchr(rest.s, '\n', rest.len);
		struct str line = str_sub(rest, 0, (size_t)(end - rest.s));

		ck_assert(line.s[0] >= 'A' && line.s[0] < 'A' + THREADS && line.s[1] == ':');
		ck_assert(str_starts(str_sub(line, 3, line.len), STR("n=")) ||
		          str_starts(str_sub(line, 3, line.len), STR("level=warning n=")));
		ck_assert(line.s[line.len - 1] == '"');
		rest = str_sub(rest, line.len + 1, rest.len);
	}
	ck_assert_int_eq(lines, THREADS * LINES);
	buf_done(&out);
}
END_TEST

START_TEST(test_facility)
{
	ck_assert_int_eq(log_facility("mail"), LOG_MAIL);
	ck_assert_int_eq(log_facility("local7"), LOG_LOCAL7);
	ck_assert_int_eq(log_facility("mails"), -1);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_log");
	TCase *t = tcase_create("host_log");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, test_value, 0, COUNT(values));
	tcase_add_test(t, test_formats);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_repeats);
	tcase_add_test(t, test_threads);
	tcase_add_test(t, test_facility);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
