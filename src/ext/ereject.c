/* ereject.c - the refusal while the sender waits (RFC 5429 2.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/refusal.h"

/* --- ereject <reason: string> */

static const struct param ereject_params[] = {
	{ "reason", STRING },
};

static const struct command commands[] = {
	{ .name = "ereject", .kind = COMMAND_ACTION, .summary = "refuses the message as early as can be", .flags = COMMAND_EARLY,
	  PARAMS(ereject_params), .effects = 1u << TAMIS_REJECT, .act = refusal_act, .check = refusal_check },
};

const struct extension ext_ereject = {
	.name = "ereject", .document = "RFC 5429 2.1", .summary = "refuses messages while the sending server waits", COMMANDS(commands),
};
