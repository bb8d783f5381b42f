/* fresh.h - the journal as a new file, without what is dead
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_FRESH_H
#define HOST_FRESH_H

#include <sys/types.h>

#include "host/ledger.h"

struct fresh {
	int directory, old;
	bool cut;                       /* lines of the old file are gone: what they said is known, texts are gone with them */
	const struct ledger *keys, *troubles;
	/* the result */
	int fd;
	off_t size;
	size_t lines;
};

/* Writes, syncs and renames it: 0.  Else an errno, and the old one stays. */
int fresh_write(struct fresh *);

#endif
