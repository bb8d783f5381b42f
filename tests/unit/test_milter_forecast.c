/* test_milter_forecast.c - when rules are not asked at the header
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "milter/forecast.h"

static const uint8_t some[32] = { 1, 2 }, others[32] = { 2, 1 };

static unsigned
rests(struct forecast *f)
{
	unsigned n = 0;

	while (n < 1000 && forecast_late(f, some))
		n++;
	return n;
}

static void
undecide(struct forecast *f, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		ck_assert(!forecast_late(f, some));
		forecast_learn(f, some, false);
	}
}

START_TEST(undecided)
{
	struct forecast *f = calloc(1, sizeof *f);

	undecide(f, FORECAST_SURE);
	ck_assert_uint_eq(rests(f), FORECAST_REST);
	/* tried once, and once more */
	undecide(f, 1);
	ck_assert_uint_eq(rests(f), FORECAST_REST);
	ck_assert(!forecast_late(f, others));
	free(f);
}
END_TEST

/* Once is enough for them to be asked again for some time. */
START_TEST(decided)
{
	struct forecast *f = calloc(1, sizeof *f);

	undecide(f, FORECAST_SURE);
	ck_assert_uint_eq(rests(f), FORECAST_REST);
	forecast_learn(f, some, true);
	undecide(f, FORECAST_SURE - 1);
	forecast_learn(f, some, true);
	undecide(f, FORECAST_SURE);
	ck_assert(forecast_late(f, some));
	free(f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("milter/forecast");
	TCase *tests = tcase_create("forecast");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, undecided);
	tcase_add_test(tests, decided);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
