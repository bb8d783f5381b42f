/* quarantine.c - the action that sets a message aside until somebody has looked at it
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "lang/compile.h"
#include "vm/run.h"

/* --- quarantine [<reason: string>] */

static const struct param quarantine_params[] = {
	{ "reason", STRING, .flags = PARAM_OPTIONAL },
};

/* What a host can hold back for all recipients, it may not be able to hold back for one. */
static void
quarantine_doubt(struct compiler *c, const struct ast_node *node)
{
	struct tamis_text why;

	if (c->host && c->host->load &&
	    c->host->load(c->host->ctx, text_of(STR("unfit-quarantine")), text_of(STR_EMPTY), &why) > 0)
		compile_warning(c, node->at, NULL, "'quarantine' may keep the message here: %.*s", (int)why.len, why.s);
}

static bool
quarantine_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *reason = &k->arg[0];

	quarantine_doubt(c, node);
	if (reason->type == NONE || reason->dynamic || utf8_check(reason->str[0]) < 0)
		return true;
	compile_error(c, compile_at(c, reason), NULL, "reason of '%s' is not UTF-8", k->command->name);
	return false;
}

/* What came from the message is no reason to deliver it: bad bytes become U+FFFD. */
static int
quarantine_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct effect *e = run_effect(r, k, TAMIS_QUARANTINE);

	if (arg[0].type != NONE)
		effect_option(r, e, "reason", utf8_repair(&r->arena, arg[0].str[0]));
	return run_commit(r, k, e);
}

static const struct command commands[] = {
	{ .name = "quarantine", .kind = COMMAND_ACTION, .summary = "sets the message aside until somebody has looked at it",
	  PARAMS(quarantine_params), .effects = 1u << TAMIS_QUARANTINE, .check = quarantine_check, .act = quarantine_act },
};

const struct extension ext_quarantine = {
	.name = "vnd.tamis.quarantine", .document = "doc/ext/quarantine.md", .summary = "messages that somebody is to look at first",
	COMMANDS(commands),
};
