/* build.h - what the scripts of one program share while it is compiled
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_BUILD_H
#define LANG_BUILD_H

#include "lang/compile.h"

struct word {
	struct str name;
	const struct command *command;
	uint16_t extension;
};

/* a match type, address part or graft */
enum tag_kind { TAG_MATCH, TAG_PART, TAG_GRAFT };
struct tag_word {
	const char *name;
	enum tag_kind kind;
	uint16_t extension;
	const void *what;
};

struct script {
	struct str file;                        /* of the main one: its name */
	struct str text;                        /* .s NULL: not loaded yet */
	bool active, compiled, broken;
};

struct build {
	struct program *program;
	const struct tamis_host *host;
	struct diag *diag;
	struct arena scratch;
	struct word word[512];                  /* commands by name, open addressing */
	VEC(struct tag_word) tags;
	const struct match_type *match_type;    /* where rules name none */
	const struct comparator *comparator;
	VEC(struct unit) units;
	VEC(struct call) calls;
	VEC(struct rule) rules;
	VEC(struct str) messages;
	struct names names, globals;            /* of fields, of variables */
	VEC(const uint32_t *) id;               /* of each field name its number, for values that name one field */
	VEC(const struct namespace *) spaces;
	VEC(const struct extension *) capabilities, hooks;
	struct call call;                       /* the one being made, */
	struct span at[UINT8_MAX + 1];          /* and where its arguments stand */
	VEC(struct script) scripts;
	struct names keys;                      /* of each script "personal/name"; the main one's is empty */
	VEC(struct context) contexts;           /* of each unit */
	unsigned nscripts, depth;
};

/* Puts modifiers in the order in which they are applied; false: error reported. */
bool modifiers_sort(struct compiler *, struct call *);
void build_words(struct build *);
const struct word *build_find(const struct build *, struct str name, bool test);
uint32_t build_capability(struct build *, unsigned extension);
/* its .effect is called from here on */
void build_hook(struct build *, unsigned extension);
/* "fileinto [:copy] <mailbox: string>": with the tags that the script's extensions add, or with all (NULL) */
struct str command_usage(struct arena *, const struct command *, const struct compiler *);
/* what a block, or the top of a script, has done so far */
struct sequence {
	const struct command *refuses, *delivers;
	bool broken;                            /* an if that is wrong has been told: its elsif and else are not to blame */
};
void compile_sequence(struct compiler *, struct sequence *, struct ast_node *);
/* goes on with the command before it: an else */
bool compile_continues(const struct compiler *, struct ast_node *);
/* ends a call: record and instruction */
void emit_call(struct compiler *, enum op, const struct call *);
void emit_enabled(struct compiler *, unsigned extension, struct span at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* the program's first script: its unit, or -1 after errors */
int script_main(struct build *, struct str name, struct str text);
void scripts_done(struct build *);
/* what is nearest to a misspelt word, or NULL */
const char *vocabulary_near_command(const struct compiler *, struct str name, bool test);
const char *vocabulary_near_tag(const struct compiler *, const struct command *, struct str tag);
const char *vocabulary_near_extension(const struct compiler *, struct str name);
bool vocabulary_bit(const uint64_t *bits, unsigned i);
/* The extension's words may be used here: required, or guarded by ihave (then an ENABLED is emitted).  Else the
 * error has been reported, once, and the words are taken as known from here on.  False: they can never be used, which is
 * an error when executed (a FAIL is emitted). */
bool vocabulary_use(struct compiler *, unsigned extension, struct span at, const char *what, struct str name);
void vocabulary_seen(struct compiler *, unsigned extension);
/* warns of what was required and is not used */
void vocabulary_unused(struct compiler *);
bool vocabulary_ready(const struct compiler *, unsigned extension);
/* Are tests and block as the command wants them?  false: error reported */
bool node_shape(struct compiler *, const struct command *, struct ast_node *);
/* The command that stands where the test of another would, as a semicolon is missing; or NULL. */
struct ast_node *node_hidden(struct compiler *, const struct command *, struct ast_node *);
bool graft_fits(const struct graft *, const struct command *);

#endif
