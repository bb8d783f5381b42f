/* reply.h - the message that answers a message (RFC 5230 5, RFC 3834 3)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_REPLY_H
#define VM_REPLY_H

#include "vm/personal.h"

/* What an answer says, beside what follows from the message. */
struct reply {
	struct str from;                /* a list of mailboxes; empty: the recipient's address */
	struct str subject;             /* empty: that of the message */
	struct str reason;              /* text, or a MIME entity */
	bool mime;
};

/* For tables: NULL, or why no message can be from there (RFC 5322 3.4: mailbox-list) */
const char *reply_from_check(struct str);
/* NULL, or why that is no MIME entity to send (RFC 5230 5); *ret_extra, unless NULL: the first field that
 * will not be sent, empty if all will. */
const char *reply_mime_check(struct str entity, struct str *ret_extra);
/* Gives a SEND effect its options: all that reply_write() needs. */
void reply_describe(struct run *, struct effect *, const struct personal *, const struct reply *);
/* The message that a SEND effect sends: lines end in CRLF.  Its envelope: from "<>", to the option "to".
 * -1, and nothing is written, for another effect. */
int reply_write(const struct outcome *, const struct tamis_effect *, int (*write)(void *ctx, struct tamis_text), void *ctx);

#endif
