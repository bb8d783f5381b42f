/* doctor_milters.c - traps in Postfix's configuration: how our milter is attached
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * smtpd connects to the milters of smtpd_milters, or of what smtpd_milter_maps has for a client, and hands the open
 * connection to cleanup.  To those of non_smtpd_milters cleanup connects itself. */
#include "tamis/doctor_master.h"

/* A list that we are in, and who connects to what is in it. */
struct list {
	const struct master_service *service;
	struct str text;
	struct master_milter ours;
};

/* An attribute of the milter itself goes before the service's parameter. */
static struct str
told(const struct doctor *d, const struct list *l, const char *attribute, const char *name)
{
	struct str value = master_attribute(d, &l->ours, attribute);

	return value.len ? value : master_parameter(d, l->service, name);
}

typedef enum doctor_level list_look(const struct doctor *, const struct list *, struct str *ret_what);

/* The worst of all lists, as master_worst() tells it. */
struct worst {
	list_look *look;
	enum doctor_level level;
	struct str what;
};

static void
worst_add(const struct doctor *d, struct worst *w, const struct master_service *s, struct str whose, struct str text)
{
	struct list l = { .service = s, .text = text };
	struct str what = STR_EMPTY;
	enum doctor_level level;

	if (!master_milter(d, text, &l.ours))
		return;
	level = w->look(d, &l, &what);
	if (level > w->level || !w->what.len)
		w->what = arena_printf(d->arena, "%.*s: %.*s", STR_ARG(whose), STR_ARG(what));
	w->level = level > w->level ? level : w->level;
}

static enum doctor_level
worst_of(const struct doctor *d, list_look *look, struct str *ret)
{
	struct worst w = { .look = look, .level = DOCTOR_FINE, .what = STR_EMPTY };

	for (size_t i = 0; i < d->services; i++) {
		const struct master_service *s = &d->service[i];

		if (!(master_roles(d, s) & MASTER_ASKED))
			continue;
		worst_add(d, &w, s, s->name, master_milters(d, s));
		for (size_t k = 0; k < s->in_maps.n; k++)
			worst_add(d, &w, s, arena_printf(d->arena, "%.*s, for some clients", STR_ARG(s->name)), s->in_maps.list[k]);
	}
	/* behind the queue it is wrong that we are in it, and that is told */
	for (size_t i = 0; i < d->services && d->conf->mode != CONF_FINAL; i++) {
		const struct master_service *s = &d->service[i], *cleanup = master_cleanup(d, s);

		if (cleanup && master_is_local(d, s))
			worst_add(d, &w, cleanup, arena_printf(d->arena, "%.*s, of %.*s", STR_ARG(cleanup->name), STR_ARG(s->name)),
			          master_parameter(d, cleanup, "non_smtpd_milters"));
	}
	*ret = w.what;
	return w.level;
}

static enum doctor_level
action_of(const struct doctor *d, const struct list *l, struct str *ret)
{
	*ret = told(d, l, "default_action", "milter_default_action");
	return str_is(*ret, "tempfail") || str_is(*ret, "shutdown") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_action(const struct doctor *d, struct str *ret)
{
	return worst_of(d, action_of, ret);
}

/* Who asks for some clients alone, or perhaps; NULL. */
static const struct master_service *
asks_some(const struct doctor *d, enum doctor_maps how)
{
	for (size_t i = 0; i < d->services && d->conf->mode != CONF_FINAL; i++) {
		const struct master_service *s = &d->service[i];

		if (str_is(s->command, "smtpd") && s->in_maps.how == how && !(master_roles(d, s) & (MASTER_COPIES | MASTER_FILTERED)))
			return s;
	}
	return NULL;
}

/* Is all the mail that this machine takes that of its own programs, about which we are asked? */
static bool
is_local_alone(const struct doctor *d)
{
	bool asked = false;
	struct master_milter m;

	for (size_t i = 0; i < d->services; i++) {
		const struct master_service *s = &d->service[i], *cleanup = master_cleanup(d, s);

		if (str_is(s->command, "smtpd") && !(master_roles(d, s) & (MASTER_COPIES | MASTER_FILTERED)))
			return false;
		asked = asked || (cleanup && master_is_local(d, s) && master_milter(d, master_parameter(d, cleanup, "non_smtpd_milters"), &m));
	}
	return asked && d->conf->mode != CONF_FINAL;
}

/* The port of redirects alone would not do. */
static enum doctor_level
look_attached(const struct doctor *d, struct str *ret)
{
	const struct master_service *some = asks_some(d, MAPS_OURS), *dark = asks_some(d, MAPS_UNKNOWN);

	for (size_t i = 0; i < d->services; i++) {
		const struct master_service *s = &d->service[i];
		unsigned roles = master_roles(d, s);

		if (!(roles & MASTER_ASKS) || roles & MASTER_FILTERED)
			continue;
		*ret = arena_printf(d->arena, "%.*s: %.*s", STR_ARG(s->name), STR_ARG(master_milters(d, s)));
		return DOCTOR_FINE;
	}
	*ret = STR("no smtpd takes mail from elsewhere");
	if (is_local_alone(d))
		return DOCTOR_FINE;
	*ret = STR("no smtpd of mail from elsewhere asks it");
	if (some)
		*ret = arena_printf(d->arena, "%.*s: for some clients, smtpd_milter_maps = %.*s", STR_ARG(some->name), STR_ARG(some->maps));
	else if (dark)
		*ret = arena_printf(d->arena, "%.*s: perhaps, smtpd_milter_maps = %.*s, which cannot be looked through", STR_ARG(dark->name),
		                    STR_ARG(dark->maps));
	return some ? DOCTOR_NOTE : dark ? DOCTOR_WARNING : DOCTOR_ERROR;
}

static enum doctor_level
last_of(const struct doctor *d, const struct list *l, struct str *ret)
{
	(void)d;
	*ret = l->text;
	return l->ours.last ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_last(const struct doctor *d, struct str *ret)
{
	return worst_of(d, last_of, ret);
}

static enum doctor_level
protocol_of(const struct doctor *d, const struct list *l, struct str *ret)
{
	*ret = told(d, l, "protocol", "milter_protocol");
	return str_is(*ret, "6") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_protocol(const struct doctor *d, struct str *ret)
{
	return worst_of(d, protocol_of, ret);
}

/* "300s" in seconds; 0: it is no time. */
static uint64_t
seconds_of(struct str v)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	uint64_t n;

	if (str_number(v, &n))
		return n;
	for (size_t i = 0; v.len && i < sizeof units / sizeof *units; i++)
		if (v.s[v.len - 1] == units[i].letter && str_number(str_sub(v, 0, v.len - 1), &n))
			return n * units[i].seconds;
	return 0;
}

static enum doctor_level
timeouts_of(const struct doctor *d, const struct list *l, struct str *ret)
{
	struct str command = told(d, l, "command_timeout", "milter_command_timeout");
	struct str content = told(d, l, "content_timeout", "milter_content_timeout");

	*ret = arena_printf(d->arena, "%.*s, %.*s; here rcpt_deadline %us, message_deadline %us", STR_ARG(command), STR_ARG(content),
	                    (unsigned)d->conf->rcpt_deadline, (unsigned)d->conf->message_deadline);
	return seconds_of(command) > d->conf->rcpt_deadline && seconds_of(content) > d->conf->message_deadline ?
	       DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_timeouts(const struct doctor *d, struct str *ret)
{
	return worst_of(d, timeouts_of, ret);
}

/* As the process sees it: below the queue, if it is chrooted or the path is relative. */
static enum doctor_level
path_of(const struct doctor *d, const struct list *l, struct str *ret)
{
	struct str queue = master_parameter(d, NULL, "queue_directory"), name = l->ours.name, path, seen;
	struct str type = str_sub(name, 0, (size_t)(str_find(name, STR(":")) + 1));
	const char *ours = strchr(d->conf->socket, '/');

	*ret = l->text;
	if (!ours || (!str_is(type, "unix:") && !str_is(type, "local:")))
		return DOCTOR_FINE;
	path = str_sub(name, type.len, name.len);
	seen = path;
	if (path.len && path.s[0] != '/')
		seen = arena_printf(d->arena, "%.*s/%.*s", STR_ARG(queue), STR_ARG(path));
	else if (l->service->chrooted)
		seen = arena_printf(d->arena, "%.*s%.*s", STR_ARG(queue), STR_ARG(path));
	*ret = arena_printf(d->arena, "%.*s is %.*s, here %s", STR_ARG(name), STR_ARG(seen), d->conf->socket);
	return str_is(seen, ours) ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_path(const struct doctor *d, struct str *ret)
{
	return worst_of(d, path_of, ret);
}

const struct doctor_trap doctor_milters[] = {
	{ "milter_default_action", look_action, "set milter_default_action = tempfail: with accept, mail passes "
	  "without rules while the milter is away, and may come twice when it dies" },
	{ "smtpd_milters", look_attached, "set smtpd_milters to the socket of tamis-milter" },
	{ "last milter", look_last, "name tamis-milter last: recipients that a later milter refuses would be added again" },
	{ "milter_protocol", look_protocol, "set milter_protocol = 6" },
	{ "milter timeouts", look_timeouts, "set milter_command_timeout above rcpt_deadline and "
	  "milter_content_timeout above message_deadline: Postfix gives up while rules run" },
	{ "chroot", look_path, "name the socket as the process sees it: smtpd in smtpd_milters, cleanup in "
	  "non_smtpd_milters; one that is chrooted sees only what is below queue_directory, as /" },
	{ NULL, NULL, NULL }
};
