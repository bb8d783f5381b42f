/* doctor_names.c - names under which the mail server delivers to the same mailboxes
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who writes to alice@localhost reaches Alice.  Unless the users map says so, he gets round her rules. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "host/file.h"
#include "host/rulefile.h"
#include "host/users.h"
#include "tamis/doctor_master.h"
#include "tamis/doctor_names.h"

enum { NAMES_MAX = 1 << 20 };           /* bytes of a file of names */

/* Do users of that domain have rules, under this name or the one that it is an alias of? */
static bool
has_rules(const struct doctor *d, const struct canonical *address)
{
	const struct conf *c = d->conf;
	struct users_found found;
	struct str user, domain;

	users_find(conf_users(c), d->arena, address, &found);
	user = found.user[0];
	domain = str_sub(user, (size_t)str_find(user, STR("@")) + 1, user.len);
	return conf_local_domain(c, domain) || (*c->rules_dir && !strncmp(c->rules_file, "%d/", 3) &&
	       rulefile_directory(c->rules_dir, arena_str(d->arena, domain).s) == RULEFILE_FINE);
}

static bool
is_listed(const struct names_known *k, struct str domain)
{
	struct str rest = k->unknown, word;

	while (master_next_word(&rest, &word))
		if (str_ieq(word, domain))
			return true;
	return false;
}

void
names_add_domain(const struct doctor *d, struct names_known *k, struct str domain)
{
	struct canonical address;

	if (canonical_plain(d->conf, d->arena, arena_printf(d->arena, "x@%.*s", STR_ARG(domain)), &address) < 0)
		return;                 /* a table, or a pattern */
	if (has_rules(d, &address))
		k->any = true;
	else if (!is_listed(k, domain))
		k->unknown = arena_printf(d->arena, "%.*s%s%.*s", STR_ARG(k->unknown), k->unknown.len ? ", " : "", STR_ARG(domain));
}

void
names_add_host(const struct doctor *d, struct names_known *k)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
	char name[HOST_NAME_MAX + 1] = "";
	struct addrinfo *found = NULL;

	if (gethostname(name, sizeof name - 1) < 0 || !*name)
		return;
	if (strchr(name, '.'))
		names_add_domain(d, k, str_from(name));
	else if (getaddrinfo(name, NULL, &hints, &found) == 0 && found->ai_canonname)
		names_add_domain(d, k, str_from(found->ai_canonname));
	if (found)
		freeaddrinfo(found);
}

/* Servers take mail for the addresses that they have: alice@[192.0.2.1]. */
void
names_add_addresses(const struct doctor *d, struct names_known *k, bool only_loopback, bool ipv6)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN];
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)i->ifa_addr;
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
		bool six = in && in->sin_family == AF_INET6, loopback;

		if (!in || (!six && in->sin_family != AF_INET) || (six && (!ipv6 || IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))))
			continue;
		loopback = six ? IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) : ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
		if (only_loopback && !loopback)
			continue;
		inet_ntop(six ? AF_INET6 : AF_INET, six ? (const void *)&in6->sin6_addr : &in->sin_addr, text, sizeof text);
		names_add_domain(d, k, arena_printf(d->arena, six ? "[IPv6:%s]" : "[%s]", text));
	}
	freeifaddrs(all);
}

void
names_add_file(const struct doctor *d, struct names_known *k, const char *path)
{
	struct buf b = { 0 };
	struct str text = STR_EMPTY, word;

	if (file_read(AT_FDCWD, path, &b, NAMES_MAX) == 0)
		text = buf_str(&b);
	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len), *comment;
		struct str line = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len);

		text = str_sub(text, line.len + (stop != NULL), text.len);
		comment = memchr(line.s, '#', line.len);
		line = str_trim(comment ? str_sub(line, 0, (size_t)(comment - line.s)) : line);
		while (master_next_word(&line, &word))
			names_add_domain(d, k, word);
	}
	buf_done(&b);
}

enum doctor_level
names_level(const struct names_known *k, struct str *ret)
{
	/* where none of them has rules, users are elsewhere */
	if (!k->any || !k->unknown.len)
		return DOCTOR_FINE;
	*ret = k->unknown;
	return DOCTOR_WARNING;
}
