/* testfile_accept.h - writes what came out into the test file
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_ACCEPT_H
#define TAMIS_TESTFILE_ACCEPT_H

#include "tamis/testfile_run.h"

/* The new texts for one file, in its order. */
struct testfile_accept {
	const struct testfile *file;
	struct buf text;                /* up to `done` */
	const char *done;               /* of the old text, so far */
	const char *newline;            /* as the file's first line ends */
	size_t n;                       /* changes */
};

void testfile_accept_start(struct testfile_accept *, const struct testfile *);
/* Takes the failures out of the run, unless one of them cannot be accepted:
 * then what came out is not worth much either. */
void testfile_accept_case(struct testfile_accept *, struct testfile_run *);
/* Replaces the file, at once and only if there is a change: 0, or -1: errno. */
int testfile_accept_write(struct testfile_accept *);
void testfile_accept_done(struct testfile_accept *);

#endif
