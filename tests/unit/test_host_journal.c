/* test_host_journal.c - what was written is there, what could not be written is not
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/digest.h"
#include "host/file.h"
#include "host/journal.h"
#include "journal_fixture.h"

static void
read_file(struct buf *out)
{
	buf_reset(out);
	ck_assert_int_eq(file_read(AT_FDCWD, path_of("journal"), out, 1 << 20), 0);
}

static void
write_file(struct str v)
{
	FILE *f = fopen(path_of("journal"), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(v.s, 1, v.len, f), v.len);
	fclose(f);
}

static void
add_text(struct buf *out, char kind, int n, int64_t time, const char *text)
{
	char hex[DIGEST_HEX];

	digest_hex(key_of(n), JOURNAL_KEY, hex);
	buf_printf(out, "%c %s %lld %s\n", kind, hex, (long long)time, text);
}

static size_t
lines_in_file(void)
{
	struct buf b = { 0 };
	size_t n = 0;

	read_file(&b);
	for (size_t i = 0; i < b.len; i++)
		n += b.s[i] == '\n';
	buf_done(&b);
	return n;
}

START_TEST(test_add)
{
	struct journal *j = open_one();
	struct buf b = { 0 };

	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(journal_is_empty(j));
	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy alice@example.org\nK x")), 0);
	ck_assert(!journal_is_empty(j));
	ck_assert_int_eq(syncs, 1);
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_has(j, key_of(2)));
	ck_assert_int_eq(journal_add(j, key_of(1), STR("again")), 0);
	read_file(&b);
	ck_assert_uint_eq(lines_in_file(), 1);
	ck_assert_ptr_nonnull(strstr(buf_str(&b).s, " copy alice@example.org?K x\n"));
	journal_close(j);
	j = open_one();
	ck_assert(!journal_is_empty(j));
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_has(j, key_of(2)));
	journal_close(j);
	buf_done(&b);
}
END_TEST

START_TEST(test_locked)
{
	struct journal *j = open_one();
	int error = 0;

	ck_assert_ptr_null(journal_open(directory, 5, &error));
	ck_assert_int_eq(error, EWOULDBLOCK);
	journal_close(j);
	journal_close(open_one());
	ck_assert_ptr_null(journal_open("/nonexistent", 5, &error));
	ck_assert_int_eq(error, ENOENT);
	unlink(path_of("journal"));
	ck_assert_int_eq(symlink("/etc/passwd", path_of("journal")), 0);
	ck_assert_ptr_null(journal_open(directory, 5, &error));
	ck_assert_int_eq(error, ELOOP);
}
END_TEST

/* Whatever a crash leaves of the file, what is whole counts, and what comes after it too. */
START_TEST(test_torn)
{
	struct buf all = { 0 };
	size_t ends[3];

	for (int i = 0; i < 3; i++) {
		add_text(&all, i < 2 ? 'K' : 'T', i, time(NULL), i < 2 ? "copy x" : "3");
		ends[i] = all.len;
	}
	for (size_t n = 0; n <= all.len; n++) {
		struct journal *j;

		write_file(str_sub(buf_str(&all), 0, n));
		j = open_one();
		for (int round = 0; round < 2; round++) {
			ck_assert_int_eq(journal_has(j, key_of(0)), n >= ends[0]);
			ck_assert_int_eq(journal_has(j, key_of(1)), n >= ends[1]);
			ck_assert_int_eq(journal_troubled(j, key_of(2), 3, 3600), n >= ends[2]);
			ck_assert_int_eq(journal_has(j, key_of(3)), round);
			if (round)
				break;
			ck_assert_int_eq(journal_add(j, key_of(3), STR("copy y")), 0);
			journal_close(j);
			j = open_one();
		}
		journal_close(j);
	}
	buf_done(&all);
}
END_TEST

static const struct {
	const char *line;
} foreign[] = {
	{ "" }, { "K" }, { "K 00" }, { "nonsense" },
	{ "K 0000000000000000000000000000000000000000000000000000000000000000" },
	{ "K 0000000000000000000000000000000000000000000000000000000000000000 " },
	{ "K 0000000000000000000000000000000000000000000000000000000000000000 4000000000" },
	{ "K 0000000000000000000000000000000000000000000000000000000000000000 99999999999999999999999 x" },
	{ "K 0000000000000000000000000000000000000000000000000000000000000000 -1 x" },
	{ "K 000000000000000000000000000000000000000000000000000000000000000g 4000000000 x" },
	{ "X 0000000000000000000000000000000000000000000000000000000000000000 4000000000 x" },
	{ "T 0000000000000000000000000000000000000000000000000000000000000000 4000000000 99999999999" },
};

/* Lines that are none of ours do no harm, nor does one that is longer than any buffer. */
START_TEST(test_foreign)
{
	struct buf b = { 0 };
	struct journal *j;

	buf_printf(&b, "%s\n", foreign[_i].line);
	for (int i = 0; i < 200000; i++)
		buf_putc(&b, i % 1000 ? 'K' : '\0');
	buf_puts(&b, "\n");
	add_text(&b, 'K', 7, time(NULL), "copy x");
	write_file(buf_str(&b));
	j = open_one();
	ck_assert(!journal_has(j, key_of(0)));
	ck_assert(!journal_troubled(j, key_of(0), 1, 1));
	ck_assert(journal_has(j, key_of(7)));
	ck_assert_int_eq(journal_add(j, key_of(8), STR("x")), 0);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(7)));
	ck_assert(journal_has(j, key_of(8)));
	journal_close(j);
	buf_done(&b);
}
END_TEST

/* What fsync could not write may be lost without another word: there will be a new file. */
START_TEST(test_sync_fails)
{
	struct journal *j = open_one();
	struct stat before, after;

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &before), 0);
	sync_error = EIO;
	ck_assert_int_eq(journal_add(j, key_of(2), STR("copy")), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert(!journal_has(j, key_of(2)));
	sync_error = 0;
	ck_assert_int_eq(journal_add(j, key_of(3), STR("copy")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &after), 0);
	ck_assert(before.st_ino != after.st_ino);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_has(j, key_of(2)));
	ck_assert(journal_has(j, key_of(3)));
	journal_close(j);
}
END_TEST

START_TEST(test_expiry)
{
	int64_t now = time(NULL);
	struct buf b = { 0 };
	struct journal *j;

	add_text(&b, 'K', 1, now - 5 * 86400 - 2, "old");
	add_text(&b, 'K', 2, now - 5 * 86400 + 60, "young");
	add_text(&b, 'T', 3, now - 5 * 86400 - 2, "9");
	add_text(&b, 'T', 4, now - 5 * 86400 + 60, "9");
	write_file(buf_str(&b));
	j = open_one();
	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(2)));
	ck_assert(!journal_troubled(j, key_of(3), 1, 1));
	ck_assert(journal_troubled(j, key_of(4), 1, 1));
	ck_assert_int_eq(journal_add(j, key_of(1), STR("again")), 0);
	ck_assert(journal_has(j, key_of(1)));
	/* and while it is open */
	clock_steady += 61;
	ck_assert(!journal_has(j, key_of(2)));
	ck_assert(!journal_troubled(j, key_of(4), 1, 1));
	ck_assert(!journal_trouble(j, key_of(4), 2, 86400));
	ck_assert(journal_has(j, key_of(1)));
	journal_close(j);
	buf_done(&b);
}
END_TEST

/* What is added again is known as long as what was added with it then: of a message, that there are copies. */
START_TEST(test_added_again)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("message")), 0);
	clock_now += 3 * 86400;
	clock_steady += 3 * 86400;
	ck_assert_int_eq(journal_add(j, key_of(1), STR("message")), 0);
	ck_assert_int_eq(journal_note(j, key_of(2), STR("copy")), 0);
	clock_now += 3 * 86400;
	clock_steady += 3 * 86400;
	for (int restart = 0; restart < 2; restart++) {
		ck_assert(journal_has(j, key_of(2)) && journal_has(j, key_of(1)));
		journal_close(j);
		j = open_one();
	}
	journal_close(j);
	clock_steady = 0;               /* libcheck has a look as well */
}
END_TEST

/* A clock that is set makes nothing old: not while it is open, and not if then all of it seems to be. */
START_TEST(test_clock_is_set)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	ck_assert(!journal_trouble(j, key_of(2), 9, 3600));
	clock_now += 20 * 86400;
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_trouble(j, key_of(2), 9, 3600));
	clock_steady += 4 * 86400;
	ck_assert_int_eq(journal_add(j, key_of(3), STR("copy")), 0);
	journal_close(j);
	for (int round = 0; round < 2; round++) {
		j = open_one();
		ck_assert(journal_has(j, key_of(1)));
		ck_assert(journal_has(j, key_of(3)));
		journal_close(j);
	}
	j = open_one();
	clock_steady += 86400;
	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(3)));
	/* and when it is right again */
	journal_close(j);
	clock_now -= 16 * 86400;
	j = open_one();
	ck_assert(journal_has(j, key_of(3)));
	clock_steady += 5 * 86400;
	ck_assert(!journal_has(j, key_of(3)));
	journal_close(j);
}
END_TEST

START_TEST(test_compact)
{
	struct buf b = { 0 };
	struct journal *j;

	for (int i = 0; i < 3000; i++)
		add_text(&b, 'K', i, time(NULL) - (i == 5 ? 60 : 6 * 86400), "copy of somebody");
	add_text(&b, 'T', 1, time(NULL), "1");
	add_text(&b, 'T', 1, time(NULL), "2");
	write_file(buf_str(&b));
	/* what cannot be made smaller is used as it is */
	ck_assert_int_eq(mkdir(path_of("journal.new"), 0700), 0);
	j = open_one();
	ck_assert_uint_eq(lines_in_file(), 3002);
	ck_assert(journal_has(j, key_of(5)));
	journal_close(j);
	rmdir(path_of("journal.new"));
	j = open_one();
	ck_assert_uint_eq(lines_in_file(), 2);
	ck_assert_int_eq(journal_add(j, key_of(6), STR("copy")), 0);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(5)));
	ck_assert(journal_has(j, key_of(6)));
	ck_assert(!journal_has(j, key_of(7)));
	ck_assert(!journal_troubled(j, key_of(1), 3, 3600));
	/* and while it is open */
	for (int i = 0; i < 5000; i++)
		journal_trouble(j, key_of(1), 1, 1);
	ck_assert_uint_lt(lines_in_file(), 1100);
	journal_close(j);
	j = open_one();
	ck_assert(journal_troubled(j, key_of(1), 5002, 3600));
	ck_assert(!journal_troubled(j, key_of(1), 5003, 3600));
	ck_assert(journal_has(j, key_of(6)));
	journal_close(j);
	buf_done(&b);
}
END_TEST

START_TEST(test_trouble)
{
	struct journal *j = open_one();
	struct buf b = { 0 };

	ck_assert(!journal_troubled(j, key_of(1), 3, 3600));
	ck_assert(!journal_trouble(j, key_of(1), 3, 3600));
	ck_assert(!journal_trouble(j, key_of(1), 3, 3600));
	ck_assert(!journal_trouble(j, key_of(2), 3, 3600));
	ck_assert(!journal_troubled(j, key_of(1), 3, 3600));
	journal_close(j);
	j = open_one();
	ck_assert(journal_trouble(j, key_of(1), 3, 3600));
	ck_assert(journal_troubled(j, key_of(1), 3, 3600));
	ck_assert(!journal_troubled(j, key_of(2), 3, 3600));
	ck_assert(!journal_has(j, key_of(1)));
	journal_close(j);
	/* the first one long ago */
	add_text(&b, 'T', 1, time(NULL) - 3599, "1");
	add_text(&b, 'T', 2, time(NULL) - 3600, "1");
	write_file(buf_str(&b));
	j = open_one();
	ck_assert(!journal_troubled(j, key_of(1), 3, 3610));
	ck_assert(journal_troubled(j, key_of(2), 3, 3600));
	ck_assert(journal_trouble(j, key_of(2), 3, 3600));
	journal_close(j);
	buf_done(&b);
}
END_TEST

/* What is over is counted anew, also by who opens the journal next, and when that has been written anew. */
START_TEST(test_trouble_is_over)
{
	struct journal *j = open_one();
	struct buf b = { 0 };

	ck_assert(journal_is_calm(j));
	journal_calm(j, key_of(1));
	for (int n = 0; n < 2; n++) {
		ck_assert(!journal_trouble(j, key_of(1), 3, 3600));
		ck_assert(!journal_trouble(j, key_of(2), 3, 3600));
	}
	ck_assert(!journal_is_calm(j));
	journal_calm(j, key_of(1));
	ck_assert(!journal_troubled(j, key_of(1), 1, 3600));
	ck_assert(journal_troubled(j, key_of(2), 2, 3600));
	journal_close(j);
	j = open_one();
	ck_assert(!journal_troubled(j, key_of(1), 1, 3600));
	ck_assert(!journal_trouble(j, key_of(1), 3, 3600));
	ck_assert(journal_trouble(j, key_of(2), 3, 3600));
	journal_calm(j, key_of(1));
	journal_calm(j, key_of(2));
	ck_assert(journal_is_calm(j));
	for (int n = 0; n < 5000; n++)
		journal_trouble(j, key_of(3), 1, 1);
	journal_close(j);
	j = open_one();
	ck_assert(!journal_troubled(j, key_of(1), 1, 3600));
	ck_assert(!journal_troubled(j, key_of(2), 1, 3600));
	journal_close(j);
	/* the time is that of its beginning, which counts anew as well */
	add_text(&b, 'T', 1, time(NULL) - 3599, "2");
	write_file(buf_str(&b));
	j = open_one();
	journal_calm(j, key_of(1));
	ck_assert(!journal_trouble(j, key_of(1), 3, 10));
	journal_close(j);
	buf_done(&b);
}
END_TEST

enum { THREADS = 8, EACH = 100 };

struct adder {
	struct journal *j;
	int first, failed;
};

static void *
add_many(void *ctx)
{
	struct adder *a = ctx;

	for (int i = 0; i < EACH; i++) {
		a->failed += journal_add(a->j, key_of(a->first + i), STR("copy")) != 0;
		a->failed += !journal_has(a->j, key_of(a->first + i));
		if (i % 10 == 0)
			journal_trouble(a->j, key_of(-1), 1, 1);
	}
	return NULL;
}

/* Many threads share a sync, and none returns before its line is there. */
START_TEST(test_threads)
{
	struct journal *j = open_one();
	struct adder adder[THREADS];
	pthread_t thread[THREADS];

	sync_nanoseconds = 5000000;
	for (int i = 0; i < THREADS; i++) {
		adder[i] = (struct adder){ j, i * EACH, 0 };
		ck_assert_int_eq(pthread_create(&thread[i], NULL, add_many, &adder[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_int_eq(adder[i].failed, 0);
	}
	ck_assert_int_lt(syncs, THREADS * EACH / 2);
	journal_close(j);
	j = open_one();
	for (int i = 0; i < THREADS * EACH; i++)
		ck_assert(journal_has(j, key_of(i)));
	ck_assert(journal_troubled(j, key_of(-1), THREADS * EACH / 10, 3600));
	ck_assert(!journal_troubled(j, key_of(-1), THREADS * EACH / 10 + 1, 3600));
	journal_close(j);
}
END_TEST

static void *
add_one(void *ctx)
{
	struct adder *a = ctx;

	a->failed = journal_add(a->j, key_of(a->first), STR("copy")) != 0;
	return NULL;
}

/* A batch that did not fit is not there, none of its lines, even if some of them did. */
START_TEST(test_batch_fails)
{
	const int line = 2 + 2 * JOURNAL_KEY + 1 + 10 + 1 + 4 + 1;
	struct journal *j = open_one();
	struct adder adder[4];
	pthread_t thread[4];

	sync_held = true;               /* the first one's; meanwhile the others become a batch */
	syncs = 0;
	for (int i = 0; i < 4; i++) {
		adder[i] = (struct adder){ j, i, 0 };
		pthread_create(&thread[i], NULL, add_one, &adder[i]);
		while (!syncs)
			thrd_sleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	thrd_sleep(&(struct timespec){ .tv_sec = 3 }, NULL);
	limit_size(line + 2 * line + line / 2);
	sync_held = false;
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	limit_size(-1);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(adder[i].failed, i > 0);
	ck_assert_int_eq(journal_add(j, key_of(4), STR("copy")), 0);
	journal_close(j);
	j = open_one();
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(journal_has(j, key_of(i)), i == 0 || i == 4);
	journal_close(j);
}
END_TEST

/* What a process said before it was killed is there. */
START_TEST(test_killed)
{
	int pipes[2], said = -1, status;
	struct journal *j;
	pid_t pid;

	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		j = open_one();
		for (int i = 0; !journal_add(j, key_of(i), STR("copy")); i++)
			if (write(pipes[1], &i, sizeof i) != sizeof i)
				break;
		_exit(1);
	}
	close(pipes[1]);
	while (said < 200 && read(pipes[0], &said, sizeof said) == sizeof said)
		;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	while (read(pipes[0], &said, sizeof said) == sizeof said)
		;
	close(pipes[0]);
	ck_assert_int_ge(said, 200);
	j = open_one();
	for (int i = 0; i <= said; i++)
		ck_assert(journal_has(j, key_of(i)));
	journal_close(j);
}
END_TEST

/* More than will be remembered: the oldest go. */
START_TEST(test_limit)
{
	int64_t first = time(NULL) - 4 * 86400;
	struct buf b = { 0 };
	struct journal *j;

	for (int i = 0; i < JOURNAL_ENTRIES_MAX; i++)
		add_text(&b, 'K', i, first + i / 16, "");
	write_file(buf_str(&b));
	buf_done(&b);
	close(2);               /* the log says that something was forgotten */
	j = open_one();
	ck_assert(!journal_has(j, key_of(0)));
	ck_assert(!journal_has(j, key_of(JOURNAL_ENTRIES_MAX / 4)));
	ck_assert(journal_has(j, key_of(JOURNAL_ENTRIES_MAX / 4 + 16)));
	ck_assert(journal_has(j, key_of(JOURNAL_ENTRIES_MAX - 1)));
	ck_assert_int_eq(journal_add(j, key_of(0), STR("x")), 0);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(0)));
	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(JOURNAL_ENTRIES_MAX - 1)));
	journal_close(j);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_journal");
	TCase *t = tcase_create("host_journal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_add);
	tcase_add_test(t, test_locked);
	tcase_add_test(t, test_torn);
	tcase_add_loop_test(t, test_foreign, 0, COUNT(foreign));
	tcase_add_test(t, test_sync_fails);
	tcase_add_test(t, test_expiry);
	tcase_add_test(t, test_added_again);
	tcase_add_test(t, test_clock_is_set);
	tcase_add_test(t, test_compact);
	tcase_add_test(t, test_trouble);
	tcase_add_test(t, test_trouble_is_over);
	tcase_add_test(t, test_threads);
	tcase_add_test(t, test_batch_fails);
	tcase_add_test(t, test_killed);
	tcase_add_test(t, test_limit);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
