/* test_host_log.c - lines of the log: one for each event, whatever is in the values
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
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
	{ { "a\xe2\x80\xae" "b", 5 }, "\"a\\xE2\\x80\\xAEb\"" },         /* from right to left */
	{ { "a\xe2\x81\xa6" "b", 5 }, "\"a\\xE2\\x81\\xA6b\"" },         /* an isolate */
	{ { "\xef\xbb\xbf" "b", 4 }, "\"\\xEF\\xBB\\xBFb\"" },           /* no width */
	{ { "\xd7\xa9", 2 }, "\xd7\xa9" },
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
	log_anew();
	log_line(LOG_ERR, "Q", "error=%s", "store locked");
	ck_assert_str_eq(capture_end(&out),
		"level=warning error=\"store locked\"\n"
		"Q: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\nQ: verdict=keep\n"
		"level=warning event=repeated times=4 error=\"store locked\"\n"
		"Q: level=warning error=\"store locked\"\n"
		"Q: level=error error=\"store locked\"\n"
		"Q: level=error event=repeated times=1 error=\"store locked\"\n"
		"Q: level=error error=\"store locked\"\n");
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
	int next[THREADS] = { 0 };
	struct buf out = { 0 };
	struct str rest;
	int lines = 0;

	capture();
	if (_i)
		ck_assert_int_eq(log_start(), 0);
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
		/* one's own lines come in their order */
		ck_assert_int_eq(atoi(strstr(line.s, "n=") + 2), next[line.s[0] - 'A']++);
		ck_assert(line.s[line.len - 1] == '"');
		rest = str_sub(rest, line.len + 1, rest.len);
	}
	ck_assert_int_eq(lines, THREADS * LINES);
	buf_done(&out);
}
END_TEST

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Standard error is a pipe; its other end. */
static int
unread_log(void)
{
	int ends[2];

	kept = dup(2);
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], 2);
	close(ends[1]);
	log_open(true, "mail", "test");
	ck_assert_int_eq(log_start(), 0);
	return ends[0];
}

/* Its line that holds a word, once it is there. */
static const char *
read_until(int fd, struct buf *out, const char *word)
{
	const char *found;

	while (!(found = strstr(buf_str(out).s, word)) || !strchr(found, '\n')) {
		ssize_t n = read(fd, buf_room(out, 65536), 65536);

		ck_assert_int_gt(n, 0);
		out->len += (size_t)n;
	}
	return found;
}

/* A log that nobody reads delays one line for a second, and is full then; read again, it tells how much is missing. */
START_TEST(test_unread)
{
	enum { SAID = 6000 };
	char wide[250];
	struct buf out = { 0 };
	int fd = unread_log(), there = 0, lost;
	double begun = seconds();
	const char *line;

	memset(wide, 'x', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	for (int i = 0; i < SAID; i++)
		log_line(LOG_INFO, "Q", "n=%d a=%s b=%s", i, wide, wide);
	ck_assert(seconds() - begun >= 1);
	ck_assert(seconds() - begun < 60);
	/* as soon as there is room the next line is whole, and so is what tells of the lost ones */
	do {
		out.len += (size_t)read(fd, buf_room(&out, 65536), 65536);
		log_line(LOG_INFO, NULL, "event=%s", "next");
	} while (!strstr(buf_str(&out).s, "event=next"));
	line = read_until(fd, &out, "event=lost lines=");
	lost = atoi(line + strlen("event=lost lines="));
	for (line = buf_str(&out).s; (line = strstr(line, ": Q: n=")); line++)
		there++;
	ck_assert_int_gt(lost, 0);
	/* of those that said "next" some were lost, too */
	ck_assert_int_ge(there + lost, SAID);
	ck_assert_int_lt(there, SAID);
	log_close();
	dup2(kept, 2);
	close(fd);
	buf_done(&out);
}
END_TEST

START_TEST(test_unread_at_the_end)
{
	int fd = unread_log();
	double begun;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 5000; i++)
		log_line(LOG_INFO, "Q", "n=%d text=%s", i, "more than a pipe holds");
	begun = seconds();
	log_close();
	ck_assert(seconds() - begun < 30);
	/* what is said now is lost, and waits for nobody */
	log_line(LOG_ERR, NULL, "error=%s", "too late");
	/* the thread may go on now */
	dup2(open("/dev/null", O_WRONLY), 2);
	close(fd);
}
END_TEST

/* A line alone is not kept back until there are more, nor is a warning among many. */
START_TEST(test_silence)
{
	struct buf out = { 0 };
	int fd = unread_log();

	usleep(50000);          /* the thread is there, and waits */
	log_line(LOG_INFO, NULL, "first=%d", 1);
	read_until(fd, &out, "first=1");
	log_line(LOG_WARNING, NULL, "second=%d", 2);
	read_until(fd, &out, "second=2");
	log_line(LOG_INFO, NULL, "third=%d", 3);
	log_close();
	dup2(kept, 2);
	read_until(fd, &out, "third=3");
	close(fd);
	buf_done(&out);
}
END_TEST

START_TEST(test_facility)
{
	static const int local[] = { LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 };
	char name[] = "local0";

	ck_assert_int_eq(log_facility("mail"), LOG_MAIL);
	ck_assert_int_eq(log_facility("daemon"), LOG_DAEMON);
	ck_assert_int_eq(log_facility("user"), LOG_USER);
	ck_assert_int_eq(log_facility("auth"), LOG_AUTH);
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++, name[5]++)
		ck_assert_int_eq(log_facility(name), local[i]);
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

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_value, 0, COUNT(values));
	tcase_add_test(t, test_formats);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_repeats);
	tcase_add_loop_test(t, test_threads, 0, 2);
	tcase_add_test(t, test_unread);
	tcase_add_test(t, test_unread_at_the_end);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_facility);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
