/* fuzz.h - what the fuzz targets share: a host, a message, what a run decided
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "tamis.h"

/* libFuzzer's, and replay.c's */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_TEXT(literal) ((struct tamis_text){ (literal), sizeof(literal) - 1 })

/* Our own promise is broken: say which and stop, so that the input is kept. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* What one or more runs decided, written out so that two can be compared. */
struct fuzz_result {
	enum tamis_status status;
	bool degraded, keeps;
	bool limited;                   /* a limit was reached, or memory or time for work */
	char *text;
	size_t len, cap;
};

/* Allows everything, answers every question by a hash of it, has a few scripts to include, and small limits. */
struct tamis_host fuzz_host(struct fuzz_result *);
/* The same for a compilation.  Rules that name no test suite get none, and so are compiled as a mail server compiles them:
 * an include that is wrong is an error when it is run. */
struct tamis_host fuzz_host_for(struct tamis_text rules);

/* bytes up to and with the first empty line; the rest is the body */
size_t fuzz_split(struct tamis_text raw);
/* as a host does it: a message of its own, a recipient, facts */
void fuzz_run(const struct tamis_program *, struct tamis_text raw, enum tamis_stage, struct fuzz_result *ret);
void fuzz_result_done(struct fuzz_result *);

#endif
