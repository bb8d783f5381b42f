/* ihave.c - is an extension there?  If so, use it (RFC 5463)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"
#include "vm/run.h"

/* --- ihave <capabilities: string-list> */

static const struct param ihave_params[] = {
	{ "capabilities", STRINGS, .flags = PARAM_CONSTANT },
};

/* what the capabilities are, all of them there; ends with NULL */
struct capabilities {
	const struct extension *extension[1];
};

/* The extension of that name, or NULL: it is not here, or changes how strings
 * are read: the test fails (RFC 5463 4), though it may be in "require". */
static const struct extension *
capability_find(struct compiler *c, struct str name)
{
	int e = compile_capability(c->host, name);
	const struct extension *x = e < 0 ? NULL : extensions[e];

	if (x && (x->templates || x->rewrite))
		return NULL;
	return x;
}

static bool
ihave_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *v = &k->arg[0];
	struct capabilities *all = arena_zalloc(&c->program->arena, sizeof *all + v->n * sizeof *all->extension);

	(void)node;
	for (uint32_t i = 0; i < v->n; i++) {
		all->extension[i] = capability_find(c, v->str[i]);
		if (!all->extension[i])
			return true;
	}
	compile_more(c, k)->data = all;
	return true;
}

static int
ihave_test(struct run *r, const struct call *k, const struct value *arg)
{
	const struct capabilities *all = call_data(k);

	(void)arg;
	if (!all)
		return NO;
	for (const struct extension *const *x = all->extension; *x; x++)
		run_enable(r, *x);
	return YES;
}

/* --- error <message: string> */

static const struct param error_params[] = {
	{ "message", STRING },
};

static int
error_act(struct run *r, const struct call *k, const struct value *arg)
{
	return run_error(r, k, "%.*s", STR_ARG(arg[0].str[0]));
}

static const struct command commands[] = {
	{ .name = "ihave", .kind = COMMAND_TEST, .summary = "is true if all of the extensions can be used; from then on they are",
	  PARAMS(ihave_params), .test = ihave_test, .check = ihave_check },
	{ .name = "error", .kind = COMMAND_CONTROL, .summary = "ends the script with an error: the message is kept",
	  .flags = COMMAND_FINAL, PARAMS(error_params), .act = error_act },
};

const struct extension ext_ihave = {
	.name = "ihave", .document = "RFC 5463", .summary = "use an extension only if it is there", COMMANDS(commands),
	.ihave = true,
};
