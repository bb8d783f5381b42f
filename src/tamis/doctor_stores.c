/* doctor_stores.c - traps in the mail store's own configuration: rules that it runs as well
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>

#include "host/file.h"
#include "tamis/doctor.h"

enum { CONFIGURATION_MAX = 1 << 20 };   /* bytes of an imapd.conf */

static bool
is_below(struct str path, struct str directory)
{
	return directory.len && str_starts(path, directory) && (path.len == directory.len || path.s[directory.len] == '/');
}

/* Is it the file, or the directory that it is in? */
static bool
holds(struct str path, const char *file)
{
	struct str directory = { file, (size_t)(strrchr(file, '/') - file) };

	return str_is(path, file) || str_eq(path, directory);
}

/* Is the path, as the store writes it, one of rules that we run?  In homes it may be: "~/rules.sieve", for "%u/rules.sieve". */
static enum doctor_level
look_path(const struct doctor *d, struct str path)
{
	const struct conf *c = d->conf;
	const struct conf_list *lists[] = { &c->site_before, &c->site_after };
	struct str file = str_from(c->rules_file), home = str_sub(path, 1, path.len);

	if (path.s[0] == '~')
		return *c->rules_dir && file.len >= home.len && str_eq(str_sub(file, file.len - home.len, file.len), home) ?
		       DOCTOR_WARNING : DOCTOR_FINE;
	if (is_below(path, str_from(c->rules_dir)))
		return DOCTOR_ERROR;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			if (holds(path, lists[k]->v[i]))
				return DOCTOR_ERROR;
	return DOCTOR_FINE;
}

/* The worst of the paths in "file:~/sieve;active=~/.dovecot.sieve" */
static enum doctor_level
look_value(const struct doctor *d, struct str value)
{
	enum doctor_level worst = DOCTOR_FINE;

	while (value.len) {
		size_t n = 0;
		struct str path;

		while (n < value.len && !strchr(":;=, \t", value.s[n]))
			n++;
		path = str_sub(value, 0, n);
		if (path.len > 1 && path.s[path.len - 1] == '/')
			path.len--;
		if (str_starts(path, STR("/")) || str_starts(path, STR("~/"))) {
			enum doctor_level level = look_path(d, path);

			worst = level > worst ? level : worst;
		}
		value = str_sub(value, n + (n < value.len), value.len);
	}
	return worst;
}

/* "name = value" or "name: value": each is given to is_it(), which says whether it names scripts that are run. */
static enum doctor_level
look_lines(const struct doctor *d, struct str text, char equals, bool (*is_it)(struct str name, bool *in_script), struct str *ret)
{
	enum doctor_level worst = DOCTOR_FINE, level;
	bool in_script = false;

	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len), *eq;
		struct str line = str_trim(str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len));

		text = str_sub(text, stop ? (size_t)(stop - text.s) + 1 : text.len, text.len);
		eq = memchr(line.s, equals, line.len);
		if (!is_it(str_trim(str_sub(line, 0, eq ? (size_t)(eq - line.s) : line.len)), &in_script) || !eq)
			continue;
		level = look_value(d, str_sub(line, (size_t)(eq + 1 - line.s), line.len));
		if (level > worst)
			*ret = line;
		worst = level > worst ? level : worst;
	}
	return worst;
}

/* Of 2.3 "sieve", "sieve_before2" and their like, of 2.4 the paths of a block "sieve_script".  What may be included is not run. */
static bool
is_dovecot(struct str name, bool *in_script)
{
	if (str_starts(name, STR("sieve_script ")) && name.s[name.len - 1] == '{')
		*in_script = true;
	else if (str_is(name, "}"))
		*in_script = false;
	if (*in_script)
		return str_is(name, "path") || str_is(name, "active_path");
	return str_starts(name, STR("sieve")) && !str_starts(name, STR("sieve_global"));
}

static enum doctor_level
look_dovecot(const struct doctor *d, struct str *ret)
{
	/* it has much to say of other things */
	const char *argv[] = { "sh", "-c", "exec doveconf -n ${1:+-c \"$1\"} 2>/dev/null", "sh", d->dovecot, NULL };
	struct buf b = { 0 };
	bool asked = doctor_run(argv, &b);
	struct str text = buf_copy(&b, d->arena);

	buf_done(&b);
	if (asked)
		return look_lines(d, text, '=', is_dovecot, ret);
	if (!d->dovecot)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "doveconf -c %s does not answer: nothing is known of its rules", d->dovecot);
	return DOCTOR_WARNING;
}

static bool
is_cyrus(struct str name, bool *in_script)
{
	(void)in_script;
	return str_is(name, "sievedir");
}

static enum doctor_level
look_cyrus(const struct doctor *d, struct str *ret)
{
	struct buf b = { 0 };
	const char *path = d->cyrus ? d->cyrus : "/etc/imapd.conf";
	int error = file_read(AT_FDCWD, path, &b, CONFIGURATION_MAX) < 0 ? errno : 0;
	struct str text = buf_copy(&b, d->arena);

	buf_done(&b);
	if (!error)
		return look_lines(d, text, ':', is_cyrus, ret);
	if (!d->cyrus && error == ENOENT)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%s: %s: nothing is known of its rules", path, strerror(error));
	return error == EACCES ? DOCTOR_DENIED : DOCTOR_WARNING;
}

const struct doctor_trap doctor_stores[] = {
	{ "Dovecot", look_dovecot, "tamis must have rules of its own: what Dovecot runs as well is done twice, and "
	  "redirects are sent twice" },
	{ "Cyrus", look_cyrus, "tamis must have rules of its own: what Cyrus runs as well is done twice, and "
	  "redirects are sent twice" },
	{ NULL, NULL, NULL }
};
