/* force.h - what of a plan is in force
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FORCE_H
#define MILTER_FORCE_H

#include "milter/transaction.h"

/* By his "effect". */
void force_mode(struct transaction *, struct rcpt *);
/* Takes redirects away that must not be followed, and finds out which take the filtered port.  whole: copies can be made */
void force_redirects(struct transaction *, struct rcpt *, bool whole);
/* The message is not refused as a whole: who may do nothing but that keeps it. */
void force_only_refusals(struct transaction *);

#endif
