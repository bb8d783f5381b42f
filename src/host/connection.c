/* connection.c - a stream to a server, with a deadline for everything
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "host/connection.h"
#include "host/moment.h"

enum { HOST_MAX = 255, AGAIN_MS = 20, WAITS_MS = 1000 };

#define LATE "no answer in time"

static int
fail(struct connection *c, const char *why)
{
	c->trouble = why;
	return -1;
}

static void
still_waits(const struct connection *c)
{
	if (c->waits)
		c->waits(c->waits_ctx);
}

/* Until the descriptor (-1: none, only time passes) can do that, or `until`. */
static int
wait_for(struct connection *c, int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = until - moment_clock();
		int n;

		if (left <= 0)
			return fail(c, LATE);
		n = poll(&p, 1, left > WAITS_MS ? WAITS_MS : (int)left);
		if (n < 0 && errno != EINTR)
			return fail(c, "cannot wait for the server");
		still_waits(c);
		if (n > 0)
			return 0;
	}
}

/* --- names */

struct place {
	char host[HOST_MAX + 1], port[6];
};

static const char *
place_parse(const char *where, struct place *ret)
{
	const char *colon = strrchr(where, ':');
	struct str host, port;
	uint64_t number;

	if (!colon)
		return "has no port: write HOST:PORT or unix:/path";
	host = (struct str){ where, (size_t)(colon - where) };
	port = str_from(colon + 1);
	if (host.len > 1 && host.s[0] == '[' && host.s[host.len - 1] == ']')
		host = str_sub(host, 1, host.len - 1);
	else if (memchr(host.s, ':', host.len))
		return "is an IPv6 address without brackets: write [ADDRESS]:PORT";
	if (!host.len || host.len > HOST_MAX)
		return "has no host, or one that is too long";
	if (port.len > 5 || !str_number(port, &number) || !number || number > 65535)
		return "has a port that is no number from 1 to 65535";
	memcpy(ret->host, host.s, host.len);
	ret->host[host.len] = '\0';
	memcpy(ret->port, port.s, port.len + 1);
	return NULL;
}

static const char *
unix_path(const char *where)
{
	return !strncmp(where, "unix:", 5) ? where + 5 : NULL;
}

const char *
connection_check(const char *where)
{
	const char *path = unix_path(where);
	struct sockaddr_un unix_address;
	struct place place;

	if (!path)
		return place_parse(where, &place);
	if (*path != '/')
		return "is no absolute path: write unix:/path";
	return strlen(path) < sizeof unix_address.sun_path ? NULL : "is too long for a socket's path";
}

/* A name is looked up by a thread of its own, for the resolver knows no
 * deadline; whoever of the two is last frees it. */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct place place;
	struct addrinfo *found;
	bool done, given_up;
};

static void
lookup_free(struct lookup *l)
{
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->ended);
	if (l->found)
		freeaddrinfo(l->found);
	free(l);
}

static void *
lookup_run(void *ctx)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	struct lookup *l = ctx;
	bool last;

	if (getaddrinfo(l->place.host, l->place.port, &hints, &found))
		found = NULL;
	pthread_mutex_lock(&l->lock);
	l->found = found;
	l->done = true;
	last = l->given_up;
	pthread_cond_signal(&l->ended);
	pthread_mutex_unlock(&l->lock);
	if (last)
		lookup_free(l);
	return NULL;
}

static int
lookup_start(struct lookup *l)
{
	pthread_condattr_t monotonic;
	pthread_attr_t detached;
	pthread_t thread;
	int error;

	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &detached, lookup_run, l);
	pthread_attr_destroy(&detached);
	return error ? -1 : 0;
}

static int
lookup(struct connection *c, const struct place *place, struct addrinfo **ret)
{
	const struct addrinfo numeric = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
	struct lookup *l;
	int64_t left;
	bool done;

	if (!getaddrinfo(place->host, place->port, &numeric, ret))
		return 0;
	l = mem_alloc(sizeof *l);
	*l = (struct lookup){ .place = *place };
	if (lookup_start(l) < 0) {
		lookup_free(l);
		return fail(c, "cannot start a thread to look up the host");
	}
	pthread_mutex_lock(&l->lock);
	while (!l->done && (left = c->deadline - moment_clock()) > 0) {
		const int64_t until = moment_clock() + (left > WAITS_MS ? WAITS_MS : left);
		const struct timespec at = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

		if (pthread_cond_timedwait(&l->ended, &l->lock, &at) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&l->lock);
		still_waits(c);
		pthread_mutex_lock(&l->lock);
	}
	done = l->done;
	l->given_up = !done;
	if (done) {
		*ret = l->found;
		l->found = NULL;
	}
	pthread_mutex_unlock(&l->lock);
	if (!done)
		return fail(c, "the host's name was not found in time");
	lookup_free(l);
	return *ret ? 0 : fail(c, "no such host");
}

/* --- opening */

static int
open_address(struct connection *c, int family, const struct sockaddr *address, socklen_t size, int64_t until)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0, on = 1;
	socklen_t length = sizeof error;

	if (fd < 0)
		return fail(c, "cannot make a socket");
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	while (connect(fd, address, size) < 0) {
		/* a unix socket whose queue is full says EAGAIN, and poll() knows nothing of it */
		if (errno == EAGAIN && moment_clock() + AGAIN_MS < until) {
			poll(NULL, 0, AGAIN_MS);
			still_waits(c);
			continue;
		}
		error = errno;
		break;
	}
	if (error == EINPROGRESS || error == EINTR) {
		if (wait_for(c, fd, POLLOUT, until) < 0) {
			close(fd);
			return -1;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
	}
	if (error) {
		close(fd);
		return fail(c, error == EAGAIN ? LATE : error == ECONNREFUSED ? "connection refused" :
		            error == ENOENT ? "no such socket" : error == EACCES ? "not allowed to connect" : "cannot connect");
	}
	c->fd = fd;
	return 0;
}

static int
open_unix(struct connection *c, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path) + 1);
	return open_address(c, AF_UNIX, (const struct sockaddr *)&address, sizeof address, c->deadline);
}

/* Each address gets its share of the time that is left. */
static int
open_host(struct connection *c, const char *where)
{
	struct addrinfo *found = NULL, *a;
	struct place place;
	int left = 0, rc = -1;

	place_parse(where, &place);
	if (lookup(c, &place, &found) < 0)
		return -1;
	for (a = found; a && left < CONNECTION_ADDRESSES; a = a->ai_next)
		left++;
	for (a = found; left && rc < 0; a = a->ai_next, left--) {
		int64_t now = moment_clock();

		rc = open_address(c, a->ai_family, a->ai_addr, a->ai_addrlen, now + (c->deadline - now) / left);
	}
	freeaddrinfo(found);
	return rc;
}

int
connection_open(struct connection *c, const char *where, int64_t deadline)
{
	const char *wrong = connection_check(where), *path = unix_path(where);

	c->fd = -1;
	c->deadline = deadline;
	c->trouble = NULL;
	c->from = c->to = c->nout = 0;
	if (wrong)
		return fail(c, wrong);
	return path ? open_unix(c, path) : open_host(c, where);
}

void
connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* --- talking */

int
connection_flush(struct connection *c)
{
	size_t done = 0;

	while (done < c->nout) {
		/* MSG_NOSIGNAL: that the server has gone is a result, no signal */
		ssize_t n = send(c->fd, c->out + done, c->nout - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return fail(c, "the server closed the connection");
		else if (wait_for(c, c->fd, POLLOUT, c->deadline) < 0)
			return -1;
	}
	c->nout = 0;
	return 0;
}

int
connection_put(struct connection *c, struct str v)
{
	while (v.len) {
		size_t room = sizeof c->out - c->nout, n = v.len < room ? v.len : room;

		memcpy(c->out + c->nout, v.s, n);
		c->nout += n;
		v = str_sub(v, n, v.len);
		if (c->nout == sizeof c->out && connection_flush(c) < 0)
			return -1;
	}
	return 0;
}

/* More bytes behind those that are there.  1; 0: not now; -1: there will be none. */
static int
read_more(struct connection *c)
{
	ssize_t n;

	if (c->from) {
		memmove(c->in, c->in + c->from, c->to - c->from);
		c->to -= c->from;
		c->from = 0;
	}
	if (c->to == sizeof c->in)
		return fail(c, "the server's line is too long");
	n = recv(c->fd, c->in + c->to, sizeof c->in - c->to, 0);
	if (n > 0) {
		c->to += (size_t)n;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return fail(c, "the server closed the connection");
}

int
connection_line(struct connection *c, struct str *ret)
{
	for (;;) {
		char *start = c->in + c->from, *end = memchr(start, '\n', c->to - c->from);

		if (end) {
			c->from = (size_t)(end + 1 - c->in);
			*ret = (struct str){ start, (size_t)(end - start) };
			if (ret->len && ret->s[ret->len - 1] == '\r')
				ret->len--;
			return 0;
		}
		/* at once if there is something; one that never stops talking does not stop the clock */
		if (wait_for(c, c->fd, POLLIN, c->deadline) < 0 || read_more(c) < 0)
			return -1;
	}
}

bool
connection_pending(struct connection *c)
{
	return c->from < c->to || read_more(c) != 0;
}
