/* svtest.c - runs test suites in the dialect vnd.dovecot.testsuite
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tamis/svtest.h"

/* --- the report */

static void
svtest_tell(struct svtest *t, const struct svtest_verdict *v)
{
	const struct svtest_listener *l = &t->options->listener;

	if (l->result)
		l->result(l->ctx, v);
}

/* " 1: Test 'name' FAILED: reason" */
static void
svtest_line(struct svtest *t, bool ok, struct str reason)
{
	FILE *out = t->options->out;

	svtest_tell(t, &(struct svtest_verdict){ t->name, t->begun_at, ok, reason, t->line });
	if (!out)
		return;
	fprintf(out, "%2u: Test ", t->tests);
	if (t->name.len)
		fprintf(out, "'%.*s' ", STR_ARG(t->name));
	fputs(ok ? "SUCCEEDED" : "FAILED", out);
	if (reason.len)
		fprintf(out, ": %.*s", STR_ARG(reason));
	putc('\n', out);
}

void
svtest_test_begins(struct svtest *t, struct str name)
{
	t->tests++;
	t->inside = true;
	t->begun_at = t->line;
	t->name = svtest_host_keep(t, name);
}

void
svtest_test_succeeds(struct svtest *t)
{
	t->inside = false;
	svtest_line(t, true, STR_EMPTY);
}

void
svtest_test_failed(struct svtest *t, struct str reason)
{
	svtest_line(t, false, reason);
	if (t->depth)
		t->failed = true;
	else
		t->failures++;
	if (!t->depth)
		t->inside = false;
}

void
svtest_case_failed(struct svtest *t, const char *reason)
{
	t->failures++;
	svtest_tell(t, &(struct svtest_verdict){ STR("the suite"), 1, false, str_from(reason), 1 });
	if (t->options->out)
		fprintf(t->options->out, "XX: Test CASE FAILED: %s\n", reason);
}

static int
svtest_summary(const struct svtest *t)
{
	FILE *out = t->options->out;
	unsigned n = t->tests ? t->tests : 1;
	bool pass = t->options->expect_failure ? t->failures >= n : !t->failures;

	if (!out)
		;
	else if (t->options->expect_failure && pass)
		fprintf(out, "\nPASS: %u tests failed (expected to fail).\n\n", n);
	else if (t->options->expect_failure)
		fprintf(out, "\nFAIL: Only %u of %u tests failed (all expected to fail).\n\n", t->failures, n);
	else if (pass)
		fprintf(out, "\nPASS: %u tests succeeded.\n\n", t->tests);
	else
		fprintf(out, "\nFAIL: %u of %u tests failed.\n\n", t->failures, t->tests);
	return pass ? CMD_FINE : CMD_WRONG;
}

/* --- the suite */

/* The absolute directory of a file that there is. */
static char *
svtest_directory(const char *path)
{
	char *real = realpath(path, NULL), *slash;

	if (!real)
		return NULL;
	slash = strrchr(real, '/');
	slash[slash == real] = '\0';
	return real;
}

static int
svtest_start(struct svtest *t)
{
	int rc;

	t->directory = svtest_directory(t->path);
	if (!t->directory)
		return cmd_error(t->path, errno);
	rc = session_init(&t->session, &cmd_test, t->options->set);
	if (rc)
		return rc;
	t->session.diag.color = false;
	t->tracing.diag = &t->session.diag;
	t->tracing.level = TRACING_TESTS;
	svtest_config_limits(t, &t->session.rules.limits);
	svtest_scene_message(t, str_from(svtest_scene_default));
	return 0;
}

static void
svtest_run(struct svtest *t)
{
	struct tamis_host host = svtest_host(t, true);

	t->suite = svtest_script_suite(t);
	if (!t->suite) {
		svtest_case_failed(t, "failed to compile testcase script");
		return;
	}
	t->result.outcome = t->outcome = tamis_outcome_new(svtest_scene_current(t)->recipient);
	if (tamis_run(t->suite, t->outcome, TAMIS_BODY, &host) == TAMIS_FAILED)
		svtest_case_failed(t, "test script execution aborted due to error");
}

static void
svtest_done(struct svtest *t)
{
	size_t i;

	tamis_outcome_free(t->outcome);
	svtest_script_done(t);
	svtest_scene_done(t);
	for (i = 0; i < 2; i++)
		tamis_program_unref(t->addresses[i]);
	tamis_program_unref(t->suite);
	vec_done(&t->result.action);
	svtest_store_done(&t->store);
	svtest_config_done(t);
	buf_done(&t->reply);
	tracing_done(&t->tracing);
	session_done(&t->session);
	free(t->directory);
	arena_done(&t->arena);
}

int
svtest_file(const struct svtest_options *options, const char *path)
{
	struct svtest t = { .options = options, .path = path };
	int rc = svtest_start(&t);

	if (!rc) {
		if (options->out) {
			fprintf(options->out, "Test case: %s:\n\n", path);
			fflush(options->out);
		}
		svtest_run(&t);
		rc = svtest_summary(&t);
	}
	svtest_done(&t);
	return rc;
}
