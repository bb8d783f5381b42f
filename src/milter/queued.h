/* queued.h - recipients as the mail server's queue has them
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_QUEUED_H
#define MILTER_QUEUED_H

#include "milter/merge.h"
#include "milter/transaction.h"

/* Without quotes and the backslashes of quoted pairs. */
struct str queued_unquoted(struct arena *, struct str);
/* An address with such a local part, written with as many quotes as it needs. */
struct str queued_plain(struct arena *, struct str address);
/* What recipients have in common that are one in the queue: taken away is who has it, however he was written.  Postfix's;
 * Sendmail says so itself. */
struct str queued_group(struct arena *, const struct rcpt *);
/* Is that, in any case of its letters, what one of the client's recipients is called?  To Postfix one who is added is a
 * duplicate of him, and is left out, whatever becomes of him, if both have the same ORCPT. */
bool queued_has(struct transaction *, struct str address);
/* Does the server take mail for it?  Of an address that is added and that it does not take, Sendmail says nothing to us, and
 * nothing to the sender; to Postfix one that is too long cannot be said at all, and the message would come again for ever. */
bool queued_takes(bool sendmail, struct str address);
/* Takes the i-th recipient away. */
int queued_remove(struct transaction *, const struct mta *, const struct merge *, size_t i);

#endif
