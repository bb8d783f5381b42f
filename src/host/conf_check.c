/* conf_check.c - settings of tamis.conf that contradict each other
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/conf_table.h"
#include "host/users.h"

static bool
copies_without_port(const struct conf *c)
{
	return c->fileinto_by == CONF_FILEINTO_HEADER && !c->copy_to[0];
}

static bool
files_without_secret(const struct conf *c)
{
	return c->fileinto_by == CONF_FILEINTO_HEADER && !c->secret_file[0];
}

static bool
files_without_delimiter(const struct conf *c)
{
	return c->fileinto_by == CONF_FILEINTO_DETAIL && !c->recipient_delimiter[0];
}

static bool
bounces_without_port(const struct conf *c)
{
	return c->refuse_late == CONF_REFUSE_BOUNCE && !c->copy_to[0];
}

static bool
bounces_without_id(const struct conf *c)
{
	return c->refuse_late == CONF_REFUSE_BOUNCE && !c->authserv_id[0];
}

static bool
bounces_to_store(const struct conf *c)
{
	return c->refuse_late == CONF_REFUSE_BOUNCE && conf_copies_to_store(c);
}

static bool
srs_without_domain(const struct conf *c)
{
	return c->redirect_sender == CONF_SENDER_SRS && !c->srs_domain[0];
}

static bool
srs_without_secret(const struct conf *c)
{
	return c->redirect_sender == CONF_SENDER_SRS && !c->secret_file[0];
}

static bool
redirects_without_port(const struct conf *c)
{
	return c->redirect_sender != CONF_SENDER_KEEP && !c->copy_to[0];
}

static bool
redirects_to_store(const struct conf *c)
{
	return c->redirect_sender != CONF_SENDER_KEEP && conf_copies_to_store(c);
}

static bool
quarantines_without_port(const struct conf *c)
{
	return c->quarantine_to[0] && !c->copy_to[0];
}

static bool
filters_to_store(const struct conf *c)
{
	return str_starts(str_from(c->filtered_to), STR("lmtp:"));
}

/* Is there a %u or %d? */
static bool
rules_by(const struct conf *c, char part)
{
	const char *p;

	for (p = c->rules_file; (p = strchr(p, '%')); p += 2)
		if (p[1] == part)
			return true;
	return false;
}

static bool
rules_of_everybody(const struct conf *c)
{
	return c->rules_dir[0] && !rules_by(c, 'd') && !c->local_domains.n;
}

static bool
rules_of_domain(const struct conf *c)
{
	return c->rules_dir[0] && !rules_by(c, 'u');
}

static bool
site_without_users(const struct conf *c)
{
	return c->site_before.n + c->site_after.n && !c->rules_dir[0] && !c->local_domains.n && !c->users[0];
}

static bool
sendmail_without_plus(const struct conf *c)
{
	return c->mta == CONF_MTA_SENDMAIL && strcmp(c->recipient_delimiter, "+") != 0;
}

static bool
group_without_socket(const struct conf *c)
{
	return c->socket_group[0] && !strchr("ul", c->socket[0]);
}

static bool
holds_too_little(const struct conf *c)
{
	return c->max_memory < c->max_header;
}

enum { SETTINGS = 5 };                  /* that one contradiction is about */

/* of: the settings that it is about; it is shown at the place of the first. */
static const struct contradiction {
	bool (*is)(const struct conf *);
	bool error;
	const char *of[SETTINGS], *text, *hint;
} contradictions[] = {
	{ copies_without_port, true, { "fileinto_by", "copy_to" }, "fileinto_by = header needs a port for individual copies",
	  "set copy_to, as copy_to = smtp:127.0.0.1:10026" },
	{ files_without_secret, true, { "fileinto_by", "secret_file" }, "fileinto_by = header needs a secret", "set secret_file" },
	{ files_without_delimiter, true, { "fileinto_by", "recipient_delimiter" }, "fileinto_by = detail needs a character between user and mailbox",
	  "set recipient_delimiter, as recipient_delimiter = +" },
	{ bounces_without_port, true, { "refuse_late", "copy_to" }, "refuse_late = bounce needs a port that takes bounces",
	  "set copy_to, as copy_to = smtp:127.0.0.1:10026" },
	{ bounces_without_id, true, { "refuse_late", "authserv_id" }, "refuse_late = bounce answers only senders that were authenticated, and nobody is believed to have done that",
	  "set authserv_id to the name that your verifying filter writes into Authentication-Results" },
	{ bounces_to_store, true, { "refuse_late", "copy_to" }, "a bounce cannot go to an LMTP server, which takes mail for its own users only",
	  "set copy_to to an SMTP port" },
	{ srs_without_domain, true, { "redirect_sender", "srs_domain" }, "redirect_sender = srs needs the domain of rewritten senders", "set srs_domain" },
	{ srs_without_secret, true, { "redirect_sender", "secret_file" }, "redirect_sender = srs needs a secret", "set secret_file" },
	{ redirects_without_port, true, { "redirect_sender", "copy_to" }, "redirects with a sender of their own need a port that takes them",
	  "set copy_to, as copy_to = smtp:127.0.0.1:10026, or redirect_sender = keep" },
	{ redirects_to_store, true, { "redirect_sender", "copy_to" }, "a redirect with a sender of its own cannot go to an LMTP server, which takes mail for its own users only",
	  "set copy_to to an SMTP port, or redirect_sender = keep" },
	{ quarantines_without_port, true, { "quarantine_to", "copy_to" }, "quarantine_to needs a port for individual copies", "set copy_to" },
	{ filters_to_store, true, { "filtered_to" }, "filtered_to is a port of the mail server, with milters: LMTP servers have none", "as filtered_to = smtp:127.0.0.1:10027" },
	{ rules_of_everybody, true, { "rules_file", "rules_dir", "local_domains" }, "without %d the rules of alice@example.org would be those of every other alice as well",
	  "set local_domains, or put %d into rules_file" },
	{ rules_of_domain, false, { "rules_file", "rules_dir" }, "without %u all users of a domain have the same rules", NULL },
	{ site_without_users, false, { "site_before", "site_after", "rules_dir", "local_domains", "users" }, "site rules run for recipients of ours, and there are none", "set local_domains, users or rules_dir" },
	{ sendmail_without_plus, false, { "recipient_delimiter", "mta" }, "Sendmail splits at \"+\" whatever recipient_delimiter says", "set recipient_delimiter = +" },
	{ group_without_socket, false, { "socket_group", "socket" }, "socket_group is of no use for a socket that has no file", NULL },
	{ holds_too_little, false, { "max_memory", "max_header" }, "max_memory is less than max_header, which is held in memory all the same", NULL },
};

/* Could all be had that it is about?  *ret: the row of the first. */
static bool
is_known(const struct conf_read *r, const struct contradiction *c, struct arena *a, size_t *ret)
{
	struct conf_row row;
	size_t i, at;

	for (i = 0; i < SETTINGS && c->of[i]; i++) {
		for (at = 0; conf_table_row(at, a, &row) && strcmp(row.name, c->of[i]); at++)
			;
		if (r->wrong[at])
			return false;
		if (!i)
			*ret = at;
	}
	return true;
}

void
conf_check(struct conf_read *r)
{
	const struct contradiction *c = contradictions, *end = c + sizeof(contradictions) / sizeof(*contradictions);
	struct arena a = { 0 };
	size_t at = 0;

	for (; c < end; c++)
		if (c->is(r->conf) && is_known(r, c, &a, &at))
			conf_read_report(r, c->error, r->conf->private->place[at], c->hint, "%s", c->text);
	arena_done(&a);
}

/* --- sections that hold for nobody */

/* May rules be run for somebody of that name?  *ret: who an address of that name is, or empty. */
static bool
is_user(const struct conf *c, struct arena *a, struct str name, bool sendmail, struct str *ret)
{
	struct canonical parts;
	struct users_found whose;

	*ret = STR_EMPTY;
	if (canonical_address(c, sendmail, a, name, &parts) < 0)
		return users_knows(conf_users(c), name);
	users_find(conf_users(c), a, &parts, &whose);
	/* what is several's has a name of its own */
	*ret = whose.n == 1 ? whose.user[0] : canonical_user(a, &parts);
	return str_eq(*ret, name) || users_knows(conf_users(c), name);
}

static void
check_user(struct conf_read *r, struct arena *a, const struct conf_scope *s)
{
	struct str postfix, sendmail;

	if (is_user(r->conf, a, s->name, false, &postfix) || is_user(r->conf, a, s->name, true, &sendmail))
		return;
	if (postfix.len)
		conf_read_report(r, false, s->place, arena_printf(a, "write [user %.*s]", STR_ARG(postfix)).s,
		                 "\"%.*s\" is no user but an address of %.*s: this section holds for nobody", STR_ARG(s->name),
		                 STR_ARG(postfix));
	else
		conf_read_report(r, false, s->place, NULL, "\"%.*s\" is nobody's address: this section holds for nobody", STR_ARG(s->name));
}

/* Mail to srs_domain is no user's. */
static void
check_domain(struct conf_read *r, struct arena *a, const struct conf_scope *s)
{
	struct str domain = users_real_domain(conf_users(r->conf), s->name);

	if (!str_eq(domain, s->name) && !str_is(s->name, r->conf->srs_domain))
		conf_read_report(r, false, s->place, arena_printf(a, "write [domain %.*s]", STR_ARG(domain)).s,
		                 "\"%.*s\" is an alias of %.*s, whose section holds for its users", STR_ARG(s->name), STR_ARG(domain));
}

/* May rules_file become that name below rules_dir?  What stands for users and domains has neither slashes nor a dot at the
 * beginning of a part; the rest of it is the user's affair. */
static bool
is_rules_name(const char *template, struct str name)
{
	const char *first = strchrnul(template, '%'), *tail = first;
	size_t slashes = 0, rest;

	for (size_t i = 0; i < name.len; i++) {
		if (name.s[i] == '.' && (i == 0 || name.s[i - 1] == '/'))
			return false;
		slashes += name.s[i] == '/';
	}
	for (const char *p = template; *p; p++) {
		slashes -= *p == '/';
		if (*p == '%')
			tail = ++p + 1;
	}
	rest = strlen(tail);
	return !slashes && str_starts(name, (struct str){ template, (size_t)(first - template) }) && name.len >= rest &&
	       !memcmp(name.s + name.len - rest, tail, rest);
}

/* Has it more capitals than rules_file, from which it was made? */
static bool
has_capitals(const char *template, struct str name)
{
	size_t n = 0;

	for (const char *p = template; *p; p++)
		n += *p >= 'A' && *p <= 'Z';
	for (size_t i = 0; i < name.len; i++)
		if (name.s[i] >= 'A' && name.s[i] <= 'Z' && n-- == 0)
			return true;
	return false;
}

static void
check_rules(struct conf_read *r, struct arena *a, const struct conf_scope *s)
{
	const struct conf *c = r->conf;
	struct str root = arena_printf(a, "%s/", c->rules_dir), name;
	const char *hint = *c->rules_dir ? arena_printf(a, "those are %s/%s", c->rules_dir, c->rules_file).s : "set rules_dir";

	if (*c->rules_dir && str_starts(s->name, root)) {
		name = str_sub(s->name, root.len, s->name.len);
		if (is_rules_name(c->rules_file, name)) {
			if (c->localpart_case == CONF_EXACT || !has_capitals(c->rules_file, name))
				return;
			hint = "domains and users are in lower case there";
		}
	}
	conf_read_report(r, false, s->place, hint, "\"%.*s\" is nobody's file of rules: this section holds for nobody",
	                 STR_ARG(s->name));
}

void
conf_check_scopes(struct conf_read *r)
{
	static void (*const check[CONF_SCOPES])(struct conf_read *, struct arena *, const struct conf_scope *) = {
		[CONF_SCOPE_USER] = check_user, [CONF_SCOPE_DOMAIN] = check_domain, [CONF_SCOPE_RULES] = check_rules,
	};
	const struct conf_private *p = r->conf->private;
	struct arena a = { 0 };

	for (size_t i = 0; i < p->scope.n; i++)
		if (check[p->scope.v[i].kind])
			check[p->scope.v[i].kind](r, &a, &p->scope.v[i]);
	arena_done(&a);
}
