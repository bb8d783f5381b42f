/* smtp.c - many clients of a mail server at once
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: smtp [-c CONNECTIONS] [-n MESSAGES] [-k MESSAGES] [-u USERS] [-b BYTES] inet:PORT
 *
 *   -c, -n, -k   connections at once, messages in all, messages of one connection
 *   -u           recipients are 0user@example.test, 1user@, ... up to -u, and again from 0; one for each message
 *   -b           bytes of a body
 *
 * It prints JSON: a message's time goes from MAIL FROM to the reply to its last dot; rcpt_p50 and rcpt_p99 are of RCPT
 * TO and its reply.  It exits with 1 if a reply was none of SMTP's, or another than that of a server which takes all
 * that comes.  Nothing is said before the last reply has come: no pipelining. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"
#include "message.h"

enum step { GREETING, EHLO, MAIL, RCPT, DATA, TEXT, QUIT };

struct session {
	struct client client;
	enum step step;
	double asked;                   /* when RCPT TO was said */
};

struct smtp {
	struct crowd crowd;
	struct session **ready;         /* for the first message */
	unsigned readies;
	double *rcpt;                   /* how long each reply to it took */
	long rcpts;
};

static void
put(struct session *s, const char *text)
{
	crowd_put(&s->client, text, strlen(text));
}

static void
say_ehlo(struct session *s)
{
	put(s, "EHLO client.example\r\n");
}

static void
say_mail(struct session *s)
{
	crowd_begin(&s->client);
	put(s, "MAIL FROM:<sender@client.example>\r\n");
}

static unsigned
user_of(const struct session *s)
{
	return (unsigned)(s->client.number % s->client.crowd->users);
}

static void
say_rcpt(struct session *s)
{
	char line[64];

	snprintf(line, sizeof line, "RCPT TO:<%uuser@example.test>\r\n", user_of(s));
	s->asked = crowd_now();
	put(s, line);
}

static void
say_data(struct session *s)
{
	put(s, "DATA\r\n");
}

static void
say_text(struct session *s)
{
	const struct crowd *w = s->client.crowd;
	char value[MESSAGE_VALUE_MAX];

	for (unsigned i = 0; i < MESSAGE_FIELDS; i++) {
		put(s, message_name(i));
		put(s, ": ");
		message_value(value, i, user_of(s), w->run, s->client.number);
		for (char *at = value, *line; (line = strsep(&at, "\n"));) {
			put(s, line);
			put(s, at ? "\r\n" : "");
		}
		put(s, "\r\n");
	}
	put(s, "\r\n");
	crowd_put(&s->client, w->body, w->body_len);
	put(s, w->body_len && w->body[w->body_len - 1] != '\n' ? "\r\n.\r\n" : ".\r\n");
}

static void
say_quit(struct session *s)
{
	put(s, "QUIT\r\n");
}

static const struct {
	const char *name;
	void (*say)(struct session *);
	int reply;
} steps[] = {
	[GREETING] = { "the connection", NULL, 220 },
	[EHLO] = { "EHLO", say_ehlo, 250 },
	[MAIL] = { "MAIL FROM", say_mail, 250 },
	[RCPT] = { "RCPT TO", say_rcpt, 250 },
	[DATA] = { "DATA", say_data, 354 },
	[TEXT] = { "the last dot", say_text, 250 },
	[QUIT] = { "QUIT", say_quit, 221 },
};

/* < 0: the connection is at its end. */
static int
say(struct session *s, enum step step)
{
	s->step = step;
	steps[step].say(s);
	if (crowd_flush(&s->client) == 0)
		return 0;
	crowd_wrong(&s->client, "the server went away at %s", steps[step].name);
	return -1;
}

static int
say_next(struct session *s)
{
	return say(s, crowd_has_more(&s->client) ? MAIL : QUIT);
}

/* The last to be ready lets the others begin; which of them cannot will be seen when it is read from. */
static int
wait_for_all(struct smtp *m, struct session *s)
{
	m->ready[m->readies++] = s;
	if (m->readies < m->crowd.connections)
		return 0;
	for (unsigned i = 0; i + 1 < m->readies; i++)
		say_next(m->ready[i]);
	return say_next(s);
}

/* The reply to a step is there.  < 0: the connection is at its end. */
static int
go_on(struct session *s)
{
	struct smtp *m = (struct smtp *)s->client.crowd;

	if (s->step == QUIT)
		return -1;
	if (s->step == EHLO && m->readies < m->crowd.connections)
		return wait_for_all(m, s);
	if (s->step == RCPT)
		m->rcpt[m->rcpts++] = crowd_now() - s->asked;
	if (s->step == TEXT)
		crowd_settle(&s->client);
	if (s->step == EHLO || s->step == TEXT)
		return say_next(s);
	return say(s, s->step + 1);
}

/* A line of a reply, without its end.  1: it is the last, 0: more follow, < 0: that is no reply, or a wrong one. */
static int
take_line(struct session *s, const char *line, size_t len)
{
	bool sound = len >= 3 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
	             isdigit((unsigned char)line[2]) && (len == 3 || line[3] == ' ' || line[3] == '-');

	if (sound && strtol(line, NULL, 10) == steps[s->step].reply)
		return len == 3 || line[3] == ' ';
	crowd_wrong(&s->client, "%s was answered with %.*s", steps[s->step].name, (int)len, line);
	return -1;
}

static long
take(struct client *client)
{
	struct session *s = (struct session *)client;
	size_t at = 0;
	char *end;

	while ((end = memchr(client->in + at, '\n', client->in_len - at))) {
		size_t len = (size_t)(end - client->in) - at;
		int rc;

		if (!len || end[-1] != '\r') {
			crowd_wrong(client, "a line of a reply to %s has no CR", steps[s->step].name);
			return -1;
		}
		rc = take_line(s, client->in + at, len - 1);
		at += len + 1;
		if (rc == 1 && at < client->in_len) {
			crowd_wrong(client, "there is more behind the reply to %s", steps[s->step].name);
			return -1;
		}
		if (rc < 0 || (rc == 1 && go_on(s) < 0))
			return -1;
	}
	return (long)at;
}

static int
opened(struct client *client)
{
	struct session *s = (struct session *)client;

	s->step = GREETING;
	return 0;
}

static const struct protocol protocol = { sizeof(struct session), opened, take };

static void
options(struct crowd *w, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, CROWD_OPTIONS)) != -1)
		crowd_option(w, c, optarg);
	if (optind + 1 != argc || !crowd_is_possible(w, argv[optind])) {
		fputs("smtp: the comment in smtp.c tells how it is used\n", stderr);
		exit(64);
	}
}

int
main(int argc, char **argv)
{
	struct smtp m = { .crowd = { .name = "smtp", .protocol = &protocol, .connections = 1, .messages = 1000, .each = 100,
	                  .users = 1, .body_len = 2000 } };
	struct crowd *w = &m.crowd;

	options(w, argc, argv);
	m.ready = calloc(w->connections, sizeof *m.ready);
	m.rcpt = calloc((size_t)w->messages + 1, sizeof *m.rcpt);
	if (!m.ready || !m.rcpt)
		crowd_die("memory");
	crowd_run(w);
	crowd_report(w);
	printf(", \"rcpt_p50\": %.4f, \"rcpt_p99\": %.4f}\n", crowd_percentile(m.rcpt, m.rcpts, 50),
	       crowd_percentile(m.rcpt, m.rcpts, 99));
	return w->wrong || w->done != w->messages ? 1 : 0;
}
