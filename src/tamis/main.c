/* main.c - tamis: what Sieve rules would do, and why
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/file.h"
#include "tamis.h"
#include "tamis/session.h"

const struct cmd *const cmds[] = {
	&cmd_check,
	&cmd_run,
	&cmd_trace,
	&cmd_explain,
	&cmd_diff,
	&cmd_test,
	&cmd_dump,
	&cmd_conf,
	&cmd_filing,
	&cmd_doctor,
	&cmd_help,
	NULL
};

int
cmd_worse(int a, int b)
{
	return a > b ? a : b;
}

int
cmd_error(const char *what, int error)
{
	fflush(stdout);
	fprintf(stderr, "tamis: %s: %s\n", what, strerror(error));
	return file_may_pass(error) ? CMD_AGAIN : CMD_USAGE;
}

int
cmd_usage(const struct cmd *c, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "tamis%s%s: ", c ? " " : "", c ? c->name : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (c)
		fprintf(stderr, "\nusage: tamis %s %s\n\"tamis %s --help\" tells more\n", c->name, c->usage, c->name);
	else
		fprintf(stderr, "\n\"tamis help\" lists the commands\n");
	return CMD_USAGE;
}

const char *
cmd_meant(struct str word, const char *(*name)(size_t i))
{
	const char *best = NULL, *at;
	unsigned distance, least = word.len > 3 ? 3 : 2;
	size_t i;

	for (i = 0; (at = name(i)); i++) {
		distance = str_distance(word, str_from(at), least);
		if (distance < least) {
			least = distance;
			best = at;
		}
	}
	return best;
}

void
cmd_print_help(const struct cmd *c)
{
	printf("usage: tamis %s %s\n\n%s\n", c->name, c->usage, c->summary);
	if (c->help)
		printf("\n%s\n", c->help);
	option_print(c);
}

static const char *
main_name(size_t i)
{
	return cmds[i] ? cmds[i]->name : NULL;
}

static const struct cmd *
main_find(const char *name)
{
	size_t i;

	for (i = 0; cmds[i]; i++)
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	return NULL;
}

static int
main_unknown(const char *name)
{
	const char *meant = cmd_meant(str_from(name), main_name);

	if (name[0] == '-')
		return cmd_usage(NULL, "unknown option \"%s\"", name);
	if (meant)
		return cmd_usage(NULL, "unknown command \"%s\"; did you mean \"%s\"?", name, meant);
	return cmd_usage(NULL, "unknown command \"%s\"", name);
}

/* Who asks for their names need not say what for. */
static int
main_limits(const struct cmd *c, const struct settings *set)
{
	struct session s;
	int rc = 0;
	size_t i;

	for (i = 0; i < set->limits.n && strcmp(set->limits.v[i], "help"); i++)
		;
	if (i < set->limits.n) {
		rc = session_init(&s, c, set);
		session_done(&s);
	}
	return rc;
}

static int
main_run(const struct cmd *c, int argc, char **argv)
{
	void *own = calloc(1, c->own_size ? c->own_size : 1);
	struct settings set = { 0 };
	struct texts operands = { 0 };
	int rc;

	if (!own)
		abort();
	rc = option_parse(c, argc, argv, &set, own, &operands);
	if (rc)
		;
	else if (set.help)
		cmd_print_help(c);
	else if ((rc = main_limits(c, &set)))
		;
	else if (operands.n < c->min)
		rc = cmd_usage(c, "%s", operands.n ? "an operand is missing" : "operands are missing");
	else if (c->max && operands.n > c->max)
		rc = cmd_usage(c, "unexpected operand \"%s\"", operands.v[c->max]);
	else
		rc = c->run(&set, own, operands);
	option_done(c, &set, own);
	vec_done(&operands);
	free(own);
	return rc == CMD_DONE ? CMD_FINE : rc;
}

/* What could not be written was not said: that is no success.  A reader that
 * went away has seen what it wanted. */
static int
main_end(int rc)
{
	bool failed = fflush(stdout) || ferror(stdout);

	if (!failed || errno == EPIPE)
		return rc;
	return cmd_worse(rc, cmd_error("standard output", errno));
}

int
main(int argc, char **argv)
{
	const struct cmd *c;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		main_run(main_find("help"), 0, argv);
		main_end(0);
		return CMD_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tamis %s\n", tamis_version());
		return main_end(CMD_FINE);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return main_end(main_run(main_find("help"), argc - 2, argv + 2));
	c = main_find(argv[1]);
	return main_end(c ? main_run(c, argc - 2, argv + 2) : main_unknown(argv[1]));
}
