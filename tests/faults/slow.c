/* slow.c - a socket is made slowly, so that a test sees it at each step
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Preloaded into tamis-milter. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAUSE = 100000 };                /* microseconds */

static int
after(long rc)
{
	usleep(PAUSE);
	return (int)rc;
}

int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return after(syscall(SYS_bind, fd, address, size));
}

int
listen(int fd, int backlog)
{
	return after(syscall(SYS_listen, fd, backlog));
}

int
chmod(const char *path, mode_t mode)
{
	return after(syscall(SYS_fchmodat, AT_FDCWD, path, mode));
}
