/* compile.h - tree to program: what extensions' compile hooks may use
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_COMPILE_H
#define LANG_COMPILE_H

#include "base/names.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/program.h"

struct ids {
	uint32_t *v;
	size_t n, cap;
};

/* What a script compiles to, beside its text, depends on (script.c). */
struct context {
	uint32_t script;
	struct ids cut;                         /* scripts it could not include: they were being included */
	struct ids inside;                      /* scripts it includes, at any depth */
	unsigned height;                        /* of those includes */
	bool low;                               /* one was nested too deeply */
};

struct variable_name {
	struct str name;                        /* lower case */
	uint32_t slot;                          /* of the script, or GLOBAL_SLOT | slot */
	bool set;                               /* something can change it; else it is only read so far */
};

struct required {
	unsigned extension;
	struct str capability;
	struct span at;
};

/* One script being compiled; includes nest. */
struct compiler {
	struct compiler *outer;                 /* the including script */
	struct build *build;                    /* what all scripts of the program share (compile.c) */
	struct program *program;
	struct diag *diag;
	struct source *source;
	uint32_t script;                        /* number of the script; 0: the main one */
	struct context context;
	bool again;                             /* compiled before, so its warnings are known */
	struct arena *scratch;                  /* tree and other things that end with the compilation */
	const struct tamis_host *host;
	unsigned flags;
	/* vocabulary of this script */
	uint64_t enabled[4];                    /* extensions required, by index */
	uint64_t guarded[4];                    /* known but not required, where ihave may enable them */
	bool templates, rewrites, ihave;
	bool commands_seen;                     /* a command other than require has been met */
	/* code */
	VEC(struct insn) code;
	VEC(struct variable_name) names;        /* variables of this script */
	struct names known;                     /* the number of each in names */
	uint32_t nlocals;
	uint32_t first_call, first_rule;
	int breaks;                             /* chain of the innermost loop's breaks */
	bool in_case;                           /* inside a test suite's case; case_end is the chain of jumps to its end */
	int case_end;
	unsigned loop, blocks, tests;           /* nesting */
	VEC(struct required) required;          /* what require named, to warn of what nothing needed */
	uint64_t used[4];
	bool dead;                              /* behind stop: warn once */
	const char *dead_name;
	bool captures;
	bool full;                              /* of variables: told once */
	uint32_t line, line_at;                 /* the line of that offset */
};

/* --- mistakes: of the script being compiled */
void compile_error(struct compiler *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void compile_warning(struct compiler *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* --- code.  A chain is a list of jumps whose targets are not known yet, linked through b; -1 is empty. */
int emit(struct compiler *, enum op, unsigned a, uint32_t b);
void patch(struct compiler *, int chain);       /* to here */

/* --- pieces that hooks put together */
void compile_commands(struct compiler *, struct ast_node *);
void compile_block(struct compiler *, struct ast_node *owner);
/* Jumps along *chain when the test comes out as `sense`; unknown sets `mark`. */
void compile_test(struct compiler *, struct ast_node *, bool sense, int *chain, unsigned mark);
/* For not, anyof and allof. */
void compile_not(struct compiler *, struct ast_node *, bool sense, int *chain, int mark);
void compile_junction(struct compiler *, struct ast_node *, bool sense, int *chain, int mark, bool any);
/* to set what few calls have */
struct call_more *compile_more(struct compiler *, struct call *);
/* Checks the arguments against the table; NULL after errors.  Nothing is emitted; valid until the next call is made. */
struct call *compile_call(struct compiler *, const struct command *, struct ast_node *);
/* The same, and the ACT. */
void compile_action(struct compiler *, const struct command *, struct ast_node *);
/* Where that argument of the call being made stands. */
struct span compile_at(const struct compiler *, const struct value *);
/* The script of that kind ("personal", "global") and name: its unit, or why it cannot be used.  What is broken has been
 * reported, and spoils no other script. */
enum { INCLUDE_MISSING = -1, INCLUDE_UNREADABLE = -2, INCLUDE_RECURSIVE = -3, INCLUDE_BROKEN = -4, INCLUDE_DEEP = -5,
       INCLUDE_MANY = -6 };
int compile_include(struct compiler *, struct str kind, struct str name);
/* A loop whose body is the node's block (EACH, NEXT, breaks). */
void compile_loop(struct compiler *, struct ast_node *);
void compile_fail(struct compiler *, struct span at, const char *format, ...)   /* a run-time error here */
	__attribute__((format(printf, 3, 4)));
/* One if or elsif with its block: index of its rule, whose end compile_rule_end() sets for the whole chain.
 * *end collects the jumps over what follows. */
uint32_t compile_rule(struct compiler *, struct ast_node *, int *end, bool more);
void compile_rule_end(struct compiler *, uint32_t first, uint32_t last, int end);

/* --- vocabulary */
bool compile_enable(struct compiler *, struct str capability, struct span at);  /* require */
/* index in extensions[] of a capability that this host and build can offer, or -1 */
int compile_capability(const struct tamis_host *, struct str capability);
bool compile_enabled(struct compiler *, const char *capability);        /* required?  Who asks, uses it. */
/* The host runs test suites, whose dialect is less strict. */
bool compile_lenient(const struct compiler *);
/* Is it that command or test that the node names? */
bool compile_means(const struct compiler *, struct ast_node *, const struct command *);

/* --- variables */
/* slot of a script's own variable (made if new), or GLOBAL_SLOT | slot; -1 after an error */
int64_t compile_variable(struct compiler *, struct str name, struct span at, bool set);
/* From here on that name means the program's global variable (RFC 6609 3.4.1). */
void compile_global(struct compiler *, struct str name, struct span at);
bool variable_name_ok(struct str);
/* NULL: no variables in it. */
const struct template *compile_template(struct compiler *, struct str, struct span at);
uint32_t compile_line(struct compiler *, struct span);          /* cheap where spans are asked for in their order */
uint32_t compile_intern(struct compiler *, struct str field_name);

#endif
