/* fileinto.c - the action that files into a mailbox (RFC 5228 4.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"
#include "vm/mailbox.h"
#include "vm/run.h"

/* --- fileinto <mailbox: string> */

static const struct param fileinto_params[] = {
	{ "mailbox", STRING, .check = mailbox_check },
};

/* A host that has no mail store of its own may not be able to name every mailbox. */
static bool
fileinto_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *name = &k->arg[0];
	struct tamis_text why;

	(void)node;
	if (!name->dynamic && c->host && c->host->load && !mailbox_is_inbox(name->str[0]) &&
	    c->host->load(c->host->ctx, text_of(STR("unfit-mailbox")), text_of(name->str[0]), &why) > 0)
		compile_warning(c, compile_at(c, name), NULL, "'fileinto' cannot file into this mailbox here, and keeps: %.*s",
		                (int)why.len, why.s);
	return true;
}

static int
fileinto_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct effect *e = run_effect(r, k, TAMIS_FILE);

	effect_option(r, e, "mailbox", arg[0].str[0]);
	return run_commit(r, k, e);
}

static const struct command commands[] = {
	{ .name = "fileinto", .kind = COMMAND_ACTION, .summary = "files the message into a mailbox", PARAMS(fileinto_params),
	  .effects = 1u << TAMIS_FILE, .check = fileinto_check, .act = fileinto_act },
};

const struct extension ext_fileinto = {
	.name = "fileinto", .document = "RFC 5228 4.1", .summary = "files messages into mailboxes", COMMANDS(commands),
};
