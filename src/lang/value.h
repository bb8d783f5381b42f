/* value.h - checked arguments of a call
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_VALUE_H
#define LANG_VALUE_H

#include "lang/source.h"

/* what a test, a run or a store may answer */
enum { ERROR = -2, UNKNOWN = -1, NO = 0, YES = 1 };

enum type { NONE, FLAG, NUMBER, STRING, STRINGS };

/* A string with variables in it, split when compiled. */
enum piece_kind { PIECE_TEXT, PIECE_LOCAL, PIECE_GLOBAL, PIECE_MATCH, PIECE_SPACE };
struct piece {
	enum piece_kind kind;
	uint32_t slot;                  /* LOCAL, GLOBAL: variable; MATCH: number; SPACE: index of the namespace */
	struct str text;                /* TEXT: the text; SPACE: the name behind the namespace */
};
struct template {
	uint32_t npieces;
	struct piece piece[];
};

struct value {
	uint8_t type;                   /* enum type; NONE: not given */
	bool dynamic;                   /* some template is not NULL */
	bool initial;                   /* nobody wrote it: the table's default */
	uint32_t n;                     /* strings */
	union {
		uint64_t number;        /* NUMBER; FLAG: 1 */
		const struct str *str;  /* STRING, STRINGS */
	};
	const struct template *const *template; /* NULL, or one for each string (NULL: constant) */
	const uint32_t *id;             /* ROLE_HEADERS: interned names; ROLE_VARIABLE, ROLE_VARIABLES: the slots */
};

#endif
