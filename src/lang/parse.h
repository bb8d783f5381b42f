/* parse.h - rules to a tree
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "base/limits.h"
#include "lang/lex.h"

/* What Bison's parser works on. */
struct parse {
	struct lex lex;
	struct arena *arena;            /* of the tree; command() may change it for what follows */
	void (*command)(void *ctx, struct parse *, struct ast_node *);  /* one at the top has been read */
	void *ctx;
	struct ast_string *strings;     /* of the list being read */
	uint32_t nstrings, cap;
	struct span at;                 /* of the last token */
	uint32_t previous_end;          /* offset behind the last token: where a ";" belongs */
	bool was_open;                  /* the same, before the last token */
	bool open;                      /* a command has begun that no ";" or block has ended */
	unsigned parens;                /* "(" of it that are not closed */
	bool bracket;
	bool argument;                  /* the last token lets an argument follow */
	bool broken;                    /* an error was met since the last ";" or "{": ask for nothing more */
	uint32_t brace[LIMIT_NESTING + 1];      /* where the blocks that are open began */
	unsigned nbraces;
	int kept;                       /* token read ahead while one was put in before it; -1: none */
	struct str last_word;           /* identifier that began the command */
};

/* actions of the grammar (parse.c) */
struct ast_node *parse_node(struct parse *, const struct ast_string *name, struct ast_arg *, uint32_t end);
struct ast_arg *parse_arg(struct parse *, struct ast_arg **first, struct ast_arg **last, enum ast_kind, struct span at);
void parse_append(struct ast_node **first, struct ast_node **last, struct ast_node *);
void parse_string(struct parse *, const struct ast_string *);
void parse_one_string(struct parse *, struct ast_arg *, const struct ast_string *);
void parse_strings(struct parse *, struct ast_arg *);
void parse_empty_list(struct parse *, struct ast_arg *);
void parse_unexpected(struct parse *, const char *got, bool end, const char *const *expected, int n);

void parse_command(struct parse *, struct ast_node *);

/* Reads the script, with arena, command and ctx set; mistakes are reported, and counted in diag->errors.  Strings are
 * spans of the source, or live in `strings`. */
void parse_stream(struct parse *, struct arena *strings, struct source *, struct diag *);
/* The tree (NULL for no commands); all mistakes are reported, and counted in
 * diag->errors.  Strings are spans of the source, or live in `strings`. */
struct ast_node *parse_script(struct arena *, struct arena *strings, struct source *, struct diag *);

#endif
