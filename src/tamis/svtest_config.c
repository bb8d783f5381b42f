/* svtest_config.c - the settings of a test suite
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/text.h"
#include "tamis/svtest.h"

enum {
	WORK_PER_SECOND = 10 * 1000 * 1000,     /* units; on a slow machine */
	CPU_SECONDS = 30,
	VARIABLE_SIZE = 4096
};

/* --- which settings are read when; a name ends at the end of its row's or goes on */

static const struct {
	const char *name, *extension;
} svtest_owners[] = {
	{ "recipient_delimiter", "subaddress" },
	{ "sieve_variables_", "variables" },
	{ "sieve_include_", "include" },
	{ "sieve_script", "include" },
	{ "sieve_vacation_", "vacation" },
	{ "sieve_notify_", "enotify" },
	{ "sieve_report_", "vnd.dovecot.report" },
	{ "sieve_editheader_", "editheader" },
	{ "sieve_environment/", "vnd.dovecot.environment" },
	{ "sieve_extlists_", "extlists" },
	{ "sieve_spamtest_", "spamtest" },
	{ "sieve_virustest_", "virustest" },
	{ "sieve_pipe_", "vnd.dovecot.pipe" },
	{ "sieve_filter_", "vnd.dovecot.filter" },
	{ "sieve_execute_", "vnd.dovecot.execute" },
};
enum { OWNERS = sizeof(svtest_owners) / sizeof(*svtest_owners) };

/* "": the engine itself */
static const char *
svtest_config_owner(struct str name)
{
	size_t i;

	for (i = 0; i < OWNERS; i++)
		if (str_starts(name, str_from(svtest_owners[i].name)))
			return svtest_owners[i].extension;
	return "";
}

static bool
svtest_config_is_extension(struct str name)
{
	struct tamis_word w;
	size_t i;

	for (i = 0; tamis_word(i, &w); i++)
		if (str_is(name, w.extension))
			return true;
	return false;
}

/* --- values */

/* "2s", "3k", "12": a number and what its last letter multiplies it by. */
static bool
svtest_config_number(struct str v, const char *letters, const unsigned *factors, uint64_t *ret)
{
	unsigned factor = 1;
	const char *at;

	v = str_trim(v);
	if (v.len && (at = strchr(letters, char_lower(v.s[v.len - 1]))) && *at) {
		factor = factors[at - letters];
		v.len--;
	}
	if (!str_number(str_trim(v), ret) || *ret > UINT64_MAX / factor)
		return false;
	*ret *= factor;
	return true;
}

static bool
svtest_config_seconds(struct str v, uint64_t *ret)
{
	static const unsigned factors[] = { 1, 60, 3600, 86400, 7 * 86400 };

	return svtest_config_number(v, "smhdw", factors, ret);
}

static bool
svtest_config_size(struct str v, uint64_t *ret)
{
	static const unsigned factors[] = { 1, 1 << 10, 1 << 20 };

	return svtest_config_number(v, "bkm", factors, ret);
}

/* --- settings that are limits of the engine */

static void
svtest_config_work(struct tamis_limits *l, uint64_t n)
{
	l->work = n && n < UINT64_MAX / WORK_PER_SECOND ? n * WORK_PER_SECOND : UINT64_MAX / 2;
}

static unsigned
svtest_config_unsigned(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (unsigned)n;
}

static void
svtest_config_value(struct tamis_limits *l, uint64_t n)
{
	l->variable_value = n;
}

static void
svtest_config_script(struct tamis_limits *l, uint64_t n)
{
	l->script_size = n ? n : SIZE_MAX / 2;
}

static void
svtest_config_includes(struct tamis_limits *l, uint64_t n)
{
	l->includes = svtest_config_unsigned(n);
}

static void
svtest_config_nesting(struct tamis_limits *l, uint64_t n)
{
	l->include_nesting = svtest_config_unsigned(n);
}

static void
svtest_config_actions(struct tamis_limits *l, uint64_t n)
{
	l->actions = n ? svtest_config_unsigned(n) : UINT32_MAX;
}

static void
svtest_config_redirects(struct tamis_limits *l, uint64_t n)
{
	l->redirects = svtest_config_unsigned(n);
}

static void
svtest_config_field(struct tamis_limits *l, uint64_t n)
{
	l->field_value = n;
}

static const struct {
	const char *name;
	bool (*read)(struct str, uint64_t *);
	void (*limit)(struct tamis_limits *, uint64_t);
} svtest_limits[] = {
	{ "sieve_max_cpu_time", svtest_config_seconds, svtest_config_work },
	{ "sieve_max_script_size", svtest_config_size, svtest_config_script },
	{ "sieve_max_actions", svtest_config_size, svtest_config_actions },
	{ "sieve_max_redirects", svtest_config_size, svtest_config_redirects },
	{ "sieve_variables_max_variable_size", svtest_config_size, svtest_config_value },
	{ "sieve_variables_max_value_size", svtest_config_size, svtest_config_value },
	{ "sieve_editheader_max_header_size", svtest_config_size, svtest_config_field },
	{ "sieve_include_max_includes", svtest_config_size, svtest_config_includes },
	{ "sieve_include_max_nesting_depth", svtest_config_size, svtest_config_nesting },
};
enum { LIMITS = sizeof(svtest_limits) / sizeof(*svtest_limits) };

void
svtest_config_limits(const struct svtest *t, struct tamis_limits *l)
{
	struct str value;
	uint64_t n;
	size_t i;

	*l = tamis_limits_default;
	l->work = (uint64_t)CPU_SECONDS * WORK_PER_SECOND;
	l->variable_value = VARIABLE_SIZE;
	for (i = 0; i < LIMITS; i++)
		if (svtest_config_get(t, svtest_limits[i].name, &value) && svtest_limits[i].read(value, &n))
			svtest_limits[i].limit(l, n);
}

/* --- wanted, and in force */

static struct svtest_setting *
svtest_config_find(struct svtest_setting *v, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(v[i].name, name))
			return &v[i];
	return NULL;
}

bool
svtest_config_get(const struct svtest *t, const char *name, struct str *ret)
{
	const struct svtest_setting *s = svtest_config_find(t->config.v, t->config.n, str_from(name));

	if (!s || !s->set)
		return false;
	*ret = s->value;
	return true;
}

/* --- fields that rules may not edit: a list of elements, each with settings of its own */

static bool
svtest_config_yes(const struct svtest *t, struct str element, const char *what, struct str *ret)
{
	struct buf name = { 0 };
	bool found;

	buf_printf(&name, "sieve_editheader_header/%.*s/%s", STR_ARG(element), what);
	found = svtest_config_get(t, buf_str(&name).s, ret);
	buf_done(&name);
	return found;
}

struct str
svtest_config_protected(struct svtest *t, const char *what)
{
	struct str elements = STR_EMPTY, *element, value, field, list;
	struct buf b = { 0 };
	size_t i, n;

	svtest_config_get(t, "sieve_editheader_header", &elements);
	n = arena_words(&t->arena, &elements, 1, &element);
	for (i = 0; i < n; i++) {
		if (!svtest_config_yes(t, element[i], what, &value) || !str_iis(str_trim(value), "yes"))
			continue;
		if (!svtest_config_yes(t, element[i], "name", &field))
			field = element[i];
		buf_printf(&b, "%.*s ", STR_ARG(str_trim(field)));
	}
	list = buf_copy(&b, &t->arena);
	buf_done(&b);
	return list;
}

void
svtest_config_set(struct svtest *t, struct str name, struct str value, bool set)
{
	struct svtest_setting *s = svtest_config_find(t->setting.v, t->setting.n, name);

	if (!s) {
		vec_push(&t->setting, (struct svtest_setting){ .name = svtest_host_keep(t, name) });
		s = &t->setting.v[t->setting.n - 1];
	}
	s->value = svtest_host_keep(t, value);
	s->set = set;
}

/* NULL, or what is wrong with a value that is a number. */
static const char *
svtest_config_wrong(struct svtest *t, const struct svtest_setting *s)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < LIMITS; i++)
		if (s->set && str_is(s->name, svtest_limits[i].name) && !svtest_limits[i].read(s->value, &n))
			return arena_printf(&t->arena, "setting '%.*s' has an invalid value: %.*s", STR_ARG(s->name),
			                    STR_ARG(s->value)).s;
	return NULL;
}

const char *
svtest_config_reload(struct svtest *t, struct str extension)
{
	struct svtest_setting *s, *old;
	const char *wrong = NULL;
	size_t i;

	if (extension.len && !svtest_config_is_extension(extension))
		return arena_printf(&t->arena, "there is no extension '%.*s'", STR_ARG(extension)).s;
	for (i = 0; i < t->setting.n && !wrong; i++) {
		s = &t->setting.v[i];
		if (!str_is(extension, svtest_config_owner(s->name)))
			continue;
		wrong = svtest_config_wrong(t, s);
		old = svtest_config_find(t->config.v, t->config.n, s->name);
		if (wrong)
			break;
		if (old)
			*old = *s;
		else
			vec_push(&t->config, *s);
	}
	svtest_config_limits(t, &t->session.rules.limits);
	t->limits.variable_value = t->session.rules.limits.variable_value;
	t->limits.field_value = t->session.rules.limits.field_value;
	t->nconfig++;
	return wrong;
}

void
svtest_config_done(struct svtest *t)
{
	vec_done(&t->setting);
	vec_done(&t->config);
}
