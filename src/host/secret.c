/* secret.c - the secret of the site
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/digest.h"

/* Whole or not at all; who came first wins. */
static int
secret_write(const char *path)
{
	uint8_t secret[SECRET_SIZE];
	struct buf fresh = { 0 };
	int fd, rc = -1;

	buf_printf(&fresh, "%s.%ld", path, (long)getpid());
	fd = open(fresh.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	digest_random(secret, sizeof secret);
	if (fd >= 0) {
		if (write(fd, secret, sizeof secret) == (ssize_t)sizeof secret && fsync(fd) == 0)
			rc = link(fresh.s, path) < 0 && errno != EEXIST ? -1 : 0;
		close(fd);
		unlink(fresh.s);
	}
	buf_done(&fresh);
	return rc;
}

int
secret_load(const char *path, bool make, uint8_t ret[SECRET_SIZE])
{
	/* a FIFO that nobody writes is no secret, and nothing to wait for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
	ssize_t n;

	if (fd < 0 && errno == ENOENT && make && secret_write(path) == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	n = read(fd, ret, SECRET_SIZE);
	error = n < 0 ? errno : ERANGE;
	close(fd);
	errno = error;
	return n == SECRET_SIZE ? 0 : -1;
}
