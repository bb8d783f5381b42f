/* session.h - one SMTP connection: its messages, one after the other
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls come in the order of SMTP, from one thread at a time. */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include "milter/mta.h"

struct daemon;
struct session;

/* host, ip: of the client, ip "" if it is local; port 0, of this machine: the message was not received by SMTP; crowded:
 * there are more connections than there is room for */
struct session *session_new(struct daemon *, const char *host, const char *ip, unsigned port, bool crowded);
struct session *session_free(struct session *);
void session_helo(struct session *, const char *name);
/* argv: the address as given, then ESMTP arguments; ends with NULL */
void session_mail(struct session *, const struct mta *, char **argv);
void session_rcpt(struct session *, const struct mta *, char **argv, struct verdict *ret);
/* value: what stands behind the colon */
void session_field(struct session *, const char *name, const char *value);
void session_header_end(struct session *, const struct mta *, struct verdict *ret);
void session_body(struct session *, struct str chunk, struct verdict *ret);
void session_end(struct session *, const struct mta *, struct verdict *ret);
/* Forgets the message, not the connection. */
void session_abort(struct session *);

#endif
