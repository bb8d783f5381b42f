/* cmd_dump.c - tamis dump: compiled rules, readable
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tamis/session.h"

struct dump_settings {
	bool resident;
};

static const struct cmd_option dump_rows[] = {
	{ 'R', OPTION_FLAG, "resident", NULL, "compile as for many messages, with the index over tests", offsetof(struct dump_settings, resident), 0 },
	{ 0 }
};
static const struct option_group dump_options = { "dump", dump_rows, true };

static void
cmd_dump_line(void *ctx, const char *line)
{
	(void)ctx;
	puts(line);
}

static int
cmd_dump_run(const struct settings *set, void *own, struct texts operands)
{
	const struct dump_settings *dump = own;
	struct programs programs = { 0 };
	struct session s;
	int rc = session_init(&s, &cmd_dump, set);

	if (dump->resident)
		s.flags |= TAMIS_RESIDENT;
	if (!rc)
		rc = session_compile(&s, operands.v, operands.n, &programs);
	if (!rc)
		tamis_program_dump(programs.v[0], cmd_dump_line, NULL);
	programs_done(&programs);
	session_done(&s);
	return rc;
}

const struct cmd cmd_dump = {
	.name = "dump",
	.usage = "[OPTION...] RULES",
	.summary = "show compiled rules: instructions with their source lines, and call records",
	.groups = { &dump_options, &options_rules, &options_text, &options_general },
	.own_size = sizeof(struct dump_settings),
	.min = 1,
	.max = 1,
	.run = cmd_dump_run,
};
