/* message.c - a message as it comes to a mail server
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "message.h"

/* With behind: the number of the message, or who gets it, goes between. */
static const struct {
	const char *name, *value, *behind;
	bool to;
} fields[MESSAGE_FIELDS] = {
	{ "Received", "from relay.client.example (relay.client.example [192.0.2.7])\n\tby mx.client.example (Postfix) with ESMTPS "
	  "id 5QBxdw0Qn3z9\n\tfor <sender@client.example>; Sat, 28 Nov 2026 11:59:58 +0000 (UTC)", NULL, false },
	{ "Received", "from desk.client.example (desk.client.example [192.0.2.9])\n\tby relay.client.example with ESMTPSA id",
	  ";\n\tSat, 28 Nov 2026 11:59:57 +0000", false },
	{ "Date", "Sat, 28 Nov 2026 11:59:56 +0000", NULL, false },
	{ "From", "Some Body <sender@client.example>", NULL, false },
	{ "To", "Any Body <", "user@example.test>", true },
	{ "Cc", "others@client.example, \"More, Others\" <more@client.example>", NULL, false },
	{ "Subject", "load", " of the quarterly figures, and what we think of them", false },
	{ "Message-ID", "<", "@client.example>", false },
	{ "MIME-Version", "1.0", NULL, false },
	{ "Content-Type", "text/plain; charset=utf-8; format=flowed", NULL, false },
	{ "X-Mailer", "Client 4.2.1", NULL, false },
	{ "Received-SPF", "pass (client.example: 192.0.2.1 is authorized) receiver=mx.example.test", NULL, false },
};

const char *
message_name(unsigned field)
{
	return fields[field].name;
}

int
message_value(char *value, unsigned field, unsigned user, uint64_t run, long number)
{
	const char *behind = fields[field].behind;

	if (behind && fields[field].to)
		return snprintf(value, MESSAGE_VALUE_MAX, "%s%u%s", fields[field].value, user, behind);
	if (behind)
		return snprintf(value, MESSAGE_VALUE_MAX, "%s %llx.%ld%s", fields[field].value, (unsigned long long)run, number,
		                behind);
	return snprintf(value, MESSAGE_VALUE_MAX, "%s", fields[field].value);
}

/* Lines of 78 characters, none of which begins with a dot. */
char *
message_body(size_t len)
{
	char *body = malloc(len + 1);

	for (size_t i = 0; body && i < len; i++)
		body[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : (i / 80 + i) % 7 == 0 ? ' ' : (char)('a' + i % 26);
	return body;
}
