/* arguments.c - the arguments of a use of a command, checked against its table
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/arguments.h"

#include <assert.h>

#include "base/limits.h"

const char *
argument_kind(const struct ast_arg *a)
{
	switch (a->kind) {
	case AST_TAG:
		return "a tag";
	case AST_NUMBER:
		return "a number";
	case AST_STRING:
		return "a string";
	case AST_STRINGS:
		return "a list of strings";
	}
	return "";
}

const char *
argument_wanted(enum type type)
{
	return type == NUMBER ? "a number" : type == STRING ? "a string" : "a string or a list of strings";
}

bool
argument_given(const struct arguments *a, uint8_t i)
{
	return a->value[i].type != NONE;
}

const char *
argument_hint(struct arguments *a)
{
	struct str usage = command_usage(a->c->scratch, a->command, a->c);

	return arena_printf(a->c->scratch, "usage: %.*s", STR_ARG(usage)).s;
}

bool
argument_fits(enum type type, const struct ast_arg *arg)
{
	switch (type) {
	case NUMBER:
		return arg->kind == AST_NUMBER;
	case STRING:
		return arg->kind == AST_STRING;
	case STRINGS:
		return arg->kind == AST_STRING || arg->kind == AST_STRINGS;
	case NONE: case FLAG:
		break;
	}
	return false;
}

bool
argument_empty(struct arguments *a, const struct ast_arg *arg)
{
	bool empty = arg->kind == AST_STRINGS && !arg->nstrings;

	a->bad |= empty;
	return empty;
}

/* --- strings */

/* The string as extensions that change how strings are read see it. */
static struct str
string_rewritten(struct compiler *c, const struct ast_string *s)
{
	struct str text = s->value;

	for (unsigned e = 0; extensions[e]; e++)
		if (extensions[e]->rewrite && vocabulary_bit(c->enabled, e)) {
			struct str out = text;
			const char *wrong = extensions[e]->rewrite(&c->program->arena, text, &out);

			if (wrong)
				compile_error(c, s->at, NULL, "%s", wrong);
			else
				text = out;
			if (wrong || !str_eq(out, s->value))
				vocabulary_seen(c, e);
		}
	return text;
}

static void
strings_read(struct compiler *c, const struct ast_arg *arg, struct value *v)
{
	struct arena *arena = &c->program->arena;
	struct str *str = arena_array(arena, arg->nstrings, sizeof *str);
	const struct template **template = NULL;

	for (uint32_t i = 0; i < arg->nstrings; i++) {
		const struct ast_string *s = &arg->string[i];

		if (s->value.len > LIMIT_STRING)
			compile_error(c, s->at, NULL, "string is longer than %u bytes", LIMIT_STRING);
		str[i] = c->rewrites ? string_rewritten(c, s) : s->value;
		if (c->templates) {
			const struct template *t = compile_template(c, str[i], s->at);

			if (t && !template)
				template = arena_zalloc(arena, arg->nstrings * sizeof *template);
			if (t)
				template[i] = t;
		}
	}
	v->str = str;
	v->n = arg->nstrings;
	v->template = template;
	v->dynamic = template != NULL;
}

/* Where the number of that name stands: all who name this one field share it. */
static const uint32_t *
header_id(struct compiler *c, uint32_t id)
{
	enum { BLOCK = 64 };
	struct build *b = c->build;

	while (b->id.n <= id / BLOCK) {
		uint32_t *block = ARENA_ARRAY(&c->program->arena, BLOCK, uint32_t);

		for (uint32_t i = 0; i < BLOCK; i++)
			block[i] = (uint32_t)b->id.n * BLOCK + i;
		vec_push(&b->id, block);
	}
	return &b->id.v[id / BLOCK][id % BLOCK];
}

static void
headers_intern(struct compiler *c, struct value *v)
{
	uint32_t *id;

	if (v->n == 1 && !v->template) {
		v->id = header_id(c, compile_intern(c, v->str[0]));
		return;
	}
	id = arena_array(&c->program->arena, v->n, sizeof *id);
	for (uint32_t i = 0; i < v->n; i++) {
		id[i] = v->template && v->template[i] ? UINT32_MAX : compile_intern(c, v->str[i]);
	}
	v->id = id;
}

static void
variables_intern(struct arguments *a, struct value *v, const struct ast_arg *arg, bool set)
{
	struct span at = arg->at;
	uint32_t *id;

	if (!a->c->templates && a->c->ihave) {
		compile_fail(a->c, at, "naming a variable needs the extension \"variables\", which ihave cannot enable");
		a->unknown = true;
		return;
	}
	if (!a->c->templates) {
		compile_error(a->c, at, "add require \"variables\";", "naming a variable needs the extension \"variables\"");
		return;
	}
	id = arena_array(&a->c->program->arena, v->n, sizeof *id);
	for (uint32_t i = 0; i < v->n; i++) {
		int64_t slot = compile_variable(a->c, v->str[i], arg->string[i].at, set);

		a->bad |= slot < 0;
		id[i] = (uint32_t)slot;
	}
	v->id = id;
}

static void
strings_check(struct arguments *a, const char *(*check)(struct str), const char *name, const struct value *v,
              const struct ast_arg *arg)
{
	for (uint32_t i = 0; check && i < v->n; i++) {
		const char *wrong = v->template && v->template[i] ? NULL : check(v->str[i]);

		if (wrong)
			compile_error(a->c, arg->string[i].at, NULL, "%s of '%s': \"%.*s\" %s", name, a->command->name,
			              v->str[i].len > 80 ? 80 : (int)v->str[i].len, v->str[i].s, wrong);
	}
}

void
argument_read(struct arguments *a, const char *name, enum type type, enum role role, uint8_t flags,
           const char *(*check)(struct str), const struct ast_arg *arg, struct value *v)
{
	*v = (struct value){ .type = (uint8_t)type };
	if (type == NUMBER) {
		v->number = arg->number;
		return;
	}
	strings_read(a->c, arg, v);
	if (v->dynamic && (flags & PARAM_CONSTANT || role == ROLE_VARIABLE || role == ROLE_VARIABLES)) {
		compile_error(a->c, arg->at, NULL, "%s of '%s' must be constant: no variables in it", name, a->command->name);
		a->bad = true;
		return;
	}
	a->call->dynamic |= v->dynamic;
	if (role == ROLE_HEADERS)
		headers_intern(a->c, v);
	else if (role == ROLE_VARIABLE || role == ROLE_VARIABLES)
		variables_intern(a, v, arg, role == ROLE_VARIABLE);
	strings_check(a, check, name, v, arg);
	if (flags & PARAM_WORDS && !v->dynamic)
		value_split(&a->c->program->arena, v);
}

/* --- positional arguments */

/* How many positional arguments stand there, and are wanted. */
static unsigned
positional_given(const struct ast_arg *from)
{
	unsigned n = 0;

	for (; from; from = from->next)
		n += from->kind != AST_TAG;
	return n;
}

static unsigned
positional_required(const struct command *k)
{
	unsigned n = 0;

	for (uint8_t i = 0; i < k->nparams; i++)
		n += *k->params[i].name != ':' && !(k->params[i].flags & PARAM_OPTIONAL);
	return n;
}

static void
positional_one(struct arguments *a, uint8_t i, const struct ast_arg *arg)
{
	const struct param *p = &a->command->params[i];

	if (argument_empty(a, arg))
		return;
	if (!argument_fits(p->type, arg)) {
		compile_error(a->c, arg->at, argument_hint(a), "%s of '%s' must be %s, not %s", p->name, a->command->name,
		              argument_wanted(p->type), argument_kind(arg));
		a->bad = true;
		return;
	}
	if (p->role == ROLE_KEYS)
		a->keys = arg;
	a->c->build->at[i] = arg->at;
	argument_read(a, p->name, p->type, p->role, p->flags, p->check, arg, &a->value[i]);
}

static void
arguments_positional(struct arguments *a, const struct ast_arg *arg)
{
	unsigned given = positional_given(arg), required = positional_required(a->command);
	uint8_t i = 0;

	for (; i < a->command->nparams; i++) {
		const struct param *p = &a->command->params[i];

		if (*p->name == ':' || (p->flags & PARAM_OPTIONAL && given <= required))
			continue;
		while (arg && arg->kind == AST_TAG) {
			compile_error(a->c, arg->at, argument_hint(a), "':%.*s' must stand before the other arguments of '%s'",
			              STR_ARG(arg->tag), a->command->name);
			a->bad = true;
			arg = arg->next;
		}
		if (!arg) {
			compile_error(a->c, SPAN(a->node->at.from, a->node->end), argument_hint(a), "'%s' needs its %s",
			              a->command->name, p->name);
			a->bad = true;
			return;
		}
		positional_one(a, i, arg);
		arg = arg->next;
	}
	if (!arg)
		return;
	a->bad = true;
	if (arg->kind == AST_TAG)
		compile_error(a->c, arg->at, argument_hint(a), "':%.*s' must stand before the other arguments of '%s'",
		              STR_ARG(arg->tag), a->command->name);
	else
		compile_error(a->c, arg->at, argument_hint(a), "'%s' has too many arguments", a->command->name);
}

static void
arguments_required(struct arguments *a)
{
	for (uint8_t i = 0; i < a->command->nparams; i++) {
		const struct param *p = &a->command->params[i];
		bool given = false;

		if (*p->name != ':')
			continue;
		for (uint8_t j = 0; j < a->command->nparams; j++)
			given |= argument_given(a, j) && (j == i || (p->group && a->command->params[j].group == p->group));
		if (!given && p->flags & PARAM_REQUIRED) {
			compile_error(a->c, SPAN(a->node->at.from, a->node->end), argument_hint(a), "'%s' needs '%s'%s", a->command->name,
			              p->name, p->group ? " or one that stands for it" : "");
			a->bad = true;
			return;
		}
		if (a->value[i].type == NONE && p->type == NUMBER)
			a->value[i] = (struct value){ .type = NUMBER, .number = p->initial, .initial = true };
	}
}

/* --- the matcher */

/* The command's default, or the language's. */
static const struct comparator *
comparator_default(const struct arguments *a)
{
	unsigned e = 0;

	return a->command->comparator ? comparator_find(str_from(a->command->comparator), &e) : a->c->build->comparator;
}

static const struct value *
keys_of(const struct arguments *a)
{
	for (uint8_t i = 0; i < a->command->nparams; i++)
		if (a->command->params[i].role == ROLE_KEYS)
			return &a->value[i];
	return NULL;
}

/* Where a key stands, or the whole use when keys are the table's. */
static struct span
key_span(const struct arguments *a, const struct ast_arg *arg, size_t at)
{
	return arg && at < arg->nstrings ? arg->string[at].at : a->node->at;
}

static void
arguments_matcher(struct arguments *a)
{
	struct arena *arena = &a->c->program->arena;
	struct matcher *m = ARENA_NEW(arena, struct matcher);
	const struct ast_arg *arg = a->keys;
	const struct value *keys = keys_of(a);
	const char *wrong;
	size_t at = 0;

	m->type = a->match_type ? a->match_type : a->c->build->match_type;
	m->comparator = a->comparator ? a->comparator : comparator_default(a);
	m->argument = a->match_argument;
	m->captures = a->c->captures && m->type->captures && !(a->command->flags & COMMAND_SILENT);
	a->call->matcher = m;
	/* nothing is compared, so it does not matter how (RFC 5293 5) */
	if (keys && keys->type == NONE) {
		m->type = a->c->build->match_type;
		m->comparator = comparator_default(a);
		m->prepared_ok = true;
		return;
	}
	if ((m->type->substring && !m->comparator->substring) || (m->type->order && !m->comparator->order)) {
		compile_error(a->c, a->match_at, NULL, "'%s' does not work with the comparator \"%s\"", m->type->name,
		              m->comparator->name);
		a->bad = true;
		return;
	}
	if (!keys || a->bad)
		return;
	if (keys->dynamic) {
		m->written = keys->str;
		return;
	}
	wrong = matcher_prepare(m, arena, keys->str, keys->n, a->c->flags & TAMIS_RESIDENT ? PREPARE_RESIDENT : 0, &at);
	if (wrong)
		compile_error(a->c, key_span(a, arg, at), NULL, "key of '%s': %s",
		              m->type->name, wrong);
	a->bad |= wrong != NULL;
	wrong = wrong || !m->type->doubt ? NULL : m->type->doubt(m, &at);
	if (wrong)
		compile_warning(a->c, key_span(a, arg, at), NULL, "key of '%s' %s",
		                m->type->name, wrong);
}

/* --- */

static void
arguments_stage(struct arguments *a)
{
	unsigned stage = a->command->stage ? (unsigned)a->command->stage(a->call) : a->command->needs;

	for (const struct graft_use *u = call_grafts(a->call); u; u = u->next)
		if (u->graft->stage && (unsigned)u->graft->stage(&u->value) > stage)
			stage = (unsigned)u->graft->stage(&u->value);
	a->call->stage = (uint8_t)stage;
}

static bool
grafts_compile(struct arguments *a)
{
	for (struct graft_use *u = (struct graft_use *)call_grafts(a->call); u; u = u->next)
		if (u->graft->compile && !u->graft->compile(a->c, a->call, u))
			return false;
	return true;
}

struct span
compile_at(const struct compiler *c, const struct value *v)
{
	size_t i = (size_t)(v - c->build->call.arg);

	assert(i < c->build->call.nargs);
	return c->build->at[i];
}

struct call_more *
compile_more(struct compiler *c, struct call *call)
{
	if (!call->more)
		call->more = ARENA_NEW(&c->program->arena, struct call_more);
	return (struct call_more *)call->more;
}

struct call *
compile_call(struct compiler *c, const struct command *command, struct ast_node *node)
{
	struct call *call = &c->build->call;
	struct arguments a = { .c = c, .command = command, .node = node, .call = call };
	const struct ast_arg *arg = node->args;
	unsigned errors = c->diag->errors;

	*call = (struct call){ .command = command, .loop = (uint8_t)c->loop, .nargs = command->nparams, .probe = -1, .unit = NO_UNIT,
	                       .at = SPAN(node->at.from, node->end), .source = c->source, .line = compile_line(c, node->at) };
	a.value = arena_zalloc(&c->program->arena, command->nparams * sizeof *a.value);
	call->arg = a.value;
	memset(c->build->at, 0, command->nparams * sizeof *c->build->at);
	while (arg && arg->kind == AST_TAG && !a.unknown)
		arg = tag_read(&a, arg)->next;
	/* a tag whose argument is missing has been told: that nothing follows it is the same mistake */
	if (!a.unknown && !(a.bad && !arg))
		arguments_positional(&a, arg);
	if (a.bad || a.unknown)
		return NULL;
	arguments_required(&a);
	if (a.part)
		compile_more(c, call)->part = a.part;
	if (command->flags & COMMAND_MATCHES)
		arguments_matcher(&a);
	if (a.bad || c->diag->errors > errors ||
	    (call->more && (!modifiers_sort(c, call) || !grafts_compile(&a))))
		return NULL;
	arguments_stage(&a);
	if (command->check && !command->check(c, call, node))
		return NULL;
	return call;
}
