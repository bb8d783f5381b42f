/* doctor_postfix.c - traps in Postfix's configuration: how our milter is attached
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tamis/doctor_master.h"
#include "tamis/doctor_names.h"

/* An attribute of the milter itself goes before the service's parameter. */
static struct str
told(const struct doctor *d, const struct master_service *s, const char *attribute, const char *name)
{
	struct master_milter m;
	struct str value = STR_EMPTY;

	if (master_milter(d, master_parameter(d, s, "smtpd_milters"), &m))
		value = master_attribute(d, &m, attribute);
	return value.len ? value : master_parameter(d, s, name);
}

static enum doctor_level
action_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = told(d, s, "default_action", "milter_default_action");
	return str_is(*ret, "tempfail") || str_is(*ret, "shutdown") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_action(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, action_of, ret);
}

/* The port of redirects alone would not do. */
static enum doctor_level
look_attached(const struct doctor *d, struct str *ret)
{
	for (size_t i = 0; i < d->services; i++) {
		const struct master_service *s = &d->service[i];
		unsigned roles = master_roles(d, s);

		if (!(roles & MASTER_ASKS) || roles & MASTER_FILTERED)
			continue;
		*ret = arena_printf(d->arena, "%.*s: %.*s", STR_ARG(s->name), STR_ARG(master_parameter(d, s, "smtpd_milters")));
		return DOCTOR_FINE;
	}
	*ret = STR("no smtpd of mail from elsewhere asks it");
	return DOCTOR_ERROR;
}

static enum doctor_level
last_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct master_milter m = { .last = true };

	*ret = master_parameter(d, s, "smtpd_milters");
	return master_milter(d, *ret, &m) && !m.last ? DOCTOR_ERROR : DOCTOR_FINE;
}

static enum doctor_level
look_last(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, last_of, ret);
}

static enum doctor_level
protocol_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = told(d, s, "protocol", "milter_protocol");
	return str_is(*ret, "6") ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_protocol(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, protocol_of, ret);
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
timeouts_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str command = told(d, s, "command_timeout", "milter_command_timeout");
	struct str content = told(d, s, "content_timeout", "milter_content_timeout");

	*ret = arena_printf(d->arena, "%.*s, %.*s; here rcpt_deadline %us, message_deadline %us", STR_ARG(command), STR_ARG(content),
	                    (unsigned)d->conf->rcpt_deadline, (unsigned)d->conf->message_deadline);
	return seconds_of(command) > d->conf->rcpt_deadline && seconds_of(content) > d->conf->message_deadline ?
	       DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_timeouts(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, timeouts_of, ret);
}

/* As the process sees it: below the queue, if it is chrooted or the path is relative. */
static enum doctor_level
path_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str queue = master_parameter(d, NULL, "queue_directory"), path, seen;
	const char *ours = strchr(d->conf->socket, '/');
	struct master_milter m;

	*ret = master_parameter(d, s, "smtpd_milters");
	if (!ours || !master_milter(d, *ret, &m) || !str_starts(m.name, STR("unix:")))
		return DOCTOR_FINE;
	path = str_sub(m.name, 5, m.name.len);
	seen = path;
	if (path.len && path.s[0] != '/')
		seen = arena_printf(d->arena, "%.*s/%.*s", STR_ARG(queue), STR_ARG(path));
	else if (s->chrooted)
		seen = arena_printf(d->arena, "%.*s%.*s", STR_ARG(queue), STR_ARG(path));
	*ret = arena_printf(d->arena, "%.*s is %.*s, here %s", STR_ARG(m.name), STR_ARG(seen), d->conf->socket);
	return str_is(seen, ours) ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_path(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, path_of, ret);
}

/* What tamis-milter knows a server by. */
static enum doctor_level
kind_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str name = master_parameter(d, s, "milter_macro_v");
	ptrdiff_t blank = str_find(name, STR(" "));

	*ret = STR("postfix");
	if (d->conf->mta == CONF_MTA_POSTFIX)
		return DOCTOR_FINE;
	*ret = STR("sendmail");
	if (d->conf->mta == CONF_MTA_SENDMAIL)
		return DOCTOR_ERROR;
	*ret = arena_printf(d->arena, "it calls itself %.*s", STR_ARG(str_sub(name, 0, blank < 0 ? name.len : (size_t)blank)));
	return str_find(name, STR("Postfix")) >= 0 ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_kind(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, kind_of, ret);
}

static enum doctor_level
look_delimiter(const struct doctor *d, struct str *ret)
{
	struct str delimiter = master_parameter(d, NULL, "recipient_delimiter");

	*ret = arena_printf(d->arena, "\"%.*s\", here \"%s\"", STR_ARG(delimiter), d->conf->recipient_delimiter);
	return str_is(delimiter, d->conf->recipient_delimiter) ? DOCTOR_FINE : DOCTOR_ERROR;
}

/* --- fields that nobody outside may write */

/* Does one of the tables say that the field is to go? */
static bool
is_taken(const struct doctor *d, struct str tables, struct str field)
{
	struct str *word;
	size_t n = arena_words(d->arena, &tables, 1, &word);
	bool taken = false;

	for (size_t i = 0; i < n && !taken; i++) {
		bool comma = word[i].s[word[i].len - 1] == ',';
		const char *table = arena_str(d->arena, str_sub(word[i], 0, word[i].len - comma)).s;
		const char *own[] = { "postmap", "-c", d->directory, "-q", field.s, table, NULL };
		const char *standard[] = { "postmap", "-q", field.s, table, NULL };
		struct buf b = { 0 };

		taken = doctor_run(d->directory ? own : standard, &b) && (str_istarts(buf_str(&b), STR("IGNORE")) || str_istarts(buf_str(&b), STR("STRIP")));
		buf_done(&b);
	}
	return taken;
}

static enum doctor_level
look_checks(const struct doctor *d, struct str *ret)
{
	struct str tables = master_parameter(d, NULL, "header_checks");
	struct str result = arena_printf(d->arena, "Authentication-Results: %s; none", d->conf->authserv_id);

	*ret = tables.len ? tables : STR("not set");
	if (!is_taken(d, tables, STR("Tamis-File-x: [] x")) || !is_taken(d, tables, STR("tamis-would:x"))) {
		*ret = arena_printf(d->arena, "%.*s: does not take away Tamis-File-x", STR_ARG(*ret));
		return DOCTOR_WARNING;
	}
	if (!*d->conf->authserv_id || is_taken(d, tables, result))
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%.*s: does not take away %.*s", STR_ARG(*ret), STR_ARG(result));
	return DOCTOR_WARNING;
}

/* --- mail that no smtpd takes */

static enum doctor_level
look_local(const struct doctor *d, struct str *ret)
{
	struct master_milter m;
	bool ours;

	*ret = master_parameter(d, NULL, "non_smtpd_milters");
	ours = master_milter(d, *ret, &m);
	if (!ret->len)
		*ret = STR("not set");
	if (d->conf->mode == CONF_FINAL)
		return ours ? DOCTOR_ERROR : DOCTOR_FINE;
	/* an edge in front of the queue, to which pickup hands its mail */
	return ours || d->conf->effect == CONF_REFUSE ? DOCTOR_FINE : DOCTOR_NOTE;
}

static enum doctor_level
look_aliases(const struct doctor *d, struct str *ret)
{
	*ret = master_parameter(d, NULL, "virtual_alias_maps");
	return d->conf->mode == CONF_EDGE && ret->len && !*d->conf->users ? DOCTOR_NOTE : DOCTOR_FINE;
}

/* Without it Postfix has one name in its queue for a recipient and for an alias that leads to him. */
static enum doctor_level
originals_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = master_parameter(d, master_cleanup(d, s), "enable_original_recipient");
	return str_ieq(*ret, STR("no")) ? DOCTOR_ERROR : DOCTOR_FINE;
}

/* Behind the queue there is one recipient, and no alias; who only refuses takes nobody away. */
static enum doctor_level
look_originals(const struct doctor *d, struct str *ret)
{
	if (d->conf->mode == CONF_FINAL || d->conf->effect == CONF_REFUSE)
		return DOCTOR_FINE;
	return master_worst(d, MASTER_ASKS, originals_of, ret);
}

static enum doctor_level
proxy_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = master_parameter(d, s, "smtpd_proxy_filter");
	return ret->len ? DOCTOR_ERROR : DOCTOR_FINE;
}

static enum doctor_level
look_proxy(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS, proxy_of, ret);
}

/* Postfix says 4xx then where it was told 5xx. */
static enum doctor_level
soft_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = master_parameter(d, s, "soft_bounce");
	return str_ieq(*ret, STR("yes")) ? DOCTOR_WARNING : DOCTOR_FINE;
}

static enum doctor_level
look_soft(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS | MASTER_COPIES | MASTER_FILTERED, soft_of, ret);
}

/* What the client's address leads to there takes the place of smtpd_milters, also of one that is empty. */
static enum doctor_level
maps_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = master_parameter(d, s, "smtpd_milter_maps");
	return ret->len ? DOCTOR_WARNING : DOCTOR_FINE;
}

static enum doctor_level
look_maps(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKS | MASTER_COPIES | MASTER_FILTERED, maps_of, ret);
}

/* --- names of the same mailboxes */

static void
add_interfaces(const struct doctor *d, struct names_known *k, const char *parameter)
{
	struct str list = master_parameter(d, NULL, parameter), word;

	while (master_next_word(&list, &word)) {
		if (str_is(word, "all") || str_is(word, "loopback-only"))
			names_add_addresses(d, k, !str_is(word, "all"), !str_is(master_parameter(d, NULL, "inet_protocols"), "ipv4"));
		else
			names_add_domain(d, k, arena_printf(d->arena, word.s[0] == '[' ? "%.*s" : "[%.*s]", STR_ARG(word)));
	}
}

static enum doctor_level
look_names(const struct doctor *d, struct str *ret)
{
	struct str list = master_parameter(d, NULL, "mydestination"), word;
	struct names_known k = { .unknown = STR_EMPTY };

	while (master_next_word(&list, &word)) {
		if (word.s[0] == '/')
			names_add_file(d, &k, arena_str(d->arena, word).s);
		else
			names_add_domain(d, &k, word);
	}
	add_interfaces(d, &k, "inet_interfaces");
	add_interfaces(d, &k, "proxy_interfaces");
	return names_level(&k, ret);
}

const struct doctor_trap doctor_postfix[] = {
	{ "milter_default_action", look_action, "set milter_default_action = tempfail: with accept, mail is lost when the milter dies" },
	{ "smtpd_milters", look_attached, "set smtpd_milters to the socket of tamis-milter" },
	{ "last milter", look_last, "name tamis-milter last: recipients that a later milter refuses would be added again" },
	{ "milter_protocol", look_protocol, "set milter_protocol = 6" },
	{ "milter timeouts", look_timeouts, "set milter_command_timeout over rcpt_deadline and milter_content_timeout over message_deadline: "
	  "Postfix gives up while rules run" },
	{ "chroot", look_path, "name the socket as that smtpd sees it: one that is chrooted sees only what is below queue_directory, and "
	  "that as /" },
	{ "mta", look_kind, "set mta = postfix in tamis.conf: this server would be taken for a Sendmail, and whom rules take away be named as "
	  "Sendmail names him" },
	{ "recipient_delimiter", look_delimiter, "set both alike, or folders are looked for in the wrong place" },
	{ "header_checks", look_checks, "senders can forge that field: have the checks of doc/postfix.md there" },
	{ "non_smtpd_milters", look_local, "at the edge, set it to the socket of tamis-milter, or mail of sendmail(1) has no rules; behind the "
	  "queue leave it empty, and give pickup the content_filter, or such mail is asked about twice" },
	{ "enable_original_recipient", look_originals, "set it to yes: else who is a recipient, and whom an alias leads to as well, gets "
	  "nothing when the rules of the alias discard" },
	{ "smtpd_proxy_filter", look_proxy, "name tamis-milter at the service that gets the mail back from that filter: this one shows "
	  "milters the envelope alone, and of rules only what refuses at RCPT TO happens" },
	{ "smtpd_milter_maps", look_maps, "it takes the place of smtpd_milters for the clients in it: have -o smtpd_milter_maps= at our own "
	  "ports, or copies are asked about again, and leave tamis-milter last in what it names, or mail of those clients has no rules" },
	{ "soft_bounce", look_soft, "set it to no: whom rules refuse is told to try again, until he gives up, and so are copies that are "
	  "refused for good" },
	{ "names", look_names, NAMES_REMEDY },
	{ "virtual_alias_maps", look_aliases, "aliases are expanded after rules are run: name them in the users map, or stand behind the queue "
	  "(doc/postfix.md)" },
	{ NULL, NULL, NULL }
};
