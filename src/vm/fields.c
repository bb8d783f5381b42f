/* fields.c - header fields as a run sees them
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/edit.h"
#include "vm/run.h"

const struct field run_field_unknown;

void
fields_forget(struct run *r)
{
	for (uint32_t i = 0; i < r->program->nnames; i++)
		r->field[i] = (struct field *)&run_field_unknown;
	memset(r->probe, 0, r->program->nprobes * sizeof *r->probe);
}

static struct field *
field_find(struct run *r, struct str name, uint32_t hash)
{
	struct field *edited;

	if (r->outcome->edits && edit_find(r->outcome, name, &edited))
		return edited;
	return message_field(r->message, name, hash);
}

struct field *
run_field_find(struct run *r, uint32_t id)
{
	struct str name = r->program->name[id];         /* in lower case */
	struct field *f = field_find(r, name, r->program->name_hash[id]);

	/* "From:" is no name, and no error either: no field has it (RFC 5228 2.4.2.2) */
	return r->field[id] = f && header_name_ok(name) ? f : NULL;
}

struct field *
run_field_lower(struct run *r, struct str name)
{
	return field_find(r, name, str_hash_seeded(name));
}

struct field *
run_field_named(struct run *r, struct str name)
{
	return header_name_ok(name) ? run_field_lower(r, arena_lower(&r->arena, name)) : NULL;
}

static bool
field_selected(const struct fields *f)
{
	for (const struct graft_use *g = call_grafts(f->call); g; g = g->next)
		if (g->graft->select && !g->graft->select(&g->value, f->at, f->nth, f->total))
			return false;
	return true;
}

/* Who narrows by number counts the fields of all names, in the order in which
 * the names are given (RFC 5260 6). */
static unsigned
fields_count(const struct fields *f)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < f->names->n; i++) {
		const struct field *first = run_field(f->run, f->names, i);

		n += first ? first->nsame : 0;
	}
	return n;
}

struct field *
fields_next_selected(struct fields *f)
{
	if (!f->at && !f->next_name)
		f->total = fields_count(f);
	do {
		if (f->at)
			f->at = f->at->same;
		while (!f->at) {
			if (f->next_name == f->names->n)
				return NULL;
			f->at = run_field(f->run, f->names, f->next_name++);
		}
		f->nth++;
	} while (!field_selected(f));
	return f->at;
}
