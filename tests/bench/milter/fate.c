/* fate.c - what became of each recipient's message, and what should have
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void
check_rcpt(const struct load *l, const struct connection *c, unsigned i)
{
	unsigned user = user_of(l, c, i);
	char fate = l->fates[user % strlen(l->fates)];
	bool added = fate == 't' || fate == 'c';

	if (c->refused[i] != (fate == 'r'))
		crowd_wrong(&c->client, "%uuser (%c) was %s", user, fate, c->refused[i] ? "refused" : "not refused");
	else if (c->deleted[i] != (added || fate == 'd'))
		crowd_wrong(&c->client, "%uuser (%c) was %s", user, fate, c->deleted[i] ? "taken away" : "not taken away");
	else if (c->added[i] != added)
		crowd_wrong(&c->client, "%uuser (%c) was %s", user, fate, c->added[i] ? "redirected" : "not redirected");
	else if (fate == 'e' && c->edits != 1)
		crowd_wrong(&c->client, "%uuser's message was edited %u times", user, c->edits);
}

void
fate_check(const struct load *l, const struct connection *c)
{
	if (!l->fates)
		return;
	for (unsigned i = 0; i < l->recipients; i++)
		check_rcpt(l, c, i);
	if (c->others || (c->edits && !strchr(l->fates, 'e')))
		crowd_wrong(&c->client, "%u changes that no rules ask for", c->others + c->edits);
}

/* Which recipient of the message an address names: BEFORE, number, BEHIND. */
static bool *
named(const struct load *l, struct connection *c, bool *flags, const char *data, const char *before, const char *behind)
{
	size_t n = strlen(before);
	unsigned long user;
	char *end;

	if (strncmp(data, before, n) != 0)
		return NULL;
	user = strtoul(data + n, &end, 10);
	if (strcmp(end, behind) != 0)
		return NULL;
	for (unsigned i = 0; i < l->recipients; i++)
		if (user_of(l, c, i) == user)
			return &flags[i];
	return NULL;
}

void
fate_take(const struct load *l, struct connection *c, char letter, const char *data)
{
	bool *flag = NULL;

	if (letter == 'p')
		return;
	if (letter == 'h' || letter == 'i') {
		c->edits++;
		return;
	}
	if (letter == '-')
		flag = named(l, c, c->deleted, data, "<", "user@example.test>");
	else if (letter == '+' || letter == '2')
		flag = named(l, c, c->added, data, "<elsewhere", "@outside.example>");
	if (!flag || *flag)
		c->others++;
	else
		*flag = true;
}
