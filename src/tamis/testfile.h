/* testfile.h - test cases as text: titles, rules, sections (tamis-test(5))
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_H
#define TAMIS_TESTFILE_H

#include "base/buf.h"

enum testfile_kind {
	/* the scene; each stays as it is until the next of its kind */
	TESTFILE_MESSAGE, TESTFILE_ENVELOPE, TESTFILE_STAGE, TESTFILE_NOW, TESTFILE_STATE, TESTFILE_HOST, TESTFILE_ENV,
	/* what is compiled, wherever in the case it stands */
	TESTFILE_SCRIPT, TESTFILE_BEFORE, TESTFILE_AFTER, TESTFILE_LIMITS,
	/* what is compared */
	TESTFILE_CHECK, TESTFILE_CODE, TESTFILE_TRACE, TESTFILE_EXPECT,
	TESTFILE_KINDS
};

struct testfile_section {
	enum testfile_kind kind;
	unsigned line;                  /* of "-- name" */
	struct str argument;            /* what stands behind the name */
	struct str body;                /* as it stands in the file: testfile_text() */
};

struct testfile_case {
	struct str title;               /* empty: in a page, not named */
	unsigned line;                  /* of "== title" */
	struct str rules;               /* as they stand in the file */
	unsigned rules_line;            /* of their first line */
	VEC(struct testfile_section) section;
	/* what keeps the case from being run; NULL if nothing does */
	const char *wrong;
	struct str wrong_word;
	unsigned wrong_line;
};

struct testfile {
	char *path;
	struct buf text;
	VEC(struct testfile_case) c;
};

/* Reads the cases of a file: of a page (*.md) those in blocks of the language
 * sieve-test.  0, or -1: errno. */
int testfile_read(struct testfile *, const char *path);
void testfile_done(struct testfile *);
/* A body without the "\" before lines that would begin a section or case. */
struct str testfile_text(struct arena *, struct str body);
/* The other way round. */
void testfile_escape(struct buf *, struct str text);
/* Without the blank lines at its end, which may end in CRLF. */
struct str testfile_trimmed(struct str);
/* "expect" */
const char *testfile_kind_name(enum testfile_kind);
static inline bool
testfile_compares(enum testfile_kind kind)
{
	return kind >= TESTFILE_CHECK;
}
/* The next line of *rest with its end, which is taken away; false: there is none. */
bool testfile_line(struct str *rest, struct str *ret);

#endif
