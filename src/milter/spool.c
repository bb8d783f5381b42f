/* spool.c - the body of a message as it comes
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPOOL_KEPT = 256 * 1024 };       /* bytes that a connection holds between messages */

void
spool_init(struct spool *s)
{
	*s = (struct spool){ .fd = -1 };
}

void
spool_reset(struct spool *s)
{
	if (s->map)
		munmap(s->map, s->size);
	if (s->fd >= 0)
		close(s->fd);
	if (s->memory.cap > SPOOL_KEPT)
		buf_done(&s->memory);
	buf_reset(&s->memory);
	s->map = NULL;
	s->fd = -1;
	s->size = 0;
	s->failed = 0;
}

void
spool_done(struct spool *s)
{
	spool_reset(s);
	buf_done(&s->memory);
}

static int
spool_write(struct spool *s, struct str v)
{
	ssize_t n;

	while (v.len) {
		n = write(s->fd, v.s, v.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			s->failed = n < 0 ? errno : ENOSPC;
			return -1;
		}
		v = str_sub(v, (size_t)n, v.len);
	}
	return 0;
}

/* What was in memory moves into a file that is gone when we are. */
static int
spool_spill(struct spool *s, const char *directory)
{
	char path[4096];

	s->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		snprintf(path, sizeof(path), "%s/tamis-XXXXXX", directory);
		s->fd = mkostemp(path, O_CLOEXEC);
		if (s->fd >= 0)
			unlink(path);
	}
	if (s->fd < 0) {
		s->failed = errno;
		return -1;
	}
	return spool_write(s, buf_str(&s->memory));
}

int
spool_add(struct spool *s, struct str v, size_t max_memory, const char *directory)
{
	if (s->failed) {
		errno = s->failed;
		return -1;
	}
	if (s->fd < 0 && s->size + v.len > max_memory && spool_spill(s, directory) < 0)
		return -1;
	s->size += v.len;
	if (s->fd >= 0)
		return spool_write(s, v);
	buf_add(&s->memory, v);
	return 0;
}

int
spool_text(struct spool *s, struct str *ret)
{
	if (s->failed) {
		errno = s->failed;
		return -1;
	}
	if (s->fd < 0) {
		*ret = buf_str(&s->memory);
		return 0;
	}
	if (!s->map) {
		s->map = mmap(NULL, s->size, PROT_READ, MAP_PRIVATE, s->fd, 0);
		if (s->map == MAP_FAILED) {
			s->map = NULL;
			return -1;
		}
	}
	*ret = (struct str){ s->map, s->size };
	return 0;
}
