/* command.h - the tables that are the language: what an extension brings
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From these come argument checking, defaults, exclusive tags, diagnostics,
 * the disassembly, the trace, "tamis help" and the check of the manual. */
#ifndef LANG_COMMAND_H
#define LANG_COMMAND_H

#include "lang/matcher.h"

struct ast_node;
struct call;
struct compiler;
struct effect;
struct field;
struct fields;
struct graft_use;
struct match;
struct outcome;
struct recipient;
struct run;

/* What the strings of a parameter are, beyond their type. */
enum role {
	ROLE_PLAIN,
	ROLE_HEADERS,           /* field names: lower-cased, interned, value->id */
	ROLE_KEYS,              /* of the call's matcher */
	ROLE_VARIABLE,          /* a variable to set: value->id[0] is its slot (GLOBAL_SLOT when global); must be constant */
	ROLE_VARIABLES,         /* variables to look at: value->id[i] are their slots; must be constant */
};
#define GLOBAL_SLOT 0x80000000u

enum {
	PARAM_REQUIRED = 1, PARAM_OPTIONAL = 2, PARAM_CONSTANT = 4,
	PARAM_WORDS = 8,                /* "a b" is ["a", "b"], and "" is nothing (if nothing is left: one "") */
};

struct param {
	const char *name;               /* ":days" (a tag) or "mailbox" (positional; those are required unless OPTIONAL) */
	enum type type;                 /* FLAG: a tag without argument */
	enum role role;
	uint8_t flags;                  /* REQUIRED: of tags, or of one tag of the group; CONSTANT: no variables */
	uint8_t group;                  /* tags of the same group (not 0) exclude each other */
	uint64_t initial;               /* NUMBER tags: when not given */
	/* Is this string one that may stand here?  NULL, or what is wrong ("is not a valid address"); used when compiled, and at run time on strings with variables. */
	const char *(*check)(struct str);
};

enum command_kind { COMMAND_TEST, COMMAND_ACTION, COMMAND_CONTROL };
enum {
	COMMAND_MATCHES = 1,            /* takes [COMPARATOR] [MATCH-TYPE] */
	COMMAND_ADDRESS_PART = 2,       /* takes [ADDRESS-PART] */
	COMMAND_BLOCK = 4,              /* is followed by a block */
	COMMAND_TEST_ONE = 8,           /* takes one test */
	COMMAND_TEST_LIST = 16,         /* takes a test list */
	COMMAND_TAINTED = 32,           /* sees tainted strings: run->taint tells */
	COMMAND_TOP = 64,               /* not inside a block */
	COMMAND_EARLY = 128,            /* its refusal may be final at ENVELOPE */
	COMMAND_FINAL = 256,            /* nothing behind it in the same block is reached */
	COMMAND_SILENT = 512,           /* sets no match variables */
	COMMAND_LONG = 1024,            /* its values are long: an index over few tests pays */
	COMMAND_CHANGING = 2048,        /* its values may change while the script runs: no index */
	COMMAND_FIRST = 4096,           /* nothing but its like may stand before it */
	COMMAND_CONTINUES = 8192,       /* belongs to the command before it */
};

struct command {
	const char *name;
	enum command_kind kind;
	const char *summary;            /* one line, lower case */
	unsigned flags;
	const struct param *params;
	uint8_t nparams;
	const char *comparator;         /* default, if not the language's */
	uint8_t needs;                  /* enum tamis_stage: first at which it can answer or act */
	unsigned program_needs;         /* TAMIS_NEEDS_..., beyond what the stage says */
	uint32_t effects;               /* 1u << kind, what an action can cause */
	/* run time: exactly one of these, or a compile hook */
	int (*test)(struct run *, const struct call *, const struct value *arg);        /* YES, NO, UNKNOWN, ERROR */
	int (*values)(struct run *, const struct call *, const struct value *arg, struct match *);      /* YES; NO: false, even if ":count" counts; UNKNOWN, ERROR */
	int (*act)(struct run *, const struct call *, const struct value *arg);         /* YES, UNKNOWN, ERROR */
	/* compile time */
	struct ast_node *(*compile)(struct compiler *, struct ast_node *);      /* emits code itself; returns the last node it used */
	void (*jump)(struct compiler *, struct ast_node *, bool sense, int *chain, int mark);
	bool (*check)(struct compiler *, struct call *, const struct ast_node *);       /* after the arguments; false: error reported */
	enum tamis_stage (*stage)(const struct call *);                         /* else .needs */
	/* what it will ask, as far as that can be told of this recipient */
	void (*questions)(const struct call *, struct recipient *, void (*want)(void *ctx, struct str what, struct str key), void *ctx);
};

/* For PARAM_WORDS. */
static inline void
value_split(struct arena *arena, struct value *v)
{
	static const struct str nothing = { "", 0 };
	struct str *word;

	v->n = (uint32_t)arena_words(arena, v->str, v->n, &word);
	v->str = v->n ? word : &nothing;
	v->n += !v->n;
}

/* A tag that one extension puts on commands of others. */
struct graft {
	const char *name;               /* ":copy" */
	enum type type;
	enum role role;
	uint8_t group;                  /* grafts of the same group (not 0) exclude each other */
	const char *const *on;          /* command names, or "@headers": every command with ROLE_HEADERS that is a test */
	const char *summary;
	const char *(*check)(struct str);
	bool (*compile)(struct compiler *, struct call *, struct graft_use *);  /* false: error reported */
	bool (*select)(const struct value *, const struct field *, unsigned nth, unsigned total);       /* nth from 1 */
	void (*effect)(struct run *, const struct value *, struct effect *);
	enum tamis_stage (*stage)(const struct value *);
	/* a modifier (RFC 5229 4.1), for commands that call run_modify(): higher order first, equal ones exclude each other */
	unsigned order;
	struct str (*modify)(struct arena *, struct str);
};

struct graft_use {
	const struct graft *graft;
	struct span at;
	struct value value;
	struct graft_use *next;
};

struct address_part {
	const char *name;               /* ":localpart" */
	const char *summary;
	/* YES and the part; NO: this address has no such part (RFC 5233 4) */
	int (*part)(struct run *, struct str local, struct str domain, struct str all, struct str *ret);
	int builtin;                    /* 1 all, 2 localpart, 3 domain: cells that the address keeps; 0: .part */
};

/* "${name.rest}" */
struct namespace {
	const char *name;
	/* NULL, or why "rest" cannot be read */
	const char *(*check)(struct str rest);
	struct str (*get)(struct run *, struct str rest);
	bool globals;                   /* names in it are the program's global variables (RFC 6609 3.4) */
};

struct extension {
	const char *name;               /* capability; "" for what is always there */
	const char *document;           /* "RFC 5228 4.1" */
	const char *summary;
	const struct command *commands;
	size_t ncommands;
	const struct graft *grafts;
	size_t ngrafts;
	const struct match_type *match_types;
	size_t nmatch_types;
	const struct comparator *comparators;
	size_t ncomparators;
	const struct address_part *address_parts;
	size_t naddress_parts;
	const struct namespace *namespaces;
	size_t nnamespaces;
	const char *const *requires;    /* capabilities that its words need as well, NULL-terminated */
	/* Rewrites a constant string: NULL, or what is wrong.  The extension changes how strings are read, so ihave cannot enable it. */
	const char *(*rewrite)(struct arena *, struct str, struct str *ret);
	bool templates;                 /* strings may hold "${...}"; the same */
	/* Adds what the script has set up to an effect of whatever command, the implicit keep too: YES, or UNKNOWN if that cannot
	 * be told yet.  Called in runs of programs in which some script uses the extension. */
	int (*effect)(struct run *, struct effect *);
	bool ihave;                     /* unknown words are errors only when executed (RFC 5463) */
	bool hosted;                    /* only where host->allow() says so expressly */
	const char *missing;            /* built without: why */
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PARAMS(array) .params = (array), .nparams = COUNT(array)
#define COMMANDS(array) .commands = (array), .ncommands = COUNT(array)
#define GRAFTS(array) .grafts = (array), .ngrafts = COUNT(array)

/* extensions.c, by the generated list; NULL-terminated */
extern const struct extension *const extensions[];

#endif
