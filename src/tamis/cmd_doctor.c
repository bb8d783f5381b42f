/* cmd_doctor.c - tamis doctor: traps between the daemon and the mail server
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "host/file.h"
#include "tamis/doctor.h"
#include "tamis/session.h"

struct doctor_settings {
	const char *file, *postfix, *sendmail, *dovecot, *cyrus;
	unsigned server;
	struct doctor_probe probe;
};

enum { SERVER_ANY, SERVER_POSTFIX, SERVER_SENDMAIL, SERVER_NONE };

static const struct cmd_option doctor_rows[] = {
	{ 'c', OPTION_TEXT, "config", "FILE", "the configuration (default: tamis.conf in the system's directory)", offsetof(struct doctor_settings, file), 0 },
	{ 's', OPTION_CHOICE, "server", "postfix|sendmail|none", "the mail server (default: postfix)", offsetof(struct doctor_settings, server), 0 },
	{ 'P', OPTION_TEXT, "postfix", "DIRECTORY", "Postfix's configuration (default: its own)", offsetof(struct doctor_settings, postfix), 0 },
	{ 'S', OPTION_TEXT, "sendmail", "FILE", "Sendmail's configuration (default: /etc/mail/sendmail.cf)", offsetof(struct doctor_settings, sendmail), 0 },
	{ 'D', OPTION_TEXT, "dovecot", "FILE", "Dovecot's configuration, if mail is filed by it (default: its own)", offsetof(struct doctor_settings, dovecot), 0 },
	{ 'Y', OPTION_TEXT, "cyrus", "FILE", "Cyrus' configuration, if mail is filed by it (default: /etc/imapd.conf)", offsetof(struct doctor_settings, cyrus), 0 },
	{ 'p', OPTION_TEXT, "probe", "ADDRESS", "send a message with forged fields to that address of yours, and look at what arrives", offsetof(struct doctor_settings, probe.to), 0 },
	{ 0, OPTION_TEXT, "port", "HOST:PORT", "the port that faces the world (default: 127.0.0.1:25)", offsetof(struct doctor_settings, probe.port), 0 },
	{ 'a', OPTION_TEXT, "arrives", "PATH", "where its mail arrives: a Maildir or an mbox; with --token also a message, or - for standard input", offsetof(struct doctor_settings, probe.arrives), 0 },
	{ 'w', OPTION_NUMBER, "wait", "SECONDS", "how long to wait for it (default: 60)", offsetof(struct doctor_settings, probe.wait), 0 },
	{ 0, OPTION_TEXT, "token", "TOKEN", "send nothing: look for the probe that had this token", offsetof(struct doctor_settings, probe.token), 0 },
	{ 0 }
};
static const struct option_group doctor_options = { "doctor", doctor_rows, true };

/* CMD_WRONG if one of them is an error */
static int
cmd_doctor_table(const struct settings *set, const struct doctor *d, const struct doctor_trap *trap)
{
	int rc = CMD_FINE;

	for (; trap->name; trap++) {
		struct str seen = STR_EMPTY;
		enum doctor_level level = trap->look(d, &seen);

		if (level == DOCTOR_DENIED)
			doctor_say(set, trap->name, DOCTOR_WARNING, seen, "you may not look: ask as root, or as the user of the mail server");
		else
			doctor_say(set, trap->name, level, seen, trap->remedy);
		if (level == DOCTOR_ERROR)
			rc = CMD_WRONG;
	}
	return rc;
}

static int
cmd_doctor_look(const struct settings *set, struct doctor *d, unsigned server)
{
	int rc = cmd_doctor_table(set, d, doctor_ours);
	struct str why = STR_EMPTY;
	bool sendmail = server == SERVER_SENDMAIL, asked;

	rc = cmd_worse(rc, cmd_doctor_table(set, d, doctor_stores));
	if (server == SERVER_NONE)
		return rc;
	asked = sendmail ? doctor_ask_sendmail(d, &why) : doctor_ask_postfix(d, &why);
	if (asked) {
		rc = cmd_worse(rc, cmd_doctor_table(set, d, sendmail ? doctor_sendmail : doctor_milters));
		if (!sendmail) {
			rc = cmd_worse(rc, cmd_doctor_table(set, d, doctor_postfix));
			rc = cmd_worse(rc, cmd_doctor_table(set, d, doctor_ports));
		}
		return rc;
	}
	doctor_say(set, sendmail ? "sendmail" : "postfix", DOCTOR_ERROR, why,
	               "--server, --postfix and --sendmail tell which server and where its configuration is");
	return CMD_WRONG;
}

static int
cmd_doctor_run(const struct settings *set, void *own, struct texts operands)
{
	const struct doctor_settings *s = own;
	struct arena arena = { 0 };
	struct diag diag;
	struct doctor d = {
		.arena = &arena, .directory = s->postfix, .cf = s->sendmail ? s->sendmail : "/etc/mail/sendmail.cf",
		.dovecot = s->dovecot, .cyrus = s->cyrus,
		.cf_text = STR_EMPTY, .postfix = STR_EMPTY, .overrides = STR_EMPTY,
	};
	const char *path = s->file ? s->file : conf_standard_path();
	struct conf *conf;
	int rc = doctor_probe_usage(&s->probe);

	(void)operands;
	if (rc)
		return rc;
	diag_init(&diag, stderr);
	conf = conf_load(path, &diag);
	d.conf = conf;
	if (!conf)
		rc = !errno ? CMD_WRONG : file_may_pass(errno) ? CMD_AGAIN : CMD_USAGE;
	else if (s->probe.to || s->probe.token)
		rc = doctor_probe(set, &d, &s->probe);
	else
		rc = cmd_doctor_look(set, &d, s->server ? s->server : s->sendmail ? SERVER_SENDMAIL : SERVER_POSTFIX);
	conf_unref(conf);
	diag_done(&diag);
	arena_done(&arena);
	return rc;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.usage = "[OPTION...]",
	.summary = "look for traps between tamis-milter and the mail server",
	.help =
	"Reads tamis.conf and the mail server's own configuration, and says of each known\n"
	"trap whether you are in it and what to do.  Nothing is changed.  Exits with 1 if\n"
	"there is an error; warnings and notes are for you to judge.\n\n"
	"With --probe it does something else: a message that asks for no answer goes to an\n"
	"address of yours, with fields in its header that only tamis and your verifying\n"
	"filter may write, and what arrives is looked at.  Exits with 0 if they were taken\n"
	"away, 1 if one arrived, 75 if nothing is known, because the message did not.",
	.groups = { &doctor_options, &options_output, &options_general },
	.own_size = sizeof(struct doctor_settings),
	.run = cmd_doctor_run,
};
