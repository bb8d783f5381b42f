/* doctor_ports.c - traps at the ports of Postfix that are for us alone, and behind its queue
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tamis/doctor_master.h"

enum { OURS = MASTER_COPIES | MASTER_FILTERED | MASTER_FINAL };

/* Is there such a port?  false: *ret_level says what that is. */
static bool
has_port(const struct doctor *d, const char *where, struct str *ret, enum doctor_level *ret_level)
{
	*ret = *where ? str_from(where) : STR("not set");
	*ret_level = DOCTOR_FINE;
	if (!str_starts(str_from(where), STR("smtp:")) || strchr(where, '/'))
		return false;
	if (master_port(d, where))
		return true;
	*ret = arena_printf(d->arena, "%s: %s", where, master_is_here(where) ? "no service in master.cf" : "another machine, whose settings are not seen");
	*ret_level = master_is_here(where) ? DOCTOR_ERROR : DOCTOR_NOTE;
	return false;
}

/* A copy must not be a copy's cause. */
static enum doctor_level
look_copies(const struct doctor *d, struct str *ret)
{
	enum doctor_level level;
	struct str milters;

	if (!has_port(d, d->conf->copy_to, ret, &level))
		return level;
	milters = master_milters(d, master_port(d, d->conf->copy_to));
	if (!milters.len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%s: smtpd_milters = %.*s", d->conf->copy_to, STR_ARG(milters));
	return DOCTOR_ERROR;
}

/* Does it hand its mail to where the milter is asked behind the queue? */
static bool
feeds(const struct doctor *d, const struct master_service *s, struct str *ret_transport)
{
	const struct master_service *next = master_hop(d, s, ret_transport);

	return next && next != s && master_roles(d, next) & MASTER_FINAL;
}

static enum doctor_level
look_filtered(const struct doctor *d, struct str *ret)
{
	enum doctor_level level;
	const struct master_service *s;
	struct str transport;

	if (!has_port(d, d->conf->filtered_to, ret, &level))
		return level;
	s = master_port(d, d->conf->filtered_to);
	/* who only refuses redirects nothing */
	if (d->conf->effect == CONF_REFUSE || master_roles(d, s) & MASTER_ASKS || feeds(d, s, &transport))
		return DOCTOR_FINE;
	if (master_roles(d, s) & MASTER_SOME) {
		*ret = arena_printf(d->arena, "%s: for some clients, smtpd_milter_maps = %.*s", d->conf->filtered_to, STR_ARG(s->maps));
		return DOCTOR_NOTE;
	}
	*ret = arena_printf(d->arena, "%s: its mail is not asked about", d->conf->filtered_to);
	return DOCTOR_ERROR;
}

/* --- what is done to mail there */

static bool
overrides(const struct doctor *d, const struct master_service *s, const char *option)
{
	return master_has_word(d, master_parameter(d, s, "receive_override_options"), option);
}

static enum doctor_level
checks_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str checks = master_parameter(d, master_cleanup(d, s), "header_checks");

	if (!checks.len || overrides(d, s, "no_header_body_checks"))
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "header_checks = %.*s", STR_ARG(checks));
	return DOCTOR_ERROR;
}

static enum doctor_level
look_checks(const struct doctor *d, struct str *ret)
{
	return master_worst(d, OURS, checks_of, ret);
}

/* A parameter that has no place there: how bad it is that it is set. */
static enum doctor_level
set_of(const struct doctor *d, const struct master_service *s, const char *name, enum doctor_level level, struct str *ret)
{
	struct str value = master_parameter(d, s, name);

	if (!value.len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%s = %.*s", name, STR_ARG(value));
	return level;
}

/* The filter to which mail goes after our milter was asked about it; empty: there is none, or it stands before us. */
static struct str
filter_behind(const struct doctor *d)
{
	for (size_t i = 0; i < d->services && d->conf->mode == CONF_EDGE; i++) {
		struct str filter = master_parameter(d, &d->service[i], "content_filter");

		unsigned roles = master_roles(d, &d->service[i]);

		if (filter.len && roles & (MASTER_ASKS | MASTER_SOME) && !(roles & MASTER_FILTERED))
			return filter;
	}
	return STR_EMPTY;
}

static enum doctor_level
filter_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	return filter_behind(d).len ? DOCTOR_FINE : set_of(d, s, "content_filter", DOCTOR_ERROR, ret);
}

static enum doctor_level
unfiltered_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str filter = filter_behind(d);

	if (!filter.len || master_parameter(d, s, "content_filter").len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "no content_filter; other mail goes to %.*s", STR_ARG(filter));
	return DOCTOR_ERROR;
}

/* Who only refuses makes no copies. */
static enum doctor_level
look_unfiltered(const struct doctor *d, struct str *ret)
{
	if (d->conf->effect == CONF_REFUSE)
		return DOCTOR_FINE;
	return master_worst(d, MASTER_COPIES | MASTER_FILTERED, unfiltered_of, ret);
}

static enum doctor_level
look_filter(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_COPIES | MASTER_FINAL, filter_of, ret);
}

/* Blind copies are made by cleanup, unless it is told to leave addresses alone. */
static enum doctor_level
archive_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	static const char *const names[] = { "always_bcc", "sender_bcc_maps", "recipient_bcc_maps" };
	const struct master_service *cleanup = master_cleanup(d, s);

	for (size_t i = 0; i < sizeof names / sizeof *names && !overrides(d, s, "no_address_mappings"); i++) {
		if (set_of(d, cleanup, names[i], DOCTOR_WARNING, ret) != DOCTOR_FINE)
			return DOCTOR_WARNING;
	}
	return DOCTOR_FINE;
}

static enum doctor_level
look_archive(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_COPIES | MASTER_FILTERED | MASTER_FINAL, archive_of, ret);
}

static enum doctor_level
rewriting_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	return set_of(d, s, "local_header_rewrite_clients", DOCTOR_WARNING, ret);
}

static enum doctor_level
look_rewriting(const struct doctor *d, struct str *ret)
{
	return master_worst(d, OURS, rewriting_of, ret);
}

/* Is it for clients of this machine alone? */
static bool
is_inside(const struct master_service *s)
{
	static const char *const inside[] = { "127.", "localhost:", "[::1]:", "::1:" };

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (str_starts(s->name, str_from(inside[i])))
			return true;
	return false;
}

/* A port for this machine alone that asks, and whose mail does not go to the filter behind us: most likely that filter hands
 * its mail back there. */
static enum doctor_level
handed_back_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str filter = filter_behind(d);

	if (!filter.len || !is_inside(s) || master_roles(d, s) & MASTER_FILTERED || master_parameter(d, s, "content_filter").len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "it asks as well, and other mail goes to %.*s", STR_ARG(filter));
	return DOCTOR_WARNING;
}

static enum doctor_level
look_handed_back(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_ASKED, handed_back_of, ret);
}

/* Who reaches such a port is past all that stands before it. */
static enum doctor_level
reach_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	struct str interfaces = master_parameter(d, NULL, "inet_interfaces");
	bool bound = str_is(interfaces, "loopback-only") || str_is(interfaces, "127.0.0.1") || str_is(interfaces, "localhost");

	if (is_inside(s) || (bound && str_find(s->name, STR(":")) < 0))
		return DOCTOR_FINE;
	*ret = STR("other machines may reach it");
	return DOCTOR_WARNING;
}

static enum doctor_level
look_reach(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_COPIES | MASTER_FINAL, reach_of, ret);
}

/* What rules add, and each server's own field, makes mail longer: what the port that faces the world has taken must not
 * be too long behind it, when copies of it have left already. */
static enum doctor_level
room_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	const struct master_service *const where[] = { s, master_cleanup(d, s) };
	struct str world = master_parameter(d, NULL, "message_size_limit");
	uint64_t most, here;

	if (!str_number(world, &most) || !most)
		return DOCTOR_FINE;
	for (size_t i = master_roles(d, s) & OURS ? 0 : 1; i < sizeof where / sizeof *where; i++) {
		struct str limit = master_parameter(d, where[i], "message_size_limit");

		if (!str_number(limit, &here) || !here || here > most)
			continue;
		*ret = arena_printf(d->arena, "%s: message_size_limit = %.*s", i ? "its cleanup" : "smtpd", STR_ARG(limit));
		return DOCTOR_WARNING;
	}
	return DOCTOR_FINE;
}

static enum doctor_level
look_room(const struct doctor *d, struct str *ret)
{
	return master_worst(d, OURS | MASTER_ASKS | MASTER_SOME, room_of, ret);
}

/* --- behind the queue */

static enum doctor_level
aliases_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	if (overrides(d, s, "no_address_mappings"))
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "receive_override_options = %.*s", STR_ARG(master_parameter(d, s, "receive_override_options")));
	return DOCTOR_ERROR;
}

static enum doctor_level
look_aliases(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_FINAL, aliases_of, ret);
}

static enum doctor_level
front_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	const bool some = !(master_roles(d, s) & MASTER_ASKS);

	*ret = some ? arena_printf(d->arena, "for some clients, smtpd_milter_maps = %.*s", STR_ARG(s->maps)) :
	       arena_printf(d->arena, "smtpd_milters = %.*s", STR_ARG(master_milters(d, s)));
	return DOCTOR_ERROR;
}

static enum doctor_level
dark_of(const struct doctor *d, const struct master_service *s, struct str *ret)
{
	*ret = arena_printf(d->arena, "perhaps, smtpd_milter_maps = %.*s, which cannot be looked through", STR_ARG(s->maps));
	return DOCTOR_NOTE;
}

static enum doctor_level
look_before(const struct doctor *d, struct str *ret)
{
	return master_worst(d, MASTER_BEFORE, front_of, ret);
}

static enum doctor_level
look_front(const struct doctor *d, struct str *ret)
{
	enum doctor_level level = master_worst(d, MASTER_FRONT, front_of, ret);

	return level == DOCTOR_FINE ? master_worst(d, MASTER_DARK, dark_of, ret) : level;
}

/* Who hands it mail must do so one recipient at a time. */
static enum doctor_level
look_split(const struct doctor *d, struct str *ret)
{
	struct str transport = STR_EMPTY, name, limit;
	bool any = false;

	*ret = STR_EMPTY;
	if (d->conf->mode != CONF_FINAL)
		return DOCTOR_FINE;
	for (size_t i = 0; i < d->services; i++) {
		if (!feeds(d, &d->service[i], &transport))
			continue;
		any = true;
		name = arena_printf(d->arena, "%.*s_destination_recipient_limit", STR_ARG(transport));
		limit = master_parameter(d, NULL, name.s);
		*ret = arena_printf(d->arena, "%.*s = %.*s", STR_ARG(name), STR_ARG(limit));
		if (!str_is(limit, "1"))
			return DOCTOR_ERROR;
	}
	if (!any)
		*ret = STR("no content_filter leads to a port whose mail is asked about");
	return any ? DOCTOR_FINE : DOCTOR_ERROR;
}

const struct doctor_trap doctor_ports[] = {
	{ "copy_to", look_copies, "give that port its own smtpd in master.cf, with -o smtpd_milters=" },
	{ "filtered_to", look_filtered, "give that port its own smtpd in master.cf, whose mail tamis-milter is asked about (doc/postfix.md)" },
	{ "checks behind us", look_checks, "our own fields are removed there as well: put no_header_body_checks into "
	  "receive_override_options of that service" },
	{ "content_filter", look_filter, "set -o content_filter= at that service: mail that has been through the "
	  "filter goes there again" },
	{ "filter behind us", look_unfiltered, "give that service the same content_filter: copies for single "
	  "recipients go round it" },
	{ "behind the filter", look_handed_back, "set -o smtpd_milters= and -o smtpd_milter_maps= at that service if the filter "
	  "hands its mail back there: rules were run before it, and would be run once more" },
	{ "archive", look_archive, "each copy goes into the archive as well: give that service a cleanup of its own (doc/postfix.md)" },
	{ "rewriting", look_rewriting, "set -o local_header_rewrite_clients= at that service: it completes addresses "
	  "in the header of other people's mail" },
	{ "open port", look_reach, "give that service the address 127.0.0.1: whoever reaches it is past everything "
	  "that stands before it" },
	{ "room", look_room, "set -o message_size_limit=0 there: mail that is nearly too long for the port that faces "
	  "the world is refused or bounced when rules or servers add a field, although copies of it have left" },
	{ "aliases", look_aliases, "put no_address_mappings into receive_override_options of that service: aliases "
	  "are expanded twice, and one that leads to itself doubles mail" },
	{ "asked twice", look_front, "name tamis-milter neither in smtpd_milters nor in smtpd_milter_maps of that "
	  "service: it hands its mail to one behind the queue, where tamis-milter is asked" },
	{ "before the queue", look_before, "give that service the content_filter that the others have, and do not "
	  "name tamis-milter there: rules are run before aliases are expanded, and for several recipients at a time" },
	{ "one at a time", look_split, "set that limit to 1 in main.cf: rules behind the queue are for one final recipient (doc/postfix.md)" },
	{ NULL, NULL, NULL }
};
