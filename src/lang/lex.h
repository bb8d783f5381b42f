/* lex.h - bytes of a script to tokens (RFC 5228 8.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_LEX_H
#define LANG_LEX_H

#include "lang/ast.h"
#include "lang/diag.h"

/* the first three are the usual ones, and have text */
enum lex_token { LEX_IDENTIFIER, LEX_TAG, LEX_STRING, LEX_NUMBER, LEX_PUNCTUATION, LEX_END, LEX_ERROR };

struct lex {
	struct source *source;
	struct diag *diag;
	struct arena *arena;            /* of strings that had escapes */
	const char *p, *end, *start;
	unsigned blocks, parens, chain; /* nesting, so that the parser's stack is bounded */
	bool too_deep;
	/* the token */
	struct span at;
	struct str text;                /* identifier, tag without ":", value of a string */
	uint64_t number;
	char punctuation;
};

/* The source's text is followed by a NUL that is not counted. */
void lex_init(struct lex *, struct source *, struct diag *, struct arena *);
/* LEX_ERROR has been reported; the next call goes on behind it. */
enum lex_token lex_next(struct lex *);
/* Inside a list of strings: the next of them, if nothing but blanks stands around it and its value is a range of the
 * source.  Returns the "," or "]" behind it, which is passed over; 0: it is otherwise, and lex_next() is to be asked. */
char lex_item(struct lex *);

#endif
