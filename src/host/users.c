/* users.c - the users map: addresses, alias domains and logins, and whose they are
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/names.h"
#include "base/utf8.h"
#include "host/diag.h"
#include "host/file.h"
#include "host/text.h"
#include "host/users.h"

struct target {
	struct str text;                /* canonical, with the detail */
	struct canonical address;       /* if it is one */
	struct tamis_place place;
};

struct entry {
	struct tamis_place place;
	VEC(struct target) target;
	const struct str *user;         /* what the targets come to */
	size_t n;
	unsigned height;                /* steps to the farthest of them */
	enum { FRESH, ON_THE_WAY, RESOLVED } state;
};

enum kind { ADDRESS, DOMAIN, LOGIN, KINDS };

struct users {
	struct arena arena;
	struct names key[KINDS];
	VEC(struct entry) entry[KINDS];
	struct names user;              /* what anything resolves to */
};

/* The file as it is read. */
struct map {
	const struct conf *conf;
	struct users *users;
	struct diag *diag;
	struct str file, line;
	unsigned number, errors;
};

__attribute__((format(printf, 4, 5)))
static void
map_error(struct map *m, struct tamis_place place, const char *hint, const char *format, ...)
{
	char text[400];
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR, .place = place, .text = text, .hint = hint };
	va_list args;

	if (++m->errors > LIMIT_ERRORS + 1)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (m->errors > LIMIT_ERRORS) {
		d.text = "more errors are not shown";
		d.hint = NULL;
	}
	diag_report(m->diag, &d);
}

#define SHOWN(v) (int)((v).len > 80 ? 80 : (v).len), (v).s

/* --- words of a line */

static struct tamis_place
map_place(const struct map *m, struct str word)
{
	size_t from = (size_t)(word.s - m->line.s);

	return (struct tamis_place){ text_of(m->file), m->number, (unsigned)utf8_count(str_sub(m->line, 0, from)) + 1,
		(unsigned)utf8_count(word) };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

/* The next word between blanks or commas; a quoted local part may have them in it. */
static bool
map_word(struct str *rest, struct str *ret)
{
	bool quoted = false;
	size_t i = 0;

	while (i < rest->len && is_blank(rest->s[i]))
		i++;
	*rest = str_sub(*rest, i, rest->len);
	for (i = 0; i < rest->len && (quoted || !is_blank(rest->s[i])); i++) {
		if (quoted && rest->s[i] == '\\')
			i += i + 1 < rest->len;
		else if (rest->s[i] == '"')
			quoted = !quoted;
	}
	*ret = str_sub(*rest, 0, i);
	*rest = str_sub(*rest, i, rest->len);
	return i;
}

static const char no_colon[] = "there is a blank behind a name, and no colon";

/* Its canonical form; empty after reporting. */
static struct str
map_address(struct map *m, struct str word)
{
	const char *hint = NULL;
	struct canonical c;

	if (!canonical_plain(m->conf, &m->users->arena, word, &c))
		return canonical_user(&m->users->arena, &c);
	if (word.s[word.len - 1] == ':')
		hint = no_colon;
	else if (!memchr(word.s, '@', word.len))
		hint = "an address has a domain, as alice@example.org; a domain is written as @example.org";
	map_error(m, map_place(m, word), hint, "\"%.*s\" is no address", SHOWN(word));
	return STR_EMPTY;
}

/* An address that something stands for: a detail makes nobody else of it. */
static struct str
map_target(struct map *m, struct str word, struct canonical *ret)
{
	if (canonical_address(m->conf, m->conf->mta == CONF_MTA_SENDMAIL, &m->users->arena, word, ret))
		return map_address(m, word);
	return canonical_mailbox(&m->users->arena, ret);
}

static struct str
map_domain(struct map *m, struct str word)
{
	struct str ret = STR_EMPTY;

	if (word.s[0] != '@')
		map_error(m, map_place(m, word), "as @example.net @example.org",
		          "\"%.*s\" is no alias of a domain, which stands for all of its addresses", SHOWN(word));
	else if (canonical_domain(&m->users->arena, str_sub(word, 1, word.len), &ret))
		map_error(m, map_place(m, word), word.s[word.len - 1] == ':' ? no_colon : NULL, "\"%.*s\" is no domain", SHOWN(word));
	return ret;
}

static const struct str login_prefix = { "login:", 6 };

static enum kind
map_kind(struct str word)
{
	return word.s[0] == '@' ? DOMAIN : str_starts(word, login_prefix) ? LOGIN : ADDRESS;
}

static struct str
map_login(struct map *m, struct str word)
{
	struct str name = str_sub(word, login_prefix.len, word.len);

	if (!name.len)
		map_error(m, map_place(m, word), NULL, "the login is missing");
	return arena_str(&m->users->arena, name);
}

/* The entry of the line's first word; NULL after reporting. */
static struct entry *
map_entry(struct map *m, struct str word, enum kind kind)
{
	static struct str (*const canonical[])(struct map *, struct str) = {
		[ADDRESS] = map_address, [DOMAIN] = map_domain, [LOGIN] = map_login,
	};
	struct users *u = m->users;
	struct str key = canonical[kind](m, word);
	uint32_t i;

	if (!key.len)
		return NULL;
	i = names_add(&u->key[kind], key);
	if (i < u->entry[kind].n) {
		map_error(m, map_place(m, word), NULL, "\"%.*s\" is there twice; first in line %u", SHOWN(word),
		          u->entry[kind].v[i].place.line);
		return NULL;
	}
	vec_push(&u->entry[kind], (struct entry){ .place = map_place(m, word) });
	return &u->entry[kind].v[i];
}

static void
map_line(struct map *m)
{
	struct str rest = m->line, word;
	struct entry *e, wrong = { 0 };
	enum kind kind;
	bool any = false;

	if (utf8_check(rest) >= 0) {
		map_error(m, map_place(m, str_sub(rest, (size_t)utf8_check(rest), (size_t)utf8_check(rest) + 1)), NULL, "is not UTF-8");
		return;
	}
	if (!map_word(&rest, &word) || word.s[0] == '#')
		return;
	kind = map_kind(word);
	e = map_entry(m, word, kind);
	if (!e)
		e = &wrong;
	while (map_word(&rest, &word) && word.s[0] != '#') {
		struct target t = { .place = map_place(m, word) };

		any = true;
		t.text = kind == DOMAIN ? map_domain(m, word) : map_target(m, word, &t.address);
		if (kind == DOMAIN && e->target.n == 1)
			map_error(m, t.place, NULL, "a domain is an alias of one other");
		else if (e->target.n >= LIMIT_USERS)
			map_error(m, t.place, NULL, "one name stands for more than %d users", LIMIT_USERS);
		else if (t.text.len)
			vec_push(&e->target, t);
	}
	if (!any && e != &wrong)
		map_error(m, e->place, NULL, "whose it is is missing");
	vec_done(&wrong.target);
}

/* --- what it all comes to */

/* From an alias domain to the one of which it is an alias. */
static bool
users_step(const struct users *u, struct str *domain, bool *listed)
{
	uint32_t i = names_find(&u->key[DOMAIN], *domain);

	if (i == NAMES_NONE || !u->entry[DOMAIN].v[i].target.n)
		return false;
	*domain = u->entry[DOMAIN].v[i].target.v[0].text;
	*listed = true;
	return true;
}

/* An alias of an alias of an alias... ends. */
static void
map_check_domains(struct map *m)
{
	const struct users *u = m->users;
	size_t i;

	for (i = 0; i < u->entry[DOMAIN].n; i++) {
		struct str domain = u->key[DOMAIN].v[i];
		unsigned steps = 0;
		uint32_t k;

		while ((k = names_find(&u->key[DOMAIN], domain)) != NAMES_NONE && u->entry[DOMAIN].v[k].target.n &&
		       steps++ <= LIMIT_USERS_CHAIN)
			domain = u->entry[DOMAIN].v[k].target.v[0].text;
		if (steps > LIMIT_USERS_CHAIN)
			map_error(m, u->entry[DOMAIN].v[i].place, NULL, "aliases of \"%.*s\" go in a circle, or over more than %d steps",
			          STR_ARG(u->key[DOMAIN].v[i]), LIMIT_USERS_CHAIN);
	}
}

/* With its detail, without; then the same in the domain that its own is an alias of, and so on: the number of the entry, or
 * NAMES_NONE.  *ret is the domain in which it was looked up last; *listed is set if that is not its own. */
static uint32_t
users_address(const struct users *u, struct arena *a, const struct canonical *c, struct str *ret, bool *listed)
{
	unsigned steps = 0;
	uint32_t i;

	*ret = c->domain;
	do {
		const struct str whole[] = { c->whole, STR("@"), *ret }, local[] = { c->local, STR("@"), *ret };

		i = names_find(&u->key[ADDRESS], arena_join(a, whole, 3));
		if (i == NAMES_NONE)
			i = names_find(&u->key[ADDRESS], arena_join(a, local, 3));
	} while (i == NAMES_NONE && steps++ < LIMIT_USERS_CHAIN && users_step(u, ret, listed));
	return i;
}

struct gathered {
	struct str *v;
	size_t n, cap;
};

static bool
gather(struct gathered *g, struct str user)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (str_eq(g->v[i], user))
			return true;
	if (g->n >= LIMIT_USERS)
		return false;
	vec_push(g, user);
	return true;
}

static void map_resolve(struct map *, struct entry *, struct str self, unsigned depth);

/* What one target comes to, added. */
static bool
map_follow(struct map *m, struct entry *from, const struct target *t, struct str self, unsigned depth, struct gathered *g)
{
	struct users *u = m->users;
	struct str domain, user;
	bool listed = false;
	uint32_t i = users_address(u, &u->arena, &t->address, &domain, &listed);
	const struct str own[] = { t->address.local, STR("@"), domain };
	struct entry *e;
	size_t k;

	user = i == NAMES_NONE ? arena_join(&u->arena, own, 3) : u->key[ADDRESS].v[i];
	if (i == NAMES_NONE || str_eq(user, self)) {    /* "alice alice": that is who she is */
		names_add(&u->user, user);
		return gather(g, user);
	}
	e = &u->entry[ADDRESS].v[i];
	if (e->state == FRESH && depth < LIMIT_USERS_CHAIN)
		map_resolve(m, e, user, depth + 1);
	if (e->state != RESOLVED || e->height >= LIMIT_USERS_CHAIN) {
		map_error(m, t->place, NULL, e->state == ON_THE_WAY ? "\"%.*s\" leads back to itself" :
		          "\"%.*s\" is reached over too many steps", SHOWN(t->text));
		return true;
	}
	if (from->height <= e->height)
		from->height = e->height + 1;
	for (k = 0; k < e->n; k++)
		if (!gather(g, e->user[k]))
			return false;
	return true;
}

static void
map_resolve(struct map *m, struct entry *e, struct str self, unsigned depth)
{
	struct gathered g = { 0 };
	struct str *copy;
	size_t i;

	e->state = ON_THE_WAY;
	e->height = 1;
	for (i = 0; i < e->target.n; i++)
		if (!map_follow(m, e, &e->target.v[i], self, depth, &g)) {
			map_error(m, e->target.v[i].place, NULL, "one name stands for more than %d users", LIMIT_USERS);
			break;
		}
	copy = ARENA_ARRAY(&m->users->arena, g.n, struct str);
	if (g.n)
		memcpy(copy, g.v, g.n * sizeof(*copy));
	e->user = copy;
	e->n = g.n;
	e->state = RESOLVED;
	vec_done(&g);
}

static void
map_resolve_all(struct map *m)
{
	struct users *u = m->users;
	size_t i;

	map_check_domains(m);
	for (i = 0; i < u->entry[ADDRESS].n; i++)
		if (u->entry[ADDRESS].v[i].state == FRESH)
			map_resolve(m, &u->entry[ADDRESS].v[i], u->key[ADDRESS].v[i], 1);
	for (i = 0; i < u->entry[LOGIN].n; i++)
		map_resolve(m, &u->entry[LOGIN].v[i], STR_EMPTY, 1);
}

static void
map_text(struct map *m, struct str rest)
{
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_sub(rest, 3, rest.len);
	while (rest.len) {
		const char *end = memchr(rest.s, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.s) : rest.len;

		m->line = str_sub(rest, 0, n);
		m->number++;
		map_line(m);
		rest = str_sub(rest, end ? n + 1 : n, rest.len);
	}
	map_resolve_all(m);
}

struct users *
users_load(const struct conf *conf, const char *path, struct diag *diag)
{
	struct users *u = mem_alloc(sizeof(*u));
	struct map m = { .conf = conf, .users = u, .diag = diag, .file = str_from(path) };
	struct buf text = { 0 };
	int error = 0;

	*u = (struct users){ 0 };
	if (file_read_soon(path, &text, LIMIT_USERS_SIZE) < 0) {
		error = errno;
		m.errors++;
		conf_report(conf, diag, "users", "an empty value is no map",
		            arena_printf(&u->arena, "\"%s\" of 'users': %s", path, file_why(error)).s);
	} else {
		diag_source(diag, m.file, path, buf_str(&text));
		map_text(&m, buf_str(&text));
		diag_source(diag, m.file, path, STR_EMPTY);
	}
	buf_done(&text);
	if (m.errors)
		u = users_free(u);
	errno = error;
	return u;
}

struct users *
users_free(struct users *u)
{
	size_t i, k;

	if (!u)
		return NULL;
	for (k = 0; k < KINDS; k++) {
		for (i = 0; i < u->entry[k].n; i++)
			vec_done(&u->entry[k].v[i].target);
		vec_done(&u->entry[k]);
		names_done(&u->key[k]);
	}
	names_done(&u->user);
	arena_done(&u->arena);
	free(u);
	return NULL;
}

/* --- questions */

bool
users_knows(const struct users *u, struct str user)
{
	return u && names_find(&u->user, user) != NAMES_NONE;
}

void
users_find(const struct users *u, struct arena *a, const struct canonical *c, struct users_found *ret)
{
	struct str *own = ARENA_NEW(a, struct str), domain = c->domain, parts[3] = { c->local, STR("@") };
	bool listed = false;
	uint32_t i = u ? users_address(u, a, c, &domain, &listed) : NAMES_NONE;

	if (i != NAMES_NONE) {
		*ret = (struct users_found){ u->entry[ADDRESS].v[i].user, u->entry[ADDRESS].v[i].n, true };
		return;
	}
	parts[2] = domain;
	*own = arena_join(a, parts, 3);
	*ret = (struct users_found){ own, 1, listed || users_knows(u, *own) };
}

struct str
users_real_domain(const struct users *u, struct str domain)
{
	unsigned steps = 0;
	bool listed;

	while (u && steps++ < LIMIT_USERS_CHAIN && users_step(u, &domain, &listed))
		continue;
	return domain;
}

bool
users_owns(const struct conf *conf, const struct users *u, struct str login, struct str address)
{
	struct users_found whose, of_login = { NULL, 0, false };
	uint32_t k = u ? names_find(&u->key[LOGIN], login) : NAMES_NONE;
	const struct entry *e = k == NAMES_NONE ? NULL : &u->entry[LOGIN].v[k];
	struct arena a = { 0 };
	struct canonical c;
	bool owns = false;
	size_t i;

	if (!canonical_address(conf, conf->mta == CONF_MTA_SENDMAIL, &a, address, &c)) {
		users_find(u, &a, &c, &whose);
		if (e)
			of_login = (struct users_found){ e->user, e->n, true };
		else if (!canonical_plain(conf, &a, login, &c))
			users_find(u, &a, &c, &of_login);
		for (i = 0; i < of_login.n && whose.n == 1; i++)
			owns |= (e || of_login.n == 1) && str_eq(of_login.user[i], whose.user[0]);
	}
	arena_done(&a);
	return owns;
}
