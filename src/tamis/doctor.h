/* doctor.h - traps between tamis-milter and the mail server that it is attached to
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_DOCTOR_H
#define TAMIS_DOCTOR_H

#include "host/conf.h"
#include "tamis/cmd.h"

/* DENIED: whoever asks may not look, and so nothing is known; it is said as a warning. */
enum doctor_level { DOCTOR_FINE, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_ERROR, DOCTOR_DENIED };

struct doctor {
	const struct conf *conf;
	struct arena *arena;
	const char *directory;          /* of Postfix's configuration; NULL: its own default */
	const char *cf;                 /* Sendmail's configuration */
	const char *dovecot;            /* Dovecot's; NULL: its own default */
	const char *cyrus;              /* imapd.conf of a Cyrus; NULL: /etc/imapd.conf, if it is there */
	struct str cf_text;
	struct str postfix;             /* "name = value" lines of postconf */
	struct str overrides;           /* "name/type/parameter = value" lines of postconf -P */
	struct master_service *service; /* of master.cf */
	size_t services;
};

/* One trap: what is looked at, and what it is when it is not as it should be. */
struct doctor_trap {
	const char *name;
	/* The level, and in *ret_what what was seen. */
	enum doctor_level (*look)(const struct doctor *, struct str *ret_what);
	const char *remedy;
};

/* Tables that end with a row without name. */
extern const struct doctor_trap doctor_ours[], doctor_stores[], doctor_milters[], doctor_postfix[], doctor_ports[],
	doctor_sendmail[];

/* What the programs say of the server; false: it could not be asked, *ret_what says why. */
bool doctor_ask_postfix(struct doctor *, struct str *ret_what);
bool doctor_ask_sendmail(struct doctor *, struct str *ret_what);

/* The output of a program, up to a megabyte; false: it could not be run, or says no. */
bool doctor_run(const char *const *argv, struct buf *out);
/* One line, and one for what to do; as JSON, an object.  What is fine is not said to who wants quiet. */
void doctor_say(const struct settings *, const char *name, enum doctor_level, struct str seen, const char *remedy);

/* --- doctor_probe.c: does what senders forge arrive? */
struct doctor_probe {
	const char *to, *port, *arrives, *token;        /* each may be NULL */
	uint64_t wait;                                  /* 0: not told */
};
/* 0, or CMD_USAGE after saying why. */
int doctor_probe_usage(const struct doctor_probe *);
/* The exit status of the command. */
int doctor_probe(const struct settings *, const struct doctor *, const struct doctor_probe *);

#endif
