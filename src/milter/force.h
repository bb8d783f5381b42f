/* force.h - what of a plan is in force
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FORCE_H
#define MILTER_FORCE_H

#include "milter/transaction.h"

/* By his "effect". */
void force_mode(struct transaction *, struct rcpt *);
/* Takes away what must not be followed, or would be lost, and finds out which redirects take the filtered port.  whole:
 * copies can be made */
void force_deliveries(struct transaction *, struct rcpt *, bool whole);
/* May the address be another name of a recipient, as only Sendmail knows? */
bool force_may_return(const struct transaction *, const struct rcpt *, const struct delivery *);
/* Likewise of an address with any folder of his for a detail. */
bool force_files_at_home(const struct transaction *, const struct rcpt *);
/* The message is not refused as a whole: who may do nothing but that keeps it. */
void force_only_refusals(struct transaction *);

#endif
