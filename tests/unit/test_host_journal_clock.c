/* test_host_journal_clock.c - a journal, and clocks that were wrong or have moved on since
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>

#include "base/buf.h"
#include "host/file.h"
#include "host/journal.h"
#include "journal_fixture.h"

/* What a clock that was ahead wrote is from now, also for who reads it next: neither trouble nor what left lasts for longer. */
START_TEST(test_clock_was_ahead)
{
	struct journal *j;
	struct buf b = { 0 };

	clock_now += 365 * 86400;
	j = open_one();
	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy of somebody")), 0);
	ck_assert(!journal_trouble(j, key_of(2), 9, 3600));
	journal_close(j);
	clock_now -= 365 * 86400;
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(!journal_troubled(j, key_of(2), 9, 3600));
	clock_steady += 3599;
	ck_assert(!journal_troubled(j, key_of(2), 9, 3600));
	clock_steady += 1;
	ck_assert(journal_troubled(j, key_of(2), 9, 3600));
	journal_close(j);
	clock_now += 3600;
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(journal_troubled(j, key_of(2), 9, 3600));
	ck_assert_int_eq(file_read(AT_FDCWD, path_of("journal"), &b, 1 << 20), 0);
	buf_putc(&b, '\0');
	ck_assert_ptr_nonnull(strstr(b.s, " copy of somebody\n"));
	clock_steady += 5 * 86400;
	ck_assert(!journal_has(j, key_of(1)));
	journal_close(j);
	buf_done(&b);
	clock_steady = 0;               /* libcheck has a look as well */
}
END_TEST

/* A clock that is behind, as without a battery, is followed as well: when it is right again all of it goes on. */
START_TEST(test_clock_was_behind)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	journal_close(j);
	clock_now -= 1700000000;
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert_int_eq(journal_add(j, key_of(2), STR("copy")), 0);
	clock_steady += 2 * 86400;
	journal_close(j);
	clock_now += 1700000000 + 2 * 86400;
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(journal_has(j, key_of(2)));
	clock_steady += 5 * 86400;
	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(!journal_has(j, key_of(2)));
	journal_close(j);
	clock_steady = 0;               /* libcheck has a look as well */
}
END_TEST

/* What was old when the daemon ended is no reason to doubt the clock at the next start, however long nothing else has left. */
START_TEST(test_old_at_the_end)
{
	struct journal *j = open_one();

	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	ck_assert(!journal_trouble(j, key_of(2), 9, 3600));
	clock_now += 4 * 86400;
	clock_steady += 4 * 86400;
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	ck_assert(journal_troubled(j, key_of(2), 9, 3600));
	clock_now += 6 * 86400;
	clock_steady += 6 * 86400;
	ck_assert(!journal_has(j, key_of(1)));
	journal_close(j);
	j = open_one();
	ck_assert(!journal_has(j, key_of(1)));
	ck_assert(!journal_troubled(j, key_of(2), 1, 1));
	ck_assert_int_eq(journal_add(j, key_of(1), STR("copy")), 0);
	journal_close(j);
	j = open_one();
	ck_assert(journal_has(j, key_of(1)));
	journal_close(j);
	clock_steady = 0;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host_journal_clock");
	TCase *t = tcase_create("host_journal_clock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_clock_was_ahead);
	tcase_add_test(t, test_clock_was_behind);
	tcase_add_test(t, test_old_at_the_end);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
