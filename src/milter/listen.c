/* listen.c - the socket that the mail server connects to
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A unix socket gets its name when it is whole: between bind() and chmod()
 * the server would not be let in, and between bind() and listen() nobody
 * would answer; either way it would send mail away for a while. */
#include "milter/listen.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"

#define UNFINISHED ".new"               /* behind the name of a socket that is being made */

enum { BIND_WAIT = 2000, BIND_LOOK = 10 };      /* milliseconds */

int
listen_wrong(const char *subject, const char *why)
{
	fprintf(stderr, "tamis-milter: socket %s: %s\n", subject, why);
	return -1;
}

/* The descriptor, or none and why. */
static int
listen_result(const char *subject, int fd, const char *why)
{
	if (!why)
		return fd;
	if (fd >= 0)
		close(fd);
	return listen_wrong(subject, why);
}

/* What another who starts us may do. */
static const char *
listen_why(int error)
{
	if ((error == EACCES || error == EPERM) && geteuid() != 0)
		return error == EACCES ? "Permission denied: root may start it, which then becomes the user that tamis.conf names" :
		       "Operation not permitted: root may start it, which then becomes the user that tamis.conf names";
	return strerror(error);
}

/* --- TCP */

/* "inet" is IPv4 where the host has such an address, as Sendmail has it, which looks for no other; but [::1] may stand there
 * as well.  0, or as getaddrinfo() has it. */
static int
listen_resolve(const struct conf *conf, const char *host, const char *port, struct addrinfo **ret)
{
	const bool six = !strncmp(conf->socket, "inet6:", 6);
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM, .ai_family = six ? AF_INET6 : AF_INET };
	int rc = getaddrinfo(*host ? host : NULL, port, &hints, ret);

	if (!rc || six)
		return rc;
	hints.ai_family = AF_UNSPEC;
	return getaddrinfo(*host ? host : NULL, port, &hints, ret);
}

/* PORT@HOST as libmilter has it, HOST:PORT as Postfix has it: what it is, as listen_resolve(). */
static int
listen_inet_place(const struct conf *conf, struct addrinfo **ret)
{
	char *copy = mem_strdup(strchr(conf->socket, ':') + 1), *at = strchr(copy, '@'), *colon = strrchr(copy, ':');
	char *host = at ? at + 1 : copy, *port = copy;
	int rc;

	if (at) {
		*at = '\0';
	} else if (colon) {
		*colon = '\0';
		port = colon + 1;
	} else {
		host = copy + strlen(copy);
	}
	/* an IPv6 address has brackets where a port stands behind it */
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	rc = listen_resolve(conf, host, port, ret);
	free(copy);
	return rc;
}

/* Who listens there may be about to end, as with file_lock(). */
static int
bind_soon(int fd, const struct addrinfo *where)
{
	for (int n = 0; bind(fd, where->ai_addr, where->ai_addrlen) < 0; n++) {
		if (errno != EADDRINUSE || n == BIND_WAIT / BIND_LOOK)
			return -1;
		poll(NULL, 0, BIND_LOOK);
	}
	return 0;
}

/* Its connections inherit TCP_NODELAY. */
static int
listen_inet(const struct conf *conf)
{
	struct addrinfo *found = NULL;
	int fd, one = 1, rc = listen_inet_place(conf, &found);

	if (rc)
		return listen_wrong(conf->socket, gai_strerror(rc));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	     setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
	     bind_soon(fd, found) < 0 || listen(fd, SOMAXCONN) < 0;
	fd = listen_result(conf->socket, fd, rc ? listen_why(errno) : NULL);
	freeaddrinfo(found);
	return fd;
}

/* Any port of the address will do: the one that is meant may be in use, by a daemon that shall go on. */
const char *
listen_inet_wrong(const struct conf *conf)
{
	struct addrinfo *found = NULL;
	int fd, rc;

	if (strncmp(conf->socket, "inet", 4))
		return NULL;
	rc = listen_inet_place(conf, &found);
	if (rc)
		return gai_strerror(rc);
	if (found->ai_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port = 0;
	else
		((struct sockaddr_in *)(void *)found->ai_addr)->sin_port = 0;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	freeaddrinfo(found);
	return rc ? strerror(rc) : NULL;
}

/* --- unix */

const char *
listen_unix_path(const struct conf *conf)
{
	const char *colon = strchr(conf->socket, ':');

	if (!colon)
		return conf->socket;
	return !strncmp(conf->socket, "unix:", 5) || !strncmp(conf->socket, "local:", 6) ? colon + 1 : NULL;
}

/* NULL: nobody is there; what a process left that was killed is nobody. */
static const char *
who_is_there(const struct sockaddr_un *address)
{
	struct stat st;
	bool served;
	int fd;

	if (lstat(address->sun_path, &st) < 0)
		return NULL;
	if (!S_ISSOCK(st.st_mode))
		return "there is a file of that name, which is no socket";
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* EAGAIN: so many wait there that there is no room for one more */
	served = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return served ? "another process serves there" : NULL;
}

static int
bind_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
listen_unix(const struct conf *conf, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX }, unfinished = address;
	struct group *group = *conf->socket_group ? getgrnam(conf->socket_group) : NULL;
	const char *why;
	int fd;

	_Static_assert(LIMIT_SOCKET_PATH + sizeof UNFINISHED <= sizeof address.sun_path, "a path that tamis.conf may have");
	if (strlen(path) + strlen(UNFINISHED) >= sizeof address.sun_path)
		return listen_wrong(conf->socket, "the path is too long");
	if (*conf->socket_group && !group)
		return listen_wrong(conf->socket_group, "there is no such group (socket_group)");
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if ((why = who_is_there(&address)))
		return listen_wrong(conf->socket, why);
	snprintf(unfinished.sun_path, sizeof unfinished.sun_path, "%s%s", path, UNFINISHED);
	if ((why = who_is_there(&unfinished)))
		return listen_wrong(unfinished.sun_path, why);
	unlink(unfinished.sun_path);
	fd = bind_unix(unfinished.sun_path);
	if (fd < 0 || (group && lchown(unfinished.sun_path, (uid_t)-1, group->gr_gid) < 0) ||
	    chmod(unfinished.sun_path, (mode_t)conf->socket_mode) < 0 || rename(unfinished.sun_path, path) < 0) {
		why = listen_why(errno);
		if (fd >= 0)
			unlink(unfinished.sun_path);
	}
	return listen_result(conf->socket, fd, why);
}

int
listen_open(const struct conf *conf)
{
	const char *path = listen_unix_path(conf);

	if (path)
		return listen_unix(conf, path);
	return strncmp(conf->socket, "fd:", 3) ? listen_inet(conf) : (int)strtol(conf->socket + 3, NULL, 10);
}
