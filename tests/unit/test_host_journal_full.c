/* test_host_journal_full.c - a disk that has no room
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <sys/stat.h>

#include "host/journal.h"
#include "journal_fixture.h"

static size_t
lines_in_file(void)
{
	FILE *f = fopen(path_of("journal"), "r");
	size_t n = 0;
	int c;

	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* The disk is full in the middle of the line, at each of its bytes. */
START_TEST(test_full)
{
	struct journal *j = open_one();
	struct stat st;

	ck_assert_int_eq(journal_add(j, key_of(0), STR("copy")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &st), 0);
	for (int n = 0; n < (int)st.st_size; n++) {
		struct stat at;
		int rc, error;
		bool enough;

		ck_assert_int_eq(stat(path_of("journal"), &at), 0);
		limit_size(at.st_size + n);             /* libcheck could not write either */
		rc = journal_add(j, key_of(1000 + n), STR("copy"));
		error = errno;
		enough = journal_trouble(j, key_of(5000 + n), 2, 3600) || !journal_trouble(j, key_of(5000 + n), 2, 3600);
		limit_size(-1);
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(error, EFBIG);
		ck_assert(!enough);
		ck_assert(!journal_has(j, key_of(1000 + n)));
		/* shorter than what did not get in */
		ck_assert_int_eq(journal_add(j, key_of(1 + n), STR("")), 0);
		journal_close(j);
		j = open_one();
		ck_assert(!journal_has(j, key_of(1000 + n)));
		for (int i = 0; i <= n + 1; i++)
			ck_assert(journal_has(j, key_of(i)));
	}
	journal_close(j);
}
END_TEST

/* Who wants to know whether there is room asks with a key that is there: for a line as long as the one that failed. */
START_TEST(test_full_still)
{
	struct journal *j = open_one();
	struct stat st;
	int rc[4];

	ck_assert_int_eq(journal_add(j, key_of(1), STR("message a@example.org")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &st), 0);
	limit_size(st.st_size + 90);                    /* libcheck could not write either */
	rc[0] = journal_add(j, key_of(1), STR("message a@example.org"));
	rc[1] = journal_add(j, key_of(2), STR("copy a@example.org"));
	rc[2] = journal_add(j, key_of(1), STR("message a@example.org"));
	limit_size(-1);
	rc[3] = journal_add(j, key_of(1), STR("message a@example.org"));
	ck_assert_int_eq(rc[0], 0);
	ck_assert_int_eq(rc[1], -1);
	ck_assert_int_eq(rc[2], -1);
	ck_assert_int_eq(rc[3], 0);
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_has(j, key_of(2)));
	ck_assert_int_eq(stat(path_of("journal"), &st), 0);
	limit_size(st.st_size);
	rc[0] = journal_add(j, key_of(1), STR("message a@example.org"));
	limit_size(-1);
	ck_assert_int_eq(rc[0], 0);
	journal_close(j);
}
END_TEST

/* What has happened is known while the process lives, and written with the next line for which there is room. */
START_TEST(test_owed)
{
	struct journal *j = open_one();
	struct stat st;
	int rc[4];

	ck_assert_int_eq(journal_note(j, key_of(1), STR("copy")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &st), 0);
	limit_size(st.st_size + 10);                    /* libcheck could not write either */
	rc[0] = journal_note(j, key_of(2), STR("copy"));
	rc[1] = journal_note(j, key_of(3), STR("copy"));
	rc[2] = journal_note(j, key_of(2), STR("copy"));
	rc[3] = journal_add(j, key_of(4), STR("copy"));
	limit_size(-1);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rc[i], -1);
	ck_assert(journal_has(j, key_of(2)) && journal_has(j, key_of(3)) && !journal_has(j, key_of(4)));
	ck_assert_int_eq(journal_add(j, key_of(5), STR("copy")), 0);
	/* a process that dies now leaves the file as it is */
	ck_assert_uint_eq(lines_in_file(), 4);
	limit_size(0);
	rc[0] = journal_note(j, key_of(6), STR("copy"));
	limit_size(-1);
	ck_assert_int_eq(rc[0], -1);
	journal_close(j);
	j = open_one();
	for (int i = 1; i <= 6; i++)
		ck_assert_int_eq(journal_has(j, key_of(i)), i != 4);
	journal_close(j);
}
END_TEST

/* What is noted again while there is no room stays known by the line that it has, or will have. */
START_TEST(test_noted_again)
{
	struct journal *j = open_one();
	struct stat st;
	int rc[3];

	ck_assert_int_eq(journal_note(j, key_of(1), STR("copy")), 0);
	ck_assert_int_eq(stat(path_of("journal"), &st), 0);
	limit_size(st.st_size + 10);                    /* libcheck could not write either */
	rc[0] = journal_note(j, key_of(2), STR("copy"));
	clock_steady += 60;
	rc[1] = journal_note(j, key_of(1), STR("copy"));
	rc[2] = journal_note(j, key_of(2), STR("copy"));
	limit_size(-1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rc[i], -1);
	/* until there is a new file */
	for (int i = 0; i < 1100; i++)
		journal_trouble(j, key_of(3), 1, 1);
	ck_assert_uint_lt(lines_in_file(), 1000);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(2)));
	journal_close(j);
}
END_TEST

/* When the process is about to end; others may go on with it. */
START_TEST(test_owed_at_the_end)
{
	struct journal *j = open_one();
	int rc;

	ck_assert_int_eq(journal_note(j, key_of(1), STR("copy")), 0);
	limit_size(0);                                  /* libcheck could not write either */
	rc = journal_note(j, key_of(2), STR("copy"));
	journal_stop(j);
	limit_size(-1);
	ck_assert_int_eq(rc, -1);
	ck_assert_uint_eq(lines_in_file(), 1);
	journal_stop(j);
	ck_assert_uint_eq(lines_in_file(), 2);
	journal_stop(j);
	ck_assert_int_eq(journal_note(j, key_of(3), STR("copy")), 0);
	ck_assert_uint_eq(lines_in_file(), 3);
	journal_close(j);
	j = open_one();
	for (int i = 1; i <= 3; i++)
		ck_assert(journal_has(j, key_of(i)));
	journal_close(j);
}
END_TEST

/* The process is told to end while a line is written and another waits for that: both are of what has happened. */
static void *
note_one(void *ctx)
{
	journal_note(ctx, key_of(2 + (int)syncs), STR("copy"));
	return NULL;
}

static void *
let_go(void *ctx)
{
	(void)ctx;
	thrd_sleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	sync_held = false;
	return NULL;
}

START_TEST(test_stop_while_writing)
{
	struct journal *j = open_one();
	pthread_t thread[3];
	size_t lines;

	ck_assert_int_eq(journal_note(j, key_of(1), STR("copy")), 0);
	sync_held = true;
	syncs = 0;
	pthread_create(&thread[0], NULL, note_one, j);
	while (!syncs)
		thrd_sleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	pthread_create(&thread[1], NULL, note_one, j);
	thrd_sleep(&(struct timespec){ .tv_sec = 2 }, NULL);
	pthread_create(&thread[2], NULL, let_go, NULL);
	journal_stop(j);
	lines = lines_in_file();        /* what a process that ends here leaves behind */
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	ck_assert_uint_eq(lines, 3);
	journal_close(j);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host_journal_full");
	TCase *t = tcase_create("host_journal_full");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_full_still);
	tcase_add_test(t, test_owed);
	tcase_add_test(t, test_noted_again);
	tcase_add_test(t, test_owed_at_the_end);
	tcase_add_test(t, test_stop_while_writing);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
