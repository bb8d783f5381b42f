/* cmd_test.c - tamis test: do rules what they are expected to do?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tamis/svtest.h"
#include "tamis/testfile_accept.h"
#include "tamis/testfile_report.h"

enum { DEPTH_MAX = 64 };        /* directories in directories */
enum { COVER_REPORT = 1, COVER_STRICT };

struct test_settings {
	bool accept, faults, tap, expect_failure, log;
	const char *trace, *dump, *only;
	unsigned cover;
};

static const struct cmd_option test_rows[] = {
	{ 'a', OPTION_FLAG, "accept", NULL, "write what came out into the test files, as what is expected from now on", offsetof(struct test_settings, accept), 0 },
	{ 0, OPTION_FLAG, "tap", NULL, "print TAP for suites (*.svtest) as well", offsetof(struct test_settings, tap), 0 },
	{ 'F', OPTION_FLAG, "expect-failure", NULL, "in suites every test is expected to fail", offsetof(struct test_settings, expect_failure), 0 },
	{ 'E', OPTION_FLAG, "log", NULL, "print what suites log", offsetof(struct test_settings, log), 0 },
	{ 'o', OPTION_TEXT, "only", "TEXT", "run only the cases whose titles have this text in them", offsetof(struct test_settings, only), 0 },
	{ 't', OPTION_TEXT, "trace", "FILE", "trace suites into a file; \"-\": standard output", offsetof(struct test_settings, trace), 0 },
	{ 'd', OPTION_TEXT, "dump", "FILE", "dump compiled suites into a file; \"-\": standard output", offsetof(struct test_settings, dump), 0 },
	{ 0, OPTION_FLAG, "faults", NULL, "run each case again with its 1st, 2nd, 3rd... question failing", offsetof(struct test_settings, faults), 0 },
	{ 0, OPTION_CHOICE, "cover", "report|strict", "list tests of the rules that never came out both ways; strict: that is a failure", offsetof(struct test_settings, cover), COVER_REPORT },
	{ 0 }
};
static const struct option_group test_options = { "tests", test_rows, true };

struct test {
	const struct settings *set;
	const struct test_settings *own;
	struct testfile_options options;
	struct testfile_report report;
	struct testfile_cover cover;
	struct svtest_options suites;
	VEC(char *) path;
	VEC(struct testfile) file;      /* of each path; of a suite empty */
	bool native;                    /* suites print their own kind of report */
	const char *suite;              /* the current one */
	int code;
};

/* --- which files */

static bool
cmd_test_ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !strcmp(name + n - m, suffix);
}

static int
cmd_test_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int
cmd_test_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The directories that one is in. */
struct above {
	const struct above *up;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

/* A link to a directory above would have all its tests run again and again. */
static bool
cmd_test_is_above(const struct above *in, const struct stat *st)
{
	for (; in; in = in->up)
		if (in->device == st->st_dev && in->inode == st->st_ino)
			return true;
	return false;
}

static void cmd_test_path(struct test *, const char *path, const struct above *);

static void
cmd_test_directory(struct test *t, const char *path, const struct above *here)
{
	struct dirent **entry;
	struct buf name = { 0 };
	int i, n = scandir(path, &entry, cmd_test_visible, cmd_test_order);

	if (n < 0) {
		t->code = cmd_worse(t->code, cmd_error(path, errno));
		return;
	}
	for (i = 0; i < n; i++) {
		buf_reset(&name);
		buf_printf(&name, "%s%s%s", path, cmd_test_ends(path, "/") ? "" : "/", entry[i]->d_name);
		cmd_test_path(t, buf_str(&name).s, here);
		free(entry[i]);
	}
	free(entry);
	buf_done(&name);
}

/* Of a directory only what is named like a test; a file that is asked for is one. */
static void
cmd_test_path(struct test *t, const char *path, const struct above *in)
{
	struct above here = { .up = in, .depth = in ? in->depth + 1 : 0 };
	struct stat st;

	if (stat(path, &st) < 0) {
		t->code = cmd_worse(t->code, cmd_error(path, errno));
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		here.device = st.st_dev;
		here.inode = st.st_ino;
		if (here.depth < DEPTH_MAX && !cmd_test_is_above(in, &st))
			cmd_test_directory(t, path, &here);
		return;
	}
	if (in && !cmd_test_ends(path, ".test") && !cmd_test_ends(path, ".svtest") && !cmd_test_ends(path, ".md"))
		return;
	vec_push(&t->path, mem_strdup(path));
}

/* --- running them */

static bool
cmd_test_wanted(const struct test *t, const struct testfile_case *c)
{
	return !t->own->only || str_find(c->title, str_from(t->own->only)) >= 0;
}

/* Nobody knows how many tests a suite has before it has run. */
static void
cmd_test_read(struct test *t)
{
	size_t i, cases = 0, suites = 0;

	for (i = 0; i < t->path.n; i++) {
		struct testfile file = { .path = NULL };

		if (cmd_test_ends(t->path.v[i], ".svtest"))
			suites++;
		else if (testfile_read(&file, t->path.v[i]) < 0)
			t->code = cmd_worse(t->code, cmd_error(t->path.v[i], errno));
		for (size_t k = 0; k < file.c.n; k++)
			cases += cmd_test_wanted(t, &file.c.v[k]);
		vec_push(&t->file, file);
	}
	t->native = suites && suites == t->path.n && !t->own->tap && !t->set->json;
	t->report.planned = suites ? 0 : cases;
}

static void
cmd_test_result(void *ctx, const struct svtest_verdict *v)
{
	struct test *t = ctx;
	struct testfile_failure failure = { .what = v->ok ? STR("it was expected to fail") : v->reason, .line = v->failed_at };
	bool good = v->ok != t->own->expect_failure;

	testfile_report_one(&t->report, t->suite, v->line, v->name, good ? NULL : &failure);
}

static void
cmd_test_suite(struct test *t, const char *path)
{
	int code;

	t->suite = path;
	code = svtest_file(&t->suites, path);
	/* what failed has been counted, or was expected to */
	if (t->native || code == CMD_USAGE || code == CMD_AGAIN)
		t->code = cmd_worse(t->code, code);
}

static void
cmd_test_file(struct test *t, const struct testfile *file)
{
	struct testfile_accept accept;
	struct testfile_run run;
	size_t i;

	testfile_accept_start(&accept, file);
	for (i = 0; i < file->c.n; i++) {
		if (!cmd_test_wanted(t, &file->c.v[i]))
			continue;
		testfile_run(&run, file, &file->c.v[i], &t->options);
		if (t->own->accept)
			testfile_accept_case(&accept, &run);
		testfile_report_case(&t->report, &run);
		testfile_run_done(&run);
	}
	if (testfile_accept_write(&accept) < 0)
		t->code = cmd_worse(t->code, cmd_error(file->path, errno));
	else if (accept.n && !t->set->json)
		printf("# %s: %zu accepted\n", file->path, accept.n);
	testfile_accept_done(&accept);
}

static void
cmd_test_done(struct test *t)
{
	size_t i;

	for (i = 0; i < t->file.n; i++)
		testfile_done(&t->file.v[i]);
	for (i = 0; i < t->path.n; i++)
		free(t->path.v[i]);
	testfile_cover_done(&t->cover);
	vec_done(&t->file);
	vec_done(&t->path);
}

/* Settings that are wrong are wrong for every case. */
static int
cmd_test_check(const struct settings *set)
{
	struct session s;
	int rc = session_init(&s, &cmd_test, set);

	session_done(&s);
	return rc;
}

/* "-" is standard output; NULL, and no error, if nobody wants the file. */
static FILE *
cmd_test_output(struct test *t, const char *path)
{
	FILE *f = path && strcmp(path, "-") ? fopen(path, "we") : stdout;

	if (!f)
		t->code = cmd_worse(t->code, cmd_error(path, errno));
	return path ? f : NULL;
}

static void
cmd_test_close(struct test *t, FILE *f, const char *path)
{
	if (f && f != stdout && fclose(f))
		t->code = cmd_worse(t->code, cmd_error(path, errno));
}

static void
cmd_test_start(struct test *t, struct texts operands)
{
	const struct test_settings *own = t->own;
	size_t i;

	t->options = (struct testfile_options){ .set = t->set, .faults = own->faults };
	if (own->cover)
		t->options.cover = &t->cover;
	t->report = (struct testfile_report){ .out = stdout, .json = t->set->json };
	for (i = 0; i < operands.n; i++)
		cmd_test_path(t, operands.v[i], NULL);
	cmd_test_read(t);
	t->suites = (struct svtest_options){ .set = t->set, .log = own->log, .expect_failure = own->expect_failure };
	t->suites.trace = cmd_test_output(t, own->trace);
	t->suites.dump = cmd_test_output(t, own->dump);
	if (t->native)
		t->suites.out = stdout;
	else
		t->suites.listener = (struct svtest_listener){ cmd_test_result, t };
}

static void
cmd_test_all(struct test *t)
{
	size_t i;

	if (!t->native)
		testfile_report_start(&t->report);
	for (i = 0; i < t->file.n; i++)
		if (t->file.v[i].path)
			cmd_test_file(t, &t->file.v[i]);
		else
			cmd_test_suite(t, t->path.v[i]);
	if (!t->native)
		testfile_report_end(&t->report);
	if (t->own->cover && testfile_cover_report(&t->cover, stdout, t->set->json) && t->own->cover == COVER_STRICT)
		t->code = cmd_worse(t->code, CMD_WRONG);
	if (t->report.failed)
		t->code = cmd_worse(t->code, CMD_WRONG);
	/* a typing error in every "==" must not look like success */
	if (!t->native && !t->report.n) {
		fprintf(stderr, "tamis test: there is no case in what was named\n");
		t->code = cmd_worse(t->code, CMD_WRONG);
	}
}

static int
cmd_test_run(const struct settings *set, void *own, struct texts operands)
{
	struct test t = { .set = set, .own = own };
	int rc = cmd_test_check(set);

	if (rc)
		return rc;
	cmd_test_start(&t, operands);
	cmd_test_all(&t);
	cmd_test_close(&t, t.suites.trace, t.own->trace);
	cmd_test_close(&t, t.suites.dump, t.own->dump);
	cmd_test_done(&t);
	return t.code;
}

const struct cmd cmd_test = {
	.name = "test",
	.usage = "[OPTION...] FILE|DIR...",
	.summary = "run test cases: rules, messages, and what is expected of them",
	.help =
	"Of a directory all files NAME.test are run, and what examples there are in pages\n"
	"(NAME.md).  Each case is decided at all stages, with and without index: what is\n"
	"decided early must be what is decided in the end.  Results are printed as TAP.\n"
	"Suites (NAME.svtest) that are run alone have a report of their own.",
	.groups = { &test_options, &options_rules, &options_output, &options_general },
	.own_size = sizeof(struct test_settings),
	.min = 1,
	.run = cmd_test_run,
};
