/* personal.h - may a machine answer a message for its recipient? (RFC 3834 2; RFC 5230 4.5, 4.6)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_PERSONAL_H
#define VM_PERSONAL_H

#include "vm/run.h"

/* Who answers whom. */
struct personal {
	struct mail_address sender;
	struct str self;                /* the recipient's own address that the message names */
};

/* Addresses, each a mailbox, read; what is none is left out. */
struct addresses {
	struct mail_address *v;
	size_t n;
};
struct addresses personal_addresses(struct arena *, const struct value *);
/* NULL, or why the message is not answered (a literal).  own: more addresses of the recipient.  Needs the header, and
 * looks at it as it was received. */
const char *personal_read(struct run *, const struct addresses *own, struct personal *ret);

#endif
