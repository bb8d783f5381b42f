/* smtp_sink.h - a server that takes mail of any number of clients, in a thread
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It answers 250 to everything but what it was told to refuse, offers
 * 8BITMIME, DSN and SMTPUTF8, and keeps what came. */
#ifndef TESTS_SMTP_SINK_H
#define TESTS_SMTP_SINK_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

struct sink {
	int fd;
	unsigned port;
	/* "a@example.org=550 c@example.org=451": answers to RCPT; an answer of three digits alone is to the message */
	const char *answers;
	/* "<sender> <recipient>" of each message that was taken, and what came behind MAIL and RCPT and as message */
	struct buf taken, envelope, message;
	/* told of each before it gets its 250 */
	void (*take)(void *ctx, struct sink *);
	void *ctx;
	unsigned count;
	pthread_t thread;
};

static inline bool
sink_line(int fd, struct buf *line)
{
	char c;

	buf_reset(line);
	while (read(fd, &c, 1) == 1) {
		buf_putc(line, c);
		if (c == '\n')
			return true;
	}
	return false;
}

static inline void
sink_say(int fd, const char *text)
{
	ck_assert_int_ge(send(fd, text, strlen(text), MSG_NOSIGNAL), -1);
}

/* Between "<" and ">" */
static inline void
sink_path(const struct buf *line, struct buf *ret)
{
	const char *from = memchr(line->s, '<', line->len), *to = memrchr(line->s, '>', line->len);

	ck_assert(from && to && from < to);
	buf_reset(ret);
	buf_add(ret, (struct str){ from + 1, (size_t)(to - from - 1) });
}

static inline const char *
sink_answer(const struct sink *s, const struct buf *to)
{
	static _Thread_local char reply[32];
	char key[300];
	const char *at;

	snprintf(key, sizeof key, "%.*s=", (int)to->len, to->s);
	at = s->answers && to->len ? strstr(s->answers, key) : NULL;
	snprintf(reply, sizeof reply, "%.3s answer\r\n", at ? at + strlen(key) : "250");
	return reply;
}

static inline void
sink_message(struct sink *s, int fd, const struct buf *from, const struct buf *to)
{
	struct buf line = { 0 };

	buf_reset(&s->message);
	sink_say(fd, "354 go\r\n");
	while (sink_line(fd, &line) && !str_is(buf_str(&line), ".\r\n"))
		buf_add(&s->message, line.s[0] == '.' ? str_sub(buf_str(&line), 1, line.len) : buf_str(&line));
	buf_done(&line);
	if (s->answers && strlen(s->answers) == 3) {
		sink_say(fd, s->answers);
		sink_say(fd, " answer\r\n");
		return;
	}
	s->count++;
	buf_reset(&s->taken);
	buf_printf(&s->taken, "%.*s>%.*s", (int)from->len, from->len ? from->s : "", (int)to->len, to->s);
	if (s->take)
		s->take(s->ctx, s);
	sink_say(fd, "250 taken\r\n");
}

static inline void
sink_client(struct sink *s, int fd)
{
	struct buf line = { 0 }, from = { 0 }, to = { 0 };

	sink_say(fd, "220 hi\r\n");
	while (sink_line(fd, &line)) {
		struct str v = buf_str(&line);

		if (str_istarts(v, STR("EHLO"))) {
			sink_say(fd, "250-hi\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n");
		} else if (str_istarts(v, STR("MAIL"))) {
			sink_path(&line, &from);
			buf_reset(&s->envelope);
			buf_add(&s->envelope, v);
			sink_say(fd, "250 ok\r\n");
		} else if (str_istarts(v, STR("RCPT"))) {
			sink_path(&line, &to);
			buf_add(&s->envelope, v);
			sink_say(fd, sink_answer(s, &to));
		} else if (str_istarts(v, STR("DATA"))) {
			sink_message(s, fd, &from, &to);
		} else {
			sink_say(fd, "250 ok\r\n");
		}
	}
	buf_done(&line);
	buf_done(&from);
	buf_done(&to);
}

static inline void *
sink_serve(void *ctx)
{
	struct sink *s = ctx;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		sink_client(s, fd);
		close(fd);
	}
	return NULL;
}

static inline void
sink_start(struct sink *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof a;

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&a, &length), 0);
	ck_assert_int_eq(listen(s->fd, 16), 0);
	s->port = ntohs(a.sin_port);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, sink_serve, s), 0);
}

static inline void
sink_stop(struct sink *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	buf_done(&s->taken);
	buf_done(&s->envelope);
	buf_done(&s->message);
}

#endif
