/* shape.c - what may stand behind a command's arguments: tests, a block
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/build.h"

/* As in the table?  The common answer, without words. */
static bool
shape_fits(const struct command *k, const struct ast_node *node)
{
	bool tests = node->tests != NULL;

	if (node->has_block != !!(k->flags & COMMAND_BLOCK))
		return false;
	if (k->flags & COMMAND_TEST_LIST)
		return tests && node->parenthesised;
	return k->flags & COMMAND_TEST_ONE ? tests && !node->parenthesised : !tests;
}

/* "if true keep;": the command has become a test of the test. */
static void
block_missing(struct compiler *c, const struct command *k, struct ast_node *node, const char *usage)
{
	struct ast_node **t = &node->tests;

	while (*t && !(*t)->next && !(*t)->parenthesised && ((*t)->tests || !build_find(c->build, (*t)->name, false)))
		t = &(*t)->tests;
	if (*t && build_find(c->build, (*t)->name, false) && !build_find(c->build, (*t)->name, true)) {
		compile_error(c, (*t)->at, usage, "'{' is missing before '%.*s'", STR_ARG((*t)->name));
		*t = NULL;
	} else {
		compile_error(c, SPAN(node->end, node->end), usage, "'%s' needs a block in '{ }'", k->name);
	}
}

static void
test_unwanted(struct compiler *c, const struct command *k, const struct ast_node *test, const char *usage)
{
	bool word = !build_find(c->build, test->name, true) && !build_find(c->build, test->name, false);

	if (word && !test->args && !test->tests)
		compile_error(c, test->at, usage, "unexpected word '%.*s': strings stand in '\"'", STR_ARG(test->name));
	else
		compile_error(c, test->at, usage, "'%s' does not take a test", k->name);
}

static bool
shape_wrong(struct compiler *c, const struct command *k, struct ast_node *node)
{
	const char *usage = arena_printf(c->scratch, "usage: %.*s", STR_ARG(command_usage(c->scratch, k, c))).s;
	struct span at = SPAN(node->at.from, node->end);

	if (k->flags & COMMAND_BLOCK && !node->has_block)
		block_missing(c, k, node, usage);
	else if (!(k->flags & COMMAND_BLOCK) && node->has_block)
		compile_error(c, node->at, "end it with ';'", "'%s' does not take a block", k->name);
	else if (k->flags & COMMAND_TEST_LIST && !node->tests)
		compile_error(c, at, usage, "'%s' needs a list of tests in '( )'", k->name);
	else if (k->flags & COMMAND_TEST_LIST && !node->parenthesised)
		compile_error(c, node->tests->at, usage, "tests of '%s' must stand in '( )'", k->name);
	else if (k->flags & COMMAND_TEST_ONE && !node->tests)
		compile_error(c, at, usage, "'%s' needs a test", k->name);
	else if (k->flags & COMMAND_TEST_ONE && node->parenthesised)
		compile_error(c, node->tests->at, "use anyof(...) or allof(...) for several tests",
		              "'%s' takes one test, without '( )'", k->name);
	else if (!(k->flags & (COMMAND_TEST_ONE | COMMAND_TEST_LIST)) && node->tests)
		test_unwanted(c, k, node->tests, usage);
	else
		return true;
	return false;
}

bool
node_shape(struct compiler *c, const struct command *k, struct ast_node *node)
{
	return shape_fits(k, node) || shape_wrong(c, k, node);
}

/* "keep" newline "discard;" is grammatical: a keep with a test.  What was meant
 * is a missing semicolon: NULL, or the command hidden in the test's place. */
struct ast_node *
node_hidden(struct compiler *c, const struct command *k, struct ast_node *node)
{
	struct ast_node *t = node->tests;

	if (!t || node->parenthesised || k->flags & (COMMAND_TEST_ONE | COMMAND_TEST_LIST) ||
	    !build_find(c->build, t->name, false) || build_find(c->build, t->name, true))
		return NULL;
	return t;
}
