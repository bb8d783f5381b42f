/* refusal.h - what the two ways to refuse a message have in common (RFC 5429)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_REFUSAL_H
#define VM_REFUSAL_H

#include "vm/run.h"

/* For tables: a command with one parameter, the reason. */
bool refusal_check(struct compiler *, struct call *, const struct ast_node *);
int refusal_act(struct run *, const struct call *, const struct value *arg);

#endif
