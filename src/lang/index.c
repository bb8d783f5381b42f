/* index.c - constant tests on one source share one automaton over a literal of each key
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A test whose bit stays clear cannot match, so it is false, and has no side
 * effects; a set bit means "look".  Control flow, verifier, trace and Kleene
 * logic do not know of it. */
#include <stdlib.h>

#include "lang/program.h"

enum {
	PROBES_MOST = 64,
	TESTS_LEAST = 8,                /* of one source, before a probe pays */
	TESTS_LEAST_LONG = 2,           /* where the values are long */
	TESTS_MOST = 65535,             /* the bit is an operand of 16 bits */
	KEYS_MOST = 64,                 /* of a test: larger lists have their own hash or automaton */
	LITERAL_LEAST = 2,              /* bytes: a shorter one is everywhere */
};

struct group {
	const struct call *first;       /* whose source it is */
	VEC(uint32_t) calls;
	VEC(struct str) keys;
	VEC(uint32_t) bits;
};

static bool
indexable(const struct call *k)
{
	const struct matcher *m = k->matcher;

	if (!m || !k->command->values || k->command->flags & COMMAND_CHANGING || call_grafts(k) || k->dynamic ||
	    k->unit == NO_UNIT || !m->type->literal || m->nkeys > KEYS_MOST)
		return false;
	for (uint32_t i = 0; i < m->nkeys; i++)
		if (m->type->literal(m, i).len < LITERAL_LEAST)
			return false;
	return true;
}

/* Names of fields have no case; other strings are what they are. */
static bool
same_value(const struct value *a, const struct value *b, enum role role)
{
	if (a->type != b->type || a->n != b->n || (a->type <= NUMBER && a->number != b->number))
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (role == ROLE_HEADERS ? !str_ieq(a->str[i], b->str[i]) : !str_eq(a->str[i], b->str[i]))
			return false;
	return true;
}

static bool
same_source(const struct call *a, const struct call *b)
{
	if (a->command != b->command || a->stage != b->stage || call_part(a) != call_part(b) ||
	    call_data(a) != call_data(b) || a->matcher->comparator != b->matcher->comparator || a->matcher->type->raw != b->matcher->type->raw)
		return false;
	for (uint8_t i = 0; i < a->nargs; i++)
		if (a->command->params[i].role != ROLE_KEYS &&
		    !same_value(&a->arg[i], &b->arg[i], a->command->params[i].role))
			return false;
	return true;
}

static void
group_add(struct group *g, const struct program *p, uint32_t call)
{
	const struct matcher *m = p->call[call].matcher;

	for (uint32_t i = 0; i < m->nkeys; i++) {
		vec_push(&g->keys, m->type->literal(m, i));
		vec_push(&g->bits, (uint32_t)g->calls.n);
	}
	vec_push(&g->calls, call);
}

static unsigned
collect(struct program *p, struct group *group)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->ncalls; i++) {
		const struct call *k = &p->call[i];
		unsigned g = 0;

		if (!indexable(k))
			continue;
		while (g < n && !same_source(group[g].first, k))
			g++;
		if (g == PROBES_MOST || group[g].calls.n == TESTS_MOST)
			continue;
		if (g == n)
			group[n++].first = k;
		group_add(&group[g], p, i);
	}
	return n;
}

static void
probe_make(struct program *p, struct group *g)
{
	struct probe *probe = &p->probe[p->nprobes];
	uint32_t *bit = arena_array(&p->arena, g->bits.n, sizeof *bit);

	probe->automaton = automaton_new(&p->arena, g->keys.v, g->keys.n);
	if (!probe->automaton)
		return;
	memcpy(bit, g->bits.v, g->bits.n * sizeof *bit);
	probe->bit = bit;
	probe->nkeys = (uint32_t)g->keys.n;
	probe->nbits = (uint32_t)g->calls.n;
	probe->comparator = g->first->matcher->comparator;
	for (uint32_t i = 0; i < g->calls.n; i++) {
		p->call[g->calls.v[i]].probe = (int16_t)p->nprobes;
		p->call[g->calls.v[i]].bit = i;
	}
	p->nprobes++;
}

/* Probe and bit go into the instruction too: a test that is excluded then costs
 * no look at its call record. */
static void
code_mark(struct program *p)
{
	for (uint32_t u = 0; u < p->nunits; u++)
		for (uint32_t pc = 0; pc < p->unit[u].ninsns; pc++) {
			struct insn *i = &p->unit[u].code[pc];

			if (i->op == OP_TEST && p->call[i->b].probe >= 0) {
				i->a = (uint8_t)(p->call[i->b].probe + 1);
				i->c = (uint16_t)p->call[i->b].bit;
			}
		}
}

static size_t
group_least(const struct group *g)
{
	return g->first && g->first->command->flags & COMMAND_LONG ? TESTS_LEAST_LONG : TESTS_LEAST;
}

void
program_index(struct program *p)
{
	struct group *group = mem_alloc(PROBES_MOST * sizeof *group);
	unsigned n;

	memset(group, 0, PROBES_MOST * sizeof *group);
	p->probe = arena_array(&p->arena, PROBES_MOST, sizeof *p->probe);
	n = collect(p, group);
	for (unsigned i = 0; i < n; i++) {
		if (group[i].calls.n >= group_least(&group[i]))
			probe_make(p, &group[i]);
		vec_done(&group[i].calls);
		vec_done(&group[i].keys);
		vec_done(&group[i].bits);
	}
	free(group);
	code_mark(p);
}
