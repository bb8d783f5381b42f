/* doctor_probe.c - does what senders forge arrive?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <time.h>

#include "host/canonical.h"
#include "host/connection.h"
#include "host/file.h"
#include "host/moment.h"
#include "tamis/probe.h"

enum {
	WAIT_STANDARD = 60, WAIT_MAX = 86400,   /* seconds */
	LOOK_FIRST = 100, LOOK_MOST = 5000,     /* milliseconds between two looks; a look at a large mailbox takes time */
	REPLY_MAX = 512
};

static const char port_standard[] = "127.0.0.1:25";

int
doctor_probe_usage(const struct doctor_probe *o)
{
	const char *wrong;

	if (!o->to && !o->token)
		return o->port || o->arrives || o->wait ? cmd_usage(&cmd_doctor, "--port, --arrives and --wait are for --probe or --token") : 0;
	if (o->to && o->token)
		return cmd_usage(&cmd_doctor, "--probe sends a message, --token looks for one that was sent");
	if (o->token && !o->arrives)
		return cmd_usage(&cmd_doctor, "--token needs --arrives");
	if (o->token && !probe_is_token(o->token))
		return cmd_usage(&cmd_doctor, "\"%s\" is no token", o->token);
	if (o->to && o->arrives && !strcmp(o->arrives, "-"))
		return cmd_usage(&cmd_doctor, "standard input cannot be waited for: --token looks at it");
	if (o->to && !strchr(o->to, '@'))
		return cmd_usage(&cmd_doctor, "\"%s\" is no address", o->to);
	wrong = o->port ? connection_check(o->port) : NULL;
	if (wrong)
		return cmd_usage(&cmd_doctor, "\"%s\" of \"--port\" %s", o->port, wrong);
	if (o->wait > WAIT_MAX)
		return cmd_usage(&cmd_doctor, "\"--wait\" is at most %d", WAIT_MAX);
	return 0;
}

/* --- waiting */

/* Looks until it is there: 1, 0 the time is over, -1 errno.  That nothing is there may change with the first message. */
static int
wait_for_it(struct probe *p, const char *path, int64_t deadline)
{
	int64_t pause = LOOK_FIRST;

	for (;;) {
		int found = probe_look(p, path);
		int64_t left = deadline - moment_clock();
		struct timespec t;

		if (found > 0 || (found < 0 && errno != ENOENT) || left <= 0)
			return found;
		t = (struct timespec){ .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000 };
		if (pause > left)
			t = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
		nanosleep(&t, NULL);
		pause = pause * 2 < LOOK_MOST ? pause * 2 : LOOK_MOST;
	}
}

/* --- saying */

static const struct {
	enum doctor_level level;        /* if it arrived */
	const char *remedy;
} kinds[] = {
	[PROBE_OURS] = { DOCTOR_ERROR, "senders can write marks of tamis: Postfix removes them with /^Tamis-/ IGNORE in header_checks "
	                 "(doc/postfix.md), Sendmail with tamis-strip as its first filter (doc/sendmail.md)" },
	[PROBE_RESULT] = { DOCTOR_ERROR, "senders can write results of your verifying filter, and tamis would believe them: Postfix removes "
	                   "them with the check for Authentication-Results in doc/postfix.md, Sendmail with authserv_id in "
	                   "strip.conf (doc/sendmail.md)" },
	[PROBE_ODD_RESULT] = { DOCTOR_NOTE, "tamis does not believe results that are spelled so; others who read them may" },
};

/* CMD_WRONG if something arrived that must not */
static int
say_fields(const struct settings *set, const struct doctor *d, const struct probe *p)
{
	int rc = CMD_FINE;

	for (size_t i = 0; i < p->n; i++) {
		const struct probe_field *f = &p->field[i];
		struct str name = arena_printf(d->arena, "%s (%s)", f->name, f->how), seen = STR("removed");

		if (f->arrived)
			seen = STR("arrived");
		else if (f->renamed.len)
			seen = arena_printf(d->arena, "renamed to %.*s", STR_ARG(f->renamed));
		doctor_say(set, name.s, f->arrived ? kinds[f->kind].level : DOCTOR_FINE, seen, kinds[f->kind].remedy);
		if (f->arrived && kinds[f->kind].level == DOCTOR_ERROR)
			rc = CMD_WRONG;
	}
	if (!*d->conf->authserv_id)
		doctor_say(set, "Authentication-Results", DOCTOR_NOTE, STR("authserv_id is not set: no result is believed, none was forged"),
		           "set it to the name that your verifying filter writes, if there is one");
	return rc;
}

static int
say_missing(const struct settings *set, const struct doctor *d, const struct probe *p, const char *path, int found)
{
	const char *why = found < 0 ? strerror(errno) : "it is not there";

	doctor_say(set, "probe", DOCTOR_WARNING, arena_printf(d->arena, "%s: %s: %s", p->token, path, why),
	           "nothing is known: the log of the mail server tells where a message of that id went; when it has arrived, "
	           "--token and --arrives look at it");
	return CMD_AGAIN;
}

static int
say_found(const struct settings *set, const struct doctor *d, const struct probe *p, const char *path)
{
	doctor_say(set, "probe", DOCTOR_FINE, arena_printf(d->arena, "%s: arrived in %s", p->token, path), NULL);
	return say_fields(set, d, p);
}

static int
say_sent(const struct settings *set, const struct doctor *d, const struct probe *p, enum submit_result result, const char *to,
         const char *reply)
{
	static const enum doctor_level level[] = {
		[SUBMIT_TAKEN] = DOCTOR_NOTE, [SUBMIT_REFUSED] = DOCTOR_ERROR, [SUBMIT_AGAIN] = DOCTOR_WARNING,
	};
	static const char *const remedy[] = {
		[SUBMIT_TAKEN] = "nothing is known yet: when it has arrived, save it, and look at it with --token and --arrives",
		[SUBMIT_REFUSED] = "name an address of yours, and a port that takes mail for it from here",
		[SUBMIT_AGAIN] = "nothing is known: try again later, or name the port that faces the world with --port",
	};

	doctor_say(set, "probe", level[result], arena_printf(d->arena, "%s to %s: %s", p->token, to, reply), remedy[result]);
	return result == SUBMIT_REFUSED ? CMD_WRONG : CMD_AGAIN;
}

/* --- all of it */

static int
look_at_sent(const struct settings *set, const struct doctor *d, struct probe *p, const char *path)
{
	int found = probe_look(p, path);

	if (found < 0 && !file_may_pass(errno))
		return cmd_error(path, errno);
	return found > 0 ? say_found(set, d, p, path) : say_missing(set, d, p, path, found);
}

int
doctor_probe(const struct settings *set, const struct doctor *d, const struct doctor_probe *o)
{
	struct canonical address;
	int64_t deadline = moment_clock() + (int64_t)(o->wait ? o->wait : WAIT_STANDARD) * 1000;
	enum submit_result result;
	struct probe p;
	char reply[REPLY_MAX];
	int found;

	if (o->to && (strchr("<@", *o->to) || canonical_plain(d->conf, d->arena, str_from(o->to), &address) < 0))
		return cmd_usage(&cmd_doctor, "\"%s\" is no address", o->to);
	probe_init(&p, d->arena, d->conf->authserv_id, o->token);
	if (o->token)
		return look_at_sent(set, d, &p, o->arrives);
	/* nothing is sent whose arrival could not be seen */
	if (o->arrives && probe_look(&p, o->arrives) < 0 && errno != ENOENT)
		return cmd_error(o->arrives, errno);
	result = probe_send(&p, o->port ? o->port : port_standard, o->to, deadline, reply, sizeof reply);
	if (result != SUBMIT_TAKEN || !o->arrives)
		return say_sent(set, d, &p, result, o->to, reply);
	found = wait_for_it(&p, o->arrives, deadline);
	return found > 0 ? say_found(set, d, &p, o->arrives) : say_missing(set, d, &p, o->arrives, found);
}
