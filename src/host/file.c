/* file.c - whole files, read safely
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/file.h"
#include "host/moment.h"

enum { FIRST_READ = 65536, LOCK_WAIT = 2000, LOCK_LOOK = 10 /* milliseconds */ };

/* Until something can be read; -1 with ETIME: for too long nothing could. */
static int
file_await(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc;

	do {
		int64_t left = until - moment_clock();

		rc = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (rc < 0 && errno == EINTR);
	if (!rc)
		errno = ETIME;
	return rc > 0 ? 0 : -1;
}

/* until: by moment_clock(), if reading does not block */
static int
file_read_all(int fd, struct buf *b, size_t max, int64_t until)
{
	struct stat st;
	size_t start = b->len, want = FIRST_READ;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		want = (size_t)st.st_size + 1;
	for (;;) {
		size_t have = b->len - start;
		char *room;
		ssize_t n;

		if (want > max - have)
			want = max - have + 1;
		room = buf_room(b, want);
		n = read(fd, room, want);
		if (n < 0 && (errno == EINTR || (errno == EAGAIN && !file_await(fd, until))))
			continue;
		if (n < 0)
			return -1;
		if (!n)
			return 0;
		b->len += (size_t)n;
		if (b->len - start > max) {
			errno = EFBIG;
			return -1;
		}
		/* if that was all, what is left of the room is enough to see it */
		want = b->cap - b->len - 1;
		if (!want)
			want = b->len - start < FIRST_READ ? FIRST_READ : b->len - start;
	}
}

int
file_read_fd(int fd, struct buf *b, size_t max)
{
	return file_read_all(fd, b, max, 0);
}

/* seconds: for how long a pipe is waited for; 0: as long as it takes */
static int
file_read_path(int dirfd, const char *path, struct buf *b, size_t max, int seconds)
{
	const size_t before = b->len;
	struct stat st;
	int fd, rc, error;

	if (!strcmp(path, "-"))
		return file_read_fd(STDIN_FILENO, b, max);
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	rc = fstat(fd, &st);
	if (!rc && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		rc = -1;
	}
	if (!rc && S_ISFIFO(st.st_mode) && !seconds)
		rc = fcntl(fd, F_SETFL, 0);
	if (!rc)
		rc = file_read_all(fd, b, max, moment_clock() + seconds * (int64_t)1000);
	/* nobody writes there: that is no empty file */
	if (!rc && S_ISFIFO(st.st_mode) && b->len == before) {
		errno = ENXIO;
		rc = -1;
	}
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

int
file_read(int dirfd, const char *path, struct buf *b, size_t max)
{
	return file_read_path(dirfd, path, b, max, 0);
}

int
file_read_soon(const char *path, struct buf *b, size_t max)
{
	return file_read_path(AT_FDCWD, path, b, max, LIMIT_PIPE_SECONDS);
}

const char *
file_why(int error)
{
	return error == ETIME ? "it is a pipe that does not come to its end" : strerror(error);
}

bool
file_may_pass(int error)
{
	static const int lasting[] = { ENOENT, ENOTDIR, EISDIR, EACCES, EPERM,
		ELOOP, ENAMETOOLONG, EFBIG, EINVAL, ENXIO, ENODEV };
	size_t i;

	for (i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
		if (error == lasting[i])
			return false;
	return true;
}

int
file_lock(int fd)
{
	for (int n = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; n++) {
		if (errno != EWOULDBLOCK || n == LOCK_WAIT / LOCK_LOOK)
			return -1;
		poll(NULL, 0, LOCK_LOOK);
	}
	return 0;
}
