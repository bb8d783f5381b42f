/* script.c - the scripts of a program: each becomes a unit; includes
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Units are numbered when their compilation ends, and an include of a script
 * that is being compiled is refused, so that programs cannot recurse.  What a
 * script may include hence depends on where it is itself included: a unit
 * remembers which scripts it could not include, and which it does, and serves
 * all places where that would come out the same.  Elsewhere the script is
 * compiled once more. */
#include <stdlib.h>

#include "lang/build.h"
#include "lang/parse.h"

/* --- what a unit depends on beside its text */

static void
ids_add(struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->v[i] == id)
			return;
	vec_push(ids, id);
}

static void
context_done(struct context *x)
{
	vec_done(&x->cut);
	vec_done(&x->inside);
}

/* Script `id`, which c includes, depends on `inner`: so does c. */
static void
context_merge(struct compiler *c, uint32_t id, const struct context *inner)
{
	struct context *x = &c->context;

	ids_add(&x->inside, id);
	for (size_t i = 0; i < inner->inside.n; i++)
		ids_add(&x->inside, inner->inside.v[i]);
	for (size_t i = 0; i < inner->cut.n; i++)
		if (inner->cut.v[i] != c->script)
			ids_add(&x->cut, inner->cut.v[i]);
	if (x->height < inner->height + 1)
		x->height = inner->height + 1;
	x->low |= inner->low;
}

/* Would that unit be compiled to the same code here? */
static bool
context_fits(const struct build *b, const struct context *x)
{
	if (x->low || b->depth + 1 + x->height > b->program->limits.include_nesting)
		return false;
	for (size_t i = 0; i < x->cut.n; i++)
		if (!b->scripts.v[x->cut.v[i]].active)
			return false;
	for (size_t i = 0; i < x->inside.n; i++)
		if (b->scripts.v[x->inside.v[i]].active)
			return false;
	return true;
}

void
scripts_done(struct build *b)
{
	for (size_t i = 0; i < b->contexts.n; i++)
		context_done(&b->contexts.v[i]);
	vec_done(&b->contexts);
	vec_done(&b->scripts);
	names_done(&b->keys);
}

/* --- units */

static const struct str *
local_names(struct compiler *c)
{
	struct str *local = arena_zalloc(&c->program->arena, (c->nlocals + 1) * sizeof *local);

	for (uint32_t i = 0; i < c->nlocals; i++)
		local[i] = STR_EMPTY;
	for (size_t i = 0; i < c->names.n; i++)
		if (!(c->names.v[i].slot & GLOBAL_SLOT))
			local[c->names.v[i].slot] = c->names.v[i].name;
	return local;
}

/* The first unit of the script stands for it: what ":once" remembers. */
static uint32_t
unit_script(const struct build *b, const struct compiler *c)
{
	for (uint32_t i = 0; i < b->contexts.n; i++)
		if (b->contexts.v[i].script == c->script)
			return i;
	return (uint32_t)b->units.n;
}

static void
unit_close(struct compiler *c)
{
	struct build *b = c->build;
	/* what was grown for it becomes the program's, cut to its size */
	struct insn *code = mem_realloc(c->code.v, c->code.n * sizeof *code);
	struct unit u = { .source = c->source, .ninsns = (uint32_t)c->code.n, .nlocals = c->nlocals, .captures = c->captures,
	                  .local_name = local_names(c), .code = code, .script = unit_script(b, c) };
	uint16_t number = (uint16_t)b->units.n;

	arena_on_reset(&c->program->arena, free, code);
	c->code.v = NULL;
	for (size_t i = c->first_call; i < b->calls.n; i++)
		if (b->calls.v[i].source == c->source)
			b->calls.v[i].unit = number;
	for (size_t i = c->first_rule; i < b->rules.n; i++)
		if (b->rules.v[i].source == c->source)
			b->rules.v[i].unit = number;
	vec_push(&b->units, u);
	c->context.script = c->script;
	vec_push(&b->contexts, c->context);
	c->context = (struct context){ 0 };
}

static struct source *
source_new(struct build *b, struct str name, struct str text)
{
	struct source *s = ARENA_NEW(&b->program->arena, struct source);

	s->name = arena_str(&b->program->arena, name);
	s->text = b->program->flags & TAMIS_BORROW ? text : arena_str(&b->program->arena, text);
	source_marks(s, &b->program->arena);
	return s;
}

/* Commands are compiled as they are read.  Two arenas take turns: one holds what waits to be compiled, since an
 * else may follow it, the other what is being read. */
struct stream {
	struct compiler *c;
	struct arena tree[2];
	unsigned reading;
	struct ast_node *first, *last;
	struct sequence sequence;
};

static void
stream_command(void *ctx, struct parse *p, struct ast_node *node)
{
	struct stream *s = ctx;

	if (s->first && !compile_continues(s->c, node)) {
		compile_sequence(s->c, &s->sequence, s->first);
		s->first = s->last = NULL;
		s->reading = !s->reading;
		arena_reset(&s->tree[s->reading]);
		p->arena = &s->tree[s->reading];
	}
	parse_append(&s->first, &s->last, node);
}

static void
stream_compile(struct compiler *c)
{
	struct stream s = { .c = c };
	struct parse p = { .arena = &s.tree[0], .command = stream_command, .ctx = &s };

	parse_stream(&p, &c->program->arena, c->source, c->diag);
	compile_sequence(c, &s.sequence, s.first);
	c->dead = false;
	arena_done(&s.tree[0]);
	arena_done(&s.tree[1]);
}

/* A long script has about this many bytes for each; to grow to that by doubling would touch as much memory again. */
enum { BYTES_OF_CALL = 40, BYTES_OF_RULE = 80, BYTES_OF_INSN = 14, RESERVE_FROM = 4096, RESERVE_MOST = 1 << 19 };

static void
script_reserve(struct compiler *c, size_t len)
{
	len = len < RESERVE_FROM ? 0 : len < RESERVE_MOST ? len : RESERVE_MOST;
	vec_reserve(&c->build->calls, len / BYTES_OF_CALL);
	vec_reserve(&c->build->rules, len / BYTES_OF_RULE);
	vec_reserve(&c->code, len / BYTES_OF_INSN);
}

static bool
script_read(struct compiler *c, struct str text)
{
	struct build *b = c->build;
	unsigned errors = b->diag->errors;

	if (text.len > b->program->limits.script_size) {
		compile_error(c, SPAN(0, 0), "a key list may need more: the limit can be raised (tamis: --limit script-size=8M, "
		              "tamis.conf: limit_script_size)",
		              "script is larger than %zu bytes (limit 'script-size')",
		              b->program->limits.script_size);
		return false;
	}
	script_reserve(c, text.len);
	stream_compile(c);
	emit(c, c->outer ? OP_RETURN : OP_HALT, 0, 0);
	if (b->diag->errors == errors && !c->again)
		vocabulary_unused(c);
	return b->diag->errors == errors;
}

/* Its unit, or -1 after errors, which have been reported. */
static int
script_compile(struct build *b, struct compiler *outer, uint32_t id, struct str name, struct str text)
{
	struct arena scratch = { 0 };
	struct compiler c = { .outer = outer, .build = b, .program = b->program, .diag = b->diag, .host = b->host,
	                      .scratch = &scratch, .script = id, .flags = b->program->flags, .breaks = -1,
	                      .again = b->scripts.v[id].compiled, .first_call = (uint32_t)b->calls.n,
	                      .first_rule = (uint32_t)b->rules.n };
	size_t first = b->diag->items.n;
	bool fine;

	c.source = source_new(b, name, text.len > b->program->limits.script_size ? STR_EMPTY : text);
	b->scripts.v[id].active = b->scripts.v[id].compiled = true;
	fine = script_read(&c, text);
	diag_flush(b->diag, first);
	b->scripts.v[id].active = false;
	if (fine)
		unit_close(&c);
	context_done(&c.context);
	vec_done(&c.code);
	vec_done(&c.names);
	names_done(&c.known);
	vec_done(&c.required);
	arena_done(&scratch);
	return fine ? (int)b->units.n - 1 : -1;
}

int
script_main(struct build *b, struct str name, struct str text)
{
	names_add(&b->keys, STR_EMPTY);
	vec_push(&b->scripts, (struct script){ .file = name, .text = text });
	return script_compile(b, NULL, 0, name, text);
}

/* --- includes */

/* The number of the script of that kind and name. */
static uint32_t
script_find(struct build *b, struct str kind, struct str name)
{
	struct str part[] = { kind, STR("/"), name }, key = arena_join(&b->scratch, part, COUNT(part));
	uint32_t id = names_add(&b->keys, key);

	if (id == b->scripts.n)
		vec_push(&b->scripts, (struct script){ .text = { 0 } });
	return id;
}

static int
unit_fitting(const struct build *b, uint32_t id)
{
	for (uint32_t i = 0; i < b->contexts.n; i++)
		if (b->contexts.v[i].script == id && context_fits(b, &b->contexts.v[i]))
			return (int)i;
	return -1;
}

static int
include_refused(struct compiler *c, uint32_t active)
{
	if (active != c->script)
		ids_add(&c->context.cut, active);
	return INCLUDE_RECURSIVE;
}

static int
include_load(struct compiler *c, struct str kind, struct str name, uint32_t id)
{
	struct build *b = c->build;
	struct tamis_text text = { 0 };
	int found;

	if (b->scripts.v[id].text.s)
		return 1;
	found = b->host && b->host->load ? b->host->load(b->host->ctx, text_of(kind), text_of(name), &text) : 0;
	if (found > 0)
		b->scripts.v[id].text = str_of(text);
	return found > 0 ? 1 : found ? INCLUDE_UNREADABLE : INCLUDE_MISSING;
}

static int
include_compile(struct compiler *c, struct str kind, struct str name, uint32_t id)
{
	struct build *b = c->build;
	unsigned errors = b->diag->errors;
	struct str file = str_is(kind, "personal") ? name
	                                           : arena_printf(&b->scratch, "%.*s/%.*s", STR_ARG(kind), STR_ARG(name));
	int unit;

	b->depth++;
	unit = script_compile(b, c, id, file, b->scripts.v[id].text);
	b->depth--;
	/* a broken include does not stop the including script from compiling */
	b->diag->errors = errors;
	b->scripts.v[id].broken = unit < 0;
	return unit < 0 ? INCLUDE_BROKEN : unit;
}

/* Nobody says what name includes know the main script by: it is taken for the
 * one with the name of its file and the same text. */
static bool
is_main(const struct build *b, struct str name, struct str text)
{
	struct str file = b->scripts.v[0].file;
	const char *slash = memrchr(file.s, '/', file.len);

	if (slash)
		file = str_sub(file, (size_t)(slash + 1 - file.s), file.len);
	if (!str_starts(file, name) || !str_eq(text, b->scripts.v[0].text))
		return false;
	return file.len == name.len || str_is(str_sub(file, name.len, file.len), ".sieve");
}

/* A script to compile: may it be? */
static int
include_allowed(struct compiler *c, struct str name, uint32_t id)
{
	struct build *b = c->build;

	if (is_main(b, name, b->scripts.v[id].text))
		return include_refused(c, 0);
	if (b->depth >= b->program->limits.include_nesting) {
		c->context.low = true;
		return INCLUDE_DEEP;
	}
	return ++b->nscripts > b->program->limits.includes ? INCLUDE_MANY : 1;
}

int
compile_include(struct compiler *c, struct str kind, struct str name)
{
	struct build *b = c->build;
	uint32_t id = script_find(b, kind, name);
	int unit, rc;

	if (b->scripts.v[id].active)
		return include_refused(c, id);
	if (b->scripts.v[id].broken)
		return INCLUDE_BROKEN;
	unit = unit_fitting(b, id);
	if (unit < 0) {
		rc = include_load(c, kind, name, id);
		if (rc > 0)
			rc = include_allowed(c, name, id);
		unit = rc > 0 ? include_compile(c, kind, name, id) : rc;
	}
	if (unit >= 0)
		context_merge(c, id, &b->contexts.v[unit]);
	return unit;
}
