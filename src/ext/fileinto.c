/* fileinto.c - the action that files into a mailbox (RFC 5228 4.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/mailbox.h"
#include "vm/run.h"

/* --- fileinto <mailbox: string> */

static const struct param fileinto_params[] = {
	{ "mailbox", STRING, .check = mailbox_check },
};

static int
fileinto_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct effect *e = run_effect(r, k, TAMIS_FILE);

	effect_option(r, e, "mailbox", arg[0].str[0]);
	return run_commit(r, k, e);
}

static const struct command commands[] = {
	{ .name = "fileinto", .kind = COMMAND_ACTION, .summary = "files the message into a mailbox", PARAMS(fileinto_params),
	  .effects = 1u << TAMIS_FILE, .act = fileinto_act },
};

const struct extension ext_fileinto = {
	.name = "fileinto", .document = "RFC 5228 4.1", .summary = "files messages into mailboxes", COMMANDS(commands),
};
