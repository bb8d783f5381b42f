/* run.c - the machine: a program, a message, a stage; effects come out
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/regex.h"
#include "base/utf8.h"
#include "vm/match.h"
#include "vm/trace.h"

enum { FUEL = 64 };

enum end { END, STOPPED, UNDECIDED, FAILED };

/* --- trouble */

static int
error_report(struct run *r, struct tamis_place place, const char *text)
{
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR, .place = place, .text = text };

	/* What an unknown test would have done may keep this error from happening. */
	if (r->unknown && r->stage < TAMIS_BODY) {
		r->undecided = true;
		return ERROR;
	}
	r->failed = true;
	if (r->host && r->host->report)
		r->host->report(r->host->ctx, &d);
	return ERROR;
}

int
run_error(struct run *r, const struct call *k, const char *format, ...)
{
	char few[512], *text = few;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(few, sizeof few, format, ap);
	va_end(ap);
	if (n >= (int)sizeof few) {
		text = arena_alloc(&r->arena, (size_t)n + 1);
		va_start(ap, format);
		vsnprintf(text, (size_t)n + 1, format, ap);
		va_end(ap);
	}
	return error_report(r, call_place(k), text);
}

/* Not one command's mistake: shown at the action or the condition that was met last, else at the start of the script. */
static int
unit_error(struct run *r, const char *text)
{
	const struct rule *rule = r->rule;

	if (r->acted)
		return error_report(r, call_place(r->acted), text);
	if (rule && rule->unit == r->unit)
		return error_report(r, source_place_line(rule->source, rule->at, rule->line), text);
	return error_report(r, source_place(r->program->unit[r->unit].source, SPAN(0, 0)), text);
}

/* Is there more to do?  Called when next_stop is reached. */
bool
run_may_go_on(struct run *r)
{
	const struct tamis_limits *limits = &r->program->limits;

	r->work += r->message->work - r->message_work;
	r->message_work = r->message->work;
	if (r->work > limits->work || arena_over(&r->arena) || arena_over(&r->outcome->arena)) {
		/* reached early, the budget may yet suffice: later runs have fewer unknowns to look past */
		if (r->stage < TAMIS_BODY)
			r->undecided = true;
		else
			unit_error(r, r->work > limits->work ? "too much work for one message (limit 'work')"
			                                     : "too much memory for one message (limit 'memory')");
		return false;
	}
	if (r->host && r->host->stop && r->host->stop(r->host->ctx)) {
		unit_error(r, "stopped by the host: no time left");
		return false;
	}
	r->next_stop = r->work + STOP_EVERY;
	return true;
}

/* --- calls */

/* What this test would have set is not known either. */
static void
call_unknown(struct run *r, const struct call *k)
{
	r->unknown = true;
	if (k->matcher && k->matcher->captures)
		for (unsigned i = 0; i < MATCH_SLOTS; i++)
			r->match[i].taint = true;
	for (uint8_t i = 0; i < k->nargs; i++)
		if (k->command->params[i].role == ROLE_VARIABLE && k->arg[i].id)
			run_variable(r, *k->arg[i].id)->taint = true;
}

static int
call_test(struct run *r, const struct call *k)
{
	const struct value *arg;
	int rc;

	if (k->stage > (int)r->stage) {
		TRACE(r, test, k, k->arg);
		TRACE(r, result, k, UNKNOWN);
		return UNKNOWN;
	}
	if (k->probe >= 0 && !r->tracing && !r->probe[k->probe] && match_excluded(r, k))
		return NO;
	arg = call_expand(r, k);
	if (!arg)
		return ERROR;
	TRACE(r, test, k, arg);
	if (r->taint && !(k->command->flags & COMMAND_TAINTED))
		rc = UNKNOWN;
	else
		rc = k->command->test ? k->command->test(r, k, arg) : match_run(r, k, arg);
	TRACE(r, result, k, rc);
	return rc;
}

static int
call_act(struct run *r, const struct call *k)
{
	const struct value *arg;
	int rc;

	r->acted = k;
	if (k->stage > (int)r->stage)
		return UNKNOWN;
	arg = call_expand(r, k);
	if (!arg)
		return ERROR;
	if (r->taint && !(k->command->flags & COMMAND_TAINTED) && r->stage < TAMIS_BODY)
		return UNKNOWN;
	r->idle = NULL;
	rc = k->command->act(r, k, arg);
	TRACE(r, action, k, arg, rc);
	return rc;
}

void
run_enable(struct run *r, const struct extension *extension)
{
	uint64_t *bits = r->unknown ? r->perhaps : r->enabled;

	for (uint32_t i = 0; i < r->program->ncapabilities && i < CAPABILITIES; i++) {
		const struct extension *x = r->program->capability[i];
		bool also = x == extension;

		for (const char *const *name = extension->requires; name && *name && !also; name++)
			also = !strcmp(*name, x->name);
		if (also)
			bits[i / 64] |= (uint64_t)1 << (i % 64);
	}
}

/* --- loops */

/* the part behind p in a walk of what root holds */
static struct mail_part *
part_next_in(const struct mail_part *p, const struct mail_part *root)
{
	if (p->child)
		return p->child;
	while (p != root && !p->next)
		p = p->parent;
	return p == root ? NULL : p->next;
}

static bool
loop_start(struct run *r, unsigned number)
{
	struct loop *l = &r->loop[number];
	const struct loop *outer = number > 1 ? &r->loop[number - 1] : NULL;
	struct mail_part *root = outer && outer->i < outer->n ? outer->part[outer->i] : message_parts(r->message);
	uint32_t n = 0;

	/* a nested loop goes through what is inside the outer one's part (RFC 5703 3) */
	for (const struct mail_part *p = root; p; p = part_next_in(p, root))
		n++;
	*l = (struct loop){ .part = arena_array(&r->arena, n, sizeof *l->part) };
	for (struct mail_part *p = outer ? part_next_in(root, root) : root; p; p = part_next_in(p, root))
		l->part[l->n++] = p;
	r->work += n;
	return l->n > 0;
}

/* --- the machine */

static enum end unit_run(struct run *, uint32_t number);

/* What is each script's own: variables, match variables, what ihave enabled (RFC 6609 3.2, 3.4; RFC 5463 4), loops. */
struct own {
	struct variable *local, match[MATCH_SLOTS];
	const struct rule *rule;
	uint32_t unit;
	uint64_t enabled[CAPABILITIES / 64], perhaps[CAPABILITIES / 64];
	struct loop loop[LIMIT_LOOPS + 1];
};

static void
own_save(const struct run *r, struct own *o)
{
	o->local = r->local;
	o->rule = r->rule;
	o->unit = r->unit;
	memcpy(o->match, r->match, sizeof o->match);
	memcpy(o->enabled, r->enabled, sizeof o->enabled);
	memcpy(o->perhaps, r->perhaps, sizeof o->perhaps);
	memcpy(o->loop, r->loop, sizeof o->loop);
}

static void
own_restore(struct run *r, const struct own *o)
{
	r->local = o->local;
	r->rule = o->rule;
	r->unit = o->unit;
	memcpy(r->match, o->match, sizeof o->match);
	memcpy(r->enabled, o->enabled, sizeof o->enabled);
	memcpy(r->perhaps, o->perhaps, sizeof o->perhaps);
	memcpy(r->loop, o->loop, sizeof o->loop);
}

static enum end
unit_call(struct run *r, const struct insn *i)
{
	uint32_t script = r->program->unit[i->b].script;
	uint64_t *done = &r->done[script / 64], bit = (uint64_t)1 << (script % 64);
	struct own own;
	enum end rc;

	if (i->a && *done & bit)
		return END;
	*done |= bit;
	own_save(r, &own);
	memset(r->enabled, 0, sizeof r->enabled);
	memset(r->perhaps, 0, sizeof r->perhaps);
	rc = unit_run(r, i->b);
	own_restore(r, &own);
	return rc;
}

/* A condition is unknown as a whole.  At the last stage that is our own trouble: its chain takes no branch. */
static bool
condition_unknown(struct run *r, const struct insn **ip, const struct insn *code)
{
	const struct rule *rule = r->rule;

	if (r->tracing && r->watched) {
		TRACE(r, rule_end, r->watched, UNKNOWN);
		r->watched = NULL;
	}
	if (r->stage < TAMIS_BODY || r->waiting)
		return false;
	r->degraded = r->outcome->degraded = true;
	if (rule && rule->unit == r->unit && rule->end > (uint32_t)(*ip - code))
		*ip = code + rule->end - 1;
	return true;
}

static void
watch_rule(struct run *r, uint32_t pc)
{
	const struct rule *rule = r->watched;

	if (!rule || rule->unit != r->unit || (pc != rule->yes && pc != rule->no))
		return;
	TRACE(r, rule_end, rule, pc == rule->yes ? YES : NO);
	r->watched = NULL;
}

static enum end
fail_message(struct run *r, struct str text)
{
	struct tamis_place place = { .file = text_of(r->program->unit[r->unit].source->name) };
	int skip = 0;

	if (sscanf(text.s, "%u:%u:%u %n", &place.line, &place.column, &place.length, &skip) != 3)
		place.line = place.column = place.length = 1;
	error_report(r, place, text.s + skip);
	return r->undecided ? UNDECIDED : FAILED;
}

/* Perhaps it is: then so is the error. */
static bool
is_enabled(struct run *r, unsigned capability)
{
	uint64_t bit = (uint64_t)1 << (capability % 64);

	if (r->enabled[capability / 64] & bit)
		return true;
	r->unknown |= (r->perhaps[capability / 64] & bit) != 0;
	return false;
}

static enum end
ended(const struct run *r)
{
	return r->failed ? FAILED : UNDECIDED;
}

static void
unit_enter(struct run *r, uint32_t number)
{
	const struct unit *u = &r->program->unit[number];

	r->unit = number;
	r->rule = NULL;
	r->local = arena_array(&r->arena, u->nlocals + 1u, sizeof *r->local);
	for (uint32_t i = 0; i < u->nlocals; i++)
		r->local[i] = (struct variable){ STR_EMPTY, false };
	for (unsigned i = 0; u->captures && i < MATCH_SLOTS; i++)
		r->match[i] = (struct variable){ STR_EMPTY, false };
}

/* Records stand in the order of the rules: have the next ones on their way. */
static inline void
call_ahead(const struct program *p, uint32_t i)
{
	if (i + 6 < p->ncalls) {
		const struct matcher *m = p->call[i + 2].matcher;

		__builtin_prefetch(&p->call[i + 6]);
		__builtin_prefetch(p->call[i + 4].matcher);
		__builtin_prefetch(p->call[i + 4].arg);
		if (m)
			__builtin_prefetch(m->key);
	}
}

/* The index has been filled, and has not found what this test needs. */
static inline bool
test_excluded(const struct run *r, const struct insn *i)
{
	const uint64_t *bits = r->probe[i->a - 1];

	return bits && !(bits[i->c / 64] >> (i->c % 64) & 1);
}

static enum end
unit_run(struct run *r, uint32_t number)
{
	const struct insn *code = r->program->unit[number].code, *ip;
	int value = NO, rc;
	unsigned fuel = 1;              /* instructions until somebody looks up from the work */
	unsigned watched = 0;           /* instructions since work was counted, when each is watched */
	enum end end;

	unit_enter(r, number);
	for (ip = code;; ip++) {
		if (!--fuel) {
			/* watching costs nothing: a traced run must end where the other one does */
			if (!r->tracing || watched++ % FUEL == 0)
				r->work += FUEL;
			if (r->work >= r->next_stop && !run_may_go_on(r))
				return ended(r);
			if (r->tracing)
				watch_rule(r, (uint32_t)(ip - code));
			fuel = r->tracing ? 1 : FUEL;
		}
		switch ((enum op)ip->op) {
		case OP_HALT: case OP_RETURN:
			return END;
		case OP_STOP:
			return STOPPED;
		case OP_RULE:
		rule:
			r->rule = r->watched = &r->program->rule[ip->b];
			r->acted = NULL;
			r->unknown = false;
			TRACE(r, rule, r->rule);
			if (ip[1].op != OP_TEST)
				break;
			ip++;
			goto test;
		case OP_JUMP:
			ip = code + ip->b - 1;
			break;
		case OP_TEST:
		test:
			/* the way through thousands of rules of which the index has excluded most: RULE, TEST, to the next RULE */
			if (ip->a && test_excluded(r, ip)) {
				value = NO;
				if (ip[1].op != OP_JUMP_IFNOT)
					break;
				ip = code + ip[1].b;
				if (ip->op == OP_RULE)
					goto rule;
				ip--;
				break;
			}
			call_ahead(r->program, ip->b);
			value = call_test(r, &r->program->call[ip->b]);
			if (value == ERROR)
				return ended(r);
			if (value == UNKNOWN)
				call_unknown(r, &r->program->call[ip->b]);
			break;
		case OP_JUMP_IF: case OP_JUMP_IFNOT:
			if (value == (ip->op == OP_JUMP_IF))
				ip = code + ip->b - 1;
			else if (value == UNKNOWN && ip->a)
				r->marks |= (uint64_t)1 << ip->a;
			else if (value == UNKNOWN && !condition_unknown(r, &ip, code))
				return UNDECIDED;
			break;
		case OP_CLEAR:
			r->marks &= ~((uint64_t)1 << ip->a);
			break;
		case OP_SETTLE:
			if (!(r->marks >> ip->a & 1))
				ip = code + ip->b - 1;
			else if (ip->a > 1)
				r->marks |= (uint64_t)1 << (ip->a - 1);
			else if (!condition_unknown(r, &ip, code))
				return UNDECIDED;
			break;
		case OP_ACT:
			rc = call_act(r, &r->program->call[ip->b]);
			if (rc == ERROR)
				return ended(r);
			if (rc == UNKNOWN && (r->stage < TAMIS_BODY || r->waiting))
				return UNDECIDED;
			if (rc == UNKNOWN)
				r->degraded = r->outcome->degraded = true;
			break;
		case OP_EACH:
			if (r->stage < TAMIS_BODY)
				return UNDECIDED;
			if (!loop_start(r, ip->a))
				ip = code + ip->b - 1;
			break;
		case OP_NEXT:
			if (++r->loop[ip->a].i < r->loop[ip->a].n)
				ip = code + ip->b - 1;
			break;
		case OP_CALL:
			end = unit_call(r, ip);
			if (end != END)
				return end;
			break;
		case OP_ENABLED:
			if (!is_enabled(r, ip->c))
				return fail_message(r, r->program->message[ip->b]);
			break;
		case OP_FAIL:
			return fail_message(r, r->program->message[ip->b]);
		case OPS:
			return UNDECIDED;
		}
	}
}

static void
run_start(struct run *r)
{
	const struct program *p = r->program;

	/* taken away: a run that the host starts out of this one has none yet */
	r->arena = r->message->scratch;
	r->message->scratch = (struct arena){ 0 };
	r->arena.budget = p->limits.memory;
	r->field = arena_array(&r->arena, p->nnames + 1u, sizeof *r->field);
	r->probe = arena_array(&r->arena, p->nprobes + 1u, sizeof *r->probe);
	fields_forget(r);
	r->done = arena_zalloc(&r->arena, (p->nunits / 64 + 1u) * sizeof *r->done);
	r->global = arena_array(&r->arena, p->nglobals + 1u, sizeof *r->global);
	for (uint32_t i = 0; i < p->nglobals; i++)
		r->global[i] = (struct variable){ STR_EMPTY, false };
	r->message_work = r->message->work;
	r->next_stop = STOP_EVERY < p->limits.work ? STOP_EVERY : p->limits.work;
}

enum tamis_status
run_program(const struct program *p, struct outcome *o, enum tamis_stage stage, const struct tamis_host *host)
{
	struct effect *keep = NULL;
	struct run r;
	enum end end;

	memset(&r, 0, offsetof(struct run, match));
	r.program = p;
	r.outcome = o;
	r.recipient = o->recipient;
	r.message = o->recipient->message;
	r.stage = stage;
	r.host = host;
	r.cleared = o->cleared;
	r.tracing = host && host->trace;
	run_start(&r);
	outcome_begin(o);
	end = unit_run(&r, p->nunits - 1);
	if (end != UNDECIDED)
		keep = outcome_end(o, end == FAILED);
	/* after an error nothing counts that the script has set up (RFC 5228 2.10.6) */
	if (keep && end != FAILED && run_hooks(&r, keep) == UNKNOWN && stage < TAMIS_BODY)
		end = UNDECIDED;
	outcome_keep_flags(o);
	arena_reset(&r.arena);
	arena_done(&r.message->scratch);
	r.message->scratch = r.arena;
	if (end == UNDECIDED)
		return r.waiting ? TAMIS_WAITING : TAMIS_UNDECIDED;
	return end == FAILED ? TAMIS_FAILED : TAMIS_DECIDED;
}
