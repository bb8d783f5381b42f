/* secret.c - the secret of the site
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/digest.h"

/* That the file has its name is on the disk: what was made by this secret shall not outlive it. */
static int
secret_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf directory = { 0 };
	int fd, rc = -1, error;

	buf_add(&directory, slash ? (struct str){ path, (size_t)(slash + 1 - path) } : STR("."));
	buf_putc(&directory, '\0');
	fd = open(directory.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		rc = fsync(fd);
		error = errno;
		close(fd);
		errno = error;
	}
	buf_done(&directory);
	return rc;
}

static int
secret_fill(int fd, const char *made, const char *path)
{
	uint8_t secret[SECRET_SIZE];
	ssize_t n;

	digest_random(secret, sizeof secret);
	n = write(fd, secret, sizeof secret);
	if (n >= 0 && n < (ssize_t)sizeof secret)
		errno = ENOSPC;
	if (n != (ssize_t)sizeof secret || fsync(fd) < 0)
		return -1;
	return link(made, path) < 0 && errno != EEXIST ? -1 : secret_sync(path);
}

/* Whole or not at all; who came first wins.  The name is one that nothing has which a crash left here. */
static int
secret_write(const char *path)
{
	struct buf made = { 0 };
	uint64_t number;
	int fd, rc = -1, error;

	digest_random(&number, sizeof number);
	buf_printf(&made, "%s.%016llx", path, (unsigned long long)number);
	fd = open(made.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	error = errno;
	if (fd >= 0) {
		rc = secret_fill(fd, made.s, path);
		error = errno;
		close(fd);
		unlink(made.s);
	}
	buf_done(&made);
	errno = error;
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
