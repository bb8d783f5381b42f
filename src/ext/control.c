/* control.c - require, if, stop and the tests that combine tests (RFC 5228 3, 5)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"

/* --- require <capabilities: string-list> */

static struct ast_node *
require_compile(struct compiler *c, struct ast_node *node)
{
	const struct ast_arg *arg = node->args;

	if (c->commands_seen) {
		compile_error(c, node->at, "move it to the start of the script", "'require' must stand before all other commands");
		return node;
	}
	if (!arg || arg->next || (arg->kind != AST_STRING && arg->kind != AST_STRINGS)) {
		compile_error(c, arg ? arg->at : node->at, "usage: require <capabilities: string-list>",
		              "'require' takes one list of strings");
		return node;
	}
	for (uint32_t i = 0; i < arg->nstrings; i++)
		compile_enable(c, arg->string[i].value, arg->string[i].at);
	return node;
}

/* --- if <test> <block>, elsif <test> <block>, else <block> */

static const struct command control_commands[];
enum { REQUIRE, IF, ELSIF, ELSE, STOP, TRUE, FALSE, NOT, ANYOF, ALLOF };

static bool
goes_on(const struct compiler *c, struct ast_node *next)
{
	return next && (compile_means(c, next, &control_commands[ELSIF]) || compile_means(c, next, &control_commands[ELSE]));
}

static bool
chain_shape(struct compiler *c, const struct ast_node *node)
{
	if (node->args)
		compile_error(c, node->args->at, NULL, "'%.*s' takes a test, not an argument", STR_ARG(node->name));
	else if (!node->tests || node->parenthesised)
		compile_error(c, node->at, "use anyof(...) or allof(...) for several tests", "'%.*s' needs one test", STR_ARG(node->name));
	else if (!node->has_block)
		compile_error(c, SPAN(node->end, node->end), NULL, "'%.*s' needs a block in '{ }'", STR_ARG(node->name));
	else
		return true;
	return false;
}

static bool
else_shape(struct compiler *c, const struct ast_node *node)
{
	if (node->args || node->tests)
		compile_error(c, node->args ? node->args->at : node->tests->at, "did you mean 'elsif'?", "'else' takes no test");
	else if (!node->has_block)
		compile_error(c, SPAN(node->end, node->end), NULL, "'else' needs a block in '{ }'");
	else
		return true;
	return false;
}

static struct ast_node *
if_compile(struct compiler *c, struct ast_node *node)
{
	uint32_t first = 0, last = 0;
	int end = -1;
	bool any = false;

	for (;; node = node->next) {
		bool more = goes_on(c, node->next);

		if (compile_means(c, node, &control_commands[ELSE])) {
			if (else_shape(c, node))
				compile_block(c, node);
			break;
		}
		if (node->tests && compile_means(c, node->tests, &control_commands[FALSE]) && compile_lenient(c))
			node->block = NULL;     /* the dialect of test suites does not look inside */
		if (chain_shape(c, node)) {
			last = compile_rule(c, node, &end, more);
			first = any ? first : last;
			any = true;
		}
		if (!more)
			break;
	}
	if (any)
		compile_rule_end(c, first, last, end);
	return node;
}

static struct ast_node *
elsif_compile(struct compiler *c, struct ast_node *node)
{
	compile_error(c, node->at, NULL, "'%.*s' without an 'if' before it", STR_ARG(node->name));
	compile_block(c, node);
	return node;
}

static struct ast_node *
stop_compile(struct compiler *c, struct ast_node *node)
{
	compile_action(c, &control_commands[STOP], node);
	emit(c, OP_STOP, 0, 0);
	return node;
}

/* The instruction behind it ends the run; this one is there to be traced. */
static int
stop_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)r;
	(void)k;
	(void)arg;
	return YES;
}

/* --- true, false, not <test>, anyof <tests>, allof <tests> */

static void
constant_jump(struct compiler *c, struct ast_node *node, bool value, bool sense, int *chain)
{
	if (node->args)
		compile_error(c, node->args->at, NULL, "'%.*s' takes no arguments", STR_ARG(node->name));
	if (value == sense)
		*chain = emit(c, OP_JUMP, 0, (uint32_t)*chain);
}

static void
true_jump(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	(void)mark;
	constant_jump(c, node, true, sense, chain);
}

static void
false_jump(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	(void)mark;
	constant_jump(c, node, false, sense, chain);
}

static void
no_arguments(struct compiler *c, const struct ast_node *node)
{
	if (node->args)
		compile_error(c, node->args->at, NULL, "'%.*s' takes tests, not arguments", STR_ARG(node->name));
}

static void
not_jump(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	no_arguments(c, node);
	compile_not(c, node, sense, chain, mark);
}

static void
anyof_jump(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	no_arguments(c, node);
	compile_junction(c, node, sense, chain, mark, true);
}

static void
allof_jump(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	no_arguments(c, node);
	compile_junction(c, node, sense, chain, mark, false);
}

static const struct param require_params[] = {
	{ "capabilities", STRINGS, .flags = PARAM_CONSTANT },
};

static const struct command control_commands[] = {
	[REQUIRE] = { .name = "require", .kind = COMMAND_CONTROL, .summary = "names the extensions that the script uses",
	              .flags = COMMAND_TOP | COMMAND_FIRST, PARAMS(require_params), .compile = require_compile },
	[IF] = { .name = "if", .kind = COMMAND_CONTROL, .summary = "runs the block if the test is true",
	         .flags = COMMAND_TEST_ONE | COMMAND_BLOCK, .compile = if_compile },
	[ELSIF] = { .name = "elsif", .kind = COMMAND_CONTROL, .summary = "another condition, tried if none before it was true",
	            .flags = COMMAND_TEST_ONE | COMMAND_BLOCK | COMMAND_CONTINUES, .compile = elsif_compile },
	[ELSE] = { .name = "else", .kind = COMMAND_CONTROL, .summary = "runs the block if no condition before it was true",
	           .flags = COMMAND_BLOCK | COMMAND_CONTINUES, .compile = elsif_compile },
	[STOP] = { .name = "stop", .kind = COMMAND_CONTROL, .summary = "ends all processing; implicit keep as ever",
	           .flags = COMMAND_FINAL, .compile = stop_compile, .act = stop_act },
	[TRUE] = { .name = "true", .kind = COMMAND_TEST, .summary = "is always true", .jump = true_jump },
	[FALSE] = { .name = "false", .kind = COMMAND_TEST, .summary = "is always false", .jump = false_jump },
	[NOT] = { .name = "not", .kind = COMMAND_TEST, .summary = "is true if the test is false", .flags = COMMAND_TEST_ONE,
	          .jump = not_jump },
	[ANYOF] = { .name = "anyof", .kind = COMMAND_TEST, .summary = "is true if at least one of the tests is",
	            .flags = COMMAND_TEST_LIST, .jump = anyof_jump },
	[ALLOF] = { .name = "allof", .kind = COMMAND_TEST, .summary = "is true if all of the tests are",
	            .flags = COMMAND_TEST_LIST, .jump = allof_jump },
};

const struct extension ext_control = {
	.name = "", .document = "RFC 5228 3", .summary = "structure of a script", COMMANDS(control_commands),
};
