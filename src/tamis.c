/* tamis.c - the public functions: thin, over vm/ and lang/
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tamis.h"

#include <stdlib.h>

#include "lang/build.h"
#include "vm/reply.h"

/* The public names of the engine's own structures. */
struct tamis_program {
	struct program p;
};
struct tamis_message {
	struct message m;
	void (*tell)(void *ctx, struct tamis_message *);
	void *tell_ctx;
};
struct tamis_recipient {
	struct recipient r;
};
struct tamis_outcome {
	struct outcome o;
};

const struct tamis_limits tamis_limits_default = {
	.work = LIMIT_WORK, .memory = LIMIT_MEMORY, .script_size = LIMIT_SCRIPT_SIZE, .nesting = LIMIT_NESTING,
	.actions = LIMIT_ACTIONS, .redirects = LIMIT_REDIRECTS, .includes = LIMIT_INCLUDES,
	.include_nesting = LIMIT_INCLUDE_NESTING, .variable_value = LIMIT_VARIABLE_VALUE, .variables = LIMIT_VARIABLES,
	.field_value = LIMIT_FIELD_VALUE,
};

const char *
tamis_version(void)
{
	return PACKAGE_VERSION;
}

/* --- programs */

struct tamis_program *
tamis_compile(const struct tamis_host *host, struct tamis_text name, struct tamis_text rules, unsigned flags)
{
	return (struct tamis_program *)program_compile(host, str_of(name), str_of(rules), flags);
}

struct tamis_program *
tamis_program_ref(struct tamis_program *program)
{
	return (struct tamis_program *)program_ref(&program->p);
}

struct tamis_program *
tamis_program_unref(struct tamis_program *program)
{
	return (struct tamis_program *)program_unref(program ? &program->p : NULL);
}

unsigned
tamis_program_needs(const struct tamis_program *program)
{
	return program->p.needs;
}

uint32_t
tamis_program_effects(const struct tamis_program *program)
{
	return program->p.effects;
}

void
tamis_program_dump(const struct tamis_program *program, void (*line)(void *ctx, const char *), void *ctx)
{
	program_dump(&program->p, line, ctx);
}

void
tamis_program_points(const struct tamis_program *program, void (*point)(void *ctx, const struct tamis_point *), void *ctx)
{
	program_points(&program->p, point, ctx);
}

/* --- messages */

struct tamis_message *
tamis_message_new(void)
{
	struct tamis_message *m = mem_alloc(sizeof *m);

	message_init(&m->m);
	return m;
}

void
tamis_message_reset(struct tamis_message *m)
{
	message_reset(&m->m);
}

void
tamis_message_fact(struct tamis_message *m, struct tamis_text name, struct tamis_text value)
{
	message_set_fact(&m->m, str_of(name), str_of(value));
}

static void
message_tell(void *ctx, struct message *m)
{
	struct tamis_message *message = ctx;

	(void)m;
	message->tell(message->tell_ctx, message);
}

void
tamis_message_facts(struct tamis_message *m, void (*tell)(void *ctx, struct tamis_message *), void *ctx)
{
	m->tell = tell;
	m->tell_ctx = ctx;
	m->m.tell = message_tell;
	m->m.tell_ctx = m;
}

void
tamis_message_header(struct tamis_message *m, struct tamis_text block)
{
	message_set_header(&m->m, str_of(block));
}

void
tamis_message_body(struct tamis_message *m, struct tamis_text body, uint64_t size)
{
	message_set_body(&m->m, str_of(body), size);
}

struct tamis_message *
tamis_message_free(struct tamis_message *m)
{
	if (m) {
		message_done(&m->m);
		free(m);
	}
	return NULL;
}

/* --- recipients */

struct tamis_recipient *
tamis_recipient_new(struct tamis_message *m, struct tamis_text address, int64_t now, const uint8_t seed[32])
{
	return (struct tamis_recipient *)recipient_new(&m->m, str_of(address), now, seed);
}

void
tamis_recipient_reset(struct tamis_recipient *r, struct tamis_text address, int64_t now, const uint8_t seed[32])
{
	recipient_reset(&r->r, str_of(address), now, seed);
}

void
tamis_recipient_fact(struct tamis_recipient *r, struct tamis_text name, struct tamis_text value)
{
	recipient_fact(&r->r, str_of(name), str_of(value));
}

void
tamis_recipient_answer(struct tamis_recipient *r, struct tamis_text what, struct tamis_text key, enum tamis_answer answer,
                       struct tamis_text value)
{
	recipient_answer(&r->r, str_of(what), str_of(key), answer, str_of(value));
}

struct tamis_recipient *
tamis_recipient_free(struct tamis_recipient *r)
{
	return (struct tamis_recipient *)recipient_free(r ? &r->r : NULL);
}

struct questions {
	struct tamis_recipient *recipient;
	void (*want)(void *ctx, struct tamis_recipient *, struct tamis_text what, struct tamis_text key);
	void *ctx;
};

static void
question(void *ctx, struct str what, struct str key)
{
	const struct questions *q = ctx;

	if (!recipient_find(&q->recipient->r, what, key))
		q->want(q->ctx, q->recipient, text_of(what), text_of(key));
}

void
tamis_questions(const struct tamis_program *program, struct tamis_recipient *r, enum tamis_stage stage,
                void (*want)(void *ctx, struct tamis_recipient *, struct tamis_text what, struct tamis_text key), void *ctx)
{
	struct questions q = { r, want, ctx };
	const struct program *p = &program->p;

	for (uint32_t i = 0; i < p->ncalls; i++)
		if (p->call[i].command->questions && p->call[i].stage <= (int)stage && p->call[i].unit != NO_UNIT)
			p->call[i].command->questions(&p->call[i], &r->r, question, &q);
}

/* --- outcomes */

struct tamis_outcome *
tamis_outcome_new(struct tamis_recipient *r)
{
	return (struct tamis_outcome *)outcome_new(&r->r);
}

void
tamis_outcome_reset(struct tamis_outcome *o)
{
	outcome_reset(&o->o);
}

void
tamis_outcome_switch(struct tamis_outcome *o, struct tamis_recipient *r)
{
	outcome_switch(&o->o, &r->r);
}

void
tamis_outcome_clear(struct tamis_outcome *o)
{
	outcome_clear(&o->o);
}

enum tamis_status
tamis_run(const struct tamis_program *program, struct tamis_outcome *o, enum tamis_stage stage,
          const struct tamis_host *host)
{
	return run_program(&program->p, &o->o, stage, host);
}

const struct tamis_effect *
tamis_outcome_next(const struct tamis_outcome *o, const struct tamis_effect *previous)
{
	const struct effect *e = previous ? ((const struct effect *)previous)->next : o->o.first;

	return e ? &e->public : NULL;
}

bool
tamis_outcome_keeps(const struct tamis_outcome *o)
{
	return outcome_keeps(&o->o);
}

bool
tamis_outcome_degraded(const struct tamis_outcome *o)
{
	return o->o.degraded;
}

int
tamis_outcome_write(const struct tamis_outcome *o, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx)
{
	return outcome_write(&o->o, version, write, ctx);
}

int
tamis_reply_write(const struct tamis_outcome *o, const struct tamis_effect *e, int (*write)(void *ctx, struct tamis_text), void *ctx)
{
	return reply_write(&o->o, e, write, ctx);
}

struct tamis_outcome *
tamis_outcome_free(struct tamis_outcome *o)
{
	return (struct tamis_outcome *)outcome_free(o ? &o->o : NULL);
}

/* --- words */

static const char *const kind_names[] = {
	[COMMAND_TEST] = "test", [COMMAND_ACTION] = "action", [COMMAND_CONTROL] = "control",
};

/* The i-th word of one extension: itself, then what it brings.  False: *i less how many it has. */
static bool
extension_word(const struct extension *x, size_t *i, struct tamis_word *ret)
{
	*ret = (struct tamis_word){ .extension = x->name, .document = x->document, .summary = x->summary };
	if (*x->name) {
		if (!*i) {
			ret->kind = "extension";
			ret->name = x->name;
			return true;
		}
		--*i;
	}
#define WORD(list, count, kind_name) \
	if (*i < x->count) { \
		ret->kind = (kind_name); \
		ret->name = x->list[*i].name; \
		ret->summary = x->list[*i].summary; \
		return true; \
	} \
	*i -= x->count
	WORD(commands, ncommands, kind_names[x->commands[*i].kind]);
	WORD(grafts, ngrafts, "tag");
	WORD(match_types, nmatch_types, "match type");
	WORD(comparators, ncomparators, "comparator");
	WORD(address_parts, naddress_parts, "address part");
#undef WORD
	return false;
}

bool
tamis_word(size_t i, struct tamis_word *ret)
{
	for (const struct extension *const *x = extensions; *x; x++)
		if (extension_word(*x, &i, ret))
			return true;
	return false;
}

size_t
tamis_usage(const struct tamis_word *word, char *out, size_t size)
{
	struct arena scratch = { 0 };
	struct str usage = STR_EMPTY;
	size_t n;

	for (const struct extension *const *x = extensions; *x; x++)
		for (size_t i = 0; i < (*x)->ncommands; i++)
			if ((*x)->commands[i].name == word->name)
				usage = command_usage(&scratch, &(*x)->commands[i], NULL);
	n = usage.len;
	if (size) {
		size_t k = n < size ? n : size - 1;

		memcpy(out, usage.s, k);
		out[k] = '\0';
	}
	arena_done(&scratch);
	return n;
}
