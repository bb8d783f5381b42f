/* connection.h - a stream to a server, with a deadline for everything
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CONNECTION_H
#define HOST_CONNECTION_H

#include "base/str.h"

enum {
	CONNECTION_LINE_MAX = 2048,     /* bytes of one line (RFC 5321 4.5.3.1.5: 512) */
	CONNECTION_ADDRESSES = 8,       /* of one name that are tried */
};

struct connection {
	int fd;                         /* -1: none */
	int64_t deadline;               /* milliseconds of CLOCK_MONOTONIC */
	/* Called for each second at least that is spent waiting; may be NULL.  To be set before connection_open(), which waits, too. */
	void (*waits)(void *ctx);
	void *waits_ctx;
	const char *trouble;            /* why the last call failed */
	size_t from, to;                /* of what was read ahead */
	size_t nout;
	char in[CONNECTION_LINE_MAX], out[16384];
};

/* "unix:/path", "HOST:PORT", "[IPv6]:PORT".  NULL, or why it is none of them. */
const char *connection_check(const char *where);
/* 0, or -1 with c->trouble */
int connection_open(struct connection *, const char *where, int64_t deadline);
/* What was not flushed is not sent. */
void connection_close(struct connection *);

/* Held back until there is much of it, or connection_flush(). */
int connection_put(struct connection *, struct str);
int connection_flush(struct connection *);
/* The next line without its end (CRLF or LF); valid until the next call. */
int connection_line(struct connection *, struct str *ret);
/* Has the server something to say, or is it gone? */
bool connection_pending(struct connection *);

#endif
