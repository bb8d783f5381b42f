/* commit.c - the effects that commands have: made, given options, committed
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"

struct effect *
run_effect(struct run *r, const struct call *k, enum tamis_effect_kind kind)
{
	struct effect *e = ARENA_NEW(&r->outcome->arena, struct effect);

	e->public.kind = kind;
	e->public.name = text_of(str_from(k->command->name));
	e->public.place = call_place(k);
	/* what is refused is refused as it came (RFC 5293 7); so is what somebody is to look at */
	e->public.version = kind == TAMIS_REJECT || kind == TAMIS_QUARANTINE ? 0 : r->outcome->version;
	e->public.early = kind == TAMIS_REJECT && k->command->flags & COMMAND_EARLY;
	e->call = k;
	return e;
}

void
effect_option(struct run *r, struct effect *e, const char *name, struct str value)
{
	outcome_option(r->outcome, e, name, value);
}

/* What else extensions have to say to an effect: YES, or UNKNOWN. */
int
run_hooks(struct run *r, struct effect *e)
{
	int rc = YES;

	for (uint32_t i = 0; i < r->program->nhooks && rc == YES; i++)
		rc = r->program->hook[i]->effect(r, e);
	return rc;
}

int
run_commit(struct run *r, const struct call *k, struct effect *e)
{
	const char *wrong;

	for (const struct graft_use *g = call_grafts(k); g; g = g->next)
		if (g->graft->effect) {
			struct value v;

			if (run_graft_value(r, k, g, &v) < 0)
				return ERROR;
			g->graft->effect(r, &v, e);
		}
	if ((r->taint || run_hooks(r, e) == UNKNOWN) && r->stage < TAMIS_BODY)
		return UNKNOWN;
	wrong = outcome_add(r->outcome, r->program, e, r->degraded);
	return wrong ? run_error(r, k, "'%s': %s", k->command->name, wrong) : YES;
}
