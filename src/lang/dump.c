/* dump.c - bytecode for people: source lines, instructions, call records
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "lang/program.h"

enum { SHOWN = 8, SHOWN_BYTES = 60, LINE_SHOWN = 200 }; /* strings of a list, bytes of a string, of a source line */

struct dump {
	void (*line)(void *ctx, const char *);
	void *ctx;
	const struct program *program;
	struct buf out;
};

static void
dump_line(struct dump *d)
{
	buf_putc(&d->out, '\0');
	d->line(d->ctx, d->out.s);
	buf_reset(&d->out);
}

static void
dump_string(struct dump *d, struct str v)
{
	buf_putc(&d->out, '"');
	for (size_t i = 0; i < v.len && i < SHOWN_BYTES; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c == '"' || c == '\\')
			buf_printf(&d->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(&d->out, "\\x%02x", c);
		else
			buf_putc(&d->out, (char)c);
	}
	buf_puts(&d->out, v.len > SHOWN_BYTES ? "\"..." : "\"");
}

static void
dump_value(struct dump *d, const struct value *v)
{
	switch (v->type) {
	case NUMBER:
		buf_printf(&d->out, "%llu%s", (unsigned long long)v->number, v->initial ? " (default)" : "");
		break;
	case FLAG:
		buf_puts(&d->out, "yes");
		break;
	case STRING:
		dump_string(d, v->str[0]);
		break;
	case STRINGS:
		buf_putc(&d->out, '[');
		for (uint32_t i = 0; i < v->n && i < SHOWN; i++) {
			buf_puts(&d->out, i ? ", " : "");
			dump_string(d, v->str[i]);
		}
		if (v->n > SHOWN)
			buf_printf(&d->out, ", ... %u in all", v->n);
		buf_putc(&d->out, ']');
		break;
	case NONE:
		break;
	}
	if (v->dynamic)
		buf_puts(&d->out, " with variables");
}

static void
dump_call(struct dump *d, uint32_t index)
{
	static const char *const stage[] = { "envelope", "header", "body" };
	const struct call *k = &d->program->call[index];

	buf_printf(&d->out, "call %u %s stage=%s", index, k->command->name, stage[k->stage]);
	if (k->matcher) {
		buf_printf(&d->out, " %s", k->matcher->type->name);
		if (k->matcher->type->argument)
			buf_printf(&d->out, " \"%s\"", k->matcher->type->argument[k->matcher->argument]);
		buf_printf(&d->out, " %s", k->matcher->comparator->name);
	}
	if (call_part(k))
		buf_printf(&d->out, " %s", call_part(k)->name);
	for (const struct graft_use *g = call_grafts(k); g; g = g->next) {
		buf_printf(&d->out, " %s=", g->graft->name);
		dump_value(d, &g->value);
	}
	for (uint8_t i = 0; i < k->nargs; i++)
		if (k->arg[i].type != NONE) {
			buf_printf(&d->out, " %s=", k->command->params[i].name);
			dump_value(d, &k->arg[i]);
		}
	if (k->probe >= 0)
		buf_printf(&d->out, " index=%d/%u", k->probe, k->bit);
}

static void
dump_operand(struct dump *d, const struct insn *i)
{
	switch (op_info[i->op].operand) {
	case TO:
		buf_printf(&d->out, "-> %u", i->b);
		break;
	case MARK_TO:
		buf_printf(&d->out, "mark=%u -> %u", i->a, i->b);
		break;
	case MARK:
		buf_printf(&d->out, "mark=%u", i->a);
		break;
	case LOOP_TO: case LOOP_BACK:
		buf_printf(&d->out, "loop=%u -> %u", i->a, i->b);
		break;
	case RULE:
		buf_printf(&d->out, "%u ends at %u", i->b, d->program->rule[i->b].end);
		break;
	case TESTCALL: case ACTCALL:
		dump_call(d, i->b);
		break;
	case UNIT:
		buf_printf(&d->out, "unit %u%s", i->b, i->a ? " once" : "");
		break;
	case CAPABILITY:
		dump_string(d, str_from(d->program->capability[i->c]->name));
		break;
	case MESSAGE:
		dump_string(d, d->program->message[i->b]);
		break;
	case NOTHING:
		break;
	}
}

static const struct span *
insn_span(const struct program *p, const struct insn *i, const struct source *source, unsigned *ret_line)
{
	enum operand o = op_info[i->op].operand;

	if ((o == TESTCALL || o == ACTCALL) && p->call[i->b].source == source) {
		*ret_line = p->call[i->b].line;
		return &p->call[i->b].at;
	}
	if (o == RULE) {
		*ret_line = p->rule[i->b].line;
		return &p->rule[i->b].at;
	}
	return NULL;
}

static void
dump_source_line(struct dump *d, struct source *source, const struct span *at, unsigned line)
{
	struct str text = str_trim(source_line(source, *at));

	buf_printf(&d->out, "; %.*s:%u: ", STR_ARG(source->name), line);
	buf_add(&d->out, utf8_cut(text, LINE_SHOWN));
	if (text.len > LINE_SHOWN)
		buf_puts(&d->out, " ...");
	dump_line(d);
}

static void
dump_unit(struct dump *d, uint32_t number)
{
	const struct unit *u = &d->program->unit[number];
	unsigned shown = 0, line;

	buf_printf(&d->out, "unit %u %.*s: %u instructions, %u variables", number, STR_ARG(u->source->name), u->ninsns,
	           u->nlocals);
	dump_line(d);
	for (uint32_t pc = 0; pc < u->ninsns; pc++) {
		const struct insn *i = &u->code[pc];
		const struct span *at = insn_span(d->program, i, u->source, &line);

		if (at && line != shown)
			dump_source_line(d, u->source, at, shown = line);
		buf_printf(&d->out, "%6u  %-11s ", pc, op_info[i->op].name);
		dump_operand(d, i);
		dump_line(d);
	}
}

void
program_dump(const struct program *p, void (*line)(void *ctx, const char *), void *ctx)
{
	struct dump d = { .line = line, .ctx = ctx, .program = p };

	for (uint32_t i = p->nunits; i-- > 0;)
		dump_unit(&d, i);
	buf_done(&d.out);
}
