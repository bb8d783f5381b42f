/* cmd_test.c - tamis test: do rules what they are expected to do?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tamis/cmd.h"

static int
cmd_test_run(const struct settings *set, void *own, struct texts operands)
{
	(void)set;
	(void)own;
	return cmd_usage(&cmd_test, "cannot run %zu files yet", operands.n);
}

const struct cmd cmd_test = {
	.name = "test",
	.usage = "[OPTION...] FILE|DIR...",
	.summary = "run test cases: rules, messages, and what is expected of them",
	.groups = { &options_rules, &options_output, &options_general },
	.min = 1,
	.run = cmd_test_run,
};
