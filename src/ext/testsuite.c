/* testsuite.c - scripts that test scripts (vnd.dovecot.testsuite)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything here happens in the host, which is told by name what to do and
 * answers yes or no: it keeps the message, the result, the mail store and the
 * log, and it may change the message under the running script. */
#include <stdio.h>

#include "lang/build.h"
#include "vm/mailbox.h"
#include "vm/match.h"

static const struct command commands[];
enum { TEST, TEST_FAIL, TEST_MESSAGE, TEST_MESSAGE_TEST };

/* --- telling the host */

/* Several strings as one: a NUL between them. */
static struct str
joined(struct run *r, const struct str *v, size_t n)
{
	struct str *part = arena_array(&r->arena, 2 * n + 1, sizeof *part);
	size_t parts = 0;

	for (size_t i = 0; i < n; i++) {
		if (i)
			part[parts++] = (struct str){ "", 1 };
		part[parts++] = v[i];
	}
	return arena_join(&r->arena, part, parts);
}

/* The host does it, or says why it cannot; then the script ends. */
static int
tell(struct run *r, const struct call *k, const char *what, struct str key)
{
	struct str why;

	if (run_tell(r, str_from(what), key, &why) == YES)
		return YES;
	if (!why.len)
		why = STR("could not be done");
	return run_error(r, k, "'%s': %.*s", k->command->name, why.len > 400 ? 400 : (int)why.len, why.s);
}

/* where what comes next stands */
static void
tell_line(struct run *r, const struct call *k)
{
	char line[16];
	int n = snprintf(line, sizeof line, "%u", k->line);

	run_tell(r, STR("test.line"), (struct str){ line, (size_t)n }, NULL);
}

/* The test that is running fails, and is left. */
static int
fail(struct run *r, const struct call *k, struct str why)
{
	tell_line(r, k);
	if (run_tell(r, STR("test.fail"), why, NULL) == YES)
		return NO;
	return run_error(r, k, "a test failed outside of all tests");
}

/* --- test <name: string> <block> */

static const struct param test_params[] = {
	{ "name", STRING },
};

static int
test_act(struct run *r, const struct call *k, const struct value *arg)
{
	tell_line(r, k);
	return tell(r, k, "test.begin", arg[0].str[0]);
}

static int
test_end_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return tell(r, k, "test.end", STR_EMPTY);
}

/* what stands behind a block, where only success comes by */
static const struct command test_end = {
	.name = "test", .kind = COMMAND_ACTION, .act = test_end_act,
};

static struct ast_node *
test_compile(struct compiler *c, struct ast_node *node)
{
	struct ast_node end = { .name = node->name, .at = node->at, .end = node->end };
	const struct call *call = compile_call(c, &commands[TEST], node);

	if (call)
		emit_call(c, OP_ACT, call);
	c->in_case = true;
	c->case_end = -1;
	compile_block(c, node);
	c->in_case = false;
	call = compile_call(c, &test_end, &end);
	if (call)
		emit_call(c, OP_ACT, call);
	patch(c, c->case_end);
	return node;
}

/* Where a test is left: the end of its block, or of the script that has none. */
static void
leave(struct compiler *c)
{
	if (c->in_case)
		c->case_end = emit(c, OP_JUMP, 0, (uint32_t)c->case_end);
	else
		emit(c, OP_STOP, 0, 0);
}

/* --- test_fail <reason: string> */

static const struct param test_fail_params[] = {
	{ "reason", STRING },
};

static int
test_fail_act(struct run *r, const struct call *k, const struct value *arg)
{
	return fail(r, k, arg[0].str[0]) == ERROR ? ERROR : YES;
}

static struct ast_node *
test_fail_compile(struct compiler *c, struct ast_node *node)
{
	const struct call *call = compile_call(c, &commands[TEST_FAIL], node);

	if (!call)
		return node;
	emit_call(c, OP_ACT, call);
	leave(c);
	return node;
}

/* --- test_set <object: string> <value: string> */

static const struct {
	const char *name, *what;
} objects[] = {
	{ "message", "test.message.set" }, { "envelope.from", "test.envelope.from" }, { "envelope.to", "test.envelope.to" },
	{ "envelope.orig_to", "test.envelope.orig-to" }, { "envelope.auth", "test.envelope.auth" },
};

static const char *
object_check(struct str v)
{
	for (size_t i = 0; i < COUNT(objects); i++)
		if (str_iis(v, objects[i].name))
			return NULL;
	return "is nothing that can be set";
}

static const struct param test_set_params[] = {
	{ "object", STRING, .flags = PARAM_CONSTANT, .check = object_check },
	{ "value", STRING },
};

static int
test_set_act(struct run *r, const struct call *k, const struct value *arg)
{
	size_t i = 0;

	while (!str_iis(arg[0].str[0], objects[i].name))
		i++;
	return tell(r, k, objects[i].what, arg[1].str[0]);
}

/* --- test_config_set <name: string> <value: string>
 * --- test_config_unset <name: string>
 * --- test_config_reload [:extension <name: string>] */

static const struct param test_config_params[] = {
	{ "name", STRING },
	{ "value", STRING },
};
static const struct param test_config_reload_params[] = {
	{ ":extension", STRING },
};

static int
test_config_set_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct str v[] = { arg[0].str[0], arg[1].str[0] };

	return tell(r, k, "test.config.set", joined(r, v, 2));
}

static int
test_config_unset_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.config.unset", arg[0].str[0]);
}

static int
test_config_reload_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.config.reload", value_given(&arg[0]) ? arg[0].str[0] : STR_EMPTY);
}

/* --- test_mailbox_create <name: string>
 * --- test_mailbox_delete <name: string> */

static const struct param test_mailbox_params[] = {
	{ "name", STRING, .check = mailbox_check },
};

static int
test_mailbox_create_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.mailbox.create", arg[0].str[0]);
}

static int
test_mailbox_delete_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.mailbox.delete", arg[0].str[0]);
}

/* --- test_imap_metadata_set [:mailbox <name: string>] <annotation: string> <value: string> */

enum { METADATA_MAILBOX, METADATA_ANNOTATION, METADATA_VALUE };
static const struct param test_imap_metadata_params[] = {
	[METADATA_MAILBOX]    = { ":mailbox", STRING, .check = mailbox_check },
	[METADATA_ANNOTATION] = { "annotation", STRING },
	[METADATA_VALUE]      = { "value", STRING },
};

static int
test_imap_metadata_set_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct str v[] = { value_given(&arg[METADATA_MAILBOX]) ? arg[METADATA_MAILBOX].str[0] : STR_EMPTY,
	                   arg[METADATA_ANNOTATION].str[0], arg[METADATA_VALUE].str[0] };

	return tell(r, k, "test.metadata.set", joined(r, v, 3));
}

/* --- test_message <":smtp" / ":folder" <name: string>> <index: number>, a command and a test */

enum { MESSAGE_SMTP, MESSAGE_FOLDER, MESSAGE_INDEX };
static const struct param test_message_params[] = {
	[MESSAGE_SMTP]   = { ":smtp", FLAG, .flags = PARAM_REQUIRED, .group = 1 },
	[MESSAGE_FOLDER] = { ":folder", STRING, .flags = PARAM_REQUIRED, .group = 1, .check = mailbox_check },
	[MESSAGE_INDEX]  = { "index", NUMBER },
};

static int
test_message_test(struct run *r, const struct call *k, const struct value *arg)
{
	bool folder = value_given(&arg[MESSAGE_FOLDER]);
	struct str v[] = { arena_printf(&r->arena, "%llu", (unsigned long long)arg[MESSAGE_INDEX].number),
	                   folder ? arg[MESSAGE_FOLDER].str[0] : STR_EMPTY };

	(void)k;
	if (folder)
		return run_tell(r, STR("test.message.folder"), joined(r, v, 2), NULL);
	return run_tell(r, STR("test.message.smtp"), v[0], NULL);
}

/* As a command: what is not there fails the test. */
static int
test_message_wanted(struct run *r, const struct call *k, const struct value *arg)
{
	unsigned long long index = (unsigned long long)arg[MESSAGE_INDEX].number;
	int rc = test_message_test(r, k, arg);

	if (rc != NO)
		return rc;
	if (!value_given(&arg[MESSAGE_FOLDER]))
		return fail(r, k, arena_printf(&r->arena, "no outgoing SMTP message with index %llu", index));
	return fail(r, k, arena_printf(&r->arena, "no message in folder '%.*s' with index %llu",
	                               STR_ARG(arg[MESSAGE_FOLDER].str[0]), index));
}

static const struct command test_message_found = {
	.name = "test_message", .kind = COMMAND_TEST, PARAMS(test_message_params), .test = test_message_wanted,
};

static struct ast_node *
test_message_compile(struct compiler *c, struct ast_node *node)
{
	const struct call *call = compile_call(c, &test_message_found, node);
	int found;

	if (!call)
		return node;
	emit_call(c, OP_TEST, call);
	found = emit(c, OP_JUMP_IF, 0, (uint32_t)-1);
	leave(c);
	patch(c, found);
	return node;
}

/* --- test_message_print
 * --- test_result_print
 * --- test_result_reset */

static int
test_message_print_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return tell(r, k, "test.message.print", STR_EMPTY);
}

static int
test_result_print_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return tell(r, k, "test.result.print", STR_EMPTY);
}

static int
test_result_reset_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return tell(r, k, "test.result.reset", STR_EMPTY);
}

/* --- test_script_compile <path: string>
 * --- test_script_run [:append_result]
 * --- test_multiscript <paths: string-list>
 * --- test_result_execute */

static const struct param test_script_compile_params[] = {
	{ "path", STRING },
};
static const struct param test_script_run_params[] = {
	{ ":append_result", FLAG },
};
static const struct param test_multiscript_params[] = {
	{ "paths", STRINGS },
};

static int
test_script_compile_test(struct run *r, const struct call *k, const struct value *arg)
{
	(void)k;
	return run_tell(r, STR("test.script.compile"), arg[0].str[0], NULL);
}

static int
test_script_run_test(struct run *r, const struct call *k, const struct value *arg)
{
	(void)k;
	return run_tell(r, STR("test.script.run"), value_given(&arg[0]) ? STR("append") : STR_EMPTY, NULL);
}

static int
test_multiscript_test(struct run *r, const struct call *k, const struct value *arg)
{
	(void)k;
	return run_tell(r, STR("test.script.sequence"), joined(r, arg[0].str, arg[0].n), NULL);
}

static int
test_result_execute_test(struct run *r, const struct call *k, const struct value *arg)
{
	(void)k;
	(void)arg;
	return run_tell(r, STR("test.result.execute"), STR_EMPTY, NULL);
}

/* --- test_binary_save <name: string>
 * --- test_binary_load <name: string> */

static const struct param test_binary_params[] = {
	{ "name", STRING },
};

static int
test_binary_save_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.program.save", arg[0].str[0]);
}

static int
test_binary_load_act(struct run *r, const struct call *k, const struct value *arg)
{
	return tell(r, k, "test.program.load", arg[0].str[0]);
}

/* --- test_result_action [COMPARATOR] [MATCH-TYPE] [:index <n: number>] <keys: string-list>
 * --- test_error [COMPARATOR] [MATCH-TYPE] [:index <n: number>] <keys: string-list> */

enum { LIST_INDEX, LIST_KEYS };
static const struct param test_list_params[] = {
	[LIST_INDEX] = { ":index", NUMBER },
	[LIST_KEYS]  = { "keys", STRINGS, ROLE_KEYS },
};

/* The host's list, one after the other, or the one that is asked for. */
static int
list_values(struct run *r, const struct value *arg, struct match *m, struct str what)
{
	bool one = value_given(&arg[LIST_INDEX]);
	uint64_t i = one ? arg[LIST_INDEX].number : 1;
	struct str value;

	for (; i > 0; i++) {
		struct str key = arena_printf(&r->arena, "%llu", (unsigned long long)i);

		if (run_tell(r, what, key, &value) != YES || match_text(m, value) || one)
			break;
	}
	return YES;
}

static int
test_result_action_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	(void)k;
	return list_values(r, arg, m, STR("test.result.action"));
}

static int
test_error_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	(void)k;
	return list_values(r, arg, m, STR("test.error"));
}

/* --- "${tst.path}" */

static const char *
tst_check(struct str rest)
{
	if (!rest.len || char_is_digit(rest.s[0]) || memchr(rest.s, '.', rest.len))
		return "the namespace 'tst' has plain names only";
	return NULL;
}

static struct str
tst_get(struct run *r, struct str rest)
{
	struct str value = STR_EMPTY;

	run_tell(r, STR("test.variable"), rest, &value);
	return value;
}

static const struct command commands[] = {
	[TEST] = { .name = "test", .kind = COMMAND_CONTROL,
	  .summary = "a test case: succeeds unless something in its block fails it", PARAMS(test_params),
	  .flags = COMMAND_TOP | COMMAND_BLOCK, .act = test_act, .compile = test_compile },
	[TEST_FAIL] = { .name = "test_fail", .kind = COMMAND_CONTROL,
	  .summary = "fails the test case and leaves it", PARAMS(test_fail_params), .act = test_fail_act,
	  .compile = test_fail_compile },
	[TEST_MESSAGE] = { .name = "test_message", .kind = COMMAND_CONTROL,
	  .summary = "goes on with a message that was sent or stored", PARAMS(test_message_params),
	  .compile = test_message_compile },
	[TEST_MESSAGE_TEST] = { .name = "test_message", .kind = COMMAND_TEST,
	  .summary = "goes on with a message that was sent or stored, if there is one",
	  PARAMS(test_message_params), .test = test_message_test },
	{ .name = "test_set", .kind = COMMAND_ACTION, .summary = "sets the message or a part of its envelope",
	  PARAMS(test_set_params), .act = test_set_act },
	{ .name = "test_config_set", .kind = COMMAND_ACTION, .summary = "sets a setting, for the next reload",
	  PARAMS(test_config_params), .act = test_config_set_act },
	{ .name = "test_config_unset", .kind = COMMAND_ACTION,
	  .summary = "takes a setting back, for the next reload", .params = test_config_params, .nparams = 1,
	  .act = test_config_unset_act },
	{ .name = "test_config_reload", .kind = COMMAND_ACTION, .summary = "puts settings into force",
	  PARAMS(test_config_reload_params), .act = test_config_reload_act },
	{ .name = "test_mailbox_create", .kind = COMMAND_ACTION,
	  .summary = "makes a mailbox in the test's own mail store", PARAMS(test_mailbox_params),
	  .act = test_mailbox_create_act },
	{ .name = "test_mailbox_delete", .kind = COMMAND_ACTION,
	  .summary = "removes a mailbox from the test's own mail store", PARAMS(test_mailbox_params),
	  .act = test_mailbox_delete_act },
	{ .name = "test_imap_metadata_set", .kind = COMMAND_ACTION,
	  .summary = "sets an annotation of a mailbox or of the server", PARAMS(test_imap_metadata_params),
	  .act = test_imap_metadata_set_act },
	{ .name = "test_message_print", .kind = COMMAND_ACTION, .summary = "prints the current message",
	  .act = test_message_print_act },
	{ .name = "test_result_print", .kind = COMMAND_ACTION, .summary = "prints the current result",
	  .act = test_result_print_act },
	{ .name = "test_result_reset", .kind = COMMAND_ACTION,
	  .summary = "begins a new result, and empties the outbox", .act = test_result_reset_act },
	{ .name = "test_script_compile", .kind = COMMAND_TEST,
	  .summary = "compiles a script: is it free of errors?", PARAMS(test_script_compile_params),
	  .test = test_script_compile_test },
	{ .name = "test_script_run", .kind = COMMAND_TEST,
	  .summary = "runs the compiled script: did it end well?", PARAMS(test_script_run_params),
	  .test = test_script_run_test },
	{ .name = "test_multiscript", .kind = COMMAND_TEST,
	  .summary = "runs scripts in sequence and carries out their result: did all end well?",
	  PARAMS(test_multiscript_params), .test = test_multiscript_test },
	{ .name = "test_result_execute", .kind = COMMAND_TEST,
	  .summary = "carries out the result: did everything go well?", .test = test_result_execute_test },
	{ .name = "test_binary_save", .kind = COMMAND_ACTION,
	  .summary = "keeps the compiled script under a name", PARAMS(test_binary_params),
	  .act = test_binary_save_act },
	{ .name = "test_binary_load", .kind = COMMAND_ACTION,
	  .summary = "takes a kept script as the compiled one", PARAMS(test_binary_params),
	  .act = test_binary_load_act },
	{ .name = "test_result_action", .kind = COMMAND_TEST,
	  .summary = "compares the names of the actions in the result",
	  .flags = COMMAND_MATCHES | COMMAND_CHANGING, .comparator = "i;octet", PARAMS(test_list_params),
	  .values = test_result_action_values },
	{ .name = "test_error", .kind = COMMAND_TEST,
	  .summary = "compares the errors of the last compilation, run or execution",
	  .flags = COMMAND_MATCHES | COMMAND_CHANGING, .comparator = "i;octet", PARAMS(test_list_params),
	  .values = test_error_values },
};

static const struct namespace namespaces[] = {
	{ .name = "tst", .check = tst_check, .get = tst_get },
};

const struct extension ext_testsuite = {
	.name = "vnd.dovecot.testsuite", .document = "doc/ext/testsuite.md", .summary = "tests of scripts, written as scripts",
	COMMANDS(commands), .namespaces = namespaces, .nnamespaces = COUNT(namespaces), .hosted = true,
};
