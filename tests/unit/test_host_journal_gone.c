/* test_host_journal_gone.c - a journal that somebody removed, put away or emptied while it was open
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include "host/journal.h"
#include "journal_fixture.h"

/* Somebody removed the file: what it said is written again. */
START_TEST(test_removed)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	unlink(path_of("journal"));
	ck_assert_int_eq(journal_add(j, key_of(2), STR("copy")), 0);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(2)));
	journal_close(j);
}
END_TEST

/* Somebody put it away, as log files are put away, or emptied it: there is one again that says what it said. */
START_TEST(test_displaced)
{
	struct journal *j = open_one();
	char old[1100];

	snprintf(old, sizeof old, "%s", path_of("journal"));
	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	if (_i == 0)
		ck_assert_int_eq(rename(old, path_of("journal.1")), 0);
	else
		ck_assert_int_eq(truncate(old, _i == 1 ? 0 : 50), 0);
	if (_i == 3) {
		FILE *f = fopen(path_of("journal.1"), "w");

		ck_assert_ptr_nonnull(f);
		fclose(f);
		ck_assert_int_eq(rename(path_of("journal.1"), old), 0);
	}
	ck_assert_int_eq(journal_add(j, key_of(2), STR("copy")), 0);
	ck_assert_int_eq(journal_add(j, key_of(3), STR("copy")), 0);
	journal_close(j);
	unlink(path_of("journal.1"));
	j = open_one();
	for (int i = 1; i <= 3; i++)
		ck_assert(journal_has(j, key_of(i)));
	journal_close(j);
}
END_TEST

/* Somebody removed the directory: nothing is noted, also in another one of that name, until the daemon is started anew. */
START_TEST(test_directory_removed)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	unlink(path_of("journal"));
	unlink(path_of("journal.lock"));
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_lt(journal_add(j, key_of(2), STR("copy")), 0);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_lt(journal_add(j, key_of(2), STR("copy")), 0);
	journal_close(j);
	j = open_one();
	ck_assert_int_eq(journal_add(j, key_of(2), STR("copy")), 0);
	journal_close(j);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host_journal_gone");
	TCase *t = tcase_create("host_journal_gone");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_removed);
	tcase_add_loop_test(t, test_displaced, 0, 4);
	tcase_add_test(t, test_directory_removed);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
