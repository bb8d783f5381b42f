/* crowd.c - many connections at once, whatever they speak, and how long their messages take
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"
#include "message.h"

enum { EVENTS = 256, PATIENCE = 60000, TOLD_MAX = 10 };

double
crowd_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
crowd_die(const char *what)
{
	perror(what);
	exit(2);
}

void
crowd_wrong(const struct client *c, const char *format, ...)
{
	va_list args;

	if (c->crowd->wrong++ >= TOLD_MAX)
		return;
	va_start(args, format);
	fprintf(stderr, "%s: message %ld: ", c->crowd->name, c->number);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* --- options */

void
crowd_option(struct crowd *w, int letter, const char *text)
{
	unsigned long value = text ? strtoul(text, NULL, 10) : 0;

	switch (letter) {
	case 'c': w->connections = (unsigned)value; break;
	case 'n': w->messages = (long)value; break;
	case 'k': w->each = (long)value; break;
	case 'u': w->users = (unsigned)value; break;
	case 'b': w->body_len = value; break;
	default: exit(64);
	}
}

bool
crowd_is_possible(struct crowd *w, const char *address)
{
	w->address = address;
	return address && (!strncmp(address, "unix:", 5) || !strncmp(address, "inet:", 5)) && w->connections && w->each &&
	       w->users;
}

/* --- connections */

static void
wait_for(struct client *c, bool writing)
{
	struct epoll_event e = { .events = EPOLLIN | (writing ? (unsigned)EPOLLOUT : 0), .data.ptr = c };

	if (writing != c->writing && epoll_ctl(c->crowd->epoll, EPOLL_CTL_MOD, c->fd, &e) < 0)
		crowd_die("epoll");
	c->writing = writing;
}

void
crowd_put(struct client *c, const void *data, size_t len)
{
	if (c->out_len + len > c->out_cap) {
		c->out_cap = (c->out_len + len) * 2;
		c->out = realloc(c->out, c->out_cap);
		if (!c->out)
			crowd_die("memory");
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

int
crowd_flush(struct client *c)
{
	while (c->out_at < c->out_len) {
		ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait_for(c, true);
			return 0;
		}
		if (n <= 0)
			return -1;
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_len = 0;
	wait_for(c, false);
	return 0;
}

/* One over TCP is made while others are served; a local one is waited for, since it would be refused otherwise. */
static int
dial(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	bool is_unix = !strncmp(address, "unix:", 5);
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0), one = 1, rc;

	snprintf(un.sun_path, sizeof un.sun_path, "%s", address + 5);
	in.sin_port = htons((uint16_t)atoi(address + 5));
	if (is_unix) {
		rc = connect(fd, (struct sockaddr *)&un, sizeof un);
	} else {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		rc = fcntl(fd, F_SETFL, O_NONBLOCK);
		if (rc == 0 && connect(fd, (struct sockaddr *)&in, sizeof in) < 0 && errno != EINPROGRESS)
			rc = -1;
	}
	if (rc < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		crowd_die(address);
	return fd;
}

static void
open_one(struct client *c)
{
	struct crowd *w = c->crowd;
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	c->fd = dial(w->address);
	c->left = w->each;
	c->in_len = c->out_len = c->out_at = 0;
	c->writing = false;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		crowd_die("epoll");
	w->open++;
	if (w->protocol->opened(c) < 0)
		crowd_die("write");
}

/* While there are messages, and all went well, another client takes its place. */
static void
close_one(struct client *c)
{
	struct crowd *w = c->crowd;

	close(c->fd);
	w->open--;
	if (w->begun < w->messages && !w->wrong)
		open_one(c);
}

/* --- messages */

void
crowd_begin(struct client *c)
{
	c->left--;
	c->number = c->crowd->begun++;
	c->begun = crowd_now();
}

void
crowd_settle(struct client *c)
{
	c->crowd->latency[c->crowd->done++] = crowd_now() - c->begun;
}

bool
crowd_has_more(const struct client *c)
{
	return c->left && c->crowd->begun < c->crowd->messages;
}

/* --- the whole */

static long
take(struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, INPUT_MAX - c->in_len);
	long used;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		crowd_wrong(c, "the connection is gone: %s", n < 0 ? strerror(errno) : "the other side closed it");
		return -1;
	}
	c->in_len += (size_t)n;
	used = c->crowd->protocol->take(c);
	if (used >= 0) {
		memmove(c->in, c->in + used, c->in_len - (size_t)used);
		c->in_len -= (size_t)used;
	}
	if (used == 0 && c->in_len == INPUT_MAX) {
		crowd_wrong(c, "more than %d bytes without an end", INPUT_MAX);
		return -1;
	}
	return used;
}

static void
serve(struct crowd *w)
{
	struct epoll_event event[EVENTS];

	while (w->open && !w->enough) {
		int n = epoll_wait(w->epoll, event, EVENTS, PATIENCE);

		if (n == 0) {
			fprintf(stderr, "%s: nothing happens: %ld of %ld messages are done\n", w->name, w->done, w->messages);
			w->wrong++;
			return;
		}
		for (int i = 0; i < n; i++) {
			struct client *c = event[i].data.ptr;
			long rc = 0;

			if (event[i].events & EPOLLOUT)
				rc = crowd_flush(c);
			if (rc >= 0 && event[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				rc = take(c);
			if (rc < 0)
				close_one(c);
		}
	}
}

void
crowd_run(struct crowd *w)
{
	struct rlimit limit;
	double begun;
	char *clients;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	w->body = message_body(w->body_len);
	w->epoll = epoll_create1(0);
	clients = calloc(w->connections, w->protocol->size);
	w->latency = calloc((size_t)w->messages + 1, sizeof *w->latency);
	if (w->epoll < 0 || !w->body || !clients || !w->latency || getrandom(&w->run, sizeof w->run, 0) != sizeof w->run)
		crowd_die(w->name);
	begun = crowd_now();
	for (unsigned i = 0; i < w->connections; i++) {
		struct client *c = (void *)(clients + i * w->protocol->size);

		c->crowd = w;
		open_one(c);
	}
	serve(w);
	w->seconds = crowd_now() - begun;
}

/* --- what was measured */

static int
order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double
crowd_percentile(double *seconds, long n, int percent)
{
	long at = n * percent / 100;

	if (!n)
		return 0;
	qsort(seconds, (size_t)n, sizeof *seconds, order);
	return seconds[at < n ? at : n - 1] * 1e3;
}

void
crowd_report(struct crowd *w)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"messages\": %ld, \"wrong\": %ld, \"seconds\": %.6f, \"rate\": %.1f, \"p50\": %.4f, \"p99\": %.4f, \"most\": %.4f, "
	       "\"cpu\": %.4f", w->done, w->wrong, w->seconds, (double)w->done / w->seconds,
	       crowd_percentile(w->latency, w->done, 50), crowd_percentile(w->latency, w->done, 99),
	       crowd_percentile(w->latency, w->done, 100), (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}
