/* arguments.h - one use of a command while its arguments are checked
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_ARGUMENTS_H
#define LANG_ARGUMENTS_H

#include "lang/build.h"

struct arguments {
	struct compiler *c;
	const struct command *command;
	const struct ast_node *node;
	struct call *call;
	struct value *value;                    /* command->nparams */
	const struct ast_arg *keys;             /* the argument that holds the keys */
	const struct match_type *match_type;
	const struct comparator *comparator;
	const struct address_part *part;
	uint8_t match_argument;
	struct span match_at, comparator_at;
	bool bad;
	bool unknown;                           /* something that ihave makes an error when executed; nothing is checked behind it */
};

/* --- arguments.c */
/* "a number", "a string"...: what stands there, and what is wanted */
const char *argument_kind(const struct ast_arg *);
const char *argument_wanted(enum type);
bool argument_given(const struct arguments *, uint8_t param);
/* Every error about arguments ends with how the command is to be written. */
const char *argument_hint(struct arguments *);
/* Is it a list of nothing?  The parser has told; the use is bad, and nothing else is said of it. */
bool argument_empty(struct arguments *, const struct ast_arg *);
bool argument_fits(enum type, const struct ast_arg *);
/* arg is of the right type already */
void argument_read(struct arguments *, const char *name, enum type, enum role, uint8_t flags,
                   const char *(*check)(struct str), const struct ast_arg *arg, struct value *ret);

/* --- tags.c */
/* Reads a tag and what belongs to it; returns the last argument that it took. */
const struct ast_arg *tag_read(struct arguments *, const struct ast_arg *tag);
const struct comparator *comparator_find(struct str name, unsigned *ret_extension);

#endif
