/* test_host_ledger.c - digests are found until they are forgotten
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "host/ledger.h"

static const uint8_t *
key_of(int n)
{
	static uint8_t key[32];

	memcpy(key, &n, sizeof n);
	return key;
}

/* More than will be remembered: the oldest go. */
START_TEST(test_too_many)
{
	struct ledger l = { 0 };
	int64_t quarter;

	for (int i = 0; i < 1000; i++)
		ledger_put(&l, key_of(i), 5000 + i, 0);
	ledger_put(&l, key_of(7), 9000, 3);
	ck_assert_uint_eq(l.n, 1000);
	ck_assert_uint_eq(ledger_find(&l, key_of(7))->times, 3);
	quarter = ledger_quarter(&l);
	ledger_forget(&l, quarter);
	ck_assert_uint_ge(l.n, 740);
	ck_assert_uint_le(l.n, 750);
	ck_assert_ptr_null(ledger_find(&l, key_of(0)));
	ck_assert_ptr_nonnull(ledger_find(&l, key_of(7)));
	ck_assert_ptr_nonnull(ledger_find(&l, key_of(999)));
	ledger_done(&l);
}
END_TEST

/* Those that were in the way of others can be taken out. */
START_TEST(test_remove)
{
	struct ledger l = { 0 };

	ledger_remove(&l, key_of(0));
	for (int i = 0; i < 1000; i++)
		ledger_put(&l, key_of(i), 5000 + i, 0);
	ledger_remove(&l, key_of(1000));
	for (int i = 0; i < 1000; i += 3)
		ledger_remove(&l, key_of(i));
	ck_assert_uint_eq(l.n, 666);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(!ledger_find(&l, key_of(i)), i % 3 == 0);
	ck_assert_int_eq(ledger_find(&l, key_of(998))->time, 5998);
	ledger_done(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host_ledger");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, test_too_many);
	tcase_add_test(t, test_remove);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
