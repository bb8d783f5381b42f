/* cmd_doctor.c - tamis doctor: traps between the daemon and the mail server
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "host/file.h"
#include "host/json.h"
#include "tamis/doctor.h"
#include "tamis/session.h"

struct doctor_settings {
	const char *file, *postfix, *sendmail;
	unsigned server;
};

enum { SERVER_ANY, SERVER_POSTFIX, SERVER_SENDMAIL, SERVER_NONE };

static const struct cmd_option doctor_rows[] = {
	{ 'c', OPTION_TEXT, "config", "FILE", "the configuration (default: tamis.conf in the system's directory)", offsetof(struct doctor_settings, file), 0 },
	{ 's', OPTION_CHOICE, "server", "postfix|sendmail|none", "the mail server (default: postfix)", offsetof(struct doctor_settings, server), 0 },
	{ 'P', OPTION_TEXT, "postfix", "DIRECTORY", "Postfix's configuration (default: its own)", offsetof(struct doctor_settings, postfix), 0 },
	{ 'S', OPTION_TEXT, "sendmail", "FILE", "Sendmail's configuration (default: /etc/mail/sendmail.cf)", offsetof(struct doctor_settings, sendmail), 0 },
	{ 0 }
};
static const struct option_group doctor_options = { "doctor", doctor_rows, true };

static const char *const levels[] = {
	[DOCTOR_FINE] = "fine", [DOCTOR_NOTE] = "note", [DOCTOR_WARNING] = "warning", [DOCTOR_ERROR] = "error",
};

static json_t *
cmd_doctor_object(const char *name, enum doctor_level level, struct str seen, const char *remedy)
{
	json_t *o = json_object();

	json_put(o, "trap", json_text(str_from(name)));
	json_put(o, "level", json_text(str_from(levels[level])));
	json_put(o, "seen", json_text(seen));
	if (level != DOCTOR_FINE)
		json_put(o, "remedy", json_text(str_from(remedy)));
	return o;
}

static void
cmd_doctor_say(const struct settings *set, const char *name, enum doctor_level level, struct str seen, const char *remedy)
{
	struct buf b = { 0 };

	if (set->json) {
		json_line(stdout, cmd_doctor_object(name, level, seen, remedy));
		return;
	}
	if (level == DOCTOR_FINE && set->quiet)
		return;
	diag_clean(&b, seen);
	printf("%-8s %s%s%.*s\n", levels[level], name, b.len ? ": " : "", (int)b.len, b.len ? b.s : "");
	if (level != DOCTOR_FINE)
		printf("         %s\n", remedy);
	buf_done(&b);
}

/* CMD_WRONG if one of them is an error */
static int
cmd_doctor_table(const struct settings *set, const struct doctor *d, const struct doctor_trap *trap)
{
	int rc = CMD_FINE;

	for (; trap->name; trap++) {
		struct str seen = STR_EMPTY;
		enum doctor_level level = trap->look(d, &seen);

		cmd_doctor_say(set, trap->name, level, seen, trap->remedy);
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

	if (server == SERVER_NONE)
		return rc;
	asked = sendmail ? doctor_ask_sendmail(d, &why) : doctor_ask_postfix(d, &why);
	if (asked)
		return cmd_worse(rc, cmd_doctor_table(set, d, sendmail ? doctor_sendmail : doctor_postfix));
	cmd_doctor_say(set, sendmail ? "sendmail" : "postfix", DOCTOR_ERROR, why,
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
		.cf_text = STR_EMPTY, .postfix = STR_EMPTY, .services = STR_EMPTY,
	};
	const char *path = s->file ? s->file : conf_standard_path();
	struct conf *conf;
	int rc;

	(void)operands;
	diag_init(&diag, stderr);
	conf = conf_load(path, &diag);
	d.conf = conf;
	if (!conf)
		rc = !errno ? CMD_WRONG : file_may_pass(errno) ? CMD_AGAIN : CMD_USAGE;
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
	"there is an error; warnings and notes are for you to judge.",
	.groups = { &doctor_options, &options_output, &options_general },
	.own_size = sizeof(struct doctor_settings),
	.run = cmd_doctor_run,
};
