/* doctor_postfix.c - traps in Postfix's configuration, as postconf tells it
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/file.h"
#include "tamis/doctor.h"

enum { POSTCONF_MAX = 1 << 20 };        /* bytes of its output that are read */

/* --- asking */

static bool
run_postconf(struct doctor *d, const char *option, struct buf *out)
{
	const char *argv[] = { "postconf", option, d->directory ? "-c" : NULL, d->directory, NULL };
	int pipes[2], status = 0;
	pid_t pid;

	if (pipe(pipes) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execvp("postconf", (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	if (pid > 0)
		file_read_fd(pipes[0], out, POSTCONF_MAX);
	close(pipes[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
doctor_ask_postfix(struct doctor *d, struct str *ret)
{
	struct buf b = { 0 };
	bool asked = run_postconf(d, "-x", &b);

	d->postfix = buf_copy(&b, d->arena);
	buf_reset(&b);
	asked = asked && run_postconf(d, "-Px", &b) && run_postconf(d, "-M", &b);
	d->services = buf_copy(&b, d->arena);
	buf_done(&b);
	*ret = arena_printf(d->arena, "postconf%s%s does not answer", d->directory ? " -c " : "",
	                    d->directory ? d->directory : "");
	return asked;
}

/* The value of "name = value" in lines; empty if there is none. */
static struct str
value_of(struct str lines, struct str name)
{
	while (lines.len) {
		const char *stop = memchr(lines.s, '\n', lines.len);
		struct str line = str_sub(lines, 0, stop ? (size_t)(stop - lines.s) : lines.len);

		lines = str_sub(lines, line.len + (stop != NULL), lines.len);
		if (str_starts(line, name) && line.len > name.len && (line.s[name.len] == ' ' || line.s[name.len] == '='))
			return str_trim(str_sub(line, (size_t)(str_find(line, STR("=")) + 1), line.len));
	}
	return STR_EMPTY;
}

static struct str
parameter(const struct doctor *d, const char *name)
{
	return value_of(d->postfix, str_from(name));
}

/* What of our socket Postfix has to name: the part behind "unix:", of TCP the port. */
static struct str
socket_word(const struct doctor *d)
{
	const char *colon = strrchr(d->conf->socket, ':'), *slash = strrchr(d->conf->socket, '/');
	const char *at = strchr(d->conf->socket, '@');

	if (slash)
		return str_from(slash + 1);
	if (at && colon && colon < at)
		return (struct str){ colon + 1, (size_t)(at - colon - 1) };
	return str_from(colon ? colon + 1 : d->conf->socket);
}

/* --- traps */

static enum doctor_level
look_action(const struct doctor *d, struct str *ret)
{
	struct str milters = parameter(d, "smtpd_milters");

	*ret = parameter(d, "milter_default_action");
	if (str_find(milters, STR("default_action=accept")) >= 0 || str_find(milters, STR("default_action=quarantine")) >= 0) {
		*ret = milters;
		return DOCTOR_ERROR;
	}
	return str_is(*ret, "tempfail") || str_is(*ret, "shutdown") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_attached(const struct doctor *d, struct str *ret)
{
	*ret = parameter(d, "smtpd_milters");
	if (str_find(*ret, socket_word(d)) >= 0)
		return DOCTOR_FINE;
	/* or by an option of a service */
	if (str_find(d->services, socket_word(d)) >= 0) {
		*ret = STR("by an option in master.cf");
		return DOCTOR_FINE;
	}
	return DOCTOR_WARNING;
}

static enum doctor_level
look_last(const struct doctor *d, struct str *ret)
{
	ptrdiff_t at;
	struct str rest;

	*ret = parameter(d, "smtpd_milters");
	at = str_find(*ret, socket_word(d));
	if (at < 0)
		return DOCTOR_FINE;
	rest = str_sub(*ret, (size_t)at, ret->len);
	return str_find(rest, STR("unix:")) >= 0 || str_find(rest, STR("inet:")) >= 0 ? DOCTOR_ERROR : DOCTOR_FINE;
}

static enum doctor_level
look_protocol(const struct doctor *d, struct str *ret)
{
	*ret = parameter(d, "milter_protocol");
	return str_is(*ret, "6") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_delimiter(const struct doctor *d, struct str *ret)
{
	*ret = arena_printf(d->arena, "\"%.*s\", here \"%s\"", STR_ARG(parameter(d, "recipient_delimiter")),
	                    d->conf->recipient_delimiter);
	return str_is(parameter(d, "recipient_delimiter"), d->conf->recipient_delimiter) ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_checks(const struct doctor *d, struct str *ret)
{
	*ret = parameter(d, "header_checks");
	if (!ret->len)
		*ret = STR("not set");
	return parameter(d, "header_checks").len ? DOCTOR_FINE : DOCTOR_WARNING;
}

/* The service of copies must not run milters: a copy would be a copy's cause. */
static enum doctor_level
look_port(const struct doctor *d, struct str *ret)
{
	const char *port = strrchr(d->conf->copy_to, ':');
	struct str rest = d->services;
	ptrdiff_t at;

	*ret = *d->conf->copy_to ? str_from(d->conf->copy_to) : STR("not set");
	if (!port || !strncmp(d->conf->copy_to, "lmtp:", 5) || strchr(port, '/'))
		return DOCTOR_FINE;
	port++;
	while ((at = str_find(rest, STR("/inet/smtpd_milters"))) >= 0) {
		const char *begun = rest.s + at;
		struct str value;

		while (begun > rest.s && begun[-1] != '\n')
			begun--;
		value = value_of((struct str){ begun, (size_t)(rest.s + rest.len - begun) },
		                 (struct str){ begun, (size_t)(rest.s + at - begun) + strlen("/inet/smtpd_milters") });
		if ((size_t)(rest.s + at - begun) >= strlen(port) &&
		    !memcmp(rest.s + at - strlen(port), port, strlen(port)))
			return value.len ? DOCTOR_ERROR : DOCTOR_FINE;
		rest = str_sub(rest, (size_t)at + 1, rest.len);
	}
	return DOCTOR_ERROR;
}

static enum doctor_level
look_chroot(const struct doctor *d, struct str *ret)
{
	struct str queue = parameter(d, "queue_directory");
	const char *path = strchr(d->conf->socket, '/');

	*ret = str_from(d->conf->socket);
	if (!path || str_starts(str_from(path), queue))
		return DOCTOR_FINE;
	/* "smtp inet n - y - - smtpd": the fifth word */
	for (struct str rest = d->services; rest.len;) {
		const char *stop = memchr(rest.s, '\n', rest.len);
		struct str line = str_sub(rest, 0, stop ? (size_t)(stop - rest.s) : rest.len), *word;
		size_t n = arena_words(d->arena, &line, 1, &word);

		rest = str_sub(rest, line.len + (stop != NULL), rest.len);
		if (n >= 8 && str_is(word[1], "inet") && str_is(word[7], "smtpd") && str_is(word[4], "y"))
			return DOCTOR_ERROR;
	}
	return DOCTOR_FINE;
}

const struct doctor_trap doctor_postfix[] = {
	{ "milter_default_action", look_action, "set milter_default_action = tempfail: with accept, mail is lost when the milter dies" },
	{ "smtpd_milters", look_attached, "set smtpd_milters to the socket of tamis-milter" },
	{ "last milter", look_last, "name tamis-milter last: recipients that a later milter refuses would be added again" },
	{ "milter_protocol", look_protocol, "set milter_protocol = 6" },
	{ "recipient_delimiter", look_delimiter, "set both alike, or folders are looked for in the wrong place" },
	{ "header_checks", look_checks, "have /^Tamis-/ IGNORE there: senders can forge our fields (doc/postfix.md)" },
	{ "copy_to", look_port, "give that port its own smtpd in master.cf, with -o smtpd_milters=" },
	{ "chroot", look_chroot, "smtpd is chrooted: put the socket below queue_directory" },
	{ NULL, NULL, NULL }
};
