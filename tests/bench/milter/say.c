/* say.c - what a mail server says to a milter, step by step
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "message.h"

/* --- packets */

void
packet(struct connection *c, char letter, const void *data, size_t len)
{
	uint32_t n = htonl((uint32_t)len + 1);

	crowd_put(&c->client, &n, sizeof n);
	crowd_put(&c->client, &letter, 1);
	if (len)
		crowd_put(&c->client, data, len);
}

/* --- macros */

static void
macro(struct connection *c, unsigned stage, char *data, size_t *len, const char *name, const char *value)
{
	char wanted[32];

	snprintf(wanted, sizeof wanted, " %s ", name);
	if (c->macros[stage][0] && !strstr(c->macros[stage], wanted))
		return;
	*len += (size_t)sprintf(data + *len, "%s%c%s", name, 0, value) + 1;
}

/* The macros that Postfix has a value for. */
static void
macros(const struct load *l, struct connection *c, unsigned stage, char letter)
{
	char data[512], id[32], address[64];
	size_t len = 1;

	snprintf(id, sizeof id, "4X%08lXz", c->client.number);
	snprintf(address, sizeof address, "%uuser@example.test", user_of(l, c, c->at));
	data[0] = letter;
	if (stage == 0) {
		macro(c, stage, data, &len, "j", "mx.example.test");
		macro(c, stage, data, &len, "{daemon_name}", "mx.example.test");
		macro(c, stage, data, &len, "{daemon_addr}", "127.0.0.1");
		macro(c, stage, data, &len, "v", "Postfix 3.7.11");
	}
	/* Postfix has no queue before the first recipient */
	if (stage > 3 || (stage == 3 && c->at))
		macro(c, stage, data, &len, "i", id);
	if (stage == 2) {
		macro(c, stage, data, &len, "{mail_addr}", "sender@client.example");
		macro(c, stage, data, &len, "{mail_host}", "client.example");
		macro(c, stage, data, &len, "{mail_mailer}", "smtp");
	}
	if (stage == 3) {
		macro(c, stage, data, &len, "{rcpt_addr}", address);
		macro(c, stage, data, &len, "{rcpt_host}", "example.test");
		macro(c, stage, data, &len, "{rcpt_mailer}", "virtual");
	}
	if (len > 1)
		packet(c, 'D', data, len);
}

/* --- what a server says at each step */

static void
say_connect(struct load *l, struct connection *c)
{
	static const char data[] = "client.example\0004\x30\x39" "192.0.2.1";

	macros(l, c, 0, 'C');
	packet(c, 'C', data, sizeof data);
}

static void
say_helo(struct load *l, struct connection *c)
{
	macros(l, c, 1, 'H');
	packet(c, 'H', "client.example", sizeof "client.example");
}

static void
say_mail(struct load *l, struct connection *c)
{
	static const char data[] = "<sender@client.example>\0BODY=8BITMIME";

	macros(l, c, 2, 'M');
	packet(c, 'M', data, sizeof data);
}

static void
say_rcpt(struct load *l, struct connection *c)
{
	char data[64];
	int len = sprintf(data, "<%uuser@example.test>", user_of(l, c, c->at));

	macros(l, c, 3, 'R');
	packet(c, 'R', data, (size_t)len + 1);
}

static void
say_data(struct load *l, struct connection *c)
{
	macros(l, c, 4, 'T');
	packet(c, 'T', NULL, 0);
}

static void
say_field(struct load *l, struct connection *c)
{
	char data[MESSAGE_VALUE_MAX + 32];
	int len = sprintf(data, "%s%c%s", message_name(c->at), 0, c->steps & LEADSPC ? " " : "");

	len += message_value(data + len, c->at, user_of(l, c, 0), l->crowd.run, c->client.number);
	packet(c, 'L', data, (size_t)len + 1);
}

static void
say_header_end(struct load *l, struct connection *c)
{
	macros(l, c, 6, 'N');
	packet(c, 'N', NULL, 0);
}

static void
say_body(struct load *l, struct connection *c)
{
	size_t len = l->crowd.body_len - c->offset < CHUNK ? l->crowd.body_len - c->offset : CHUNK;

	packet(c, 'B', l->crowd.body + c->offset, len);
	c->offset += len;
	l->body_packets++;
	l->body_bytes += len;
}

static void
say_end(struct load *l, struct connection *c)
{
	macros(l, c, 5, 'E');
	packet(c, 'E', NULL, 0);
}

static const struct {
	uint32_t not_sent, not_answered;
	void (*say)(struct load *, struct connection *);
} rows[STEPS] = {
	[CONNECT] = { 0x1, 0x1000, say_connect },
	[HELO] = { 0x2, 0x2000, say_helo },
	[MAIL] = { 0x4, 0x4000, say_mail },
	[RCPT] = { 0x8, 0x8000, say_rcpt },
	[DATA] = { 0x200, 0x10000, say_data },
	[FIELD] = { 0x20, 0x80, say_field },
	[HEADER_END] = { 0x40, 0x40000, say_header_end },
	[BODY] = { 0x10, 0x80000, say_body },
	[END] = { 0, 0, say_end },
};

bool
say_is_wanted(const struct connection *c)
{
	return !(c->steps & rows[c->step].not_sent);
}

bool
say_is_answered(const struct connection *c)
{
	return !(c->steps & rows[c->step].not_answered);
}

void
say(struct load *l, struct connection *c)
{
	rows[c->step].say(l, c);
}

bool
say_again(const struct load *l, struct connection *c)
{
	return (c->step == RCPT && ++c->at < l->recipients) || (c->step == FIELD && ++c->at < MESSAGE_FIELDS) ||
	       (c->step == BODY && c->offset < l->crowd.body_len);
}
