/* testfile_report.h - results as TAP or JSON
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_REPORT_H
#define TAMIS_TESTFILE_REPORT_H

#include <stdio.h>

#include "tamis/testfile_run.h"

struct testfile_report {
	FILE *out;
	bool json;
	size_t planned;                 /* 0: told at the end */
	size_t n, failed;
};

void testfile_report_start(const struct testfile_report *);
void testfile_report_case(struct testfile_report *, const struct testfile_run *);
/* One result of another kind of test; NULL: it did not fail. */
void testfile_report_one(struct testfile_report *, const char *path, unsigned line, struct str title,
                         const struct testfile_failure *);
void testfile_report_end(const struct testfile_report *);
/* "- line", "+ line", "  line": what makes b of a, each line behind the prefix. */
void testfile_report_diff(struct buf *, const char *prefix, struct str a, struct str b);

#endif
