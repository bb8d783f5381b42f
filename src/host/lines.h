/* lines.h - the lines of the journal, as they stand in its file: for journal.c
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_LINES_H
#define HOST_LINES_H

#include <sys/types.h>

#include "base/buf.h"
#include "host/journal.h"

struct journal_line {
	char kind;
	uint8_t key[JOURNAL_KEY];
	int64_t time;
	struct str text;
};

void lines_add(struct buf *out, char kind, const uint8_t *key, int64_t time, struct str text);
/* Is it one of ours? */
bool lines_parse(struct str, struct journal_line *ret);
/* Each whole line of the file, also what is none of ours; returns where the last one ends, or -1. */
off_t lines_read(int fd, void (*each)(void *ctx, struct str line), void *ctx);
/* 0, or an errno. */
int lines_write(int fd, struct str, off_t at);

#endif
