/* probe.h - a test whose truth and stage the unit tests choose, and what they share
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "vm/run.h"

enum { PROBES = 16 };
static int probe_truth[PROBES];                 /* YES or NO */
static int probe_stage[PROBES];                 /* first stage that knows */
static bool probe_unavailable[PROBES];          /* not even the last one does */

static enum tamis_stage
probe_stage_of(const struct call *k)
{
	return (enum tamis_stage)probe_stage[k->arg[0].number % PROBES];
}

static int
probe_test(struct run *r, const struct call *k, const struct value *arg)
{
	unsigned i = (unsigned)(arg[0].number % PROBES);

	(void)k;
	return probe_unavailable[i] || probe_stage[i] > (int)r->stage ? UNKNOWN : probe_truth[i];
}

static const struct param probe_params[] = { { "n", NUMBER } };
static const struct command probe_commands[] = {
	{ .name = "x", .kind = COMMAND_TEST, .summary = "answers what the unit test says", PARAMS(probe_params),
	  .stage = probe_stage_of, .test = probe_test },
};
static const struct extension ext_probe = { .name = "", .document = "", .summary = "", COMMANDS(probe_commands) };

/* --- a small generator: xorshift, so that a seed gives the same on every machine */
static uint64_t random_state = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % n);
}

/* TAMIS_SEED and TAMIS_COUNT make a campaign longer or another one. */
static long
campaign(long count)
{
	const char *seed = getenv("TAMIS_SEED"), *n = getenv("TAMIS_COUNT");

	if (seed)
		random_state ^= strtoull(seed, NULL, 10) * 0x9e3779b97f4a7c15u;
	return n ? atol(n) : count;
}

__attribute__((unused)) static void
probe_report(void *ctx, const struct tamis_diagnostic *d)
{
	(void)ctx;
	(void)d;
}

static int
run_suite(const char *name, void (*tests)(TCase *))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 600);
	tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
