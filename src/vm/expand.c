/* expand.c - variables, and the strings that hold them
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "vm/trace.h"

struct variable *
run_variable(struct run *r, uint32_t slot)
{
	return slot & GLOBAL_SLOT ? &r->global[slot & ~GLOBAL_SLOT] : &r->local[slot];
}

void
run_assign(struct run *r, const struct call *k, uint32_t slot, struct str v)
{
	struct variable *variable = run_variable(r, slot);
	/* the host's limit is that of today, the program's that of its compilation */
	const struct tamis_limits *limits = r->host && r->host->limits ? r->host->limits : &r->program->limits;
	struct str cut = utf8_cut(v, limits->variable_value);

	variable->v = arena_str(&r->arena, cut);
	variable->taint = r->taint;
	r->work += cut.len / 64;
	if (r->tracing)
		TRACE(r, assigned, k, slot & GLOBAL_SLOT ? r->program->global[slot & ~GLOBAL_SLOT]
		                                        : r->program->unit[r->unit].local_name[slot], cut);
}

static struct str
piece_text(struct run *r, const struct piece *p)
{
	const struct variable *v;

	switch (p->kind) {
	case PIECE_LOCAL:
		v = &r->local[p->slot];
		break;
	case PIECE_GLOBAL:
		v = &r->global[p->slot];
		break;
	case PIECE_MATCH:
		v = &r->match[p->slot];
		break;
	case PIECE_SPACE:
		return r->program->space[p->slot]->get(r, p->text);
	case PIECE_TEXT: default:
		return p->text;
	}
	r->taint |= v->taint;
	return v->v;
}

static struct str
template_text(struct run *r, const struct template *t)
{
	struct str *part = arena_array(&r->arena, t->npieces, sizeof *part), out;
	size_t n = 0;

	for (uint32_t i = 0; i < t->npieces; i++) {
		part[i] = piece_text(r, &t->piece[i]);
		n += part[i].len;
		if (n > LIMIT_STRING) {         /* a string of many long variables: cut, as the variables are */
			part[i].len -= n - LIMIT_STRING;
			n = LIMIT_STRING;
		}
	}
	out = arena_join(&r->arena, part, t->npieces);
	r->work += 1 + n / 64;
	return out;
}

static void
value_expand(struct run *r, struct value *v, uint8_t flags)
{
	struct str *str;

	if (!v->dynamic)
		return;
	str = arena_array(&r->arena, v->n, sizeof *str);
	for (uint32_t i = 0; i < v->n; i++)
		str[i] = v->template[i] ? template_text(r, v->template[i]) : v->str[i];
	v->str = str;
	if (flags & PARAM_WORDS) {
		value_split(&r->arena, v);
		v->template = NULL;     /* which is whose is not known any more */
	}
}

/* A string that holds variables is checked when its value is known. */
static int
value_check(struct run *r, const struct call *k, const struct value *v, const char *name, const char *(*check)(struct str))
{
	for (uint32_t i = 0; check && v->dynamic && i < v->n; i++) {
		const char *wrong = !v->template || v->template[i] ? check(v->str[i]) : NULL;

		if (wrong)
			return run_error(r, k, "%s of '%s': \"%.*s\" %s", name, k->command->name,
			                 v->str[i].len > 80 ? 80 : (int)v->str[i].len, v->str[i].s, wrong);
	}
	return YES;
}

const struct value *
call_expand_(struct run *r, const struct call *k)
{
	struct value *out = arena_array(&r->arena, k->nargs + 1u, sizeof *out);

	memcpy(out, k->arg, k->nargs * sizeof *out);
	for (uint8_t i = 0; i < k->nargs; i++)
		value_expand(r, &out[i], k->command->params[i].flags);
	if (r->taint)
		return out;
	for (uint8_t i = 0; i < k->nargs; i++)
		if (value_check(r, k, &out[i], k->command->params[i].name, k->command->params[i].check) < 0)
			return NULL;
	return out;
}

struct str
run_modify(struct run *r, const struct call *k, struct str v)
{
	for (const struct graft_use *g = call_grafts(k); g; g = g->next)
		if (g->graft->modify) {
			v = g->graft->modify(&r->arena, v);
			r->work += 1 + v.len / 64;
		}
	return v;
}

int
run_graft_value(struct run *r, const struct call *k, const struct graft_use *g, struct value *ret)
{
	*ret = g->value;
	value_expand(r, ret, 0);
	return r->taint ? YES : value_check(r, k, ret, g->graft->name, g->graft->check);
}
