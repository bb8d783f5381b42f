/* sender.h - is the envelope sender who it says? (before anything is sent to it)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SENDER_H
#define MILTER_SENDER_H

#include "milter/transaction.h"

/* An authenticated submission by its owner; or a result of ours in Authentication-Results (RFC 8601): spf=pass for its
 * domain, or dkim=pass of a domain aligned with it.  The null sender never is. */
bool sender_authentic(struct transaction *);
/* Is that the value of an Authentication-Results of this verifier, right or wrong? */
bool sender_is_result(struct str value, struct str authserv_id);

#endif
