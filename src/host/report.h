/* report.h - tell a sender that his message was refused after it was accepted
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A delivery status notification (RFC 3464) for "ereject", a disposition
 * notification (RFC 3798) for "reject": RFC 5429 2.1.2 and 2.2.1.  The message
 * is of ASCII but for the addresses that are not, has CRLF line ends, and goes
 * to report.from with the null sender. */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include "base/buf.h"

enum {
	REPORT_REASON_MAX = 16384,      /* bytes of the reason that are told */
	REPORT_HEADER_MAX = 65536,      /* bytes of the message's header that are given back */
	REPORT_VALUE_MAX = 800,         /* bytes of an address, an id or a host in a field */
};

struct report {
	struct str hostname;            /* ours */
	struct str from;                /* the envelope sender of the message, without <>: whom the report goes to */
	struct str recipient;           /* who refused it, without <> */
	struct str orcpt, envid;        /* as they came: "rfc822;" xtext, xtext; empty: none */
	struct str message_id_seed;     /* equal ones make equal reports */
	struct str reason;              /* UTF-8; it may begin with an enhanced code 5.d.d (RFC 3463) */
	struct str header;              /* of the message, as received */
	int64_t now;                    /* microseconds since 1970 */
	bool disposition;               /* MDN, else DSN */
};

/* Appends it.  Nothing for a null sender, to whom nothing is reported (RFC 3464 2). */
void report_write(const struct report *, struct buf *);

#endif
