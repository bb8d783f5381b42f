/* smtp_server.h - a server that plays a script, in a thread
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SMTP_SERVER_H
#define TESTS_SMTP_SERVER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <threads.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/moment.h"

/* One line of a script: its first letter says what.
 *   S text      say it          R text      say it without a line end
 *   C text      the client says exactly that
 *   D           take the message, up to and with the dot
 *   d text      take that many bytes of the message or more
 *   F           talk for ever   L           a line of 5000 bytes
 *   W           say nothing until the client has gone
 *   H           neither read nor write until hold_until
 *   X           go                                                   */
struct server {
	int fd;
	char directory[40], path[60], where[80];
	const char *script;
	_Atomic int64_t hold_until;     /* of moment_clock(); set before the client comes */
	struct buf heard, message;
	char wrong[300];
	pthread_t thread;
};

/* Up to and with `end`; what follows stays unread. */
static bool
take_until(int fd, struct buf *out, struct str end)
{
	char c;

	buf_reset(out);
	while (read(fd, &c, 1) == 1) {
		buf_putc(out, c);
		if (out->len >= end.len && !memcmp(out->s + out->len - end.len, end.s, end.len))
			return true;
	}
	return false;
}

static void
take_message(struct server *s, int fd)
{
	struct buf line = { 0 };

	while (take_until(fd, &line, STR("\n"))) {
		buf_add(&s->message, buf_str(&line));
		if (str_is(buf_str(&line), ".\r\n") && (s->message.len == 3 || s->message.s[s->message.len - 4] == '\n'))
			break;
	}
	buf_done(&line);
}

static void
take_some(int fd, int n)
{
	char bytes[1000];
	ssize_t got = 1;

	for (; n > 0 && got > 0; n -= (int)got)
		got = read(fd, bytes, n < (int)sizeof bytes ? (size_t)n : sizeof bytes);
}

static bool
tell(int fd, struct str v)
{
	return send(fd, v.s, v.len, MSG_NOSIGNAL) == (ssize_t)v.len;
}

static bool
play(struct server *s, int fd, struct str line)
{
	struct str text = line.len > 2 ? str_sub(line, 2, line.len) : STR_EMPTY;
	char reply[200], x = 'x';

	switch (line.s[0]) {
	case 'S':
		snprintf(reply, sizeof reply, "%.*s\r\n", STR_ARG(text));
		tell(fd, str_from(reply));
		return true;
	case 'R':
		return tell(fd, text);
	case 'C':
		take_until(fd, &s->heard, STR("\r\n"));
		s->heard.len -= s->heard.len < 2 ? 0 : 2;
		if (!str_eq(buf_str(&s->heard), text))
			snprintf(s->wrong, sizeof s->wrong, "\"%.*s\", not \"%.*s\"", STR_ARG(buf_str(&s->heard)), STR_ARG(text));
		return !*s->wrong;
	case 'D':
		take_message(s, fd);
		return true;
	case 'd':
		take_some(fd, atoi(text.s));
		return true;
	case 'H':
		while (moment_clock() < s->hold_until)
			thrd_sleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		return true;
	case 'F':
		while (tell(fd, STR("250-and another thing\r\n")))
			;
		return true;
	case 'L':
		for (int i = 0; i < 5000; i++)
			tell(fd, STR("2"));
		return tell(fd, STR("\r\n"));
	case 'W':
		while (read(fd, &x, 1) == 1)
			;
		return true;
	default:
		buf_reset(&s->heard);
		return false;
	}
}

static void *
serve(void *ctx)
{
	struct server *s = ctx;
	int fd = accept(s->fd, NULL, NULL);
	struct str rest = str_from(s->script);
	bool on = fd >= 0;

	while (on && rest.len) {
		const char *end = memchr(rest.s, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.s) : rest.len;

		on = play(s, fd, str_sub(rest, 0, n));
		rest = str_sub(rest, n + (end != NULL), rest.len);
	}
	if (on) {               /* how the client takes leave */
		char c;

		buf_reset(&s->heard);
		while (read(fd, &c, 1) == 1)
			buf_putc(&s->heard, c);
	}
	close(fd);
	return NULL;
}

static void
server_start(struct server *s, const char *script, const char *protocol, bool tcp)
{
	*s = (struct server){ .script = script };
	if (tcp) {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t length = sizeof a;

		s->fd = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
		ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&a, &length), 0);
		snprintf(s->where, sizeof s->where, "%s:127.0.0.1:%u", protocol, ntohs(a.sin_port));
	} else {
		struct sockaddr_un a = { .sun_family = AF_UNIX };

		strcpy(s->directory, "/tmp/test_host_submit.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(s->directory));
		snprintf(s->path, sizeof s->path, "%s/s", s->directory);
		strcpy(a.sun_path, s->path);
		s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
		snprintf(s->where, sizeof s->where, "%s:unix:%s", protocol, s->path);
	}
	ck_assert_int_eq(listen(s->fd, 4), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* The script was kept to; what the client said after it is in s->heard. */
static void
server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	if (*s->path) {
		unlink(s->path);
		rmdir(s->directory);
	}
	ck_assert_msg(!*s->wrong, "the client said %s", s->wrong);
}

static void
server_done(struct server *s)
{
	buf_done(&s->heard);
	buf_done(&s->message);
}

#endif
