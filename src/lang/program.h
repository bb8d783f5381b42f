/* program.h - compiled rules: code, call records, names
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_PROGRAM_H
#define LANG_PROGRAM_H

#include <stdatomic.h>

#include "base/automaton.h"
#include "base/buf.h"
#include "lang/command.h"

enum operand { NOTHING, TO, RULE, TESTCALL, ACTCALL, MARK_TO, MARK, LOOP_TO, LOOP_BACK, UNIT, CAPABILITY, MESSAGE };
enum op {
#define OP(name, operand, meaning) OP_##name,
#include "lang/ops.def"
#undef OP
	OPS
};
struct op_info {
	const char *name;
	enum operand operand;
	const char *meaning;
};
extern const struct op_info op_info[OPS];

struct insn {
	uint8_t op, a;
	uint16_t c;
	uint32_t b;
};

enum { MAX_MARK = 63, MATCH_SLOTS = 32, NO_UNIT = 0xffff, CAPABILITIES = 256 };

/* what few uses of commands have */
struct call_more {
	const struct graft_use *grafts;
	const struct address_part *part;
	const void *data;                       /* of command->check */
};

/* One use of a command: arguments are data, not code.  64 bytes: a long script
 * is run through at the speed at which these come from memory. */
struct call {
	const struct command *command;
	const struct value *arg;                /* command->nparams */
	const struct matcher *matcher;          /* NULL: does not compare */
	uint8_t stage;                          /* enum tamis_stage */
	bool dynamic;                           /* some argument, graft or key holds variables */
	uint8_t loop;                           /* number of the loop it stands in; 0: none */
	uint8_t nargs;
	int16_t probe;                          /* index over tests: -1 none */
	uint16_t unit;
	uint32_t bit;
	uint32_t line;                          /* of at, so that nobody counts while a message waits */
	struct span at;
	struct source *source;
	const struct call_more *more;           /* NULL: nothing of it */
};

static inline const struct graft_use *
call_grafts(const struct call *k)
{
	return k->more ? k->more->grafts : NULL;
}

static inline const struct address_part *
call_part(const struct call *k)
{
	return k->more ? k->more->part : NULL;
}

static inline const void *
call_data(const struct call *k)
{
	return k->more ? k->more->data : NULL;
}

/* A condition: where its branch, its "no" and the end of its chain are. */
struct rule {
	struct span at;                         /* the word if or elsif up to the end of the test */
	uint32_t line;
	const char *name;
	struct source *source;
	uint16_t unit;
	uint32_t yes, no, end;                  /* end: where an unknown at the last stage goes */
};

struct unit {
	struct source *source;
	struct insn *code;
	uint32_t ninsns;
	uint32_t nlocals;                       /* variables of its own */
	bool captures;                          /* variables are in use: match variables are kept */
	const struct str *local_name;           /* for traces */
	uint32_t script;                        /* the first unit of the same script: its number stands for it (":once") */
};

struct probe;

struct program {
	struct arena arena;
	atomic_uint refs;
	unsigned flags;                         /* TAMIS_RESIDENT... */
	struct tamis_limits limits;
	struct unit *unit;                      /* the main script is the last: CALL goes to lower numbers */
	uint32_t nunits;
	struct call *call;
	uint32_t ncalls;
	struct rule *rule;
	uint32_t nrules;
	struct str *name;                       /* interned field names, lower case */
	uint32_t *name_hash;                    /* str_hash_seeded() of each */
	uint32_t nnames;
	struct str *global;                     /* names of global variables */
	uint32_t nglobals;
	struct str *message;                    /* texts of FAIL */
	uint32_t nmessages;
	const struct namespace **space;         /* of PIECE_SPACE */
	uint32_t nspaces;
	const struct extension **capability;    /* of ENABLED, by bit */
	uint32_t ncapabilities;
	const struct extension **hook;          /* those with .effect */
	uint32_t nhooks;
	struct probe *probe;
	uint32_t nprobes;
	unsigned needs;                         /* TAMIS_NEEDS_... */
	uint32_t effects;
	uint32_t nloops;
};

struct program *program_new(const struct tamis_limits *);
struct program *program_ref(struct program *);
struct program *program_unref(struct program *);

/* lang/compile.c: NULL after reporting every error */
struct program *program_compile(const struct tamis_host *, struct str name, struct str rules, unsigned flags);
/* lang/verify.c: NULL, or what is wrong (a literal) */
const char *program_verify(const struct program *);
/* lang/dump.c */
void program_dump(const struct program *, void (*line)(void *ctx, const char *), void *ctx);
/* lang/points.c */
void program_points(const struct program *, void (*point)(void *ctx, const struct tamis_point *), void *ctx);
/* lang/index.c: tests on one source share an automaton */
void program_index(struct program *);

/* A probe: all constant tests on one source (same producer, arguments, fold). */
struct probe {
	struct automaton *automaton;
	const uint32_t *bit;                    /* of each key of the automaton */
	uint32_t nkeys, nbits;
	const struct comparator *comparator;
};

#endif
