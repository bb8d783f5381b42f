/* load.c - a mail server's side of the milter protocol, over many connections at once
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: load [-c CONNECTIONS] [-n MESSAGES] [-k MESSAGES] [-r RECIPIENTS] [-u USERS] [-b BYTES] [-f FATES] [-i]
 *             unix:PATH | inet:PORT
 *
 *   -c, -n, -k   connections at once, messages in all, messages of one connection
 *   -r, -u       recipients of one message; they are 0user@example.test, 1user@, ... up to -u, and again from 0
 *   -b           bytes of a body
 *   -f           fates, a letter for each user, and again from the first; without it, fates are not checked
 *   -i           only open the connections, say "open", wait for the end of the input
 *
 * Fates: k kept, r refused at RCPT TO, d discarded, t redirected, e edited (with -r 1), c redirected as it came and
 * kept with an edit, which needs a copy.  It prints JSON, and exits with 1 if a message had another fate than its own,
 * or was told to come back. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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

#include "load.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
die(const char *what)
{
	perror(what);
	exit(2);
}

void
wrong(struct load *l, const struct connection *c, const char *format, ...)
{
	va_list args;

	if (l->wrong++ >= 10)
		return;
	va_start(args, format);
	fprintf(stderr, "load: message %ld: ", c->number);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

unsigned
user_of(const struct load *l, const struct connection *c, unsigned i)
{
	return (unsigned)((c->number * l->recipients + i) % l->users);
}

/* --- connections */

static void
wait_for(struct load *l, struct connection *c, bool writing)
{
	struct epoll_event e = { .events = EPOLLIN | (writing ? (unsigned)EPOLLOUT : 0), .data.ptr = c };

	if (writing != c->writing && epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e) < 0)
		die("epoll");
	c->writing = writing;
}

static int
flush(struct load *l, struct connection *c)
{
	while (c->out_at < c->out_len) {
		ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait_for(l, c, true);
			return 0;
		}
		if (n <= 0)
			return -1;
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_len = 0;
	wait_for(l, c, false);
	return 0;
}

static int
dial(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	bool is_unix = !strncmp(address, "unix:", 5);
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0), one = 1, rc;

	snprintf(un.sun_path, sizeof un.sun_path, "%s", address + 5);
	in.sin_port = htons((uint16_t)atoi(address + 5));
	if (!is_unix)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	rc = is_unix ? connect(fd, (struct sockaddr *)&un, sizeof un) : connect(fd, (struct sockaddr *)&in, sizeof in);
	if (rc < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die(address);
	return fd;
}

static void
open_one(struct load *l, struct connection *c)
{
	uint32_t offer[3] = { htonl(6), htonl(ACTIONS), htonl(STEPS_ALL) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	c->fd = dial(l->address);
	c->step = NEGOTIATE;
	c->left = l->each;
	c->in_len = c->out_len = c->out_at = 0;
	c->writing = false;
	memset(c->macros, 0, sizeof c->macros);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		die("epoll");
	l->open++;
	packet(c, 'O', offer, sizeof offer);
	if (flush(l, c) < 0)
		die("write");
}

/* While there are messages another client takes its place. */
static void
close_one(struct load *l, struct connection *c)
{
	close(c->fd);
	l->open--;
	if (l->begun < l->messages)
		open_one(l, c);
}

static void
begin(struct load *l, struct connection *c)
{
	c->left--;
	c->number = l->begun++;
	c->begun = now();
	c->step = MAIL;
	c->at = c->edits = c->others = 0;
	c->offset = 0;
	memset(c->refused, 0, sizeof c->refused);
	memset(c->deleted, 0, sizeof c->deleted);
	memset(c->added, 0, sizeof c->added);
}

static bool
all_refused(const struct load *l, const struct connection *c)
{
	for (unsigned i = 0; i < l->recipients; i++)
		if (!c->refused[i])
			return false;
	return true;
}

/* The message has its verdict.  1: the connection is at its end. */
static int
settle(struct load *l, struct connection *c)
{
	l->latency[l->done++] = now() - c->begun;
	fate_check(l, c);
	if (c->left && l->begun < l->messages) {
		begin(l, c);
		return 0;
	}
	packet(c, 'Q', NULL, 0);
	if (flush(l, c) < 0)
		wrong(l, c, "the milter went away");
	return 1;
}

/* One step on.  1: the connection is at its end. */
static int
advance(struct load *l, struct connection *c)
{
	if (say_again(l, c))
		return 0;
	if (c->step == RCPT && all_refused(l, c)) {
		packet(c, 'A', NULL, 0);
		return settle(l, c);
	}
	c->step++;
	c->at = 0;
	if (c->step == BODY && !l->body_len)
		c->step++;
	if (c->step == MAIL && l->idle) {
		l->idling++;
		return flush(l, c) < 0 ? 1 : 0;
	}
	if (c->step == MAIL && l->begun == l->messages) {
		packet(c, 'Q', NULL, 0);
		flush(l, c);
		return 1;
	}
	if (c->step == MAIL)
		begin(l, c);
	return 0;
}

/* Says all that waits for no answer, and what does.  1: the connection is at its end. */
static int
go_on(struct load *l, struct connection *c)
{
	bool waits = false;

	while (!waits && !(l->idle && c->step == MAIL)) {
		if (say_is_wanted(c)) {
			say(l, c);
			waits = say_is_answered(c);
		}
		if (!waits && advance(l, c))
			return 1;
	}
	if (flush(l, c) < 0) {
		wrong(l, c, "the milter went away");
		return 1;
	}
	return 0;
}

/* --- what a milter says */

static int
take_negotiation(struct load *l, struct connection *c, char letter, const char *data, size_t len)
{
	uint32_t number[3], stage;

	if (letter != 'O' || len < sizeof number) {
		wrong(l, c, "negotiation answered with %c", letter);
		return 1;
	}
	memcpy(number, data, sizeof number);
	c->steps = ntohl(number[2]);
	for (size_t at = sizeof number; at + sizeof stage < len; at += strlen(data + at) + 1) {
		memcpy(&stage, data + at, sizeof stage);
		at += sizeof stage;
		if (ntohl(stage) < STAGES)
			snprintf(c->macros[ntohl(stage)], sizeof c->macros[0], " %s ", data + at);
	}
	c->step = CONNECT;
	return go_on(l, c);
}

static int
take_verdict(struct load *l, struct connection *c, char letter, const char *data)
{
	bool refusal = letter == 'r' || (letter == 'y' && data[0] == '5');

	if (letter == 's' && c->step == BODY && c->steps & SKIP)
		c->offset = l->body_len;
	else if (c->step == RCPT && refusal)
		c->refused[c->at] = true;
	else if (letter == 'a' && c->step > RCPT && c->step < END)
		c->step = END;          /* no more of this message */
	else if (letter != 'c' && letter != 'a')
		wrong(l, c, "step %d answered with %c %.40s", (int)c->step, letter, letter == 'y' ? data : "");
	if (c->step != END)
		return advance(l, c) || go_on(l, c);
	return settle(l, c) || go_on(l, c);
}

static int
take_packet(struct load *l, struct connection *c, char letter, char *data, size_t len)
{
	if (c->step == NEGOTIATE)
		return take_negotiation(l, c, letter, data, len);
	if (!strchr("+2-hipmeb", letter))
		return take_verdict(l, c, letter, data);
	fate_take(l, c, letter, data);
	return 0;
}

static int
take(struct load *l, struct connection *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, sizeof c->in - c->in_len);
	size_t at = 0;
	uint32_t len;
	int rc = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		wrong(l, c, "the milter closed the connection");
		return 1;
	}
	c->in_len += (size_t)n;
	while (!rc && c->in_len - at >= 5) {
		char letter = c->in[at + 4], kept;

		memcpy(&len, c->in + at, sizeof len);
		len = ntohl(len);
		if (!len || len > sizeof c->in - 5)
			wrong(l, c, "a packet of %u bytes", len);
		if (!len || len > sizeof c->in - 5 || c->in_len - at < len + 4)
			break;
		/* texts end where the packet does */
		kept = c->in[at + 4 + len];
		c->in[at + 4 + len] = '\0';
		rc = take_packet(l, c, letter, c->in + at + 5, len - 1);
		c->in[at + 4 + len] = kept;
		at += 4 + len;
	}
	if (!rc) {
		memmove(c->in, c->in + at, c->in_len - at);
		c->in_len -= at;
	}
	return rc;
}

/* --- the whole */

static void
serve(struct load *l)
{
	struct epoll_event event[EVENTS];

	while (l->open && l->idling < l->connections) {
		int n = epoll_wait(l->epoll, event, EVENTS, 60000);

		if (n == 0) {
			fprintf(stderr, "load: nothing happens: %ld of %ld messages are done\n", l->done, l->messages);
			l->wrong++;
			return;
		}
		for (int i = 0; i < n; i++) {
			struct connection *c = event[i].data.ptr;
			int rc = 0;

			if (event[i].events & EPOLLOUT)
				rc = flush(l, c) < 0;
			if (!rc && event[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				rc = take(l, c);
			if (rc)
				close_one(l, c);
		}
	}
}

static int
order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
report(struct load *l, double seconds)
{
	long n = l->done;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	if (!n)
		l->latency[n++] = 0;
	qsort(l->latency, (size_t)n, sizeof *l->latency, order);
	printf("{\"messages\": %ld, \"wrong\": %ld, \"seconds\": %.6f, \"rate\": %.1f, \"p50\": %.4f, \"p99\": %.4f, \"most\": %.4f, "
	       "\"body_packets\": %llu, \"body_bytes\": %llu, \"cpu\": %.4f}\n", l->done, l->wrong, seconds,
	       (double)l->done / seconds, l->latency[n / 2] * 1e3, l->latency[n * 99 / 100] * 1e3, l->latency[n - 1] * 1e3,
	       l->body_packets, l->body_bytes, (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static void
options(struct load *l, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:n:k:r:u:b:f:i")) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		switch (c) {
		case 'c': l->connections = (unsigned)value; break;
		case 'n': l->messages = (long)value; break;
		case 'k': l->each = (long)value; break;
		case 'r': l->recipients = (unsigned)value; break;
		case 'u': l->users = (unsigned)value; break;
		case 'b': l->body_len = value; break;
		case 'f': l->fates = optarg; break;
		case 'i': l->idle = true; break;
		default: exit(64);
		}
	}
	if (optind + 1 != argc || (strncmp(argv[optind], "unix:", 5) && strncmp(argv[optind], "inet:", 5)) || !l->connections ||
	    !l->each || !l->recipients || l->recipients > RECIPIENTS_MAX || l->recipients > l->users || (l->fates && !*l->fates)) {
		fputs("load: the comment in load.c tells how it is used\n", stderr);
		exit(64);
	}
	l->address = argv[optind];
}

/* Lines of 78 characters. */
static char *
make_body(size_t len)
{
	char *body = malloc(len + 1);

	if (!body)
		die("memory");
	for (size_t i = 0; i < len; i++)
		body[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : (i / 80 + i) % 7 == 0 ? ' ' : (char)('a' + i % 26);
	return body;
}

int
main(int argc, char **argv)
{
	struct load l = { .connections = 1, .messages = 1000, .each = 100, .recipients = 1, .users = 1, .body_len = 2000 };
	struct rlimit limit;
	struct connection *c;
	double begun;

	options(&l, argc, argv);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	l.body = make_body(l.body_len);
	l.epoll = epoll_create1(0);
	c = calloc(l.connections, sizeof *c);
	l.latency = calloc((size_t)l.messages + 1, sizeof *l.latency);
	if (l.epoll < 0 || !c || !l.latency || getrandom(&l.run, sizeof l.run, 0) != sizeof l.run)
		die("load");
	begun = now();
	for (unsigned i = 0; i < l.connections; i++)
		open_one(&l, &c[i]);
	serve(&l);
	if (l.idle) {
		puts(l.wrong ? "wrong" : "open");
		fflush(stdout);
		while (getchar() != EOF)
			;
		return l.wrong ? 1 : 0;
	}
	report(&l, now() - begun);
	return l.wrong || l.done != l.messages ? 1 : 0;
}
