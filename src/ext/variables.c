/* variables.c - set and string; strings hold the values of variables (RFC 5229)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How a string is split and filled in is the language's: lang/template.c, vm/run.c. */
#include "base/utf8.h"
#include "lang/compile.h"
#include "vm/match.h"

/* --- set [MODIFIER] <name: string> <value: string> */

enum { NAME, VALUE };
static const struct param set_params[] = {
	[NAME]  = { "name", STRING, ROLE_VARIABLE, .flags = PARAM_CONSTANT },
	[VALUE] = { "value", STRING },
};

static int
set_act(struct run *r, const struct call *k, const struct value *arg)
{
	run_assign(r, k, arg[NAME].id[0], run_modify(r, k, arg[VALUE].str[0]));
	return YES;
}

/* RFC 5229 6: a value that is too long is an error if that is known when compiled */
static bool
set_check(struct compiler *c, struct call *call, const struct ast_node *node)
{
	size_t most = c->program->limits.variable_value;
	struct str v;

	(void)node;
	if (call->arg[VALUE].dynamic)
		return true;
	v = call->arg[VALUE].str[0];
	for (const struct graft_use *g = call_grafts(call); g; g = g->next)
		if (g->graft->modify)
			v = g->graft->modify(c->scratch, v);
	if (v.len <= most)
		return true;
	compile_error(c, compile_at(c, &call->arg[VALUE]), NULL, "value is longer than a variable can be (limit is %zu bytes)", most);
	return false;
}

/* --- modifiers: RFC 5229 4.1.3: of ASCII letters only */

static char
char_upper(char c)
{
	return (char)(c - (((unsigned)(unsigned char)c - 'a' < 26u) << 5));
}

static struct str
lower_modify(struct arena *arena, struct str v)
{
	return arena_lower(arena, v);
}

static struct str
upper_modify(struct arena *arena, struct str v)
{
	char *out = arena_alloc(arena, v.len);

	for (size_t i = 0; i < v.len; i++)
		out[i] = char_upper(v.s[i]);
	return (struct str){ out, v.len };
}

static struct str
first_changed(struct arena *arena, struct str v, char first)
{
	char *out = arena_alloc(arena, v.len);

	memcpy(out, v.s, v.len);
	*out = first;
	return (struct str){ out, v.len };
}

static struct str
lowerfirst_modify(struct arena *arena, struct str v)
{
	return v.len ? first_changed(arena, v, char_lower(*v.s)) : v;
}

static struct str
upperfirst_modify(struct arena *arena, struct str v)
{
	return v.len ? first_changed(arena, v, char_upper(*v.s)) : v;
}

static struct str
quotewildcard_modify(struct arena *arena, struct str v)
{
	char *out = arena_alloc(arena, 2 * v.len), *to = out;

	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '*' || v.s[i] == '?' || v.s[i] == '\\')
			*to++ = '\\';
		*to++ = v.s[i];
	}
	return (struct str){ out, (size_t)(to - out) };
}

static struct str
length_modify(struct arena *arena, struct str v)
{
	return arena_printf(arena, "%zu", utf8_count(v));
}

/* commands that store a value in a variable; the second is of RFC 5703 7 */
static const char *const storing[] = { "set", "extracttext", NULL };

static const struct graft modifiers[] = {
	{ .name = ":lower", .type = FLAG, .on = storing, .summary = "the letters A to Z become a to z", .order = 40,
	  .modify = lower_modify },
	{ .name = ":upper", .type = FLAG, .on = storing, .summary = "the letters a to z become A to Z", .order = 40,
	  .modify = upper_modify },
	{ .name = ":lowerfirst", .type = FLAG, .on = storing, .summary = "the first character in lower case", .order = 30,
	  .modify = lowerfirst_modify },
	{ .name = ":upperfirst", .type = FLAG, .on = storing, .summary = "the first character in upper case", .order = 30,
	  .modify = upperfirst_modify },
	{ .name = ":quotewildcard", .type = FLAG, .on = storing, .summary = "text that \":matches\" only itself", .order = 20,
	  .modify = quotewildcard_modify },
	{ .name = ":length", .type = FLAG, .on = storing, .summary = "the number of characters", .order = 10,
	  .modify = length_modify },
};

/* --- string [COMPARATOR] [MATCH-TYPE] <source: string-list> <key-list: string-list> */

enum { SOURCE, KEYS };
static const struct param string_params[] = {
	[SOURCE] = { "source", STRINGS },
	[KEYS]   = { "key-list", STRINGS, ROLE_KEYS },
};

static int
string_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	(void)r;
	(void)k;
	for (uint32_t i = 0; i < arg[SOURCE].n; i++) {
		/* RFC 5229 5: an empty string is not counted */
		if (m->matcher->type->counts && !arg[SOURCE].str[i].len)
			continue;
		if (match_text(m, arg[SOURCE].str[i]))
			break;
	}
	return YES;
}

static const struct command commands[] = {
	{ .name = "set", .kind = COMMAND_ACTION, .summary = "stores a value in a variable", .flags = COMMAND_TAINTED,
	  PARAMS(set_params), .act = set_act, .check = set_check },
	{ .name = "string", .kind = COMMAND_TEST, .summary = "compares strings, of variables for example",
	  .flags = COMMAND_MATCHES, PARAMS(string_params), .values = string_values },
};

const struct extension ext_variables = {
	.name = "variables", .document = "RFC 5229", .summary = "variables in strings", COMMANDS(commands), GRAFTS(modifiers),
	.templates = true,
};
