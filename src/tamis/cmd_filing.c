/* cmd_filing.c - tamis filing: the script by which a mail store files what tamis decided
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "host/conf.h"
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

static int
cmd_filing_print(const struct conf *conf, const char *user)
{
	uint8_t secret[SECRET_SIZE];
	struct buf b = { 0 };

	if (!*conf->secret_file)
		return cmd_usage(&cmd_filing, "secret_file is not set in %s", conf_path(conf));
	if (secret_load(conf->secret_file, false, secret) < 0)
		return cmd_error(conf->secret_file, errno);
	filing_script(&b, secret, str_from(user));
	fwrite(b.s, 1, b.len, stdout);
	buf_done(&b);
	return CMD_FINE;
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
	if (!strchr(operands.v[0], '@'))
		return cmd_usage(&cmd_filing, "user \"%s\" is no address, as the log's user= has it", operands.v[0]);
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
	"For fileinto_by = header in tamis.conf(5).  USER is the canonical user, as in the\n"
	"daemon's log: alice@example.org.  The script is for the mail store's own Sieve, of\n"
	"that user; nobody else should be able to read it.",
	.groups = { &filing_options, &options_general },
	.own_size = sizeof(struct filing_settings),
	.min = 1,
	.max = 1,
	.run = cmd_filing_run,
};
