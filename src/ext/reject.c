/* reject.c - the refusal that keeps its exact words, later if need be (RFC 5429 2.2)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/refusal.h"

/* --- reject <reason: string> */

static const struct param reject_params[] = {
	{ "reason", STRING },
};

static const struct command commands[] = {
	{ .name = "reject", .kind = COMMAND_ACTION, .summary = "refuses the message; its reason reaches the sender word for word",
	  PARAMS(reject_params), .effects = 1u << TAMIS_REJECT, .act = refusal_act, .check = refusal_check },
};

const struct extension ext_reject = {
	.name = "reject", .document = "RFC 5429 2.2", .summary = "refuses messages in the exact words of the user", COMMANDS(commands),
};
