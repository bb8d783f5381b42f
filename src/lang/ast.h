/* ast.h - rules as the grammar of RFC 5228 8.2 sees them: no vocabulary
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_AST_H
#define LANG_AST_H

#include "lang/source.h"

/* A string with its escapes undone; its source range tells the rest. */
struct ast_string {
	struct str value;
	struct span at;
};

enum ast_kind { AST_TAG, AST_NUMBER, AST_STRING, AST_STRINGS };

struct ast_arg {
	enum ast_kind kind;
	uint32_t nstrings;
	struct span at;
	struct ast_arg *next;
	union {
		struct str tag;                 /* AST_TAG: without ":", as written */
		uint64_t number;                /* AST_NUMBER */
		const struct ast_string *string;        /* AST_STRING: one; AST_STRINGS: none after an error */
	};
};

struct word;

/* a command or a test */
struct ast_node {
	struct str name;                        /* as written */
	struct span at;                         /* of the name */
	uint32_t end;                           /* offset behind the last argument or test */
	bool parenthesised;
	bool has_block;
	uint8_t looked;                         /* enum looked: the compiler knows what `word` is */
	struct ast_arg *args;
	struct ast_node *tests;                 /* one, or a list in parentheses */
	struct ast_node *block;
	struct ast_node *next;
	const struct word *word;
};
enum looked { LOOKED_NOT, LOOKED_COMMAND, LOOKED_TEST };

#endif
