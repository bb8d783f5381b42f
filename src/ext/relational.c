/* relational.c - :value and :count compare by order (RFC 5231)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"

enum { GT, GE, LT, LE, EQ, NE };
static const char *const relations[] = { [GT] = "gt", [GE] = "ge", [LT] = "lt", [LE] = "le", [EQ] = "eq", [NE] = "ne", NULL };

static bool
holds(int order, uint8_t relation)
{
	switch (relation) {
	case GT:
		return order > 0;
	case GE:
		return order >= 0;
	case LT:
		return order < 0;
	case LE:
		return order <= 0;
	case EQ:
		return order == 0;
	default:
		return order != 0;
	}
}

/* RFC 5231 4.1: the value is on the left; one pair that holds is enough */
static int
relational_match(struct run *r, const struct matcher *m, struct str v, size_t *ret_key)
{
	for (uint32_t i = 0; i < m->nkeys; i++)
		if (holds(m->comparator->order(v, m->key[i]), m->argument)) {
			*ret_key = i;
			return YES;
		}
	run_work(r, 8 * (uint64_t)m->nkeys);
	return NO;
}

static bool
is_number(struct str v)
{
	return v.len && char_is_digit(*v.s);
}

/* A comparator of numbers is one for which "10" is more than "9" is. */
static bool
numeric(const struct comparator *k)
{
	return k->order(STR("10"), STR("9")) > 0;
}

static const char *
value_doubt(const struct matcher *m, size_t *ret_key)
{
	for (uint32_t i = 0; i < m->nkeys && numeric(m->comparator); i++)
		if (!is_number(m->written[i])) {
			*ret_key = i;
			return "is not a number: it counts as larger than all numbers";
		}
	return NULL;
}

/* RFC 5231 4.2: should only be used with numeric comparators.  Where no order is asked for, others do as well. */
static const char *
count_doubt(const struct matcher *m, size_t *ret_key)
{
	*ret_key = 0;
	if (numeric(m->comparator))
		return value_doubt(m, ret_key);
	return m->argument < EQ ? "is compared as text, where \"10\" is less than \"9\": use the comparator \"i;ascii-numeric\"" : NULL;
}

static const struct match_type match_types[] = {
	{ .name = ":value", .summary = "the value is greater than a key, less, or equal, as the comparator orders them",
	  .argument = relations, .order = true, .match = relational_match, .doubt = value_doubt },
	{ .name = ":count", .summary = "the number of values is greater than a key, less, or equal", .argument = relations,
	  .order = true, .counts = true, .match = relational_match, .doubt = count_doubt },
};

const struct extension ext_relational = {
	.name = "relational", .document = "RFC 5231", .summary = "comparing by order, and counting values",
	.match_types = match_types, .nmatch_types = COUNT(match_types),
};
