/* cell.h - a value that rules look at, and what has been computed from it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_CELL_H
#define MAIL_CELL_H

#include "base/arena.h"

/* A comparator is a canonical form plus an order; these are kept with the
 * value, so that folding happens once for each value and message, whatever the
 * number of tests and recipients. */
enum cell_form { CELL_ASCII, CELL_UNICODE, CELL_NUMERIC, CELL_FORMS };

struct cell {
	struct str v;                           /* the octets themselves */
	struct str form[CELL_FORMS];            /* s == NULL: not computed yet */
};

static inline struct cell
cell_of(struct str v)
{
	return (struct cell){ .v = v };
}

#endif
