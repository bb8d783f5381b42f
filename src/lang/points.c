/* points.c - every condition, test and action with the earliest stage that decides it
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * "Earliest" is the best case: the first stage at which some message can be
 * decided there, all that stands before it included. */
#include <stdlib.h>

#include "lang/program.h"

struct points {
	const struct program *program;
	const struct unit *unit;
	uint8_t *stage;                 /* of each instruction: earliest at which it is reached; 0xff: never */
	void (*point)(void *ctx, const struct tamis_point *);
	void *ctx;
};

static void
reach(struct points *p, uint32_t pc, unsigned stage)
{
	if (stage < p->stage[pc])
		p->stage[pc] = (uint8_t)stage;
}

static unsigned
later(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* The stage from which an instruction's successors run. */
static unsigned
insn_stage(const struct points *p, const struct insn *i, unsigned stage)
{
	if (i->op == OP_ACT)
		return later(stage, p->program->call[i->b].stage);
	if (i->op == OP_EACH)
		return TAMIS_BODY;
	return stage;
}

/* Within a condition an unknown test may be passed over, so the earliest stage
 * of its outcome is the earliest of any test that can decide it; the code
 * behind it is reached from there on. */
static unsigned
rule_stage(const struct points *p, uint32_t pc)
{
	const struct rule *r = &p->program->rule[p->unit->code[pc].b];
	unsigned best = 0xff;

	for (uint32_t i = pc + 1; i < r->yes; i++)
		if (p->unit->code[i].op == OP_TEST) {
			unsigned s = p->program->call[p->unit->code[i].b].stage;

			best = s < best ? s : best;
		}
	return later(p->stage[pc], best == 0xff ? 0 : best);
}

/* The tests of a condition are all reached from where it begins; its two ways
 * out from the stage that decides it.  Returns its last instruction. */
static uint32_t
flow_rule(struct points *p, uint32_t pc)
{
	const struct rule *r = &p->program->rule[p->unit->code[pc].b];
	unsigned stage = rule_stage(p, pc);

	for (uint32_t i = pc + 1; i < r->yes; i++)
		reach(p, i, p->stage[pc]);
	reach(p, r->yes, stage);
	reach(p, r->no, stage);
	return r->yes - 1;
}

static void
flow(struct points *p)
{
	p->stage[0] = TAMIS_ENVELOPE;
	for (uint32_t pc = 0; pc < p->unit->ninsns; pc++) {
		const struct insn *i = &p->unit->code[pc];
		unsigned stage = p->stage[pc];

		if (stage == 0xff)
			continue;
		switch ((enum op)i->op) {
		case OP_HALT: case OP_RETURN: case OP_STOP: case OP_FAIL: case OPS:
			break;
		case OP_JUMP:
			reach(p, i->b, stage);
			break;
		case OP_RULE:
			pc = flow_rule(p, pc);
			break;
		case OP_EACH:
			reach(p, i->b, TAMIS_BODY);
			reach(p, pc + 1, TAMIS_BODY);
			break;
		case OP_JUMP_IF: case OP_JUMP_IFNOT: case OP_SETTLE: case OP_TEST: case OP_CLEAR:
		case OP_ACT: case OP_NEXT: case OP_CALL: case OP_ENABLED:
			reach(p, pc + 1, insn_stage(p, i, stage));
			break;
		}
	}
}

/* May anything that needs more than the envelope follow, on some way to the end? */
static bool
waits_behind(const struct points *p, uint32_t pc)
{
	uint32_t n = p->unit->ninsns;
	bool *seen = mem_alloc(n + 1), waits = false;

	memset(seen, 0, n + 1);
	seen[pc + 1] = true;
	for (uint32_t i = pc + 1; i < n && !waits; i++) {
		const struct insn *x = &p->unit->code[i];
		enum operand o = op_info[x->op].operand;

		if (!seen[i])
			continue;
		if ((o == TESTCALL || o == ACTCALL) && p->program->call[x->b].stage > TAMIS_ENVELOPE)
			waits = true;
		if (o == LOOP_TO)
			waits = true;
		if ((o == TO || o == MARK_TO) && x->b < n)
			seen[x->b] = true;
		if (x->op != OP_JUMP && x->op != OP_STOP && x->op != OP_HALT && x->op != OP_RETURN && x->op != OP_FAIL)
			seen[i + 1] = true;
	}
	free(seen);
	return waits;
}

static void
tell(struct points *p, uint32_t pc)
{
	const struct insn *i = &p->unit->code[pc];
	struct tamis_point out = { 0 };

	/* behind a stop: never decided */
	if (p->stage[pc] == 0xff)
		return;
	if (i->op == OP_RULE) {
		const struct rule *r = &p->program->rule[i->b];

		out.kind = TAMIS_POINT_RULE;
		out.place = source_place_line(r->source, r->at, r->line);
		out.name = text_of(str_from(r->name));
		out.stage = (enum tamis_stage)rule_stage(p, pc);
	} else if (i->op == OP_TEST || i->op == OP_ACT) {
		const struct call *k = &p->program->call[i->b];

		out.kind = i->op == OP_TEST ? TAMIS_POINT_TEST : TAMIS_POINT_ACTION;
		out.place = source_place_line(k->source, k->at, k->line);
		out.name = text_of(str_from(k->command->name));
		out.stage = (enum tamis_stage)later(k->stage, i->op == OP_ACT ? p->stage[pc] : 0);
		out.late = k->command->flags & COMMAND_EARLY && out.stage == TAMIS_ENVELOPE && waits_behind(p, pc);
	} else {
		return;
	}
	p->point(p->ctx, &out);
}

void
program_points(const struct program *program, void (*point)(void *ctx, const struct tamis_point *), void *ctx)
{
	for (uint32_t u = program->nunits; u-- > 0;) {
		struct points p = { .program = program, .unit = &program->unit[u], .point = point, .ctx = ctx };

		p.stage = mem_alloc(p.unit->ninsns + 1u);
		memset(p.stage, 0xff, p.unit->ninsns + 1u);
		flow(&p);
		for (uint32_t pc = 0; pc < p.unit->ninsns; pc++)
			tell(&p, pc);
		free(p.stage);
	}
}
