/* conf.c - tamis.conf: what the daemon was told
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "host/conf_value.h"
#include "host/diag.h"
#include "host/file.h"
#include "host/text.h"
#include "host/users.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

const char *
conf_standard_path(void)
{
	return SYSCONFDIR "/tamis/tamis.conf";
}

static struct conf *
conf_new(void)
{
	struct conf *c = mem_alloc(sizeof(*c));
	struct conf_private *p = mem_alloc(sizeof(*p));

	*p = (struct conf_private){ .path = "" };
	atomic_init(&p->count, 1);
	p->place = arena_zalloc(&p->arena, conf_table_size() * sizeof(*p->place));
	*c = (struct conf){ .limits = tamis_limits_default, .private = p };
	return c;
}

struct conf *
conf_ref(struct conf *c)
{
	atomic_fetch_add(&c->private->count, 1);
	return c;
}

struct conf *
conf_unref(struct conf *c)
{
	struct conf_private *p;

	if (!c || atomic_fetch_sub(&c->private->count, 1) > 1)
		return NULL;
	p = c->private;
	vec_done(&p->block);
	vec_done(&p->scope);
	names_done(&p->key);
	names_done(&p->domain);
	users_free(p->users);
	arena_done(&p->arena);
	free(p);
	free(c);
	return NULL;
}

/* What is looked up often, in the form for that. */
static void
conf_prepare(struct conf *c)
{
	struct conf_block block;
	size_t i;

	for (i = 0; i < c->own_clients.n; i++)
		if (!conf_client_parse(str_from(c->own_clients.v[i]), &block))
			vec_push(&c->private->block, block);
	for (i = 0; i < c->local_domains.n; i++) {
		struct str domain = arena_lower(&c->private->arena, str_from(c->local_domains.v[i]));

		c->local_domains.v[i] = domain.s;
		names_add(&c->private->domain, domain);
	}
}

/* 0, or errno */
static int
conf_open(struct conf_read *r, const char *path, struct buf *text)
{
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR, .place = { .file = text_of(r->file) } };
	int error;

	if (!file_read_soon(path, text, LIMIT_CONF_SIZE)) {
		r->text = buf_str(text);
		diag_source(r->diag, r->file, r->file.s, r->text);
		return 0;
	}
	error = errno;
	d.text = file_why(error);
	if (error == ENOENT)
		d.hint = "-c FILE names another; \"tamis conf -d\" prints one to begin with";
	else if (error == EACCES)
		d.hint = "root may read it (sudo); who else asks needs the right to, and to enter the directories above it";
	diag_report(r->diag, &d);
	return error;
}

/* Can the users map be read as it is meant? */
static bool
conf_can_read_users(const struct conf_read *r)
{
	static const char *const needs[] = { "users", "localpart_case", "recipient_delimiter" };
	struct conf_row row;
	struct arena a = { 0 };
	bool can = *r->conf->users;
	size_t i, k;

	for (i = 0; conf_table_row(i, &a, &row); i++)
		for (k = 0; k < sizeof(needs) / sizeof(*needs); k++)
			can &= !r->wrong[i] || strcmp(row.name, needs[k]) != 0;
	arena_done(&a);
	return can;
}

struct conf *
conf_try(const char *path, struct diag *diag, bool *ret_wrong)
{
	struct conf *c = conf_new();
	struct conf_read r = { .conf = c, .diag = diag };
	struct buf text = { 0 };
	int error = 0;

	r.file = arena_str(&c->private->arena, str_from(strcmp(path, "-") ? path : "stdin"));
	c->private->path = r.file.s;
	r.wrong = arena_zalloc(&c->private->arena, conf_table_size() * sizeof(*r.wrong));
	conf_read_standards(&r);
	if (*path)
		error = conf_open(&r, path, &text);
	if (!error && *path) {
		conf_read_text(&r);
		conf_prepare(c);
		conf_check(&r);
		if (conf_can_read_users(&r)) {
			c->private->users = users_load(c, c->users, diag);
			error = errno;
		}
		if (!r.errors && !error && (!*c->users || c->private->users))
			conf_check_scopes(&r);
		diag_source(diag, r.file, r.file.s, STR_EMPTY);
	}
	buf_done(&text);
	*ret_wrong = error || r.errors || (c->users[0] && !c->private->users);
	errno = error;
	return c;
}

struct conf *
conf_load(const char *path, struct diag *diag)
{
	bool wrong;
	struct conf *c = conf_try(path, diag, &wrong);
	int error = errno;

	if (wrong)
		c = conf_unref(c);
	errno = error;
	return c;
}

static const struct conf_scope *
conf_scope(const struct conf *c, enum conf_scope_kind kind, struct str name)
{
	const struct conf_private *p = c->private;
	struct buf key = { 0 };
	uint32_t number;

	if (!p->scope.n || !name.len)
		return NULL;
	buf_putc(&key, conf_scope_names[kind][0]);
	buf_add(&key, name);
	number = names_find(&p->key, buf_str(&key));
	buf_done(&key);
	return number == NAMES_NONE ? NULL : &p->scope.v[number];
}

enum conf_effect
conf_effect_for(const struct conf *c, struct str user, struct str domain, struct str rules)
{
	const struct {
		enum conf_scope_kind kind;
		struct str name;
	} order[] = { { CONF_SCOPE_RULES, rules }, { CONF_SCOPE_USER, user }, { CONF_SCOPE_DOMAIN, domain } };
	size_t i;

	for (i = 0; i < CONF_SCOPES; i++) {
		const struct conf_scope *s = conf_scope(c, order[i].kind, order[i].name);

		if (s && s->set[CONF_SCOPED_EFFECT].line)
			return (enum conf_effect)s->value[CONF_SCOPED_EFFECT];
	}
	return c->effect;
}

bool
conf_own_client(const struct conf *c, struct str ip)
{
	uint8_t address[16];
	size_t i;

	if (!c->private->block.n || !conf_client_address(ip, address))
		return false;
	for (i = 0; i < c->private->block.n; i++)
		if (conf_client_in(&c->private->block.v[i], address))
			return true;
	return false;
}

const struct users *
conf_users(const struct conf *c)
{
	return c->private->users;
}

bool
conf_local_domain(const struct conf *c, struct str domain)
{
	return names_find(&c->private->domain, domain) != NAMES_NONE;
}

bool
conf_copies_to_store(const struct conf *c)
{
	return str_starts(str_from(c->copy_to), STR("lmtp:"));
}

/* --- for those who show it */

const char *
conf_path(const struct conf *c)
{
	return c->private->path;
}

void
conf_report(const struct conf *c, struct diag *diag, const char *name, const char *hint, const char *text)
{
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR, .place.file = text_from(c->private->path), .text = text, .hint = hint };
	struct conf_place place = { 0 };
	struct conf_row row;
	struct arena a = { 0 };

	for (size_t i = 0; conf_table_row(i, &a, &row); i++)
		if (!strcmp(row.name, name))
			place = c->private->place[i];
	arena_done(&a);
	d.place.line = place.line;
	d.place.column = place.column;
	d.place.length = place.length;
	diag_report(diag, &d);
}

const char *
conf_name(size_t i)
{
	struct conf_row row;
	struct arena a = { 0 };

	/* names of limits are made up; who asks for suggestions finds the others */
	if (!conf_table_row(i, &a, &row) || row.type == CONF_LIMIT) {
		arena_done(&a);
		return NULL;
	}
	return row.name;
}

bool
conf_setting(const struct conf *c, size_t i, struct arena *a, struct conf_setting *ret)
{
	struct conf_row row;
	struct buf standard = { 0 };

	if (!conf_table_row(i, a, &row))
		return false;
	conf_value_quote(&standard, str_from(row.standard), false);
	*ret = (struct conf_setting){
		.name = row.name,
		.type = conf_table_type(row.type),
		.choices = row.choices,
		.help = row.help,
		.value = conf_value_show(c, &row, a),
		.standard = buf_copy(&standard, a),
		.range = conf_value_range(&row, a),
		.sections = row.scoped,
		.line = c->private->place[i].line,
	};
	buf_done(&standard);
	return true;
}

bool
conf_scoped(const struct conf *c, size_t i, struct arena *a, struct conf_scoped *ret)
{
	const struct conf_private *p = c->private;
	struct conf_row row;
	struct str value = STR_EMPTY;
	size_t k, at = 0, r;
	unsigned n;

	for (k = 0; k < p->scope.n; k++)
		for (n = 0; n < CONF_SCOPED; n++)
			if (p->scope.v[k].set[n].line && at++ == i) {
				for (r = 0; conf_table_row(r, a, &row) && row.scoped != n + 1; r++)
					;
				conf_table_choice(row.choices, p->scope.v[k].value[n], &value);
				*ret = (struct conf_scoped){
					.section = arena_printf(a, "%s %.*s", conf_scope_names[p->scope.v[k].kind], STR_ARG(p->scope.v[k].name)),
					.name = row.name,
					.value = arena_str(a, value).s,
					.line = p->scope.v[k].set[n].line,
				};
				return true;
			}
	return false;
}
