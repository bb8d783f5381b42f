/* noop.c - a milter that does nothing, with the flags that tamis-milter has
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: noop unix:PATH | inet:PORT
 *
 * What it costs is what libmilter and the mail server cost: the measure for
 * tamis-milter.  Flags, macros and the listener are those of src/milter/milter.c.
 * With READ_AHEAD it reads like tamis-milter as well (src/milter/readahead.c). */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#ifdef READ_AHEAD
#include "milter/readahead.h"
#endif

static bool is_unix;

/* The connection remembers whether it is to answer. */
static sfsistat
quiet(SMFICTX *smfi)
{
	return smfi_getpriv(smfi) ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_negotiate(SMFICTX *smfi, unsigned long actions, unsigned long steps, unsigned long unused2, unsigned long unused3,
             unsigned long *ret_actions, unsigned long *ret_steps, unsigned long *ret2, unsigned long *ret3)
{
	static const unsigned long needed = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_CHGFROM;
	static const unsigned long silent = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR;
	bool is_quiet = is_unix && (steps & silent) == silent;

	(void)unused2;
	(void)unused3;
	*ret2 = *ret3 = 0;
	*ret_actions = needed | (actions & (SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST));
	*ret_steps = steps & (SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_SKIP | SMFIP_HDR_LEADSPC);
	if (is_quiet)
		*ret_steps |= silent;
	smfi_setpriv(smfi, is_quiet ? &is_unix : NULL);
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
	(void)host;
	(void)address;
	return quiet(smfi);
}

static sfsistat
on_helo(SMFICTX *smfi, char *name)
{
	(void)name;
	return quiet(smfi);
}

static sfsistat
on_mail(SMFICTX *smfi, char **argv)
{
	(void)argv;
	return quiet(smfi);
}

static sfsistat
on_rcpt(SMFICTX *smfi, char **argv)
{
	(void)smfi;
	(void)argv;
	return SMFIS_CONTINUE;
}

static sfsistat
on_field(SMFICTX *smfi, char *name, char *value)
{
	(void)name;
	(void)value;
	return quiet(smfi);
}

static sfsistat
on_any(SMFICTX *smfi)
{
	(void)smfi;
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *smfi, unsigned char *chunk, size_t len)
{
	(void)smfi;
	(void)chunk;
	(void)len;
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *smfi)
{
	smfi_setpriv(smfi, NULL);
	return SMFIS_CONTINUE;
}

static int
unix_listener(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) < 0 || chmod(path, 0666) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

/* Connections inherit TCP_NODELAY from it. */
static int
tcp_listener(const char *port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
	    bind(fd, (struct sockaddr *)&in, sizeof in) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

static void
many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	struct smfiDesc desc = {
		.xxfi_name = (char *)"noop", .xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_CHGFROM |
		              SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect, .xxfi_helo = on_helo, .xxfi_envfrom = on_mail, .xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_field, .xxfi_eoh = on_any, .xxfi_body = on_body, .xxfi_eom = on_any,
		.xxfi_abort = on_any, .xxfi_close = on_close, .xxfi_negotiate = on_negotiate,
	};
	char socket[32];
	int fd;

	if (argc != 2 || (strncmp(argv[1], "unix:", 5) && strncmp(argv[1], "inet:", 5))) {
		fputs("usage: noop unix:PATH | inet:PORT\n", stderr);
		return 64;
	}
	is_unix = argv[1][0] == 'u';
	many_descriptors();
	fd = is_unix ? unix_listener(argv[1] + 5) : tcp_listener(argv[1] + 5);
	snprintf(socket, sizeof socket, "fd:%d", fd);
#ifdef READ_AHEAD
	readahead_of(fd);
#endif
	if (fd < 0 || smfi_register(desc) != MI_SUCCESS || smfi_setconn(socket) != MI_SUCCESS || smfi_opensocket(false) != MI_SUCCESS) {
		fprintf(stderr, "noop: %s cannot be had\n", argv[1]);
		return 1;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
