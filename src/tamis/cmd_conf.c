/* cmd_conf.c - tamis conf: what the daemon's configuration comes to
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "host/conf.h"
#include "host/file.h"
#include "host/json.h"
#include "tamis/session.h"

enum { ORIGIN_COLUMN = 40, WIDTH = 78 };

struct conf_settings {
	const char *file;
	bool defaults, changed, explain;
};

static const struct cmd_option conf_rows[] = {
	{ 'c', OPTION_TEXT, "config", "FILE", "the configuration (default: tamis.conf in the system's directory)", offsetof(struct conf_settings, file), 0 },
	{ 'd', OPTION_FLAG, "defaults", NULL, "read no file: what holds without one", offsetof(struct conf_settings, defaults), 0 },
	{ 'C', OPTION_FLAG, "changed", NULL, "only what the file sets", offsetof(struct conf_settings, changed), 0 },
	{ 'x', OPTION_FLAG, "explain", NULL, "with a comment on each setting: what it does, what it may be", offsetof(struct conf_settings, explain), 0 },
	{ 0 }
};
static const struct option_group conf_options = { "configuration", conf_rows, true };

/* "NAME = VALUE    # FILE:LINE" */
static void
cmd_conf_line(const struct conf *c, const char *name, struct str value, unsigned line)
{
	int n = printf("%s = %.*s", name, STR_ARG(value));

	printf("%*s  # ", n < ORIGIN_COLUMN ? ORIGIN_COLUMN - n : 0, "");
	if (line)
		printf("%s:%u\n", conf_path(c), line);
	else
		puts("default");
}

/* Words as a comment, broken at blanks. */
static void
cmd_conf_comment(struct str text)
{
	size_t at = 0;

	putchar('#');
	while (text.len) {
		ptrdiff_t blank = str_find(text, STR(" "));
		size_t n = blank < 0 ? text.len : (size_t)blank;

		if (at + n + 2 > WIDTH) {
			fputs("\n#", stdout);
			at = 0;
		}
		printf(" %.*s", (int)n, text.s);
		at += n + 1;
		text = str_sub(text, blank < 0 ? n : n + 1, text.len);
	}
	putchar('\n');
}

static void
cmd_conf_explain(const struct conf_setting *s, struct arena *a)
{
	const char *kind = s->choices ? s->choices : s->type;

	putchar('\n');
	cmd_conf_comment(str_from(s->help));
	cmd_conf_comment(arena_printf(a, "%s%s%.*s; default: %s%s", kind, s->range.len ? ", " : "", STR_ARG(s->range),
	                              s->standard.len ? s->standard.s : "empty", s->sections ? "; also in sections" : ""));
}

static void
cmd_conf_origin(const struct conf *c, json_t *o, unsigned line)
{
	if (line) {
		json_put(o, "file", json_text(str_from(conf_path(c))));
		json_put(o, "line", json_integer(line));
	}
}

static void
cmd_conf_json(const struct conf *c, const struct conf_setting *s)
{
	json_t *o = json_object();

	json_put(o, "name", json_text(str_from(s->name)));
	json_put(o, "value", json_text(s->value));
	json_put(o, "default", json_text(s->standard));
	cmd_conf_origin(c, o, s->line);
	json_put(o, "type", json_text(str_from(s->type)));
	if (s->choices)
		json_put(o, "choices", json_text(str_from(s->choices)));
	if (s->range.len)
		json_put(o, "range", json_text(s->range));
	if (s->sections)
		json_put(o, "sections", json_true());
	json_put(o, "help", json_text(str_from(s->help)));
	json_line(stdout, o);
}

static bool
cmd_conf_asked(struct texts names, const char *name)
{
	size_t i;

	for (i = 0; i < names.n && strcmp(names.v[i], name); i++)
		;
	return !names.n || i < names.n;
}

static void
cmd_conf_sections(const struct conf *c, struct texts names, bool json, struct arena *a)
{
	struct str section = STR_EMPTY;
	struct conf_scoped s;
	size_t i;

	for (i = 0; conf_scoped(c, i, a, &s); i++) {
		if (!cmd_conf_asked(names, s.name))
			continue;
		if (json) {
			json_t *o = json_object();

			json_put(o, "section", json_text(s.section));
			json_put(o, "name", json_text(str_from(s.name)));
			json_put(o, "value", json_text(str_from(s.value)));
			cmd_conf_origin(c, o, s.line);
			json_line(stdout, o);
			continue;
		}
		if (!str_eq(section, s.section))
			printf("\n[%.*s]\n", STR_ARG(s.section));
		section = s.section;
		cmd_conf_line(c, s.name, str_from(s.value), s.line);
	}
}

/* Is each of the names a setting's? */
static int
cmd_conf_names(const struct conf *c, struct texts names, struct arena *a)
{
	struct conf_setting s;
	const char *meant;
	size_t i, k;

	for (i = 0; i < names.n; i++) {
		for (k = 0; conf_setting(c, k, a, &s) && strcmp(names.v[i], s.name); k++)
			;
		if (conf_setting(c, k, a, &s))
			continue;
		meant = cmd_meant(str_from(names.v[i]), conf_name);
		if (meant)
			return cmd_usage(&cmd_conf, "unknown setting \"%s\"; did you mean \"%s\"?", names.v[i], meant);
		return cmd_usage(&cmd_conf, "unknown setting \"%s\"", names.v[i]);
	}
	return CMD_FINE;
}

static void
cmd_conf_print(const struct conf *c, const struct conf_settings *own, struct texts names, bool json)
{
	struct conf_setting s;
	struct arena a = { 0 };
	size_t i;

	for (i = 0; conf_setting(c, i, &a, &s); i++) {
		if (!cmd_conf_asked(names, s.name) || (own->changed && !s.line))
			continue;
		if (json) {
			cmd_conf_json(c, &s);
			continue;
		}
		if (own->explain)
			cmd_conf_explain(&s, &a);
		cmd_conf_line(c, s.name, s.value, s.line);
	}
	cmd_conf_sections(c, names, json, &a);
	arena_done(&a);
}

static int
cmd_conf_run(const struct settings *set, void *own, struct texts operands)
{
	const struct conf_settings *settings = own;
	const char *path = settings->defaults ? "" : settings->file ? settings->file : conf_standard_path();
	struct conf *c = NULL;
	struct arena a = { 0 };
	struct session s;
	int rc = session_init(&s, &cmd_conf, set), error;

	if (settings->defaults && settings->file)
		rc = cmd_usage(&cmd_conf, "--defaults reads no file, --config does");
	if (!rc) {
		if (set->json) {
			s.diag.out = stdout;
			s.diag.form = DIAG_JSON;
		}
		c = conf_load(path, &s.diag);
		error = errno;
		if (!c)
			rc = !error ? CMD_WRONG : file_may_pass(error) ? CMD_AGAIN : CMD_USAGE;
		else
			rc = cmd_conf_names(c, operands, &a);
		if (!rc)
			cmd_conf_print(c, settings, operands, set->json);
		if (!set->quiet && !set->json && s.diag.errors + s.diag.warnings > 1)
			fprintf(stderr, "tamis: %u error%s, %u warning%s\n", s.diag.errors, s.diag.errors == 1 ? "" : "s",
			        s.diag.warnings, s.diag.warnings == 1 ? "" : "s");
	}
	arena_done(&a);
	conf_unref(c);
	session_done(&s);
	return rc;
}

const struct cmd cmd_conf = {
	.name = "conf",
	.usage = "[OPTION...] [NAME...]",
	.summary = "check tamis.conf, show what holds and where it is set",
	.help =
	"Everything that is wrong with the file is shown at once.  If nothing is, every\n"
	"setting is printed as it would stand in the file, with the line that set it; or\n"
	"those of the names given.  tamis.conf(5) tells what they mean.",
	.groups = { &conf_options, &options_output, &options_general },
	.own_size = sizeof(struct conf_settings),
	.run = cmd_conf_run,
};
