/* option.c - the options of all commands, parsed and explained by tables
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "tamis/cmd.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 78 };

#define AT(field) offsetof(struct settings, field)

static const struct cmd_option scripts_rows[] = {
	{ 'r', OPTION_LIST, "rules", "FILE", "rules to run; several run in the order given: site rules before, the user's, site rules after", AT(rules), 0 },
	{ 0 }
};
const struct option_group options_scripts = { "rules", scripts_rows, false };

static const struct cmd_option rules_rows[] = {
	{ 'g', OPTION_TEXT, "global", "DIR", "where \"include :global\" looks", AT(global), 0 },
	{ 0, OPTION_LIST, "allow", "EXTENSION", "allow this extension, and only those named so", AT(allow), 0 },
	{ 0, OPTION_LIST, "deny", "EXTENSION", "treat this extension as unknown", AT(deny), 0 },
	{ 'l', OPTION_LIST, "limit", "NAME=VALUE", "set a limit (\"--limit help\" lists them)", AT(limits), 0 },
	{ 0, OPTION_FLAG, "no-index", NULL, "compile without the index over tests; the outcome is the same", AT(no_index), 0 },
	{ 0 }
};
const struct option_group options_rules = { "compilation", rules_rows, false };

static const struct cmd_option messages_rows[] = {
	{ 'f', OPTION_TEXT, "envelope-from", "ADDRESS", "envelope sender (default: Return-Path, else Sender, else From)", AT(from), 0 },
	{ 't', OPTION_TEXT, "envelope-to", "ADDRESS", "envelope recipient (default: Delivered-To, else X-Original-To, else To)", AT(to), 0 },
	{ 'n', OPTION_TEXT, "now", "TIME", "the time to assume: RFC 3339, or seconds since 1970", AT(now), 0 },
	{ 's', OPTION_CHOICE, "stage", "envelope|header|body", "what is known of the message (default: body, all of it)", AT(stage), 0 },
	{ 'e', OPTION_LIST, "env", "NAME=VALUE", "an environment item, such as remote-ip, or another part of the envelope: auth, orig_to", AT(env), 0 },
	{ 0 }
};
const struct option_group options_messages = { "messages", messages_rows, false };

static const struct cmd_option output_rows[] = {
	{ 'j', OPTION_FLAG, "json", NULL, "print JSON, one object a line", AT(json), 0 },
	{ 'q', OPTION_FLAG, "quiet", NULL, "print no warnings, no progress and no totals", AT(quiet), 0 },
	{ 0, OPTION_CHOICE, "color", "auto|always|never", "color diagnostics (default: on a terminal, unless NO_COLOR is set)", AT(color), 2 },
	{ 0, OPTION_FLAG, "no-color", NULL, "the same as --color=never", AT(no_color), 0 },
	{ 0 }
};
const struct option_group options_output = { "output", output_rows, false };
/* of a command that has no JSON to print */
const struct option_group options_text = { "output", output_rows + 1, false };

static const struct cmd_option general_rows[] = {
	{ 'h', OPTION_FLAG, "help", NULL, "print this help", AT(help), 0 },
	{ 0 }
};
const struct option_group options_general = { "general", general_rows, false };

/* What a walk over all options of a command stands at. */
struct option_at {
	const struct cmd_option *option;
	void *value;
};

static struct option_at
option_place(const struct option_group *g, const struct cmd_option *o, struct settings *set, void *own)
{
	return (struct option_at){ o, (g->own ? (char *)own : (char *)set) + o->offset };
}

/* By long name, or by letter if there is one. */
static struct option_at
option_find(const struct cmd *c, struct str name, char letter, struct settings *set, void *own)
{
	const struct cmd_option *o;
	size_t i;

	for (i = 0; i < CMD_GROUPS && c->groups[i]; i++)
		for (o = c->groups[i]->options; o->name; o++)
			if (letter ? o->letter == letter : str_is(name, o->name))
				return option_place(c->groups[i], o, set, own);
	return (struct option_at){ NULL, NULL };
}

static const char *
option_meant(const struct cmd *c, struct str name)
{
	const struct cmd_option *o;
	const char *best = NULL;
	unsigned distance, least = 3;
	size_t i;

	for (i = 0; i < CMD_GROUPS && c->groups[i]; i++) {
		for (o = c->groups[i]->options; o->name; o++) {
			distance = str_distance(name, str_from(o->name), least);
			if (name.len > 1 && str_starts(str_from(o->name), name))
				distance = 1;
			if (distance < least) {
				least = distance;
				best = o->name;
			}
		}
	}
	return best;
}

/* 1 + the index of v in "a|b|c", or 0. */
static unsigned
option_choice(const char *choices, const char *v)
{
	struct str rest = str_from(choices);
	unsigned i = 1;
	ptrdiff_t bar;

	for (;; i++) {
		bar = str_find(rest, STR("|"));
		if (str_is(bar < 0 ? rest : str_sub(rest, 0, (size_t)bar), v))
			return i;
		if (bar < 0)
			return 0;
		rest = str_sub(rest, (size_t)bar + 1, rest.len);
	}
}

static bool
option_takes(const struct cmd_option *o)
{
	return o->kind >= OPTION_NUMBER && !o->bare;
}

/* v is NULL when none was given. */
static int
option_set(const struct cmd *c, struct option_at at, const char *v)
{
	const struct cmd_option *o = at.option;
	uint64_t number;
	unsigned choice;

	if (v && o->kind < OPTION_NUMBER)
		return cmd_usage(c, "option \"--%s\" takes no value", o->name);
	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)at.value = true;
		break;
	case OPTION_COUNT:
		++*(unsigned *)at.value;
		break;
	case OPTION_NUMBER:
		if (!v || !str_number(str_from(v), &number))
			return cmd_usage(c, "value \"%s\" of \"--%s\" is not a number", v ? v : "", o->name);
		*(uint64_t *)at.value = number;
		break;
	case OPTION_TEXT:
		*(const char **)at.value = v;
		break;
	case OPTION_LIST:
		vec_push((struct texts *)at.value, v);
		break;
	case OPTION_CHOICE:
		choice = v ? option_choice(o->arg, v) : o->bare;
		if (!choice)
			return cmd_usage(c, "value \"%s\" of \"--%s\" is none of %s", v, o->name, o->arg);
		*(unsigned *)at.value = choice;
		break;
	}
	return 0;
}

/* argv[*i] is "--name" or "--name=value". */
static int
option_long(const struct cmd *c, int argc, char **argv, int *i, struct settings *set, void *own)
{
	struct str name = str_from(argv[*i] + 2);
	ptrdiff_t eq = str_find(name, STR("="));
	const char *v = NULL, *meant;
	struct option_at at;

	if (eq >= 0) {
		v = name.s + eq + 1;
		name = str_sub(name, 0, (size_t)eq);
	}
	at = option_find(c, name, 0, set, own);
	if (!at.option) {
		meant = option_meant(c, name);
		if (meant)
			return cmd_usage(c, "unknown option \"--%.*s\"; did you mean \"--%s\"?", STR_ARG(name), meant);
		return cmd_usage(c, "unknown option \"--%.*s\"", STR_ARG(name));
	}
	if (!v && option_takes(at.option)) {
		if (*i + 1 >= argc)
			return cmd_usage(c, "option \"--%s\" needs %s", at.option->name, at.option->arg);
		v = argv[++*i];
	}
	return option_set(c, at, v);
}

/* argv[*i] is "-abc", "-ovalue", or "-o" with the value behind it. */
static int
option_letters(const struct cmd *c, int argc, char **argv, int *i, struct settings *set, void *own)
{
	const char *p = argv[*i] + 1, *v = NULL;
	struct option_at at;
	int rc;

	for (; *p; p++) {
		at = option_find(c, STR_EMPTY, *p, set, own);
		if (!at.option)
			return cmd_usage(c, "unknown option \"-%c\"", *p);
		if (option_takes(at.option)) {
			if (p[1])
				v = p + 1;
			else if (*i + 1 < argc)
				v = argv[++*i];
			else
				return cmd_usage(c, "option \"-%c\" needs %s", *p, at.option->arg);
			return option_set(c, at, v);
		}
		rc = option_set(c, at, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

int
option_parse(const struct cmd *c, int argc, char **argv, struct settings *set, void *own, struct texts *operands)
{
	bool options = true;
	int i, rc;

	for (i = 0; i < argc; i++) {
		const char *a = argv[i];

		rc = 0;
		if (!options || a[0] != '-' || !a[1])
			vec_push(operands, a);
		else if (!strcmp(a, "--"))
			options = false;
		else if (a[1] == '-')
			rc = option_long(c, argc, argv, &i, set, own);
		else
			rc = option_letters(c, argc, argv, &i, set, own);
		if (rc)
			return rc;
	}
	return 0;
}

/* The help text in words, broken at blanks, behind its option. */
static void
option_words(const char *help, size_t column)
{
	size_t at = column;

	if (column > HELP_COLUMN - 2) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", (int)(HELP_COLUMN - at), "");
	at = HELP_COLUMN;
	while (*help) {
		size_t n = strcspn(help, " ");

		if (at + n > HELP_WIDTH && at > HELP_COLUMN) {
			printf("\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		}
		if (at > HELP_COLUMN) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)n, help);
		at += n;
		help += n + (help[n] == ' ');
	}
	putchar('\n');
}

void
option_print(const struct cmd *c)
{
	const struct cmd_option *o;
	size_t i;
	int n;

	for (i = 0; i < CMD_GROUPS && c->groups[i]; i++) {
		printf("\n%s:\n", c->groups[i]->title);
		for (o = c->groups[i]->options; o->name; o++) {
			n = o->letter ? printf("  -%c, ", o->letter) : printf("      ");
			n += printf("--%s", o->name);
			if (o->arg)
				n += printf(o->bare ? "[=%s]" : option_takes(o) ? " %s" : "=%s", o->arg);
			option_words(o->help, (size_t)n);
		}
	}
}

void
option_done(const struct cmd *c, struct settings *set, void *own)
{
	const struct cmd_option *o;
	size_t i;

	for (i = 0; i < CMD_GROUPS && c->groups[i]; i++)
		for (o = c->groups[i]->options; o->name; o++)
			if (o->kind == OPTION_LIST)
				vec_done((struct texts *)option_place(c->groups[i], o, set, own).value);
}
