/* refusal.c - what the two ways to refuse a message have in common (RFC 5429)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/refusal.h"

#include "base/utf8.h"
#include "lang/compile.h"

/* A reason that the rules spell out must be UTF-8 (RFC 5429 2.1, 2.2): what
 * "${hex:...}" made of it is the author's mistake. */
bool
refusal_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *reason = &k->arg[0];

	(void)node;
	if (reason->dynamic || utf8_check(reason->str[0]) < 0)
		return true;
	compile_error(c, compile_at(c, reason), NULL, "reason of '%s' is not UTF-8", k->command->name);
	return false;
}

/* What came from the message is no reason to deliver it: bad bytes become
 * U+FFFD. */
int
refusal_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct effect *e = run_effect(r, k, TAMIS_REJECT);

	effect_option(r, e, "reason", utf8_repair(&r->arena, arg[0].str[0]));
	return run_commit(r, k, e);
}
