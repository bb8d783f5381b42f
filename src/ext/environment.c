/* environment.c - where and for whom rules are run (RFC 5183)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Items are facts that the host gave with the message or the recipient. What
 * is no fact is asked for, so that a host may look it up only when a rule
 * wants it, or say that it is not known yet. */
#include "lang/compile.h"
#include "vm/match.h"

/* RFC 5183 4.1: hosts give them as facts, if at all. */
static const char *const standard_items[] = {
	"domain", "host", "location", "name", "phase", "remote-host", "remote-ip", "version",
};

/* Facts too, but parts of the envelope, not items. */
static const char *const no_items[] = { "from", "to", "auth", "orig_to" };

static bool
is_one_of(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(name, list[i]))
			return true;
	return false;
}

/* --- environment <name: string> <key-list: string-list> */

enum { NAME, KEYS };
static const struct param environment_params[] = {
	[NAME] = { "name", STRING },
	[KEYS] = { "key-list", STRINGS, ROLE_KEYS },
};

static int
item_ask(struct run *r, struct str name, struct str *ret)
{
	/* nobody to ask: then what is no fact does not exist */
	if ((!r->host || !r->host->ask) && !recipient_find(r->recipient, STR("environment"), name))
		return NO;
	return run_ask(r, STR("environment"), name, ret);
}

/* RFC 5183 4: without the item the test fails, whatever it compares, which is
 * what NO says; an empty one is there, but ":count" counts none. */
static int
environment_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	struct str name = arg[NAME].dynamic ? arena_lower(&r->arena, arg[NAME].str[0]) : arg[NAME].str[0], value;
	struct cell *fact = run_fact(r, name);
	bool counts = m->matcher->type->counts;
	int rc = YES;

	(void)k;
	if (is_one_of(name, no_items, COUNT(no_items)))
		return NO;
	if (fact) {
		if (fact->v.len || !counts)
			match_cell(m, fact);
		return YES;
	}
	rc = item_ask(r, name, &value);
	if (rc == YES && (value.len || !counts))
		match_text(m, value);
	return rc;
}

/* Names are in letters of either case; facts and questions have small ones. */
static bool
environment_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	struct str *name = (struct str *)k->arg[NAME].str;

	(void)node;
	if (!k->arg[NAME].dynamic)
		*name = arena_lower(&c->program->arena, *name);
	return true;
}

static void
environment_questions(const struct call *k, struct recipient *r, void (*want)(void *ctx, struct str what, struct str key),
                      void *ctx)
{
	const struct value *name = &k->arg[NAME];

	(void)r;
	if (!name->dynamic && !is_one_of(name->str[0], standard_items, COUNT(standard_items)) &&
	    !is_one_of(name->str[0], no_items, COUNT(no_items)))
		want(ctx, STR("environment"), name->str[0]);
}

static const struct command commands[] = {
	{ .name = "environment", .kind = COMMAND_TEST, .summary = "compares an item of information about where rules are run",
	  .flags = COMMAND_MATCHES, PARAMS(environment_params), .values = environment_values, .check = environment_check,
	  .questions = environment_questions },
};

const struct extension ext_environment = {
	.name = "environment", .document = "RFC 5183", .summary = "looks at the host, the client and the engine itself",
	COMMANDS(commands),
};
