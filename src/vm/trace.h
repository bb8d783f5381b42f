/* trace.h - what a run tells its host when it is watched
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_TRACE_H
#define VM_TRACE_H

#include "vm/run.h"

/* A run that nobody watches pays for one test of a flag. */
#define TRACE(r, what, ...) ((r)->tracing ? trace_##what((r), __VA_ARGS__) : (void)0)

void trace_rule(struct run *, const struct rule *);
void trace_rule_end(struct run *, const struct rule *, int result);
void trace_test(struct run *, const struct call *, const struct value *arg);
void trace_value(struct run *, const struct call *, struct str value, int result, struct str key);
void trace_nearest(struct run *, const struct call *, struct str value, struct str key);
void trace_result(struct run *, const struct call *, int result);
void trace_action(struct run *, const struct call *, const struct value *arg, int result);
void trace_asked(struct run *, struct str what, struct str key, struct str value, int result);
void trace_assigned(struct run *, const struct call *, struct str name, struct str value);

#endif
