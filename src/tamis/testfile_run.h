/* testfile_run.h - runs a test case and compares
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_RUN_H
#define TAMIS_TESTFILE_RUN_H

#include "tamis/session.h"
#include "tamis/testfile.h"
#include "tamis/testfile_cover.h"
#include "tamis/testfile_host.h"
#include "tamis/tracing.h"

/* Something that is not as expected. */
struct testfile_failure {
	struct str what;                /* "the plan differs" */
	unsigned line;                  /* in the test file */
	struct str expected, got;       /* both empty: `what` says it all */
	/* what an accepted failure changes: the body of that section (got), or, without
	 * one, the end of the case, where a new section of that kind begins */
	bool acceptable;
	const struct testfile_section *section;
	enum testfile_kind kind;
	const char *at;                 /* in the file's text, without a section */
};

enum {
	TESTFILE_PLAIN,                 /* compiled for one message */
	TESTFILE_INDEXED,               /* compiled for many */
	TESTFILE_VARIANTS
};

struct testfile_options {
	const struct settings *set;
	bool faults;
	struct testfile_cover *cover;   /* NULL: nobody wants to know */
};

/* The current message, decided. */
struct testfile_step {
	bool ran;
	bool used[TESTFILE_KINDS];      /* compared with a section of that kind */
	struct str plan, trace;
};

/* One case being run. */
struct testfile_run {
	const struct testfile *file;
	const struct testfile_case *at;
	const struct testfile_options *options;
	struct arena arena;             /* all texts of the case */
	struct session session;
	struct testfile_host host;
	struct programs variant[TESTFILE_VARIANTS];
	bool good;                      /* it compiled */
	struct buf diagnostics;         /* of the compilation */
	struct buf errors;              /* of a run */
	struct tracing tracing;
	bool traced;                    /* some step has a trace that is expected */
	struct testfile_step step;
	struct str header, body;        /* the current message */
	enum tamis_stage stage;
	VEC(struct testfile_failure) failure;
};

/* What came of a run, as "tamis run" prints it, below the run's errors. */
struct testfile_decision {
	enum tamis_status status;
	struct str text;
	unsigned asked;                 /* questions */
	bool refuses, discards, keeps, files, redirects, quarantines;
};

/* Runs the case; what it finds is in run->failure until done is called. */
void testfile_run(struct testfile_run *, const struct testfile *, const struct testfile_case *,
                  const struct testfile_options *);
void testfile_run_done(struct testfile_run *);
/* The decision of that variant at that stage for the current message. */
void testfile_run_decide(struct testfile_run *, unsigned variant, struct tamis_recipient *, enum tamis_stage,
                         bool remember, struct testfile_decision *ret);
struct tamis_recipient *testfile_run_recipient(struct testfile_run *);
struct testfile_failure *testfile_run_fail(struct testfile_run *, unsigned line, struct str what);

/* --- testfile_scene.c: what a case sets up */
/* What a case that says nothing gets. */
void testfile_scene_start(struct testfile_run *);
/* Limits and scripts count wherever in the case they stand. */
void testfile_scene_prepare(struct testfile_run *);
void testfile_scene_set(struct testfile_run *, const struct testfile_section *);
/* The path of a file that the case names, relative to its own. */
char *testfile_scene_path(struct testfile_run *, struct str name);
/* Its text; false: that failed. */
bool testfile_scene_read(struct testfile_run *, unsigned line, struct str name, struct str *ret);
/* "envelope", "header", "body" */
extern const char *const testfile_stages[];

#endif
