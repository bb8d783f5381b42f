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

struct build {
	struct program *program;
	const struct tamis_host *host;
	struct diag *diag;
	struct arena scratch;
	struct word word[512];                  /* commands by name, open addressing */
	VEC(struct unit) units;
	VEC(struct call) calls;
	VEC(struct rule) rules;
	VEC(struct str) names, messages, globals;
	VEC(const struct namespace *) spaces;
	VEC(const struct extension *) capabilities;
	uint32_t *name_slot;                    /* hash of names: index + 1 */
	uint32_t name_mask;
	unsigned nscripts, depth;
	bool broken;
};

void build_words(struct build *);
const struct word *build_find(const struct build *, struct str name, bool test);
uint32_t build_capability(struct build *, unsigned extension);
/* "fileinto [:copy] <mailbox: string>" */
struct str command_usage(struct arena *, const struct command *);
/* ends a call: record and instruction */
void emit_call(struct compiler *, enum op, const struct call *);
/* what is nearest to a misspelt word, or NULL */
const char *vocabulary_near_command(const struct compiler *, struct str name, bool test);
const char *vocabulary_near_tag(const struct compiler *, const struct command *, struct str tag);
const char *vocabulary_near_extension(const struct compiler *, struct str name);
bool vocabulary_bit(const uint64_t *bits, unsigned i);
/* The extension's words may be used here: required, or guarded by ihave (then an ENABLED is emitted).  Else the
 * error has been reported, once, and the words are taken as known from here on. */
void vocabulary_use(struct compiler *, unsigned extension, struct span at, const char *what, struct str name);
bool vocabulary_ready(const struct compiler *, unsigned extension);
bool graft_fits(const struct graft *, const struct command *);

#endif
