/* wire.h - text with the line ends that it had on the wire
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_WIRE_H
#define MAIL_WIRE_H

#include "mail/message.h"

/* v with every line end as CRLF: v itself, or a copy in the message's arena,
 * made once and kept in a list of the message or of one of its parts.  folded:
 * nothing but the form CELL_ASCII is looked at; the cell's v is as given then,
 * and a large text is copied once, not twice. */
struct cell *wire_cell(struct message *, struct wire **list, struct str v, bool folded);

#endif
