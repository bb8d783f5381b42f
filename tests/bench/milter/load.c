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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

unsigned
user_of(const struct load *l, const struct connection *c, unsigned i)
{
	return (unsigned)((c->client.number * l->recipients + i) % l->crowd.users);
}

/* --- steps */

static void
begin(struct connection *c)
{
	crowd_begin(&c->client);
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
	crowd_settle(&c->client);
	fate_check(l, c);
	if (crowd_has_more(&c->client)) {
		begin(c);
		return 0;
	}
	packet(c, 'Q', NULL, 0);
	if (crowd_flush(&c->client) < 0)
		crowd_wrong(&c->client, "the milter went away");
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
	if (c->step == BODY && !l->crowd.body_len)
		c->step++;
	if (c->step == MAIL && l->idle) {
		l->crowd.enough = ++l->idling == l->crowd.connections;
		return crowd_flush(&c->client) < 0 ? 1 : 0;
	}
	if (c->step == MAIL && !crowd_has_more(&c->client)) {
		packet(c, 'Q', NULL, 0);
		crowd_flush(&c->client);
		return 1;
	}
	if (c->step == MAIL)
		begin(c);
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
	if (crowd_flush(&c->client) < 0) {
		crowd_wrong(&c->client, "the milter went away");
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
		crowd_wrong(&c->client, "negotiation answered with %c", letter);
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
		c->offset = l->crowd.body_len;
	else if (c->step == RCPT && refusal)
		c->refused[c->at] = true;
	else if (letter == 'a' && c->step > RCPT && c->step < END)
		c->step = END;          /* no more of this message */
	else if (letter != 'c' && letter != 'a')
		crowd_wrong(&c->client, "step %d answered with %c %.40s", (int)c->step, letter, letter == 'y' ? data : "");
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

static long
take(struct client *client)
{
	struct connection *c = (struct connection *)client;
	struct load *l = (struct load *)client->crowd;
	size_t at = 0;
	uint32_t len;

	while (client->in_len - at >= 5) {
		char letter = client->in[at + 4], kept;
		int rc;

		memcpy(&len, client->in + at, sizeof len);
		len = ntohl(len);
		if (!len || len > INPUT_MAX - 4) {
			crowd_wrong(client, "a packet of %u bytes", len);
			return -1;
		}
		if (client->in_len - at < len + 4)
			break;
		/* texts end where the packet does */
		kept = client->in[at + 4 + len];
		client->in[at + 4 + len] = '\0';
		rc = take_packet(l, c, letter, client->in + at + 5, len - 1);
		client->in[at + 4 + len] = kept;
		if (rc)
			return -1;
		at += 4 + len;
	}
	return (long)at;
}

static int
opened(struct client *client)
{
	struct connection *c = (struct connection *)client;
	uint32_t offer[3] = { htonl(6), htonl(ACTIONS), htonl(STEPS_ALL) };

	c->step = NEGOTIATE;
	memset(c->macros, 0, sizeof c->macros);
	packet(c, 'O', offer, sizeof offer);
	return crowd_flush(client);
}

static const struct protocol milter = { sizeof(struct connection), opened, take };

/* --- the whole */

static void
options(struct load *l, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, CROWD_OPTIONS "r:f:i")) != -1) {
		switch (c) {
		case 'r': l->recipients = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'f': l->fates = optarg; break;
		case 'i': l->idle = true; break;
		default: crowd_option(&l->crowd, c, optarg);
		}
	}
	if (optind + 1 != argc || !crowd_is_possible(&l->crowd, argv[optind]) || !l->recipients ||
	    l->recipients > RECIPIENTS_MAX || l->recipients > l->crowd.users || (l->fates && !*l->fates)) {
		fputs("load: the comment in load.c tells how it is used\n", stderr);
		exit(64);
	}
}

int
main(int argc, char **argv)
{
	struct load l = { .recipients = 1, .crowd = { .name = "load", .protocol = &milter, .connections = 1, .messages = 1000,
	                  .each = 100, .users = 1, .body_len = 2000 } };
	struct crowd *w = &l.crowd;

	options(&l, argc, argv);
	crowd_run(w);
	if (l.idle) {
		puts(w->wrong ? "wrong" : "open");
		fflush(stdout);
		while (getchar() != EOF)
			;
		return w->wrong ? 1 : 0;
	}
	crowd_report(w);
	printf(", \"body_packets\": %llu, \"body_bytes\": %llu}\n", l.body_packets, l.body_bytes);
	return w->wrong || w->done != w->messages ? 1 : 0;
}
