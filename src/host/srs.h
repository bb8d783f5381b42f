/* srs.h - the sender rewriting scheme: forwarded mail with a sender that is ours, and bounces that find back
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     alice@example.org           SRS0=HASH=DAY=example.org=alice@OURS
 *     SRS0=...=...@first.example  SRS1=HASH=first.example==...=...@OURS
 *
 * (Shevlin and Wong, http://www.openspf.org/srs.pdf)  The hash is of an HMAC
 * with our key, so nobody else can make addresses that we send on. */
#ifndef HOST_SRS_H
#define HOST_SRS_H

#include "base/buf.h"

enum {
	SRS_HASH = 6,                   /* characters of base32: 30 bits */
	SRS_DAYS = 30,                  /* for which a bounce finds back */
	SRS_LOCAL_MAX = 64,             /* octets of a local part (RFC 5321 4.5.3.1.1) */
	SRS_ADDRESS_MAX = 254,          /* octets of an address (RFC 5321 4.5.3.1.3) */
};

enum srs_result {
	SRS_EXPIRED = -2,               /* one of ours once, too old now */
	SRS_FORGED = -1,
	SRS_NONE = 0,                   /* no such address */
	SRS_OURS = 1
};

/* Appends the sender to use: with quotes if it needs them.  The null sender, and those of `domain` itself, stay what they
 * are.  -1: it cannot be rewritten (too long, a literal as domain): keep the one there is. */
int srs_forward(const uint8_t key[32], struct str sender, const char *domain, int64_t now_seconds, struct buf *ret);
/* Of one of ours appends where it goes. */
enum srs_result srs_reverse(const uint8_t key[32], struct str address, const char *domain, int64_t now_seconds, struct buf *ret);

#endif
