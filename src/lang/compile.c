/* compile.c - tree to program: commands, blocks, tests
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lang/build.h"

/* --- mistakes */

void
compile_error(struct compiler *c, struct span at, const char *hint, const char *format, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	diag_error(c->diag, c->source, at, hint, "%s", text);
}

void
compile_warning(struct compiler *c, struct span at, const char *hint, const char *format, ...)
{
	char text[400];
	va_list ap;

	if (c->again)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	diag_warning(c->diag, c->source, at, hint, "%s", text);
}

uint32_t
compile_line(struct compiler *c, struct span at)
{
	bool back = at.from < c->line_at;
	const char *text = c->source->text.s, *p = text + (back ? at.from : c->line_at);
	const char *end = text + (back ? c->line_at : at.from);

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		c->line += back ? UINT32_MAX : 1;
		p++;
	}
	c->line_at = at.from;
	return c->line + 1;
}

/* --- code */

int
emit(struct compiler *c, enum op op, unsigned a, uint32_t b)
{
	vec_push(&c->code, (struct insn){ .op = (uint8_t)op, .a = (uint8_t)a, .b = b });
	return (int)c->code.n - 1;
}

void
patch(struct compiler *c, int chain)
{
	while (chain >= 0) {
		int next = (int)c->code.v[chain].b;

		c->code.v[chain].b = (uint32_t)c->code.n;
		chain = next;
	}
}

void
emit_call(struct compiler *c, enum op op, const struct call *call)
{
	struct build *b = c->build;

	if (call->command->kind != COMMAND_TEST)
		c->program->effects |= call->command->effects;
	c->program->needs |= call->command->program_needs;
	if (call->stage == TAMIS_HEADER)
		c->program->needs |= TAMIS_NEEDS_HEADER;
	if (call->stage == TAMIS_BODY && !(call->command->program_needs & TAMIS_NEEDS_SIZE))
		c->program->needs |= TAMIS_NEEDS_HEADER | TAMIS_NEEDS_BODY;
	vec_push(&b->calls, *call);
	emit(c, op, 0, (uint32_t)b->calls.n - 1);
}

/* FAIL and ENABLED have no call record: their text carries the place, as "line:column:length ". */
static uint32_t
compile_message(struct compiler *c, struct span at, const char *format, va_list ap)
{
	struct tamis_place place = source_place_line(c->source, at, compile_line(c, at));
	char text[600];

	vsnprintf(text, sizeof text, format, ap);
	vec_push(&c->build->messages, arena_printf(&c->program->arena, "%u:%u:%u %s", place.line, place.column, place.length,
	                                           text));
	return (uint32_t)c->build->messages.n - 1;
}

void
compile_fail(struct compiler *c, struct span at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(c, OP_FAIL, 0, compile_message(c, at, format, ap));
	va_end(ap);
}

void
emit_enabled(struct compiler *c, unsigned extension, struct span at, const char *format, ...)
{
	va_list ap;
	int i;

	va_start(ap, format);
	i = emit(c, OP_ENABLED, 0, compile_message(c, at, format, ap));
	va_end(ap);
	c->code.v[i].c = (uint16_t)build_capability(c->build, extension);
}

uint32_t
compile_intern(struct compiler *c, struct str name)
{
	char lower[64];
	uint32_t id;

	if (name.len <= sizeof lower) {         /* most are known already */
		str_lower_into(lower, name);
		id = names_find(&c->build->names, (struct str){ lower, name.len });
		if (id != NAMES_NONE)
			return id;
	}
	return names_add(&c->build->names, arena_lower(&c->program->arena, name));
}

/* What the node's name means, looked up once. */
static const struct word *
node_word(const struct compiler *c, struct ast_node *node, bool test)
{
	uint8_t as = test ? LOOKED_TEST : LOOKED_COMMAND;

	if (node->looked != as) {
		node->word = build_find(c->build, node->name, test);
		node->looked = as;
	}
	return node->word;
}

bool
compile_means(const struct compiler *c, struct ast_node *node, const struct command *k)
{
	const struct word *w = node_word(c, node, k->kind == COMMAND_TEST);

	return w && w->command == k;
}

/* --- tests */

static void
test_unknown(struct compiler *c, struct ast_node *node)
{
	char hint[80];
	const char *near = vocabulary_near_command(c, node->name, true);

	if (c->ihave) {
		compile_fail(c, node->at, "unknown test '%.*s'", STR_ARG(node->name));
		return;
	}
	if (build_find(c->build, node->name, false)) {
		compile_error(c, node->at, NULL, "'%.*s' is a command, not a test", STR_ARG(node->name));
		return;
	}
	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	compile_error(c, node->at, near ? hint : NULL, "unknown test '%.*s'", STR_ARG(node->name));
}

void
compile_not(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark)
{
	compile_test(c, node->tests, !sense, chain, (unsigned)mark);
}

/* A connective: its operands jump out as soon as one decides.  An unknown one
 * leaves its trace in a mark of the connective's own; SETTLE looks at it where
 * the operands have all been passed. */
void
compile_junction(struct compiler *c, struct ast_node *node, bool sense, int *chain, int mark, bool any)
{
	unsigned own = (unsigned)mark + 1;
	int out = -1, here;

	if (!node->tests->next) {
		compile_test(c, node->tests, sense, chain, (unsigned)mark);
		return;
	}
	if (sense == any && mark) {
		for (struct ast_node *t = node->tests; t; t = t->next)
			compile_test(c, t, sense, chain, (unsigned)mark);
		return;
	}
	emit(c, OP_CLEAR, own, 0);
	for (struct ast_node *t = node->tests; t; t = t->next)
		compile_test(c, t, sense == any ? sense : !sense, sense == any ? chain : &out, own);
	if (sense == any) {
		here = emit(c, OP_SETTLE, own, (uint32_t)-1);
		if (!mark)
			*chain = emit(c, OP_JUMP, 0, (uint32_t)*chain);
		patch(c, here);
		return;
	}
	*chain = emit(c, OP_SETTLE, own, (uint32_t)*chain);
	if (!mark)
		*chain = emit(c, OP_JUMP, 0, (uint32_t)*chain);
	patch(c, out);
}

static void
test_children(struct compiler *c, struct ast_node *node)
{
	for (struct ast_node *t = node->tests; t; t = t->next) {
		int chain = -1;

		compile_test(c, t, true, &chain, 0);
		patch(c, chain);
	}
}

static void
test_leaf(struct compiler *c, const struct command *k, struct ast_node *node, bool sense, int *chain, unsigned mark)
{
	struct call *call = compile_call(c, k, node);

	if (!call)
		return;
	emit_call(c, OP_TEST, call);
	*chain = emit(c, sense ? OP_JUMP_IF : OP_JUMP_IFNOT, mark, (uint32_t)*chain);
}

void
compile_test(struct compiler *c, struct ast_node *node, bool sense, int *chain, unsigned mark)
{
	const struct word *w = node_word(c, node, true);

	if (c->tests >= c->program->limits.nesting || c->tests > MAX_MARK) {
		compile_error(c, node->at, NULL, "tests are nested too deeply (limit is %u)", c->program->limits.nesting);
		return;
	}
	c->tests++;
	if (!w) {
		test_unknown(c, node);
		if (!c->ihave)
			test_children(c, node);
	} else if (vocabulary_use(c, w->extension, node->at, "test", node->name) && node_shape(c, w->command, node)) {
		if (w->command->jump)
			w->command->jump(c, node, sense, chain, (int)mark);
		else
			test_leaf(c, w->command, node, sense, chain, mark);
	}
	c->tests--;
}

/* --- conditions */

uint32_t
compile_rule(struct compiler *c, struct ast_node *node, int *end, bool more)
{
	struct build *b = c->build;
	uint32_t index = (uint32_t)b->rules.n;
	const struct word *w = node_word(c, node, false);
	int no = -1;

	vec_push(&b->rules, (struct rule){ .at = SPAN(node->at.from, node->end), .source = c->source,
	                                   .line = compile_line(c, node->at),
	                                   .name = w ? w->command->name : "", .unit = NO_UNIT });
	emit(c, OP_RULE, 0, index);
	if (node->tests)
		compile_test(c, node->tests, false, &no, 0);
	b->rules.v[index].yes = (uint32_t)c->code.n;
	compile_block(c, node);
	/* a branch without code still is a place of its own, so that a trace can tell it from "no" */
	if (more || c->code.n == b->rules.v[index].yes)
		*end = emit(c, OP_JUMP, 0, (uint32_t)*end);
	b->rules.v[index].no = (uint32_t)c->code.n;
	patch(c, no);
	return index;
}

void
compile_rule_end(struct compiler *c, uint32_t first, uint32_t last, int end)
{
	struct build *b = c->build;

	patch(c, end);
	for (uint32_t i = first; i <= last; i++)
		if (b->rules.v[i].source == c->source && !b->rules.v[i].end)
			b->rules.v[i].end = (uint32_t)c->code.n;
}

/* --- commands */

static void
command_unknown(struct compiler *c, struct ast_node *node)
{
	char hint[80];
	const char *near = vocabulary_near_command(c, node->name, false);

	if (c->ihave) {
		compile_fail(c, node->at, "unknown command '%.*s'", STR_ARG(node->name));
		return;
	}
	if (build_find(c->build, node->name, true)) {
		compile_error(c, node->at, "tests stand behind 'if', 'elsif', 'not' or in a list of tests",
		              "'%.*s' is a test, not a command", STR_ARG(node->name));
		return;
	}
	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	compile_error(c, node->at, near ? hint : NULL, "unknown command '%.*s'", STR_ARG(node->name));
}

static void
command_dead(struct compiler *c, const struct ast_node *node)
{
	if (!c->dead)
		return;
	c->dead = false;
	compile_warning(c, node->at, NULL, "never reached: '%s' stands before it", c->dead_name);
}

static uint32_t
arguments_end(const struct ast_node *node)
{
	uint32_t end = node->at.to;

	for (const struct ast_arg *a = node->args; a; a = a->next)
		end = a->at.to;
	return end;
}

/* What the host cannot do becomes of the message what becomes of it otherwise. */
static void
command_unperformed(struct compiler *c, const struct command *k, const struct ast_node *node)
{
	const uint32_t instead = 1u << TAMIS_DISCARD | 1u << TAMIS_REJECT | 1u << TAMIS_FILE | 1u << TAMIS_REDIRECT |
	                         1u << TAMIS_QUARANTINE;
	uint32_t can = c->host ? c->host->effects : 0;

	/* of what is not allowed either, that was said */
	if (can && k->effects & ~can && !c->diag->errors)
		compile_warning(c, node->at, NULL, "'%s' is not carried out here%s", k->name,
		                k->effects & ~can & instead ? ": the message is kept" : "");
}

void
compile_action(struct compiler *c, const struct command *k, struct ast_node *node)
{
	struct call *call = compile_call(c, k, node);

	if (!call)
		return;
	command_unperformed(c, k, node);
	emit_call(c, OP_ACT, call);
}

/* Two commands of one block that cannot go together (RFC 5429 2.2). */
static void
command_conflict(struct compiler *c, struct sequence *s, const struct command *k, const struct ast_node *node)
{
	const uint32_t refusal = 1u << TAMIS_REJECT;
	const uint32_t delivery = 1u << TAMIS_KEEP | 1u << TAMIS_FILE | 1u << TAMIS_REDIRECT | 1u << TAMIS_SEND |
	                          1u << TAMIS_QUARANTINE;

	if ((k->effects & refusal && s->delivers) || (k->effects & delivery && s->refuses))
		compile_warning(c, node->at, "a message is either refused or delivered; at run time this is an error, and it is kept",
		                "'%s' does not go with '%s' before it", k->name,
		                k->effects & refusal ? s->delivers->name : s->refuses->name);
	else if (k->effects & refusal && s->refuses && !c->diag->errors)
		compile_warning(c, node->at, "a message is refused once; at run time this is an error, and it is kept",
		                "'%s' does not go with '%s' before it", k->name, s->refuses->name);
	if (k->effects & refusal)
		s->refuses = k;
	if (k->effects & delivery)
		s->delivers = k;
}

/* What is in a command that is wrong has mistakes of its own. */
static void
command_inside(struct compiler *c, struct ast_node *node)
{
	test_children(c, node);
	compile_block(c, node);
}

static struct ast_node *command_known(struct compiler *, struct sequence *, const struct word *, struct ast_node *);

/* Both commands, as if the semicolon stood there. */
static struct ast_node *
command_split(struct compiler *c, struct sequence *s, const struct word *w, struct ast_node *node,
              struct ast_node *hidden)
{
	uint32_t end = arguments_end(node);

	compile_error(c, SPAN(end, end), NULL, "';' is missing after '%s'", w->command->name);
	hidden->has_block = node->has_block;
	hidden->block = node->block;
	hidden->next = node->next;
	node->tests = node->block = NULL;
	node->has_block = false;
	node->end = end;
	node->next = hidden;
	return command_known(c, s, w, node);
}

static struct ast_node *
command_known(struct compiler *c, struct sequence *s, const struct word *w, struct ast_node *node)
{
	const struct command *k = w->command;
	struct ast_node *hidden;

	if (!vocabulary_use(c, w->extension, node->at, "command", node->name))
		return node;
	if (k->flags & COMMAND_TOP && c->blocks) {
		compile_error(c, node->at, NULL, "'%s' must not stand inside a block", k->name);
		return node;
	}
	hidden = node_hidden(c, k, node);
	if (hidden)
		return command_split(c, s, w, node, hidden);
	if (k->compile) {
		if (node_shape(c, k, node))
			return k->compile(c, node);
		s->broken = true;
		command_inside(c, node);
	} else if (node_shape(c, k, node)) {
		compile_action(c, k, node);
	}
	return node;
}

void
compile_sequence(struct compiler *c, struct sequence *s, struct ast_node *node)
{
	for (; node; node = node->next) {
		const struct word *w = node_word(c, node, false);

		command_dead(c, node);
		if (w && w->command->flags & COMMAND_CONTINUES && s->broken) {
			command_inside(c, node);
		} else if (w) {
			command_conflict(c, s, w->command, node);
			s->broken = w->command->flags & COMMAND_CONTINUES;
			node = command_known(c, s, w, node);
		} else {
			command_unknown(c, node);
			s->broken = node->has_block && !c->ihave;
			if (!c->ihave)
				command_inside(c, node);
		}
		if (!w || !(w->command->flags & COMMAND_FIRST))
			c->commands_seen = true;
		if (w && w->command->flags & COMMAND_FINAL) {
			c->dead = true;
			c->dead_name = w->command->name;
		}
	}
}

void
compile_commands(struct compiler *c, struct ast_node *node)
{
	struct sequence s = { 0 };

	compile_sequence(c, &s, node);
	c->dead = false;
}

bool
compile_continues(const struct compiler *c, struct ast_node *node)
{
	const struct word *w = node_word(c, node, false);

	return w && w->command->flags & COMMAND_CONTINUES;
}

void
compile_block(struct compiler *c, struct ast_node *owner)
{
	bool dead = c->dead;

	if (c->blocks >= c->program->limits.nesting) {
		compile_error(c, owner->at, NULL, "blocks are nested too deeply (limit is %u)", c->program->limits.nesting);
		return;
	}
	c->blocks++;
	c->dead = false;
	compile_commands(c, owner->block);
	c->dead = dead;
	c->blocks--;
}

void
compile_loop(struct compiler *c, struct ast_node *node)
{
	int breaks = c->breaks, each;

	if (c->loop == LIMIT_LOOPS) {
		compile_error(c, node->at, NULL, "loops are nested too deeply (limit is %d)", LIMIT_LOOPS);
		return;
	}
	c->breaks = -1;
	c->loop++;
	if (c->loop > c->program->nloops)
		c->program->nloops = c->loop;
	each = emit(c, OP_EACH, c->loop, 0);
	compile_block(c, node);
	emit(c, OP_NEXT, c->loop, (uint32_t)each + 1);
	c->loop--;
	c->code.v[each].b = (uint32_t)c->code.n;
	patch(c, c->breaks);
	c->breaks = breaks;
}

/* --- programs */

/* The lists of the build become arrays of the program. */
static void
build_finish(struct build *b)
{
	struct program *p = b->program;

#define MOVE(field, count, list) \
	(arena_on_reset(&p->arena, free, (void *)(list).v), \
	 p->field = (list).v, p->count = (uint32_t)(list).n, (list).v = NULL, (list).n = (list).cap = 0)
	MOVE(unit, nunits, b->units);
	MOVE(call, ncalls, b->calls);
	MOVE(rule, nrules, b->rules);
	MOVE(name, nnames, b->names);
	MOVE(message, nmessages, b->messages);
	MOVE(global, nglobals, b->globals);
	MOVE(space, nspaces, b->spaces);
	MOVE(capability, ncapabilities, b->capabilities);
	MOVE(hook, nhooks, b->hooks);
#undef MOVE
	p->name_hash = arena_array(&p->arena, p->nnames + 1u, sizeof *p->name_hash);
	for (uint32_t i = 0; i < p->nnames; i++)
		p->name_hash[i] = str_hash_seeded(p->name[i]);
}

static void
build_done(struct build *b)
{
	vec_done(&b->tags);
	vec_done(&b->units);
	vec_done(&b->calls);
	vec_done(&b->rules);
	names_done(&b->names);
	vec_done(&b->messages);
	vec_done(&b->id);
	names_done(&b->globals);
	vec_done(&b->spaces);
	vec_done(&b->capabilities);
	vec_done(&b->hooks);
	scripts_done(b);
	arena_done(&b->scratch);
}

struct program *
program_compile(const struct tamis_host *host, struct str name, struct str rules, unsigned flags)
{
	struct build *b = mem_alloc(sizeof *b);
	struct program *p = program_new(host && host->limits ? host->limits : &tamis_limits_default);
	struct diag diag;

	memset(b, 0, sizeof *b);
	diag = (struct diag){ .host = host, .arena = &b->scratch, .limit = LIMIT_ERRORS };
	b->program = p;
	b->host = host;
	b->diag = &diag;
	p->flags = flags;
	build_words(b);
	if (script_main(b, name, rules) < 0) {
		p = program_unref(p);
	} else {
		build_finish(b);
		if (flags & TAMIS_RESIDENT && !(flags & TAMIS_NO_INDEX))
			program_index(p);
		if (program_verify(p))          /* our own bug: nothing that is not verified runs */
			abort();
	}
	build_done(b);
	free(b);
	return p;
}
