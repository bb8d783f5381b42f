/* hold.h - a message that the server is to hold until somebody has looked at it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_HOLD_H
#define MILTER_HOLD_H

#include "milter/transaction.h"

/* Of a merge that says so: whose wish it is (rcpt.held). */
void hold_find(struct transaction *);
/* Has the server hold the message, with a field that says why if all have one reason.  0, or -1 as a function of mta does. */
int hold_message(struct transaction *, const struct mta *);

#endif
