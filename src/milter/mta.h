/* mta.h - what a mail server lets us ask and do, and what it is answered
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The rest of the daemon knows the milter protocol only as this page: a
 * session (milter/session.h) is told what the client said, and answers with
 * verdicts; at the end of a message it may change it. */
#ifndef MILTER_MTA_H
#define MILTER_MTA_H

#include "base/buf.h"

enum verdict_kind {
	VERDICT_CONTINUE,
	VERDICT_ACCEPT,                 /* nothing more is wanted of this message */
	VERDICT_SKIP,                   /* no more of its body is wanted */
	VERDICT_REFUSE,                 /* 550, at RCPT TO for that recipient alone */
	VERDICT_AGAIN                   /* 451, at RCPT TO for that recipient alone */
};

enum { VERDICT_LINES = 32, VERDICT_LINE = 500 };

struct verdict {
	enum verdict_kind kind;
	char enhanced[12];              /* "5.7.1"; "" for what the server says by itself */
	struct buf lines;               /* ASCII, each ended by LF, at most VERDICT_LINES of VERDICT_LINE bytes */
};

/* Each returns 0, or -1 when the server cannot be told any more. */
struct mta {
	void *ctx;
	/* a macro's value or NULL, without braces for those of one letter: "i", "{rcpt_addr}" */
	const char *(*macro)(void *ctx, const char *name);
	/* address without "<>"; args: ESMTP arguments or "" */
	int (*add_rcpt)(void *ctx, const char *address, const char *args);
	int (*delete_rcpt)(void *ctx, const char *argument);            /* as it was given */
	int (*change_sender)(void *ctx, const char *address);           /* without "<>" */
	/* fields: the value as it stands behind the colon, lines end in LF */
	int (*insert_field)(void *ctx, const char *name, const char *value);            /* above all others */
	int (*append_field)(void *ctx, const char *name, const char *value);
	int (*delete_field)(void *ctx, const char *name, int index);                    /* from 1, of that name */
	/* The message is held until somebody releases it.  reason: one line of ASCII, not empty.  NULL: the server holds none. */
	int (*quarantine)(void *ctx, const char *reason);
	/* work goes on: the server is to wait longer */
	void (*progress)(void *ctx);
};

#endif
