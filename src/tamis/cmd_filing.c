/* cmd_filing.c - tamis filing: the script by which a mail store files what tamis decided
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "host/canonical.h"
#include "host/file.h"
#include "host/filing.h"
#include "tamis/session.h"

struct filing_settings {
	const char *file;
};

static const struct cmd_option filing_rows[] = {
	{ 'c', OPTION_TEXT, "config", "FILE", "the configuration (default: tamis.conf in the system's directory)", offsetof(struct filing_settings, file), 0 },
	{ 0 }
};
static const struct option_group filing_options = { "configuration", filing_rows, true };

/* The daemon's name for him, however he is spelled here: the name of the field comes from that. */
static int
cmd_filing_print(const struct conf *conf, const char *user)
{
	uint8_t secret[SECRET_SIZE];
	struct canonical who;
	struct arena arena = { 0 };
	struct buf b = { 0 };
	int rc = CMD_FINE;

	if (canonical_plain(conf, &arena, str_from(user), &who) < 0) {
		rc = cmd_usage(&cmd_filing, "user \"%s\" is no address, as the log's user= has it", user);
	} else if (!*conf->secret_file) {
		rc = cmd_usage(&cmd_filing, "secret_file is not set in %s", conf_path(conf));
	} else if (secret_load(conf->secret_file, false, secret) < 0) {
		rc = cmd_error(conf->secret_file, errno);
	} else {
		filing_script(&b, secret, canonical_user(&arena, &who));
		fwrite(b.s, 1, b.len, stdout);
	}
	buf_done(&b);
	arena_done(&arena);
	return rc;
}

static int
cmd_filing_run(const struct settings *set, void *own, struct texts operands)
{
	const struct filing_settings *filing = own;
	const char *path = filing->file ? filing->file : conf_standard_path();
	struct diag diag;
	struct conf *conf;
	int rc;

	(void)set;
	diag_init(&diag, stderr);
	conf = conf_load(path, &diag);
	if (!conf)
		rc = !errno ? CMD_WRONG : file_may_pass(errno) ? CMD_AGAIN : CMD_USAGE;
	else
		rc = cmd_filing_print(conf, operands.v[0]);
	conf_unref(conf);
	diag_done(&diag);
	return rc;
}

const struct cmd cmd_filing = {
	.name = "filing",
	.usage = "[OPTION...] USER",
	.summary = "print the script by which a user's mail store files what tamis decided",
	.help =
	"For fileinto_by = header in tamis.conf(5).  USER is the user as in the daemon's\n"
	"log, alice@example.org, whatever the case of its letters.  The script is for the mail store's own Sieve, of\n"
	"that user; nobody else should be able to read it.",
	.groups = { &filing_options, &options_general },
	.own_size = sizeof(struct filing_settings),
	.min = 1,
	.max = 1,
	.run = cmd_filing_run,
};
