/* story.h - what a run did, remembered, so that it can be asked why
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_STORY_H
#define TAMIS_STORY_H

#include "host/diag.h"

enum { STORY_VALUES = 3 };      /* of a test that are kept */

struct story_text {
	struct str start;               /* as much of it as is kept */
	size_t len;                     /* of all of it */
};

struct story_test {
	struct tamis_place place;
	struct str source;              /* its words in the rules */
	int result;
	bool compares;                  /* it has a match type, so it sees values */
	size_t nvalues;
	struct story_text value[STORY_VALUES];
	bool matched, nearest;
	struct story_text key, key_value;      /* that matched, or was nearest */
};

struct story_rule {
	struct tamis_place place;
	struct str source;              /* "if header ..." */
	struct str block;               /* what it guards, with braces; empty if not found */
	int result;
	size_t first, ntests;           /* of story->test */
};

struct story_action {
	struct tamis_place place;
	struct str source;
	size_t nrules;                  /* that had been asked before */
};

struct story {
	const struct diag *diag;
	struct arena arena;
	VEC(struct story_test) test;
	VEC(struct story_rule) rule;
	VEC(struct story_action) action;
};

void story_init(struct story *, const struct diag *);
void story_reset(struct story *);
void story_done(struct story *);
/* For struct tamis_host: ctx is a struct story. */
void story_event(void *ctx, const struct tamis_event *);

/* Was a rule or action in another file? */
bool story_strays(const struct story *, struct str file);
/* The action that an effect came from, or NULL. */
const struct story_action *story_find(const struct story *, const struct tamis_place *);
/* Is the action in the block of that rule? */
bool story_guards(const struct story_rule *, const struct story_action *);
/* Is it in the block that is taken when that rule and all before it in its chain are false? */
bool story_guards_rest(const struct story *, const struct story_rule *, const struct story_action *);

/* --- why.c: why a condition came out as it did */

enum { WHY_TESTS = 8 };
struct why {
	const struct story_test *test[WHY_TESTS];
	size_t n;                       /* of test */
	size_t others;                  /* that came out the same and were needed too, but are not listed */
	bool alone;                     /* the condition is nothing but that one test */
};

/* For a false condition the first test that made it so, for a true one all that did. */
void why_rule(const struct story *, const struct story_rule *, struct why *ret);

#endif
