/* cmd_help.c - tamis help: the commands, and every word of the language
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/json.h"
#include "tamis.h"
#include "tamis/cmd.h"

struct help_settings {
	bool extensions, words, json;
};

static const struct cmd_option help_rows[] = {
	{ 'x', OPTION_FLAG, "extensions", NULL, "list the extensions, which rules name in \"require\"", offsetof(struct help_settings, extensions), 0 },
	{ 'w', OPTION_FLAG, "words", NULL, "list every word of the language", offsetof(struct help_settings, words), 0 },
	{ 'j', OPTION_FLAG, "json", NULL, "print words as JSON, one object a line", offsetof(struct help_settings, json), 0 },
	{ 0 }
};
static const struct option_group help_options = { "help", help_rows, true };

static void
cmd_help_commands(void)
{
	size_t i;

	printf("usage: tamis COMMAND [OPTION...] [OPERAND...]\n\n"
	       "Sieve rules for mail: what they say, and what they would do.\n\ncommands:\n");
	for (i = 0; cmds[i]; i++)
		printf("  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	printf("\n\"tamis COMMAND --help\" tells more about one, \"tamis --version\" which tamis this is,\n"
	       "\"tamis help WORD\" about a word of the language, \"tamis help --extensions\" lists those.\n"
	       "Exit status: 0 fine, 1 rules are wrong or a run or test failed, 2 wrong usage or no\n"
	       "such file, 75 a trouble that may pass.\n");
}

static bool
cmd_help_is_extension(const struct tamis_word *w)
{
	return !strcmp(w->kind, "extension");
}

/* The usage line; empty for what is no command. */
static void
cmd_help_usage(const struct tamis_word *w, struct buf *b)
{
	size_t n;

	if (cmd_help_is_extension(w))
		return;
	n = tamis_usage(w, NULL, 0);
	tamis_usage(w, buf_room(b, n + 1), n + 1);
	b->len = n;
}

static void
cmd_help_json(const struct tamis_word *w)
{
	json_t *o = json_object();
	struct buf usage = { 0 };

	cmd_help_usage(w, &usage);
	json_put(o, "name", json_text(str_from(w->name)));
	json_put(o, "kind", json_text(str_from(w->kind)));
	json_put(o, "extension", json_text(str_from(w->extension)));
	json_put(o, "usage", json_text(buf_str(&usage)));
	json_put(o, "summary", json_text(str_from(w->summary)));
	json_put(o, "document", json_text(str_from(w->document)));
	json_line(stdout, o);
	buf_done(&usage);
}

/* A line of a list. */
static void
cmd_help_line(const struct tamis_word *w, bool json)
{
	if (json)
		cmd_help_json(w);
	else
		printf("  %-22s %-11s %s\n", w->name, w->kind, w->summary);
}

static void
cmd_help_extensions(bool json)
{
	struct tamis_word w;
	size_t i;

	for (i = 0; tamis_word(i, &w); i++) {
		if (!cmd_help_is_extension(&w))
			continue;
		if (json)
			cmd_help_json(&w);
		else
			printf("%-28s %s (%s)\n", w.name, w.summary, w.document);
	}
}

/* All that is to be said about one word. */
static void
cmd_help_word(const struct tamis_word *w)
{
	struct buf usage = { 0 };

	printf("%s: %s", w->name, w->kind);
	if (!cmd_help_is_extension(w) && *w->extension)
		printf(" of the extension \"%s\"", w->extension);
	printf(" (%s)\n    %s\n", w->document, w->summary);
	cmd_help_usage(w, &usage);
	if (usage.len)
		printf("    usage: %s\n", buf_str(&usage).s);
	buf_done(&usage);
}

/* What an extension brings; `but` is shown elsewhere. */
static void
cmd_help_brings(const char *extension, const char *but, bool json)
{
	struct tamis_word w;
	size_t i;

	for (i = 0; tamis_word(i, &w); i++)
		if (!cmd_help_is_extension(&w) && !strcmp(w.extension, extension) && !(but && !strcmp(w.name, but)))
			cmd_help_line(&w, json);
}

static void
cmd_help_words(bool json)
{
	struct tamis_word w;
	size_t i;

	if (!json)
		printf("without \"require\":\n");
	cmd_help_brings("", NULL, json);
	for (i = 0; tamis_word(i, &w); i++) {
		if (!cmd_help_is_extension(&w))
			continue;
		if (json)
			cmd_help_json(&w);
		else
			printf("\n%s: %s (%s)\n", w.name, w.summary, w.document);
		cmd_help_brings(w.name, NULL, json);
	}
}

/* With or without the colon of a tag. */
static bool
cmd_help_names(const struct tamis_word *w, struct str word)
{
	return str_iis(word, w->name) || (w->name[0] == ':' && str_iis(word, w->name + 1));
}

static const char *
cmd_help_name(size_t i)
{
	struct tamis_word w;
	size_t commands = 0;

	while (cmds[commands])
		commands++;
	if (i < commands)
		return cmds[i]->name;
	return tamis_word(i - commands, &w) ? w.name : NULL;
}

/* One of several, in full. */
static void
cmd_help_one(const struct tamis_word *w, bool json, bool first)
{
	if (json) {
		cmd_help_json(w);
		return;
	}
	if (!first)
		putchar('\n');
	cmd_help_word(w);
}

/* How many words of that name there are, extensions or others; all are shown. */
static unsigned
cmd_help_show(struct str word, bool extensions, bool json, unsigned found)
{
	struct tamis_word w;
	size_t i;

	for (i = 0; tamis_word(i, &w); i++) {
		if (!cmd_help_names(&w, word) || cmd_help_is_extension(&w) != extensions)
			continue;
		cmd_help_one(&w, json, !found);
		if (extensions && !json)
			cmd_help_brings(w.name, found ? w.name : NULL, false);
		found++;
	}
	return found;
}

/* Does this usage have a tag of that name, which has no words of its own? */
static bool
cmd_help_takes(const struct tamis_word *w, struct str tag)
{
	struct buf usage = { 0 }, want = { 0 };
	struct str rest;
	ptrdiff_t at;
	bool takes = false;

	cmd_help_usage(w, &usage);
	buf_putc(&want, ':');
	for (size_t i = 0; i < tag.len; i++)
		buf_putc(&want, char_lower(tag.s[i]));
	for (rest = buf_str(&usage); !takes && (at = str_find(rest, buf_str(&want))) >= 0;) {
		rest = str_sub(rest, (size_t)at + want.len, rest.len);
		takes = !rest.len || strchr(" ]>", *rest.s);
	}
	buf_done(&usage);
	buf_done(&want);
	return takes;
}

/* "COMPARATOR" and "MATCH-TYPE" of a usage, "action"... */
static bool
cmd_help_is_kind(const struct tamis_word *w, struct str name)
{
	size_t i;

	for (i = 0; i < name.len && w->kind[i]; i++)
		if (char_lower(name.s[i]) != w->kind[i] && !(name.s[i] == '-' && w->kind[i] == ' '))
			return false;
	return i == name.len && !w->kind[i];
}

/* The commands that take a tag, else the words of a kind. */
static unsigned
cmd_help_indirect(const char *topic, bool json)
{
	struct str name = str_from(*topic == ':' ? topic + 1 : topic);
	struct tamis_word w;
	unsigned found = 0;
	size_t i;

	for (i = 0; name.len && tamis_word(i, &w); i++) {
		if (!cmd_help_takes(&w, name))
			continue;
		cmd_help_one(&w, json, !found);
		found++;
	}
	if (found)
		return found;
	for (i = 0; tamis_word(i, &w); i++) {
		if (!cmd_help_is_kind(&w, name))
			continue;
		cmd_help_line(&w, json);
		found++;
	}
	return found;
}

static int
cmd_help_topic(const char *topic, bool json)
{
	unsigned found;
	const char *meant;
	size_t i;

	for (i = 0; cmds[i] && strcmp(cmds[i]->name, topic); i++)
		;
	if (cmds[i] && !json)
		cmd_print_help(cmds[i]);
	found = cmd_help_show(str_from(topic), false, json, 0);
	found = cmd_help_show(str_from(topic), true, json, found);
	if (cmds[i] || found || cmd_help_indirect(topic, json))
		return CMD_FINE;
	meant = cmd_meant(str_from(topic), cmd_help_name);
	if (meant)
		return cmd_usage(&cmd_help, "nothing is known about \"%s\"; did you mean \"%s\"?", topic, meant);
	return cmd_usage(&cmd_help, "nothing is known about \"%s\"", topic);
}

static int
cmd_help_run(const struct settings *set, void *own, struct texts operands)
{
	const struct help_settings *help = own;
	int rc = CMD_FINE;
	size_t i;

	(void)set;
	if (help->extensions)
		cmd_help_extensions(help->json);
	if (help->words)
		cmd_help_words(help->json);
	if (!operands.n && !help->extensions && !help->words)
		cmd_help_commands();
	for (i = 0; i < operands.n; i++) {
		if (i && !help->json)
			putchar('\n');
		rc = cmd_worse(rc, cmd_help_topic(operands.v[i], help->json));
	}
	return rc;
}

const struct cmd cmd_help = {
	.name = "help",
	.usage = "[COMMAND|EXTENSION|WORD...]",
	.summary = "explain a command of tamis, or a word of the language",
	.groups = { &help_options, &options_general },
	.own_size = sizeof(struct help_settings),
	.run = cmd_help_run,
};
