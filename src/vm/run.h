/* run.h - one run of a program for one recipient: what commands may use
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_RUN_H
#define VM_RUN_H

#include "base/limits.h"
#include "lang/program.h"
#include "mail/message.h"
#include "vm/outcome.h"

struct variable {
	struct str v;
	bool taint;                     /* an unknown test could have changed it */
};

struct loop {
	uint32_t i, n;
	struct mail_part **part;        /* what it goes through */
};

struct run {
	const struct program *program;
	struct message *message;
	struct recipient *recipient;
	struct outcome *outcome;
	const struct tamis_host *host;
	enum tamis_stage stage;
	struct arena arena;             /* ends with the run */
	uint64_t work, next_stop, message_work;
	bool tracing;
	bool failed;                    /* an error was reported */
	bool undecided;                 /* an error behind an unknown: perhaps it never happens */
	bool waiting;                   /* ask said LATER */
	bool degraded;                  /* at the last stage something could not be told */
	/* the machine */
	uint64_t marks;
	bool unknown;                   /* some member of the current condition was unknown */
	bool taint;                     /* the call's expanded arguments: some variable was tainted */
	const char *idle;               /* why an action did nothing, for traces; NULL: it did */
	const struct rule *rule, *watched;      /* watched: whose end a trace waits for */
	const struct call *acted;               /* the last action since that condition; NULL: none */
	uint32_t unit;                  /* running */
	struct variable *local, *global;
	uint64_t *done;                 /* scripts that have run, a bit each (include :once) */
	uint64_t enabled[CAPABILITIES / 64];    /* capabilities enabled by ihave, a bit each of program->capability */
	uint64_t perhaps[CAPABILITIES / 64];    /* those of an ihave behind an unknown: it may never be reached */
	struct field **field;           /* by interned name; &run_field_unknown: not looked up yet */
	uint64_t **probe;
	struct match *matching;         /* the test that is comparing */
	struct run_cache *cache;        /* matchers with keys made at run time */
	struct regex_scratch *regex;    /* one for all matches of the run */
	struct variable *flags;         /* the internal variable of RFC 5232, once somebody looked; NULL: as at the start */
	unsigned cleared;               /* of the outcome, when that was */
	struct clock_zone *zones;       /* time zones that were asked for (vm/clock.h) */
	/* what follows is written before it is read: by unit_enter() where a unit can see match variables, and by loop_start() */
	struct variable match[MATCH_SLOTS];
	struct loop loop[LIMIT_LOOPS + 1];
};

/* --- trouble.  Returns ERROR.  Text as for diagnostics; it reaches the user (RFC 5228 2.10.6). */
int run_error(struct run *, const struct call *, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Counts work; the machine ends the run between two instructions when the budget is used up.  What may take long
 * calls run_goes_on() on its way: false: an error has been reported, return ERROR. */
bool run_may_go_on(struct run *);
static inline bool
run_goes_on(struct run *r)
{
	return (r->work < r->next_stop && !arena_over(&r->arena)) || run_may_go_on(r);
}

static inline void
run_work(struct run *r, uint64_t bytes)
{
	r->work += bytes / 64;
}

static inline struct tamis_place
call_place(const struct call *k)
{
	return source_place_line(k->source, k->at, k->line);
}

/* --- effects: made, given options (copied), committed, which applies the call's grafts: YES or ERROR */
struct effect *run_effect(struct run *, const struct call *, enum tamis_effect_kind);
void effect_option(struct run *, struct effect *, const char *name, struct str value);
int run_commit(struct run *, const struct call *, struct effect *);
/* what extensions in use add to every effect of a kind: YES or ERROR */
int run_hooks(struct run *, struct effect *);
/* v after the call's modifiers */
struct str run_modify(struct run *, const struct call *, struct str v);
/* a graft's argument with variables filled in: YES, or ERROR if it is none */
int run_graft_value(struct run *, const struct call *, const struct graft_use *, struct value *ret);

/* --- questions (architecture 6).  YES, NO or UNKNOWN; ret may be NULL. */
int run_ask(struct run *, struct str what, struct str key, struct str *ret);
/* The same, but never remembered: the host does something now (test suites). */
int run_tell(struct run *, struct str what, struct str key, struct str *ret);
/* Data by name, "zone": YES, NO, UNKNOWN.  Valid until the run ends. */
int run_load(struct run *, struct str kind, struct str name, struct str *ret);

extern const struct field run_field_unknown;    /* an address that no field has; never read */
/* --- header fields, as this run sees them: edits included, narrowed by the call's grafts */
struct fields {
	struct run *run;
	const struct call *call;
	const struct value *names;
	uint32_t next_name;
	unsigned nth, total;
	struct field *at;
};
struct field *fields_next_selected(struct fields *);
void fields_forget(struct run *);        /* another message, or another header of it: what the index found, too */
struct field *run_field_find(struct run *, uint32_t id);
struct field *run_field_named(struct run *, struct str name);
struct field *run_field_lower(struct run *, struct str name);    /* a name in lower case */

/* First field of the i-th of those names; not narrowed.  The list of a name is looked up once for each run. */
static inline struct field *
run_field(struct run *r, const struct value *names, uint32_t i)
{
	uint32_t id = names->id ? names->id[i] : UINT32_MAX;

	if (id == UINT32_MAX)
		return run_field_named(r, names->str[i]);
	return r->field[id] != &run_field_unknown ? r->field[id] : run_field_find(r, id);
}

static inline void
fields_start(struct fields *f, struct run *r, const struct call *k, const struct value *names)
{
	*f = (struct fields){ .run = r, .call = k, .names = names };
}

static inline struct field *
fields_next(struct fields *f)
{
	if (f->call->more && f->call->more->grafts)
		return fields_next_selected(f);
	if (f->at)
		f->at = f->at->same;
	while (!f->at) {
		if (f->next_name == f->names->n)
			return NULL;
		f->at = run_field(f->run, f->names, f->next_name++);
	}
	return f->at;
}

/* --- comparing (vm/match.c).  True: seen enough. */
bool match_cell(struct match *, struct cell *);
bool match_text(struct match *, struct str);            /* a value nobody keeps */
bool match_address(struct match *, struct mail_address *);      /* the part that the call asks for */
/* ":matches" and the like, on a match: [0] the whole, [1]... the wildcards; spans of the value that match() was given */
void run_captures(struct run *, const struct str *, size_t n);
/* Is some argument's value... */
static inline bool
value_given(const struct value *v)
{
	return v->type != NONE && !v->initial;
}

/* --- facts: envelope parts and environment items; the recipient's own first */
struct cell *run_fact(struct run *, struct str name);   /* letters of either case; NULL: not known */
struct fact *run_fact_of(struct run *, struct str name);        /* the same, whole */
int64_t run_now(const struct run *);    /* microseconds */

/* --- variables */
/* The arguments with variables filled in; NULL after an error.  run->taint tells whether one of them was tainted. */
const struct value *call_expand_(struct run *, const struct call *);
static inline const struct value *
call_expand(struct run *r, const struct call *k)
{
	r->taint = false;
	return k->dynamic ? call_expand_(r, k) : k->arg;
}
struct variable *run_variable(struct run *, uint32_t slot);     /* value->id[0] */
void run_assign(struct run *, const struct call *, uint32_t slot, struct str v);        /* cut at the limit; tainted if run->taint */

/* capability enabled by ihave from here to the end of the script, with those that it requires */
void run_enable(struct run *, const struct extension *);

enum tamis_status run_program(const struct program *, struct outcome *, enum tamis_stage, const struct tamis_host *);

#endif
