/* milter.c - the milter protocol, as libmilter speaks it
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A session hops between libmilter's threads from one callback to the next,
 * so it belongs to the connection and to no thread.  No replies are asked for
 * only on Unix sockets: over TCP they stall the servers. */
#include "milter/milter.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "host/log.h"
#include "milter/listen.h"
#include "milter/readahead.h"
#include "milter/session.h"

/* libmilter's callbacks know nothing but their connection */
static struct daemon *milter_daemon;
static bool milter_unix;

struct connection {
	SMFICTX *smfi;
	struct session *session;
	bool leadspace;                 /* values come with the blank behind the colon, and are to be given with it */
	bool quiet;                     /* no replies to most callbacks */
	bool arguments;                 /* recipients may be added with ESMTP arguments */
	bool holds;                     /* messages may be held for somebody to look at */
	bool skip;                      /* the rest of a body may be declined */
	bool crowded;                   /* one connection too many */
};

/* --- what a server is asked and told */

static const char *
mta_macro(void *ctx, const char *name)
{
	struct connection *c = ctx;

	return smfi_getsymval(c->smfi, (char *)name);
}

static int
mta_result(int rc)
{
	return rc == MI_SUCCESS ? 0 : -1;
}

static int
mta_add_rcpt(void *ctx, const char *address, const char *args)
{
	struct connection *c = ctx;
	struct buf path = { 0 };
	int rc;

	buf_printf(&path, "<%s>", address);
	rc = *args && c->arguments ? smfi_addrcpt_par(c->smfi, path.s, (char *)args) : smfi_addrcpt(c->smfi, path.s);
	buf_done(&path);
	return mta_result(rc);
}

static int
mta_delete_rcpt(void *ctx, const char *argument)
{
	struct connection *c = ctx;

	return mta_result(smfi_delrcpt(c->smfi, (char *)argument));
}

static int
mta_change_sender(void *ctx, const char *address)
{
	struct connection *c = ctx;
	struct buf path = { 0 };
	int rc;

	buf_printf(&path, "<%s>", address);
	rc = smfi_chgfrom(c->smfi, path.s, NULL);
	buf_done(&path);
	return mta_result(rc);
}

static char *
mta_value(const struct connection *c, const char *value)
{
	return (char *)(!c->leadspace && *value == ' ' ? value + 1 : value);
}

static int
mta_insert_field(void *ctx, const char *name, const char *value)
{
	struct connection *c = ctx;

	return mta_result(smfi_insheader(c->smfi, 0, (char *)name, mta_value(c, value)));
}

static int
mta_append_field(void *ctx, const char *name, const char *value)
{
	struct connection *c = ctx;

	/* smfi_addheader() makes Sendmail put it before the first field of the same name */
	return mta_result(smfi_insheader(c->smfi, INT_MAX, (char *)name, mta_value(c, value)));
}

static int
mta_delete_field(void *ctx, const char *name, int index)
{
	struct connection *c = ctx;

	return mta_result(smfi_chgheader(c->smfi, (char *)name, index, NULL));
}

static int
mta_quarantine(void *ctx, const char *reason)
{
	struct connection *c = ctx;

	return mta_result(smfi_quarantine(c->smfi, (char *)reason));
}

static void
mta_progress(void *ctx)
{
	struct connection *c = ctx;

	smfi_progress(c->smfi);
}

static struct mta
mta_of(struct connection *c)
{
	static const struct mta calls = {
		.macro = mta_macro, .add_rcpt = mta_add_rcpt, .delete_rcpt = mta_delete_rcpt,
		.change_sender = mta_change_sender, .insert_field = mta_insert_field, .append_field = mta_append_field,
		.delete_field = mta_delete_field, .quarantine = mta_quarantine, .progress = mta_progress,
	};
	struct mta mta = calls;

	mta.ctx = c;
	if (!c->holds)
		mta.quarantine = NULL;
	return mta;
}

/* --- verdicts */

enum { REPLY_LINE = 900 };              /* libmilter takes 980 bytes with code and all, or nothing of the reply */

/* Servers and libmilter take "%" for a format. */
static char *
reply_line(const char *p, size_t len)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < len && b.len < REPLY_LINE; i++) {
		buf_putc(&b, p[i]);
		if (p[i] == '%')
			buf_putc(&b, '%');
	}
	if (!len)
		buf_putc(&b, ' ');
	buf_str(&b);
	return b.s;
}

#define LINES4(i) line[i], line[(i) + 1], line[(i) + 2], line[(i) + 3]

static void
reply_set(SMFICTX *smfi, const char *code, const struct verdict *v)
{
	char *line[VERDICT_LINES] = { NULL }, *copy = mem_strdup(code), *enhanced = mem_strdup(v->enhanced);
	const char *p = v->lines.s, *end = v->lines.s + v->lines.len, *stop;
	size_t n = 0;

	for (; p < end && n < VERDICT_LINES; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		line[n++] = reply_line(p, (size_t)(stop - p));
	}
	if (n && smfi_setmlreply(smfi, copy, *enhanced ? enhanced : NULL, LINES4(0), LINES4(4), LINES4(8), LINES4(12),
	                         LINES4(16), LINES4(20), LINES4(24), LINES4(28), NULL) != MI_SUCCESS)
		smfi_setreply(smfi, copy, *enhanced ? enhanced : NULL, line[0]);
	for (size_t i = 0; i < n; i++)
		free(line[i]);
	free(copy);
	free(enhanced);
}

static sfsistat
reply(SMFICTX *smfi, struct verdict *v, bool end)
{
	static const sfsistat status[] = {
		[VERDICT_CONTINUE] = SMFIS_CONTINUE, [VERDICT_ACCEPT] = SMFIS_ACCEPT, [VERDICT_SKIP] = SMFIS_SKIP,
		[VERDICT_REFUSE] = SMFIS_REJECT, [VERDICT_AGAIN] = SMFIS_TEMPFAIL,
	};
	enum verdict_kind kind = v->kind;

	if (kind == VERDICT_REFUSE || kind == VERDICT_AGAIN)
		reply_set(smfi, kind == VERDICT_REFUSE ? "550" : "451", v);
	buf_done(&v->lines);
	return end && kind == VERDICT_ACCEPT ? SMFIS_CONTINUE : status[kind];
}

static sfsistat
quiet(const struct connection *c)
{
	return c && c->quiet ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* --- callbacks */

static struct connection *
connection_of(SMFICTX *smfi)
{
	struct connection *c = smfi_getpriv(smfi);

	if (!c) {
		c = mem_alloc(sizeof *c);
		memset(c, 0, sizeof *c);
		c->smfi = smfi;
		smfi_setpriv(smfi, c);
	}
	return c;
}

static sfsistat
on_negotiate(SMFICTX *smfi, unsigned long actions, unsigned long steps, unsigned long unused2, unsigned long unused3,
             unsigned long *ret_actions, unsigned long *ret_steps, unsigned long *ret2, unsigned long *ret3)
{
	static const unsigned long needed = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_CHGFROM;
	static const unsigned long silent = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR;
	struct connection *c = connection_of(smfi);

	(void)unused2;
	(void)unused3;
	*ret2 = *ret3 = 0;
	if ((actions & needed) != needed) {
		log_line(LOG_ERR, NULL, "error=%s", "the mail server does not offer to change recipients, sender and header");
		return SMFIS_REJECT;
	}
	*ret_actions = needed | (actions & (SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST | SMFIF_QUARANTINE));
	*ret_steps = steps & (SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_SKIP | SMFIP_HDR_LEADSPC);
	c->leadspace = (*ret_steps & SMFIP_HDR_LEADSPC) != 0;
	c->arguments = (*ret_actions & SMFIF_ADDRCPT_PAR) != 0;
	c->holds = (*ret_actions & SMFIF_QUARANTINE) != 0;
	c->skip = (*ret_steps & SMFIP_SKIP) != 0;
	c->quiet = milter_unix && (steps & silent) == silent;
	if (c->quiet)
		*ret_steps |= silent;
	if (actions & SMFIF_SETSYMLIST) {
		smfi_setsymlist(smfi, SMFIM_CONNECT, (char *)"j v");
		smfi_setsymlist(smfi, SMFIM_HELO, (char *)"");
		smfi_setsymlist(smfi, SMFIM_ENVFROM, (char *)"i {auth_authen}");
		smfi_setsymlist(smfi, SMFIM_ENVRCPT, (char *)"i {rcpt_addr}");
		smfi_setsymlist(smfi, SMFIM_EOH, (char *)"i");
		smfi_setsymlist(smfi, SMFIM_EOM, (char *)"i");
	}
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *smfi, char *host, _SOCK_ADDR *address)
{
	struct connection *c = connection_of(smfi);
	char ip[INET6_ADDRSTRLEN] = "";
	unsigned port = 1;

	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
		port = ntohs(in->sin_port);
	} else if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
		port = ntohs(in6->sin6_port);
	}
	if (!c->session)
		c->crowded = atomic_fetch_add(&milter_daemon->connections, 1) >= milter_daemon->connections_max;
	c->session = session_free(c->session);
	c->session = session_new(milter_daemon, host, ip, port, c->crowded);
	return quiet(c);
}

static sfsistat
on_helo(SMFICTX *smfi, char *name)
{
	struct connection *c = smfi_getpriv(smfi);

	if (c && c->session)
		session_helo(c->session, name);
	return quiet(c);
}

static sfsistat
on_mail(SMFICTX *smfi, char **argv)
{
	struct connection *c = smfi_getpriv(smfi);

	if (c && c->session) {
		struct mta mta = mta_of(c);

		session_mail(c->session, &mta, argv);
	}
	return quiet(c);
}

static sfsistat
on_rcpt(SMFICTX *smfi, char **argv)
{
	struct connection *c = smfi_getpriv(smfi);
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	if (!c || !c->session)
		return SMFIS_TEMPFAIL;
	struct mta mta = mta_of(c);

	session_rcpt(c->session, &mta, argv, &v);
	return reply(smfi, &v, false);
}

static sfsistat
on_field(SMFICTX *smfi, char *name, char *value)
{
	struct connection *c = smfi_getpriv(smfi);

	if (c && c->session && c->leadspace) {
		session_field(c->session, name, value);
	} else if (c && c->session) {
		struct buf b = { 0 };

		buf_printf(&b, " %s", value);
		session_field(c->session, name, b.s);
		buf_done(&b);
	}
	return quiet(c);
}

static sfsistat
on_header_end(SMFICTX *smfi)
{
	struct connection *c = smfi_getpriv(smfi);
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	if (c && c->session) {
		struct mta mta = mta_of(c);

		session_header_end(c->session, &mta, &v);
	}
	return reply(smfi, &v, false);
}

static sfsistat
on_body(SMFICTX *smfi, unsigned char *chunk, size_t len)
{
	struct connection *c = smfi_getpriv(smfi);
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	if (c && c->session)
		session_body(c->session, (struct str){ (const char *)chunk, len }, &v);
	if (v.kind == VERDICT_SKIP && !c->skip)
		v.kind = VERDICT_CONTINUE;
	return reply(smfi, &v, false);
}

static sfsistat
on_end(SMFICTX *smfi)
{
	struct connection *c = smfi_getpriv(smfi);
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	if (!c || !c->session)
		return SMFIS_TEMPFAIL;
	struct mta mta = mta_of(c);

	session_end(c->session, &mta, &v);
	return reply(smfi, &v, true);
}

static sfsistat
on_abort(SMFICTX *smfi)
{
	struct connection *c = smfi_getpriv(smfi);

	if (c && c->session)
		session_abort(c->session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *smfi)
{
	struct connection *c = smfi_getpriv(smfi);

	if (c) {
		if (c->session)
			atomic_fetch_sub(&milter_daemon->connections, 1);
		session_free(c->session);
		free(c);
		smfi_setpriv(smfi, NULL);
	}
	return SMFIS_CONTINUE;
}

/* --- the whole */

/* libmilter has a thread that waits for SIGHUP, SIGTERM and SIGINT, each of which ends its service: of two signals at once,
 * or of one to a process that was stopped, it gets some, and a reload would be the end.  What it waits by is this. */
__attribute__((visibility("default"))) int
sigwait(const sigset_t *set, int *sig)
{
	(void)set;
	(void)sig;
	for (;;)
		pause();
}

int
milter_open(struct daemon *d, const struct conf *conf)
{
	struct smfiDesc desc = {
		.xxfi_name = (char *)"tamis", .xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_CHGFROM |
		              SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST | SMFIF_QUARANTINE,
		.xxfi_connect = on_connect, .xxfi_helo = on_helo, .xxfi_envfrom = on_mail, .xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_field, .xxfi_eoh = on_header_end, .xxfi_body = on_body, .xxfi_eom = on_end,
		.xxfi_abort = on_abort, .xxfi_close = on_close, .xxfi_negotiate = on_negotiate,
	};

	char name[32];
	int fd;

	milter_daemon = d;
	milter_unix = listen_unix_path(conf) != NULL;
	if (smfi_register(desc) != MI_SUCCESS)
		return listen_wrong(conf->socket, "libmilter does not start");
	fd = listen_open(conf);
	if (fd < 0)
		return -1;
	readahead_of(fd);
	snprintf(name, sizeof name, "fd:%d", fd);
	return smfi_setconn(name) == MI_SUCCESS && smfi_opensocket(false) == MI_SUCCESS ? 0 :
	       listen_wrong(conf->socket, "no socket that listens is open there");
}

void
milter_serve(void)
{
	smfi_main();
}

void
milter_close(const struct conf *conf)
{
	const char *path = listen_unix_path(conf);

	if (path)
		unlink(path);
}
