/* spool.h - the body of a message as it comes: in memory, and from a limit on in a file without a name
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SPOOL_H
#define MILTER_SPOOL_H

#include "base/buf.h"

/* A zeroed struct spool is a valid, empty one, whose fd is set by spool_init(). */
struct spool {
	struct buf memory;
	int fd;                         /* -1: none */
	uint64_t size;                  /* bytes that came */
	int failed;                     /* 0, or the errno with which some could not be kept */
	void *map;                      /* of the file, once spool_text() was asked */
};

void spool_init(struct spool *);
/* Forgets the message; its memory is kept if it is not much. */
void spool_reset(struct spool *);
void spool_done(struct spool *);
/* 0, or -1 with errno: no room; then and from then on. */
int spool_add(struct spool *, struct str, size_t max_memory, const char *directory);
/* All of it, until the next call for this spool.  0, or -1 with errno. */
int spool_text(struct spool *, struct str *ret);

#endif
