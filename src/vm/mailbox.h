/* mailbox.h - names of mailboxes
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_MAILBOX_H
#define VM_MAILBOX_H

#include "base/str.h"

/* For tables: NULL, or why no mailbox can have that name.  What else a mail
 * store does not take is its own business. */
const char *mailbox_check(struct str name);
/* RFC 3501 5.1: INBOX in letters of either case is one mailbox */
bool mailbox_is_inbox(struct str name);

#endif
