/* testfile_cover.h - which tests of rules came out both ways
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_COVER_H
#define TAMIS_TESTFILE_COVER_H

#include <stdio.h>

#include "host/diag.h"

struct testfile_point {
	struct tamis_place place;
	bool rule;                      /* a whole condition */
	bool yes, no;
};

/* One text of rules, wherever it was used. */
struct testfile_covered {
	char *path;
	unsigned line;                  /* in that file, before the text's first one */
	struct buf text;
	VEC(struct testfile_point) point;
};

/* What places call the texts of one case. */
struct testfile_source {
	struct str name;
	const char *path;
	unsigned line;
	struct str text;
	size_t unit;                    /* of cover->unit */
};

struct testfile_cover {
	VEC(struct testfile_covered) unit;
	VEC(struct testfile_source) source;     /* of the current case */
	const struct diag *diag;        /* knows the texts of files */
};

void testfile_cover_done(struct testfile_cover *);
/* A case begins; then its texts; then the programs made of them. */
void testfile_cover_case(struct testfile_cover *, const struct diag *);
void testfile_cover_source(struct testfile_cover *, struct str name, const char *path, unsigned line, struct str text);
void testfile_cover_program(struct testfile_cover *, const struct tamis_program *);
void testfile_cover_event(struct testfile_cover *, const struct tamis_event *);
/* What never came out one way or the other: how many, all told (TAP comments, or JSON). */
size_t testfile_cover_report(const struct testfile_cover *, FILE *, bool json);

#endif
