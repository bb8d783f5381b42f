/* copy.h - what leaves by itself: individual copies, redirects with a sender of their own, reports
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_COPY_H
#define MILTER_COPY_H

#include "milter/transaction.h"

enum copy_result {
	COPY_TAKEN,                     /* by the port, and the journal has it */
	COPY_REFUSED,                   /* for good */
	COPY_UNSAYABLE,                 /* likewise: the port does not take SMTPUTF8, which it needs */
	COPY_AGAIN,                     /* not now; *ret_why says why */
	COPY_ELSEWHERE                  /* another session is at it: not before that has ended */
};

/* Has some copy of a message with this header been made before? */
bool copy_known(struct transaction *);
/* The fingerprint of the message; needs the body. */
void copy_identify(struct transaction *);
/* The keys of all deliveries of the message, and which of them an earlier attempt made already, if there are copies or
 * were some; needs the body. */
void copy_keys(struct transaction *);
/* Is there a copy to be made whose key is not known? */
bool copy_unkeyed(const struct transaction *);
/* Have this recipient's rules redirected the message before, by the filtered port? */
bool copy_came_back(const struct transaction *, const struct rcpt *);
enum copy_result copy_send(struct transaction *, struct rcpt *, struct delivery *, const char **ret_why);

/* The NOTIFY (RFC 3461) that goes along with it; empty: none. */
struct str copy_notify(const struct transaction *, const struct rcpt *, const struct delivery *);

#endif
