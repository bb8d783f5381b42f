/* fields.c - header fields as a run sees them
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"

/* The list of a name is looked up once for each run. */
static struct field *
field_first(struct run *r, uint32_t id)
{
	if (!r->known[id]) {
		const struct str name = r->program->name[id];

		r->known[id] = true;
		r->field[id] = message_field(r->message, name, field_hash(name));
	}
	return r->field[id];
}

struct field *
run_field(struct run *r, const struct value *names, uint32_t i)
{
	struct str lower;

	if (names->id && names->id[i] != UINT32_MAX)
		return field_first(r, names->id[i]);
	lower = arena_lower(&r->arena, names->str[i]);
	return message_field(r->message, lower, field_hash(lower));
}

/* Who narrows by number counts the fields of all names, in the order in which
 * the names are given (RFC 5260 6). */
void
fields_start(struct fields *f, struct run *r, const struct call *k, const struct value *names)
{
	*f = (struct fields){ .run = r, .call = k, .names = names };
	for (uint32_t i = 0; k->grafts && i < names->n; i++) {
		const struct field *first = run_field(r, names, i);

		f->total += first ? first->nsame : 0;
	}
}

static bool
field_selected(const struct fields *f)
{
	for (const struct graft_use *g = f->call->grafts; g; g = g->next)
		if (g->graft->select && !g->graft->select(&g->value, f->at, f->nth, f->total))
			return false;
	return true;
}

struct field *
fields_next(struct fields *f)
{
	do {
		if (f->at)
			f->at = f->at->same;
		while (!f->at) {
			if (f->next_name == f->names->n)
				return NULL;
			f->at = run_field(f->run, f->names, f->next_name++);
		}
		f->nth++;
	} while (f->call->grafts && !field_selected(f));
	return f->at;
}
