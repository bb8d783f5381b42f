/* trace.c - what a run tells its host when it is watched
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/trace.h"

#define TEXT_NONE ((struct tamis_text){ "", 0 })

static void
trace_send(struct run *r, struct tamis_event *e)
{
	if (!e->name.s)
		e->name = TEXT_NONE;
	if (!e->text.s)
		e->text = TEXT_NONE;
	if (!e->value.s)
		e->value = TEXT_NONE;
	if (!e->place.file.s)
		e->place.file = TEXT_NONE;
	r->host->trace(r->host->ctx, e);
}

void
trace_rule(struct run *r, const struct rule *rule)
{
	struct tamis_event e = { .kind = TAMIS_RULE };

	e.place = source_place_line(rule->source, rule->at, rule->line);
	e.name = text_of(str_from(rule->name));
	e.text = text_of(str_sub(rule->source->text, rule->at.from, rule->at.to));
	trace_send(r, &e);
}

void
trace_rule_end(struct run *r, const struct rule *rule, int result)
{
	struct tamis_event e = { .kind = TAMIS_RULE_END, .result = result };

	e.place = source_place_line(rule->source, rule->at, rule->line);
	e.name = text_of(str_from(rule->name));
	trace_send(r, &e);
}

static void
trace_quoted(struct buf *out, struct str v)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '"' || v.s[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, v.s[i]);
	}
	buf_putc(out, '"');
}

enum { SHOWN = 20 };            /* strings of a list */

static void
trace_argument(struct buf *out, const char *name, const struct value *v)
{
	if (!value_given(v))
		return;
	buf_puts(out, out->len ? " " : "");
	if (*name == ':')
		buf_printf(out, "%s%s", name, v->type == FLAG ? "" : " ");
	if (v->type == NUMBER)
		buf_printf(out, "%llu", (unsigned long long)v->number);
	if (v->type == STRINGS && v->n != 1)
		buf_putc(out, '[');
	for (uint32_t i = 0; v->type >= STRING && i < v->n && i < SHOWN; i++) {
		buf_puts(out, i ? ", " : "");
		trace_quoted(out, v->str[i]);
	}
	if (v->type == STRINGS && v->n != 1)
		buf_puts(out, v->n > SHOWN ? ", ...]" : "]");
}

/* The arguments as this run has them, variables filled in, as rules would write them. */
static struct str
trace_arguments(struct run *r, const struct call *k, const struct value *arg)
{
	struct buf out = { 0 };
	struct str copy;

	for (const struct graft_use *g = call_grafts(k); g; g = g->next)
		trace_argument(&out, g->graft->name, &g->value);
	for (uint8_t i = 0; i < k->nargs; i++)
		trace_argument(&out, k->command->params[i].name, &arg[i]);
	copy = buf_copy(&out, &r->arena);
	buf_done(&out);
	return copy;
}

static void
trace_call(struct run *r, const struct call *k, struct tamis_event *e)
{
	e->place = call_place(k);
	e->name = text_of(str_from(k->command->name));
	trace_send(r, e);
}

void
trace_test(struct run *r, const struct call *k, const struct value *arg)
{
	struct tamis_event e = { .kind = TAMIS_TEST };

	e.text = text_of(trace_arguments(r, k, arg));
	if (k->matcher)
		e.value = text_of(str_from(k->matcher->type->name));
	trace_call(r, k, &e);
}

void
trace_value(struct run *r, const struct call *k, struct str value, int result, struct str key)
{
	struct tamis_event e = { .kind = TAMIS_VALUE, .text = text_of(value), .value = text_of(value), .result = result };

	trace_call(r, k, &e);
	if (result != YES)
		return;
	e.kind = TAMIS_MATCHED;
	e.text = text_of(key);
	trace_call(r, k, &e);
}

void
trace_nearest(struct run *r, const struct call *k, struct str value, struct str key)
{
	struct tamis_event e = { .kind = TAMIS_NEAREST, .text = text_of(key), .value = text_of(value) };

	trace_call(r, k, &e);
}

void
trace_result(struct run *r, const struct call *k, int result)
{
	struct tamis_event e = { .kind = TAMIS_RESULT, .result = result };

	trace_call(r, k, &e);
}

void
trace_action(struct run *r, const struct call *k, const struct value *arg, int result)
{
	struct tamis_event e = { .kind = TAMIS_ACTION, .result = result };

	e.text = text_of(trace_arguments(r, k, arg));
	if (r->idle)
		e.value = text_of(str_from(r->idle));
	trace_call(r, k, &e);
}

void
trace_asked(struct run *r, struct str what, struct str key, struct str value, int result)
{
	struct tamis_event e = { .kind = TAMIS_ASKED, .name = text_of(what), .text = text_of(key), .value = text_of(value),
	                         .result = result };

	trace_send(r, &e);
}

void
trace_assigned(struct run *r, const struct call *k, struct str name, struct str value)
{
	struct tamis_event e = { .kind = TAMIS_ASSIGNED, .name = text_of(name), .text = text_of(value) };

	e.place = call_place(k);
	trace_send(r, &e);
}
