/* include.c - scripts in scripts, and variables that they share (RFC 6609)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "lang/compile.h"

/* --- include [":personal" / ":global"] [":once"] [":optional"] <name: string> */

enum { NAME_MAX_BYTES = 512 };                  /* RFC 5804 1.6: 128 characters must be allowed */

static bool
character_ok(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code > 0x9f) && code != 0x2028 && code != 0x2029;
}

/* RFC 5804 1.6; and nothing that means something to a file system or a shell
 * (RFC 6609 4). */
static const char *
name_check(struct str v)
{
	struct str rest = v;

	if (!v.len)
		return "is no script name: it is empty";
	if (v.len > NAME_MAX_BYTES)
		return "is no script name: it is longer than 512 bytes";
	if (*v.s == '.' || memchr(v.s, '/', v.len) || memchr(v.s, '\\', v.len) || memchr(v.s, '`', v.len) ||
	    str_find(v, STR("$(")) >= 0)
		return "is no script name: it could be read as a path or a command";
	while (rest.len) {
		uint32_t code;
		size_t n = utf8_next(rest, &code);

		if (!n || !character_ok(code))
			return "is no script name: it has control characters or is not UTF-8";
		rest = str_sub(rest, n, rest.len);
	}
	return NULL;
}

enum { PERSONAL, GLOBAL, ONCE, OPTIONAL, NAME };
static const struct param include_params[] = {
	[PERSONAL] = { ":personal", FLAG, .group = 1 },
	[GLOBAL]   = { ":global", FLAG, .group = 1 },
	[ONCE]     = { ":once", FLAG },
	[OPTIONAL] = { ":optional", FLAG },
	[NAME]     = { "name", STRING, .flags = PARAM_CONSTANT, .check = name_check },
};

static const struct command commands[];
enum { INCLUDE, RETURN, DECLARE };

/* An error, but only where the include is executed: the other script may be
 * written later (RFC 6609 3.1). */
static void
include_fails(struct compiler *c, const struct value *arg, struct span at, int why)
{
	static const char *const text[] = {
		[-INCLUDE_MISSING]    = "does not exist",
		[-INCLUDE_UNREADABLE] = "cannot be read now",
		[-INCLUDE_RECURSIVE]  = "would include itself",
		[-INCLUDE_BROKEN]     = "has errors",
		[-INCLUDE_DEEP]       = "is one include too deep (limit 'include-nesting')",
		[-INCLUDE_MANY]       = "is one script too many (limit 'includes')",
	};
	const char *kind = arg[GLOBAL].type == FLAG ? "global" : "personal";
	struct str name = arg[NAME].str[0];

	/* test suites expect to hear of it from the compiler, and once */
	if (compile_lenient(c) && why == INCLUDE_BROKEN) {
		c->diag->errors++;
		return;
	}
	if (compile_lenient(c)) {
		compile_error(c, at, NULL, "%s script \"%.*s\" %s", kind, STR_ARG(name), text[-why]);
		return;
	}
	compile_warning(c, at, "an error if this line is reached", "%s script \"%.*s\" %s", kind, STR_ARG(name),
	                text[-why]);
	compile_fail(c, at, "%s script \"%.*s\" %s", kind, STR_ARG(name), text[-why]);
}

static struct ast_node *
include_compile(struct compiler *c, struct ast_node *node)
{
	const struct call *call = compile_call(c, &commands[INCLUDE], node);
	const struct value *arg;
	struct span at;
	bool once, optional;
	int unit;

	if (!call)
		return node;
	arg = call->arg;                /* the call itself is gone once another is compiled */
	at = compile_at(c, &arg[NAME]);
	once = arg[ONCE].type == FLAG;
	optional = arg[OPTIONAL].type == FLAG;
	unit = compile_include(c, arg[GLOBAL].type == FLAG ? STR("global") : STR("personal"), arg[NAME].str[0]);
	if (unit >= 0)
		emit(c, OP_CALL, once, (uint32_t)unit);
	else if (!(unit == INCLUDE_MISSING && optional) && !(unit == INCLUDE_RECURSIVE && once))
		include_fails(c, arg, at, unit);
	return node;
}

/* --- return */

static struct ast_node *
return_compile(struct compiler *c, struct ast_node *node)
{
	if (compile_call(c, &commands[RETURN], node))
		emit(c, c->outer ? OP_RETURN : OP_STOP, 0, 0);
	return node;
}

/* --- global <names: string-list> */

static const char *
variable_check(struct str v)
{
	return variable_name_ok(v) ? NULL : "is not a variable name";
}

static const struct param global_params[] = {
	{ "names", STRINGS, .flags = PARAM_CONSTANT, .check = variable_check },
};

static struct ast_node *
global_compile(struct compiler *c, struct ast_node *node)
{
	const struct call *call = compile_call(c, &commands[DECLARE], node);

	if (!call)
		return node;
	if (!compile_enabled(c, "variables")) {
		if (c->ihave)
			compile_fail(c, node->at, "'global' needs the extension \"variables\" as well, which ihave cannot enable");
		else
			compile_error(c, node->at, "add require \"variables\"; at the start of the script",
			              "'global' needs the extension \"variables\" as well");
		return node;
	}
	for (uint32_t i = 0; i < call->arg->n; i++)
		compile_global(c, call->arg->str[i], compile_at(c, call->arg));
	return node;
}

static const struct command commands[] = {
	[INCLUDE] = { .name = "include", .kind = COMMAND_CONTROL, .summary = "runs another script, then goes on",
	              PARAMS(include_params), .compile = include_compile },
	[RETURN] = { .name = "return", .kind = COMMAND_CONTROL, .summary = "ends this script; the one that included it goes on",
	             .flags = COMMAND_FINAL, .compile = return_compile },
	[DECLARE] = { .name = "global", .kind = COMMAND_CONTROL, .summary = "names variables that all scripts share",
	              PARAMS(global_params), .compile = global_compile },
};

/* "${global.name}" */
static const struct namespace namespaces[] = {
	{ .name = "global", .globals = true },
};

const struct extension ext_include = {
	.name = "include", .document = "RFC 6609", .summary = "scripts in scripts", COMMANDS(commands),
	.namespaces = namespaces, .nnamespaces = COUNT(namespaces),
};
