/* doctor_postfix.c - traps in Postfix's configuration: what else it does to mail that it asks us about
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tamis/doctor_master.h"
#include "tamis/doctor_names.h"

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
	return master_worst(d, MASTER_ASKED, kind_of, ret);
}

static enum doctor_level
look_delimiter(const struct doctor *d, struct str *ret)
{
	struct str delimiter = master_parameter(d, NULL, "recipient_delimiter");

	*ret = arena_printf(d->arena, "\"%.*s\", here \"%s\"", STR_ARG(delimiter), d->conf->recipient_delimiter);
	return str_is(delimiter, d->conf->recipient_delimiter) ? DOCTOR_FINE : DOCTOR_ERROR;
}

/* --- fields that nobody outside may write */

/* Do the tables say that the field is to go?  The first that says anything of it is the last that is asked. */
static bool
is_taken(const struct doctor *d, struct str tables, struct str field)
{
	bool found = false, taken = false;
	struct str word;

	while (!found && master_next_word(&tables, &word)) {
		const char *table = arena_str(d->arena, word).s;
		const char *own[] = { "postmap", "-c", d->directory, "-q", field.s, table, NULL };
		const char *standard[] = { "postmap", "-q", field.s, table, NULL };
		struct buf b = { 0 };

		found = doctor_run(d->directory ? own : standard, &b);
		taken = found && (str_istarts(buf_str(&b), STR("IGNORE")) || str_istarts(buf_str(&b), STR("STRIP")));
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

/* What the cleanup of such a service asks about its mail; service NULL: what main.cf says. */
static enum doctor_level
local_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	const struct master_service *cleanup = s ? master_cleanup(d, s) : NULL;
	struct str all = master_parameter(d, NULL, "non_smtpd_milters"), own = master_parameter(d, cleanup, "non_smtpd_milters");
	struct master_milter m;
	bool none = s && !master_is_local(d, s);
	bool ours = !none && master_milter(d, own, &m);

	*ret = own.len ? own : STR("not set");
	if (none)
		*ret = arena_printf(d->arena, "%.*s: no_milters in receive_override_options", STR_ARG(s->name));
	else if (cleanup && !str_eq(own, all))
		*ret = arena_printf(d->arena, "%.*s, of %.*s: %.*s", STR_ARG(cleanup->name), STR_ARG(s->name), STR_ARG(*ret));
	if (d->conf->mode == CONF_FINAL && !ours && s && !master_parameter(d, s, "content_filter").len) {
		*ret = arena_printf(d->arena, "%.*s: no content_filter, so nobody is asked about its mail", STR_ARG(s->name));
		return DOCTOR_NOTE;
	}
	if (d->conf->mode == CONF_FINAL)
		return ours ? DOCTOR_ERROR : DOCTOR_FINE;
	/* an edge in front of the queue, to which pickup hands its mail */
	return ours || d->conf->effect == CONF_REFUSE ? DOCTOR_FINE : DOCTOR_NOTE;
}

static enum doctor_level
look_local(const struct doctor *d, struct str *ret)
{
	enum doctor_level worst = DOCTOR_FINE, level;
	bool any = false;

	for (size_t i = 0; i < d->services; i++) {
		const struct master_service *s = &d->service[i];
		struct str what;

		if (!str_is(s->command, "pickup") && !str_is(s->command, "qmqpd"))
			continue;
		level = local_of(d, s, &what);
		if (level > worst || !any)
			*ret = what;
		worst = level > worst ? level : worst;
		any = true;
	}
	return any ? worst : local_of(d, NULL, ret);
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
	return master_worst(d, MASTER_ASKED, originals_of, ret);
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
	return master_worst(d, MASTER_ASKED, proxy_of, ret);
}

/* Recipients that were all taken are named to the filter when the message is there: what it is answered for one of them all
 * are told.  To a client of ours no recipient is refused. */
static enum doctor_level
look_replay(const struct doctor *d, struct str *ret)
{
	for (size_t i = 0; i < d->services && d->conf->mode == CONF_EDGE && !d->conf->own_clients.n; i++) {
		const struct master_service *s = &d->service[i];
		struct str options = master_parameter(d, s, "smtpd_proxy_options");

		if (!str_is(s->command, "smtpd") || !master_parameter(d, s, "smtpd_proxy_filter").len ||
		    !master_has_word(d, options, "speed_adjust"))
			continue;
		*ret = arena_printf(d->arena, "%.*s: %.*s", STR_ARG(s->name), STR_ARG(options));
		return DOCTOR_WARNING;
	}
	*ret = STR_EMPTY;
	return DOCTOR_FINE;
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
	return master_worst(d, MASTER_ASKED | MASTER_COPIES | MASTER_FILTERED, soft_of, ret);
}

/* What the client's address leads to there takes the place of smtpd_milters, also of one that is empty. */
static enum doctor_level
maps_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	(void)d;
	*ret = s->maps;
	return ret->len ? DOCTOR_WARNING : DOCTOR_FINE;
}

static enum doctor_level
look_maps(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKED | MASTER_COPIES | MASTER_FILTERED, maps_of, ret);
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
	{ "mta", look_kind, "set mta = postfix in tamis.conf: otherwise this server is taken for a Sendmail, and "
	  "recipients are removed by names that it does not know" },
	{ "recipient_delimiter", look_delimiter, "set both alike, or folders are looked for in the wrong place" },
	{ "header_checks", look_checks, "senders can forge that field: add the checks of doc/postfix.md there" },
	{ "non_smtpd_milters", look_local, "at the edge, set it to the socket of tamis-milter, or mail from "
	  "sendmail(1) gets no rules; behind the queue, leave it empty and give pickup the content_filter, or "
	  "tamis-milter is asked twice about such mail" },
	{ "enable_original_recipient", look_originals, "set it to yes: otherwise a recipient to whom an alias leads "
	  "as well gets nothing when the rules of the alias discard" },
	{ "smtpd_proxy_filter", look_proxy, "attach tamis-milter to the service that gets the mail back from that "
	  "filter: this one shows milters the envelope only, and rules can do no more than refuse at RCPT TO" },
	{ "smtpd_proxy_options", look_replay, "leave out speed_adjust, or put the address of that filter into "
	  "own_clients: when the rules of one recipient refuse at RCPT TO, the message is refused for all of them" },
	{ "smtpd_milter_maps", look_maps, "it replaces smtpd_milters for the clients in it: set -o smtpd_milter_maps= "
	  "at our own ports, or copies are filtered again, and keep tamis-milter last in what it names, or mail of "
	  "those clients gets no rules" },
	{ "soft_bounce", look_soft, "set it to no: senders whom rules refuse are told to try again until they give "
	  "up, and a copy that is refused for good is taken for one that may be accepted later" },
	{ "names", look_names, NAMES_REMEDY },
	{ "virtual_alias_maps", look_aliases, "aliases are expanded after rules are run: name them in the users map, "
	  "or attach tamis-milter behind the queue (doc/postfix.md)" },
	{ NULL, NULL, NULL }
};
