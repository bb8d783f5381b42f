/* verify.c - nothing runs that does not keep the machine inside its program
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One loop over the call records, one over the conditions, two over the code
 * of each unit.  What holds afterwards: every operand is in range by its kind;
 * jumps go forward, and into no loop that one is not already in; EACH and NEXT
 * nest; CALL goes to a unit of a lower number, so includes cannot recurse; the
 * last instruction ends.  So a run ends, and touches only what exists. */
#include <stdlib.h>

#include "base/limits.h"
#include "lang/program.h"

/* --- call records: equal to their command's table */

static const char *
verify_slots(const struct program *p, const struct unit *u, const struct value *v)
{
	for (uint32_t i = 0; i < v->n; i++) {
		if (!v->id)
			return "variable without a slot";
		if (v->id[i] & GLOBAL_SLOT && (v->id[i] & ~GLOBAL_SLOT) >= p->nglobals)
			return "no such global variable";
		if (!(v->id[i] & GLOBAL_SLOT) && v->id[i] >= u->nlocals)
			return "no such variable";
	}
	return NULL;
}

static const char *
verify_template(const struct program *p, const struct unit *u, const struct template *t)
{
	for (uint32_t i = 0; t && i < t->npieces; i++) {
		const struct piece *c = &t->piece[i];

		if ((c->kind == PIECE_LOCAL && c->slot >= u->nlocals) || (c->kind == PIECE_GLOBAL && c->slot >= p->nglobals) ||
		    (c->kind == PIECE_MATCH && (c->slot >= MATCH_SLOTS || !u->captures)) || (c->kind == PIECE_SPACE && c->slot >= p->nspaces) ||
		    c->kind > PIECE_SPACE)
			return "no such variable in a string";
	}
	return NULL;
}

static const char *
verify_value(const struct program *p, const struct unit *u, const struct value *v, enum type type, enum role role)
{
	if (v->type == NONE)
		return NULL;
	if (v->type != type)
		return "argument of another type";
	if (type != STRING && type != STRINGS)
		return NULL;
	if (!v->str || !v->n || (type == STRING && v->n != 1))
		return "string missing";
	if (v->dynamic != (v->template != NULL))
		return "templates";
	for (uint32_t i = 0; v->template && i < v->n; i++) {
		const char *wrong = verify_template(p, u, v->template[i]);

		if (wrong)
			return wrong;
	}
	for (uint32_t i = 0; role == ROLE_HEADERS && i < v->n; i++)
		if (!v->id || (v->id[i] >= p->nnames && !(v->template && v->template[i])))
			return "no such header name";
	return role == ROLE_VARIABLE || role == ROLE_VARIABLES ? verify_slots(p, u, v) : NULL;
}

static const char *
verify_matcher(const struct call *k)
{
	const struct matcher *m = k->matcher;

	if (!(k->command->flags & COMMAND_MATCHES))
		return m ? "matcher without need" : NULL;
	if (!m || !m->type || !m->comparator)
		return "matcher missing";
	if (m->type->argument)
		for (uint8_t i = 0; i <= m->argument; i++)
			if (!m->type->argument[i])
				return "no such argument of the match type";
	if ((m->type->substring && !m->comparator->substring) || (m->type->order && !m->comparator->order))
		return "match type and comparator";
	return m->prepared_ok || k->dynamic ? NULL : "keys not prepared";
}

static const char *
verify_call(const struct program *p, const struct call *k)
{
	const struct unit *u = &p->unit[k->unit];
	const char *wrong = NULL;

	if (!k->command || k->nargs != k->command->nparams || !k->arg || k->loop > p->nloops || k->stage > TAMIS_BODY)
		return "call";
	for (uint8_t i = 0; !wrong && i < k->nargs; i++) {
		const struct param *param = &k->command->params[i];

		wrong = verify_value(p, u, &k->arg[i], param->type, param->role);
		if (!wrong && k->arg[i].type == NONE && *param->name != ':' && !(param->flags & PARAM_OPTIONAL))
			wrong = "argument missing";
	}
	for (const struct graft_use *g = call_grafts(k); !wrong && g; g = g->next)
		wrong = verify_value(p, u, &g->value, g->graft->type, g->graft->role);
	if (!wrong && k->probe >= 0 && ((uint32_t)k->probe >= p->nprobes || k->bit >= p->probe[k->probe].nbits))
		wrong = "index";
	return wrong ? wrong : verify_matcher(k);
}

/* --- code */

struct check {
	const struct program *program;
	const struct unit *unit;
	uint32_t number;
	uint32_t *inside;               /* of each instruction: its innermost loop, as EACH's place + 1; NULL: there are none */
};

/* A jump may leave loops, never enter one. */
static bool
reachable(const struct check *k, uint32_t from, uint32_t to)
{
	uint32_t l;

	if (to <= from || to >= k->unit->ninsns)
		return false;
	if (!k->inside)
		return true;
	l = k->inside[from];
	while (l && l != k->inside[to])
		l = k->inside[l - 1];
	return l == k->inside[to];
}

static const char *
verify_ops(const struct check *k, bool *ret_loops)
{
	bool loops = false;

	for (uint32_t pc = 0; pc < k->unit->ninsns; pc++) {
		uint8_t op = k->unit->code[pc].op;

		if (op >= OPS)
			return "no such instruction";
		loops |= op == OP_EACH || op == OP_NEXT;
	}
	*ret_loops = loops;
	return NULL;
}

static const char *
verify_loops(struct check *k)
{
	uint32_t stack[LIMIT_LOOPS + 1] = { 0 }, depth = 0;

	k->inside = mem_alloc(k->unit->ninsns * sizeof *k->inside);
	for (uint32_t pc = 0; pc < k->unit->ninsns; pc++) {
		const struct insn *i = &k->unit->code[pc];

		if (i->op == OP_NEXT) {
			if (!depth || i->a != depth || i->b != stack[depth])
				return "NEXT without its EACH";
			k->inside[pc] = stack[depth--];
			continue;
		}
		k->inside[pc] = stack[depth];
		if (i->op != OP_EACH)
			continue;
		if (++depth > LIMIT_LOOPS || depth > k->program->nloops || i->a != depth)
			return "loops";
		stack[depth] = pc + 1;
	}
	return depth ? "loop is never closed" : NULL;
}

static const char *
verify_rule(const struct check *k, uint32_t pc, uint32_t index)
{
	const struct rule *r = &k->program->rule[index];

	if (index >= k->program->nrules || r->unit != k->number)
		return "no such condition";
	if (r->yes <= pc || r->yes > r->no || r->no > r->end)
		return "condition out of order";
	return reachable(k, pc, r->end) ? NULL : "condition ends nowhere";
}

/* loops around an instruction */
static unsigned
loop_depth(const struct check *k, uint32_t pc)
{
	unsigned n = 0;

	for (uint32_t l = k->inside ? k->inside[pc] : 0; l; l = k->inside[l - 1])
		n++;
	return n;
}

static const char *
verify_use(const struct check *k, uint32_t pc, const struct insn *i, bool test)
{
	const struct call *call = &k->program->call[i->b];

	if (i->b >= k->program->ncalls || call->unit != k->number)
		return "no such call";
	if ((call->command->kind == COMMAND_TEST) != test || (test ? !call->command->test && !call->command->values
	                                                       : !call->command->act))
		return "call of another kind";
	if (i->a && (i->a > k->program->nprobes || i->c >= k->program->probe[i->a - 1].nbits || !test))
		return "index";
	return call->loop > loop_depth(k, pc) ? "call outside its loop" : NULL;
}

static const char *
verify_insn(const struct check *k, uint32_t pc)
{
	const struct program *p = k->program;
	const struct insn *i = &k->unit->code[pc];

	switch (op_info[i->op].operand) {
	case MARK_TO:
		if (i->a > MAX_MARK || (i->op == OP_SETTLE && !i->a))
			return "no such mark";
		return reachable(k, pc, i->b) ? NULL : "jump backwards, into a loop or out of the unit";
	case TO: case LOOP_TO:
		return reachable(k, pc, i->b) ? NULL : "jump backwards, into a loop or out of the unit";
	case MARK:
		return i->a > MAX_MARK || !i->a ? "no such mark" : NULL;
	case RULE:
		return verify_rule(k, pc, i->b);
	case TESTCALL:
		return verify_use(k, pc, i, true);
	case ACTCALL:
		return verify_use(k, pc, i, false);
	case UNIT:
		return i->b >= k->number || i->a > 1 ? "call to itself or backwards" : NULL;
	case CAPABILITY:
		return i->c >= p->ncapabilities || i->c >= CAPABILITIES || i->b >= p->nmessages ? "no such capability" : NULL;
	case MESSAGE:
		return i->b >= p->nmessages ? "no such message" : NULL;
	case LOOP_BACK: case NOTHING:
		break;
	}
	return NULL;
}

static const char *
verify_unit(struct check *k)
{
	const struct insn *code = k->unit->code;
	bool loops = false;
	const char *wrong = verify_ops(k, &loops);
	uint8_t last;

	if (!wrong && loops)
		wrong = verify_loops(k);
	for (uint32_t pc = 0; !wrong && pc < k->unit->ninsns; pc++)
		wrong = verify_insn(k, pc);
	if (wrong)
		return wrong;
	last = k->unit->ninsns ? code[k->unit->ninsns - 1].op : OP_JUMP;
	return last == OP_HALT || last == OP_RETURN || last == OP_STOP ? NULL : "does not end";
}

const char *
program_verify(const struct program *p)
{
	const char *wrong = p->nunits && p->nloops <= LIMIT_LOOPS ? NULL : "no code";

	for (uint32_t i = 0; !wrong && i < p->ncalls; i++)
		if (p->call[i].unit != NO_UNIT)
			wrong = p->call[i].unit < p->nunits ? verify_call(p, &p->call[i]) : "call without a unit";
	for (uint32_t i = 0; !wrong && i < p->nunits; i++) {
		struct check k = { p, &p->unit[i], i, NULL };

		wrong = p->unit[i].script < p->nunits ? verify_unit(&k) : "no such script";
		free(k.inside);
	}
	return wrong;
}
