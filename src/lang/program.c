/* program.c - the life of a compiled program
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/program.h"

#include <stdlib.h>

#include "base/limits.h"

const struct op_info op_info[OPS] = {
#define OP(name, operand, meaning) [OP_##name] = { #name, operand, meaning },
#include "lang/ops.def"
#undef OP
};

struct program *
program_new(const struct tamis_limits *limits)
{
	struct program *p = mem_alloc(sizeof *p);

	memset(p, 0, sizeof *p);
	arena_init(&p->arena, 0);
	p->limits = *limits;
	if (p->limits.nesting > 64)
		p->limits.nesting = 64;
	if (p->limits.include_nesting > LIMIT_INCLUDE_DEEPEST)
		p->limits.include_nesting = LIMIT_INCLUDE_DEEPEST;
	atomic_init(&p->refs, 1);
	return p;
}

struct program *
program_ref(struct program *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

struct program *
program_unref(struct program *p)
{
	if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1) {
		arena_done(&p->arena);
		free(p);
	}
	return NULL;
}
