/* submit.h - hand one message to an SMTP or LMTP server
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_SUBMIT_H
#define HOST_SUBMIT_H

#include "base/str.h"

enum {
	SUBMIT_REPLY_LINES = 128,       /* lines of one reply that are read; more are no reply */
	SUBMIT_ADDRESS_MAX = 2000,      /* bytes of an address: about what servers take in a line */
	SUBMIT_DSN_MAX = 500,           /* bytes of ORCPT, RET, ENVID (RFC 3461 4.2): longer ones are not handed on */
};

struct submit_rcpt {
	struct str address;             /* without <> */
	struct str notify, orcpt;       /* DSN parameters, encoded as they are to be sent; empty: none */
	int code;                       /* result: 2xx: taken for this one; else what refused it; 0: nobody said */
};

struct submission {
	struct str from;                /* without <>; empty: the null sender; SMTPUTF8 is said for it where it is offered */
	struct str ret, envid;          /* DSN parameters */
	bool smtputf8, eightbit;
	bool smtputf8_asked;            /* of a message that does not need it: said to a server that offers it */
	struct submit_rcpt *rcpt;
	size_t n;
	/* Puts all bytes of the message, header and body; 0, or -1: then, or when put says so, it is not sent.
	 * LF becomes CRLF, dots are doubled; nothing else changes. */
	int (*write)(void *ctx, int (*put)(void *put_ctx, struct str), void *put_ctx);
	/* Called for each second at least that the server is waited for; may be NULL. */
	void (*waits)(void *ctx);
	void *ctx;
	int64_t answer_least;           /* milliseconds that the answer to the dot is waited for, whatever the deadline */
	bool unsayable;                 /* result: the server offers no SMTPUTF8, and the message needs it */
	char reply[512];                /* result: what the server said last, or what went wrong; one line, not cleaned */
};

/* SUBMIT_TAKEN    2xx after the dot (LMTP: for every recipient).
 * SUBMIT_REFUSED  It is of no use to try again: 5xx to MAIL, to a RCPT, to DATA or to the message; an address that
 *                 cannot be said; SMTPUTF8 is needed and not offered (RFC 6531 3.2).
 * SUBMIT_AGAIN    Everything else.  A server that got the final dot and did not answer may have taken the
 *                 message: then the next attempt makes a second copy.  (RFC 5321 4.2.5 leaves no other way.)
 *
 * Before DATA it is all or none: one refused recipient, and no message is sent.  After it LMTP answers for each
 * recipient: with any other result than TAKEN, look at the codes for those who have it. */
enum submit_result { SUBMIT_TAKEN, SUBMIT_REFUSED, SUBMIT_AGAIN };

/* `where`: "smtp:HOST:PORT", "smtp:unix:/path", "lmtp:HOST:PORT", "lmtp:unix:/path"; deadline: milliseconds of
 * CLOCK_MONOTONIC.  DSN parameters and BODY=8BITMIME go only to a server that offers to take them; an ORCPT, RET or
 * ENVID that is too long, or not ASCII where nothing else is in UTF-8, goes to none: the message is worth more. */
enum submit_result submit(const char *where, const char *helo, struct submission *, int64_t deadline);
/* NULL, or why `where` is no such thing */
const char *submit_check(const char *where);

#endif
