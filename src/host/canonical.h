/* canonical.h - the one form of a recipient's address, for rules, state and keys
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CANONICAL_H
#define HOST_CANONICAL_H

#include "host/conf.h"

struct canonical {
	struct str local;               /* without quotes and detail; folded unless localpart_case = exact; UTF-8 in NFC */
	struct str detail;              /* whatever it is: bytes, folded like local, in NFC if they are UTF-8 */
	struct str domain;              /* lower-case A-labels; or "[192.0.2.1]", "[ipv6:2001:db8::1]" */
	struct str whole;               /* local part with the detail */
	bool has_detail;
};

enum {
	CANONICAL_LOCAL = 64,           /* bytes of a user's name (RFC 5321 4.5.3.1.1) */
	CANONICAL_WHOLE = 2048,         /* bytes of a local part with its detail: what a line to Postfix may have */
	CANONICAL_DOMAIN = 253,
	CANONICAL_LABEL = 63
};

/* The address may stand in <>, with a source route, which is dropped.  The detail is split off as the mail server does:
 * Postfix by recipient_delimiter, Sendmail at "+".  0, or -1: it can be nobody's. */
int canonical_address(const struct conf *, bool sendmail, struct arena *, struct str address, struct canonical *ret);
/* The same without a detail: local and whole are equal. */
int canonical_plain(const struct conf *, struct arena *, struct str address, struct canonical *ret);
/* A domain alone, or an address literal: 0 or -1. */
int canonical_domain(struct arena *, struct str, struct str *ret);
/* "alice@example.org" */
struct str canonical_user(struct arena *, const struct canonical *);
/* "alice+lists@example.org" */
struct str canonical_mailbox(struct arena *, const struct canonical *);
/* Parts of the canonical form as an address that mail servers read as these very parts: with quotes where they are needed. */
struct str canonical_written(struct arena *, struct str local, struct str domain);

#endif
